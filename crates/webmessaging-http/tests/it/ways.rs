//! The two transports on real sockets, straight and through a proxy: they promise the same.

use std::time::Duration;

use http::HeaderMap;
use webmessaging_http::testing::SkippingClock;
use webmessaging_http::{
    Client, Credentials, Encoder, Endpoint, Error, ErrorKind, PresignedPut, PresignedTarget, PresignedUrl,
    Proxy, Sent, Source,
};
use webmessaging_model::{Method, Operation, RetryClass};

use crate::far_side::{FarSide, header};
use crate::forward_proxy::ForwardProxy;
use crate::script::{Call, Done};

const PUT: Operation = Operation::new("things.put", Method::Put, "");

const POST: Operation = Operation::new("things.post", Method::Post, "/things");
const GET: Operation = Operation::new("things.get", Method::Get, "/things");

/// A request without a body.
struct Bare(&'static Operation);

impl Endpoint for Bare {
    type Answer = Done;

    fn operation(&self) -> &'static Operation {
        self.0
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request
    }
}

/// Each way to the far side by its name. What answers is no login server, so the token is given.
async fn ways(side: &FarSide) -> [(&'static str, Client); 2] {
    let proxy = ForwardProxy::start(side, None, None).await;
    let client = |proxy| {
        let builder = Client::builder(Credentials::access_token("t")).clock(SkippingClock::new());
        builder.base_url(format!("http://127.0.0.1:{}", side.port)).proxy(proxy).build().unwrap()
    };
    let through = Proxy::to(format!("http://127.0.0.1:{}", proxy.port));
    [("direct", client(Proxy::none())), ("proxied", client(through))]
}

async fn call(client: &Client) -> Result<Done, Error> {
    client.send(&Call(RetryClass::Once)).await.map(|answer| answer.value)
}

#[tokio::test]
async fn a_stream_goes_out_with_its_length_and_no_header_of_ours() {
    let side = FarSide::plain().await;
    for (way, client) in ways(&side).await {
        for (text, length) in [("words", "5"), ("", "0")] {
            let source = Source::bytes("a.txt", text);
            let issue = || async {
                let url = PresignedUrl::new(format!("http://127.0.0.1:{}/put?signature=s", side.port));
                let mut headers = HeaderMap::new();
                headers.insert("x-signed", "yes".parse().unwrap());
                Ok(PresignedTarget::new(url, headers, Duration::from_secs(300)))
            };
            let put = PresignedPut::new(&PUT, &source, text.len() as u64);
            client.put_presigned(put, issue).await.unwrap();
            let head = side.heads().pop().unwrap();
            assert!(head[0].ends_with("/put?signature=s HTTP/1.1"), "{way}: {head:?}");
            assert_eq!(header(&head, "content-length"), Some(length), "{way}");
            let mut names: Vec<_> = head[1..].iter().filter_map(|line| line.split_once(": ")).collect();
            // What the second transport adds.
            names.retain(|(name, value)| (*name, *value) != ("accept", "*/*"));
            names.sort_unstable();
            let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["content-length", "host", "x-signed"], "{way}");
        }
    }
}

#[tokio::test]
async fn a_call_has_one_of_each_header() {
    let side = FarSide::plain().await;
    for (way, client) in ways(&side).await {
        call(&client).await.unwrap();
        let head = side.heads().pop().unwrap();
        for (name, value) in [("authorization", "Bearer t"), ("accept", "application/json")] {
            assert_eq!(header(&head, name), Some(value), "{way}");
            assert_eq!(head.iter().filter(|line| line.starts_with(name)).count(), 1, "{way}: {head:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_body_has_a_length_where_one_is_expected() {
    let side = FarSide::plain().await;
    for (way, client) in ways(&side).await {
        for (operation, length) in [(&POST, Some("0")), (&GET, None)] {
            client.send(&Bare(operation)).await.unwrap();
            let head = side.heads().pop().unwrap();
            assert_eq!(header(&head, "content-length"), length, "{way} {}", operation.name);
        }
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let side = FarSide::plain().await;
    let [(_, direct), (_, _)] = ways(&side).await;
    for _ in 0..3 {
        call(&direct).await.unwrap();
    }
    assert_eq!(side.connections(), 1);
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart_and_nothing_is_tried_behind_our_back() {
    for (answer, kind, sent) in [
        ("", ErrorKind::Interrupted, Sent::Maybe),
        ("no http", ErrorKind::Interrupted, Sent::Maybe),
        ("HTTP/1.1 200 OK\r\ncontent-le", ErrorKind::Interrupted, Sent::Maybe),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", ErrorKind::Interrupted, Sent::Yes),
        (
            "HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n",
            ErrorKind::UnexpectedAnswer,
            Sent::Yes,
        ),
    ] {
        for index in 0..2 {
            let side = FarSide::stubborn(answer.as_bytes()).await;
            let (way, client) = &ways(&side).await[index];
            let error = call(client).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (kind, sent), "{way}, {answer:?}: {error:?}");
            assert_eq!((error.attempts(), side.connections()), (1, 1), "{way}, {answer:?}");
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    // A port that was free a moment ago.
    let port = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let nobody = format!("http://127.0.0.1:{port}");
    for proxy in [Proxy::none(), Proxy::to(nobody.clone())] {
        let builder = Client::builder(Credentials::access_token("t")).clock(SkippingClock::new());
        let client = builder.base_url(&nobody).proxy(proxy).build().unwrap();
        let error = call(&client).await.unwrap_err();
        // Nothing was sent, so even what may be sent only once was tried again.
        assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Connect, Sent::No, 4));
    }
}
