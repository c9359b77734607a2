//! No secret in any text: not in `Debug`, not in `Display`, not in an error, not in a log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::HeaderMap;
use proptest::prelude::*;
use serde_json::json;
use webmessaging_http::testing::Halfway;
use webmessaging_http::{Client, Credentials, Error, PresignedPut, PresignedTarget, PresignedUrl, Source};
use webmessaging_model::{Method, Operation, RetryClass};

use crate::script::{Call, Step, answer, client_of, client_with, done, status, token};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Runs work with every log line down to `trace` caught.
fn logged<T>(work: impl Future<Output = T>) -> (T, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = tracing::subscriber::with_default(subscriber, || runtime.block_on(work));
    (result, log.text())
}

const PUT: Operation = Operation::new("things.put", Method::Put, "");

#[test]
fn logs_carry_the_ids_of_a_call() {
    let (client, _) =
        client_with([token("t", 300), status(503).header("x-request-id", "r-9"), done()], |builder| builder);
    let (answer, log) = logged(async { client.send(&Call(RetryClass::Idempotent)).await });
    let id = answer.unwrap().facts.correlation_id;
    assert!(log.contains(&id) && log.contains("r-9") && log.contains("things.read"), "{log}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_secret_reaches_a_text(secret in "[A-Za-z0-9]{20}") {
        let secret_of = |name: &str| format!("{name}{secret}");
        let bearer = secret_of("bearer");
        let body = Bytes::from(json!({"text": secret_of("body")}).to_string());
        let steps = [
            token(&bearer, 300),
            status(401),
            token(&bearer, 300),
            Step::Answer(200, vec![], body.clone()),
            Step::Answer(500, vec![], body),
            answer(403, &json!({})),
            Step::Fail(webmessaging_http::transport::Failure::Interrupted),
        ];
        let mut texts = Vec::new();
        let set_up = |builder: webmessaging_http::ClientBuilder| {
            texts.push(format!("{builder:?}"));
            builder.retry(webmessaging_http::RetryPolicy::never())
        };
        let credentials = Credentials::new("id", secret_of("client-secret"));
        let (client, _) = client_of(credentials.clone(), steps, set_up);
        let url = PresignedUrl::new(format!("https://store.example/put?signature={}", secret_of("signature")));
        texts.extend([format!("{client:?} {credentials:?} {url:?} {url}")]);

        let work = async {
            let mut errors: Vec<Error> = Vec::new();
            for _ in 0..2 {
                errors.extend(client.send(&Call(RetryClass::Idempotent)).await.err());
            }
            let source = Source::bytes("a.txt", secret_of("content"));
            let length = source.head(0).await.unwrap().0;
            for _ in 0..2 {
                let issue = || async {
                    let lifetime = std::time::Duration::from_secs(300);
                    Ok(PresignedTarget::new(url.clone(), HeaderMap::new(), lifetime))
                };
                errors.extend(client.put_presigned(PresignedPut::new(&PUT, &source, length), issue).await.err());
                // A refusal asks for another URL; the script's last step meets that attempt.
                if errors.len() == 3 { break; }
            }
            errors
        };
        let (errors, log) = logged(work);
        prop_assert_eq!(errors.len(), 3);
        texts.push(log);
        texts.extend(errors.iter().map(|error| {
            format!("{error} {error:?} {:?}", std::error::Error::source(error))
        }));
        for text in texts {
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }

    /// The real transport's errors know the whole URL.
    #[test]
    fn a_signature_is_not_in_the_causes_of_an_error(secret in "[A-Za-z0-9]{20}") {
        let (outcome, log) = logged(async {
            let client = Client::builder(Credentials::new("id", "secret"))
                .base_url("http://127.0.0.1:1")
                .retry(webmessaging_http::RetryPolicy::never())
                .build()?;
            let source = Source::bytes("a.txt", "words");
            let issue = || async {
                let url = PresignedUrl::new(format!("http://127.0.0.1:1/put?signature={secret}"));
                Ok(PresignedTarget::new(url, HeaderMap::new(), std::time::Duration::from_secs(300)))
            };
            client.put_presigned(PresignedPut::new(&PUT, &source, 5), issue).await
        });
        let error = outcome.unwrap_err();
        prop_assert_eq!(error.kind(), webmessaging_http::ErrorKind::Connect);
        let mut texts = vec![log, format!("{error} {error:?}")];
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            texts.push(format!("{error} {error:?}"));
            cause = error.source();
        }
        prop_assert!(texts.len() > 2, "no cause");
        for text in texts {
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }

    #[test]
    fn a_wrong_secret_is_not_repeated(secret in "[A-Za-z0-9]{20}") {
        let client = Client::builder(Credentials::new("id", &*secret)).entropy(Halfway).base_url("http://127.0.0.1:1");
        let (outcome, log) = logged(async {
            let client = client.retry(webmessaging_http::RetryPolicy::never()).build()?;
            client.send(&Call(RetryClass::Idempotent)).await
        });
        let error = outcome.unwrap_err();
        prop_assert_eq!(error.kind(), webmessaging_http::ErrorKind::Connect);
        let text = format!("{error} {error:?} {log}");
        prop_assert!(!text.contains(&secret), "{}", text);
    }
}
