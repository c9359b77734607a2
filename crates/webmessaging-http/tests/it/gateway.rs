//! What a gateway and its users see: prefixes, headers, and nothing of what goes to an object store.

use std::time::Duration;

use http::HeaderMap;
use http::header::CACHE_CONTROL;
use webmessaging_http::{
    Client, Credentials, Encoder, Endpoint, Gateway, PresignedPut, PresignedTarget, PresignedUrl, Source,
};
use webmessaging_model::{Method, Operation, RetryClass};

use crate::far_side::{FarSide, header};
use crate::script::{Call, Done, IDEMPOTENT};

const PUT: Operation = Operation::new("things.put", Method::Put, "");

/// A call with a header of its own.
struct Fresh;

impl Endpoint for Fresh {
    type Answer = Done;

    fn operation(&self) -> &'static Operation {
        &IDEMPOTENT
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.header(CACHE_CONTROL, "no-cache")
    }
}

#[tokio::test]
async fn each_host_sees_what_is_for_it() {
    let (gateway, store) = (FarSide::plain().await, FarSide::plain().await);
    let here = Gateway::new("127.0.0.1").protocol("http").port(gateway.port);
    let client = Client::builder(Credentials::new("id", "secret"))
        .gateway(here.login_path("genesys/login").api_path("/genesys/api/"))
        .default_header("X-Api-Key", "first")
        .default_header("x-api-key", "the key")
        .default_header("cache-control", "max-age=5")
        .build()
        .unwrap();
    client.send(&Call(RetryClass::Once)).await.unwrap();
    client.send(&Fresh).await.unwrap();
    let source = Source::bytes("a.txt", "words");
    let issue = || async {
        let url = PresignedUrl::new(format!("http://127.0.0.1:{}/put?signature=s", store.port));
        Ok(PresignedTarget::new(url, HeaderMap::new(), Duration::from_secs(300)))
    };
    client.put_presigned(PresignedPut::new(&PUT, &source, 5), issue).await.unwrap();

    let seen = gateway.heads();
    let lines: Vec<_> = seen.iter().map(|head| head[0].as_str()).collect();
    let (login, api) = ("POST /genesys/login/oauth/token HTTP/1.1", "/genesys/api/api/v2/things HTTP/1.1");
    assert_eq!(lines, [login, &format!("POST {api}"), &format!("GET {api}")]);
    let of = |name| seen.iter().map(move |head| header(head, name)).collect::<Vec<_>>();
    assert_eq!(of("x-api-key"), [None, Some("the key"), Some("the key")]);
    assert_eq!(of("cache-control"), [None, Some("max-age=5"), Some("no-cache")]);

    let [put] = store.heads().try_into().unwrap();
    assert_eq!(put[0], "PUT /put?signature=s HTTP/1.1");
    assert_eq!((header(&put, "x-api-key"), header(&put, "cache-control")), (None, None));
}
