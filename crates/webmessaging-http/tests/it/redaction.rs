//! No secret in any text: not in `Debug`, not in `Display`, not in an error, not in a log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use proptest::prelude::*;
use webmessaging_http::testing::Halfway;
use webmessaging_http::{
    Certificates, Client, ClientIdentity, Credentials, Gateway, Metrics, PresignedPut, PresignedTarget,
    PresignedUrl, Proxy, Source,
};
use webmessaging_model::{Method, Operation, RetryClass};

use crate::certificates::Authority;
use crate::far_side::FarSide;
use crate::logged::logged;
use crate::script::Call;
use crate::secretive::{Spy, chain, everything};

const PUT: Operation = Operation::new("things.put", Method::Put, "");

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_secret_reaches_a_text(secret in "[A-Za-z0-9]{20}") {
        let encoded = STANDARD.encode(format!("the-id:client-secret-{secret}"));
        let mut leaks = Vec::new();
        for (sink, marker, text) in everything(&secret) {
            prop_assert!(text.contains(marker), "nothing came to {sink}: {text}");
            let at = text.find(&secret).or_else(|| text.find(&encoded));
            leaks.extend(at.map(|at| (sink, text.chars().skip(at.saturating_sub(60)).take(90).collect::<String>())));
        }
        prop_assert!(leaks.is_empty(), "{leaks:#?}");
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
        let (company, spy, metrics) = (Authority::new("Company"), Spy::new(&secret), Metrics::new());
        let us = company.client();
        let (mut texts, log) = logged(async {
            let mut texts = Vec::new();
            for answer in ["HTTP/1.1 407 No\r\n\r\n", "HTTP/1.1 403 No\r\n\r\n", ""] {
                let proxy = FarSide::stubborn(answer.as_bytes()).await;
                for base_url in ["https://api.example.com", "http://127.0.0.1:1"] {
                    let url = format!("http://127.0.0.1:{}", proxy.port);
                    let client = Client::builder(Credentials::new("id", "secret"))
                        .base_url(base_url)
                        .proxy(Proxy::to(url).credentials("user", &*secret))
                        .certificates(Certificates::only_pem(company.pem()))
                        .client_identity(ClientIdentity::from_pem(us.pem()))
                        .default_header("x-key", &*secret)
                        .retry(webmessaging_http::RetryPolicy::never())
                        .observer(spy.clone())
                        .observer(metrics.clone());
                    texts.push(format!("{client:?} {client:#?}"));
                    let client = client.build().unwrap();
                    texts.extend(chain(&client.send(&Call(RetryClass::Idempotent)).await.unwrap_err()));
                    texts.push(format!("{client:?} {:?} {:?}", client.limits(), client.breakers()));
                }
            }
            texts
        });
        texts.extend([spy.text(), format!("{metrics:?} {:?}", metrics.snapshot()), log]);
        let encoded = STANDARD.encode(format!("user:{secret}"));
        let key: Vec<_> = us.key.lines().filter(|line| !line.starts_with("-----")).collect();
        for text in texts {
            prop_assert!(!text.contains(&secret) && !text.contains(&encoded), "{}", text);
            prop_assert!(!key.iter().any(|line| text.contains(line)), "{}", text);
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
