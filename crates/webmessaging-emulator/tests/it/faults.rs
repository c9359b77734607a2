//! Each fault, once, and then a request that is served as usual.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webmessaging_emulator::{Emulator, Fault, Route};

use crate::client::{
    Announced, SCAN, announce, announce_request, announcement, builder, demo_token_request, get_request,
    judged, plain_get, send, start, state, token, try_send,
};

const BYTES: usize = 300_000;

async fn large(emulator: &Emulator) -> (Announced, Vec<u8>) {
    (announce(emulator, "a.txt", "text/plain", BYTES).await, vec![b'a'; BYTES])
}

/// How a connection failed, as its client sees it.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// The system reported a reset.
    Reset,
    /// The answer was shorter than announced.
    EndedEarly,
}

async fn failure(emulator: &Emulator, request: Request<Full<Bytes>>) -> Failure {
    let Err(error) = try_send(emulator.address(), request).await else { panic!("there was an answer") };
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind) {
        // A client that is still writing hears of the reset in another way.
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => Failure::Reset,
        Some(io::ErrorKind::UnexpectedEof) => Failure::EndedEarly,
        _ if error.is_incomplete_message() => Failure::EndedEarly,
        _ => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn canned_answers_come_in_order_and_without_effect() {
    let emulator = start().await;
    emulator.inject(
        Route::Token,
        Fault::status(503).header("retry-after", "7").json(json!({ "code": "service.unavailable" })),
    );
    emulator.inject(Route::Token, Fault::status(502).html("<html>bad gateway</html>"));
    emulator.inject(Route::Token, Fault::status(429).body("{ not json").header("ReTry-After", "1"));
    emulator.inject(Route::Token, Fault::status(204));

    let first = send(&emulator, demo_token_request()).await;
    assert_eq!((first.status, first.header("retry-after")), (503, "7"));
    assert_eq!(first.json(), json!({ "code": "service.unavailable" }));
    assert_eq!(first.header("inin-correlation-id"), first.header("x-genesys-request-id"));
    assert_eq!(first.header("inin-correlation-id").len(), 36);
    let second = send(&emulator, demo_token_request()).await;
    assert_eq!((second.status, second.text()), (502, "<html>bad gateway</html>"));
    assert_eq!(second.header("content-type"), "text/html; charset=utf-8");
    let third = send(&emulator, demo_token_request()).await;
    assert_eq!((third.status, third.text()), (429, "{ not json"));
    assert_eq!((third.header("retry-after"), third.header("content-type")), ("1", ""));
    let fourth = send(&emulator, demo_token_request()).await;
    assert_eq!((fourth.status, fourth.text()), (204, ""));
    assert_eq!(send(&emulator, demo_token_request()).await.status, 200);

    assert_eq!(emulator.count(Route::Token), 5);
    let statuses: Vec<_> = emulator.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [503, 502, 429, 204, 200].map(Some));
}

#[tokio::test]
async fn faults_wait_for_their_own_route() {
    let emulator = start().await;
    emulator.inject(Route::CreateUpload, Fault::status(500));
    let token = token(&emulator).await;
    let announce = || announce_request(&token, &announcement("a.txt", "text/plain", 1));
    assert_eq!(send(&emulator, plain_get("/nowhere")).await.status, 404);
    assert_eq!(send(&emulator, announce()).await.status, 500);
    assert_eq!(send(&emulator, announce()).await.status, 200);
}

#[tokio::test]
async fn a_canned_answer_reads_the_body_first() {
    let emulator = start().await;
    let (file, bytes) = large(&emulator).await;
    emulator.inject(Route::PutUpload, Fault::status(500));
    assert_eq!(send(&emulator, file.put(&bytes)).await.status, 500);
    assert_eq!(emulator.requests().pop().unwrap().body_bytes, BYTES as u64);
    assert_eq!(state(&emulator, &file).await["status"], "pending");
}

#[tokio::test]
async fn a_fault_that_http_does_not_allow_is_told() {
    let emulator = start().await;
    for fault in [
        Fault::status(99),
        Fault::status(101),
        Fault::status(200).header("not a name", "x"),
        Fault::status(200).header("x", "not\na value"),
        Fault::status(200).json(f64_map()),
        Fault::status(200).header("content-length", "2").body("x"),
    ] {
        emulator.inject(Route::Token, fault);
        let answer = send(&emulator, demo_token_request()).await;
        assert_eq!(answer.refusal(), (500, "emulator.fault.invalid"));
    }
}

/// A map whose keys JSON cannot have.
fn f64_map() -> std::collections::BTreeMap<(u8, u8), u8> {
    [((1, 2), 3)].into()
}

#[tokio::test]
async fn a_connection_dropped_before_the_effect_leaves_nothing() {
    let emulator = start().await;
    let (file, bytes) = large(&emulator).await;
    emulator.inject(Route::PutUpload, Fault::drop_before());
    assert_eq!(failure(&emulator, file.put(&bytes)).await, Failure::Reset);
    let recorded = emulator.requests().pop().unwrap();
    assert_eq!((recorded.route, recorded.status), (Some(Route::PutUpload), None));
    assert_eq!(recorded.body_bytes, BYTES as u64);
    assert_eq!(state(&emulator, &file).await["status"], "pending");
    assert_eq!(send(&emulator, file.put(&bytes)).await.status, 200);
}

