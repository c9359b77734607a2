//! No secret in any text: not in `Debug`, not in `Display`, not in an error, not in a log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use proptest::prelude::*;
use serde_json::json;
use webmessaging_http::testing::Halfway;
use webmessaging_http::{
    Certificates, Client, ClientIdentity, Credentials, Error, Gateway, PresignedPut, PresignedTarget,
    PresignedUrl, Proxy, Source,
};
use webmessaging_model::{Method, Operation, RetryClass};

use crate::certificates::Authority;
use crate::far_side::FarSide;
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

/// An error and its causes, in both forms.
fn chain(error: &Error) -> Vec<String> {
    let mut texts = vec![format!("{error} {error:?}")];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        texts.push(format!("{error} {error:?}"));
        cause = error.source();
    }
    texts
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
            builder
                .default_header("x-key", secret_of("header"))
                .retry(webmessaging_http::RetryPolicy::never())
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
        let texts = chain(&error);
        prop_assert!(texts.len() > 1, "no cause");
        for text in texts.into_iter().chain([log]) {
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }

    #[test]
    fn what_connections_are_made_with_is_not_repeated(secret in "[A-Za-z0-9]{20}") {
        let builder = || Client::builder(Credentials::new("id", "secret")).base_url("http://127.0.0.1:1");
        let pem = |name: &str| format!("-----BEGIN {name}-----\n{secret}\n-----END {name}-----\n");
        let wrong = [
            builder().proxy(Proxy::to(&*secret)),
            builder().proxy(Proxy::to(format!("http://user:{secret}@proxy.example:3128"))),
            builder().proxy(Proxy::to("http://proxy.example").credentials("a:b", &*secret)),
            builder().proxy(Proxy::to("http://proxy.example").except(format!("{secret}/"))),
            builder().certificates(Certificates::only_pem(&*secret)),
            builder().certificates(Certificates::only_pem(pem("CERTIFICATE"))),
            builder().certificates(Certificates::only_pem(format!("-----BEGIN CERTIFICATE-----\n{secret}"))),
            builder().client_identity(ClientIdentity::from_pem(&*secret)),
            builder().client_identity(ClientIdentity::from_pem(pem("PRIVATE KEY"))),
            builder().client_identity(ClientIdentity::from_pem(pem("CERTIFICATE") + &pem("PRIVATE KEY"))),
            builder().gateway(Gateway::new(format!("user:{secret}@gateway.example"))),
            builder().default_header(format!("{secret} x"), "value"),
            builder().default_header("x-key", format!("{secret}\n")),
        ];
        let mut texts = Vec::new();
        for builder in wrong {
            texts.push(format!("{builder:?}"));
            texts.extend(chain(&builder.build().unwrap_err()));
        }
        texts.push(format!("{:?}", Proxy::to(format!("http://user:{secret}@proxy.example:3128"))));
        texts.push(format!("{:?}", Proxy::to("http://proxy.example:3128").credentials("user", &*secret)));
        texts.push(format!("{:?}", Certificates::only_pem(&*secret)));
        texts.push(format!("{:?}", ClientIdentity::from_pem(&*secret)));
        for text in texts {
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }

    /// The proxy gets the credentials and the gateway the header; whoever reads errors and logs gets neither.
    #[test]
    fn what_others_are_told_is_not_told_to_logs(secret in "[A-Za-z0-9]{20}") {
        let (texts, log) = logged(async {
            let mut texts = Vec::new();
            for answer in ["HTTP/1.1 407 No\r\n\r\n", "HTTP/1.1 403 No\r\n\r\n", ""] {
                let proxy = FarSide::stubborn(answer.as_bytes()).await;
                for base_url in ["https://api.example.com", "http://127.0.0.1:1"] {
                    let url = format!("http://127.0.0.1:{}", proxy.port);
                    let client = Client::builder(Credentials::new("id", "secret"))
                        .base_url(base_url)
                        .proxy(Proxy::to(url).credentials("user", &*secret))
                        .certificates(Certificates::only_pem(Authority::new("Company").pem()))
                        .default_header("x-key", &*secret)
                        .retry(webmessaging_http::RetryPolicy::never())
                        .build()
                        .unwrap();
                    texts.push(format!("{client:?}"));
                    texts.extend(chain(&client.send(&Call(RetryClass::Idempotent)).await.unwrap_err()));
                }
            }
            texts
        });
        let encoded = STANDARD.encode(format!("user:{secret}"));
        for text in texts.into_iter().chain([log]) {
            prop_assert!(!text.contains(&secret) && !text.contains(&encoded), "{}", text);
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