#[tokio::test]
async fn a_connection_dropped_after_the_effect_keeps_it() {
    let emulator = start().await;
    let (file, bytes) = large(&emulator).await;
    emulator.inject(Route::PutUpload, Fault::drop_after());
    assert_eq!(failure(&emulator, file.put(&bytes)).await, Failure::Reset);
    assert_eq!(emulator.requests().pop().unwrap().status, None);
    assert_eq!(state(&emulator, &file).await["status"], "scanning");
}

#[tokio::test]
async fn a_connection_dropped_in_the_body_stores_nothing() {
    let emulator = start().await;
    let (file, bytes) = large(&emulator).await;
    for at in [0, 1, 100_001, BYTES as u64] {
        emulator.inject(Route::PutUpload, Fault::drop_body_after(at));
        assert_eq!(failure(&emulator, file.put(&bytes)).await, Failure::Reset, "{at}");
        let recorded = emulator.requests().pop().unwrap();
        assert_eq!((recorded.status, recorded.body_bytes), (None, at));
        assert_eq!(state(&emulator, &file).await["status"], "pending", "{at}");
    }
    emulator.inject(Route::PutUpload, Fault::drop_body_after(BYTES as u64 + 1));
    assert_eq!(failure(&emulator, file.put(&bytes)).await, Failure::Reset);
    assert_eq!(state(&emulator, &file).await["status"], "pending");
    assert_eq!(send(&emulator, file.put(&bytes)).await.status, 200);
}

/// Reads what comes until the connection ends, and splits it into head and body.
async fn read_raw(emulator: &Emulator, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let body = bytes.split_off(head_end);
    (String::from_utf8(bytes).unwrap(), body)
}

#[tokio::test]
async fn a_truncated_answer_promises_all_and_gives_a_part() {
    let emulator = start().await;
    let bytes = vec![b'a'; BYTES];
    let url = judged(&emulator, "text/plain", &bytes).await["downloadUrl"].as_str().unwrap().to_owned();
    let target = url.strip_prefix(emulator.base_url()).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n");
    for at in [0, 1, 65_537, BYTES - 1, BYTES] {
        emulator.inject(Route::Download, Fault::truncate_answer(at as u64));
        let (head, body) = read_raw(&emulator, &request).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\ncontent-length: 300000\r\n"), "{head}");
        assert_eq!(body, bytes[..at]);
    }
    emulator.inject(Route::Download, Fault::truncate_answer(10));
    let error = try_send(emulator.address(), plain_get(&url)).await.err().unwrap();
    assert!(
        error.is_body_write_aborted()
            || error.is_incomplete_message()
            || error.is_closed()
            || error.is_parse()
            || error.to_string().contains("body"),
        "{error:?}"
    );
    assert_eq!(send(&emulator, plain_get(&url)).await.body, bytes);
}

#[tokio::test]
async fn a_truncated_answer_still_has_its_effect() {
    let emulator = start().await;
    let token = token(&emulator).await;
    let file = announce(&emulator, "a.txt", "text/plain", 1).await;
    emulator.inject(Route::GetAttachment, Fault::truncate_answer(5));
    assert_eq!(failure(&emulator, get_request(&token, &file.path())).await, Failure::EndedEarly);
    assert_eq!(emulator.requests().pop().unwrap().status, Some(200));
    emulator.inject(Route::Token, Fault::truncate_answer(5));
    assert_eq!(failure(&emulator, demo_token_request()).await, Failure::EndedEarly);
}

#[tokio::test]
async fn a_delayed_request_is_served_afterwards() {
    let emulator = start().await;
    let before = emulator.clock().now();
    emulator.inject(Route::Token, Fault::delay(Duration::from_millis(20)));
    assert_eq!(send(&emulator, demo_token_request()).await.status, 200);
    assert!(emulator.clock().now().duration_since(before).unwrap() >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_url_can_expire_during_the_transfer() {
    let emulator = builder().upload_url_lifetime(Duration::from_secs(300)).start().await.unwrap();
    for at in [0, 1, 100_001, BYTES as u64, u64::MAX] {
        let (file, bytes) = large(&emulator).await;
        emulator.inject(Route::PutUpload, Fault::advance_clock_in_body(at, Duration::from_secs(300)));
        let answer = send(&emulator, file.put(&bytes)).await;
        assert_eq!(answer.refusal(), (403, "AccessDenied"), "{at}");
        assert_eq!(emulator.requests().pop().unwrap().body_bytes, BYTES as u64, "{at}");
        assert_eq!(state(&emulator, &file).await["status"], "pending", "{at}");
    }
}

#[tokio::test]
async fn a_clock_that_moves_less_during_the_transfer_does_no_harm() {
    let emulator = start().await;
    let (file, bytes) = large(&emulator).await;
    let before = emulator.clock().now();
    emulator.inject(Route::PutUpload, Fault::advance_clock_in_body(100, SCAN));
    assert_eq!(send(&emulator, file.put(&bytes)).await.status, 200);
    assert!(emulator.clock().now().duration_since(before).unwrap() >= SCAN);
    assert_eq!(state(&emulator, &file).await["status"], "scanning");
}
