//! Signed URLs: what they allow, for how long, and what the store refuses.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT};
use http::{HeaderValue, Request};
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webmessaging_emulator::{Emulator, Route};

use crate::client::{
    Announced, Answer, SCAN, announce, builder, judged, plain_get, send, start, state, try_send,
};

const HELLO: &[u8] = b"hello";

fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Sha256::digest(bytes)))
}

async fn hello(emulator: &Emulator) -> Announced {
    announce(emulator, "a.txt", "text/plain", HELLO.len()).await
}

/// Changes one header of a correct `PUT`.
fn put_with(file: &Announced, name: &'static str, value: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = file.put(HELLO);
    match value {
        None => request.headers_mut().remove(name),
        Some(value) => request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap()),
    };
    request
}

fn assert_refused(answer: &Answer, status: u16, code: &str, case: &str) {
    assert_eq!(answer.refusal(), (status, code), "{case}");
    assert_eq!(answer.header("content-type"), "application/xml", "{case}");
    let start = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>");
    let end = format!("</Message><RequestId>{}</RequestId></Error>", answer.header("x-genesys-request-id"));
    assert!(answer.text().starts_with(&start), "{case}: {}", answer.text());
    assert!(answer.text().ends_with(&end), "{case}: {}", answer.text());
}

#[tokio::test]
async fn bytes_go_up_and_come_down_again() {
    let emulator = start().await;
    let file = hello(&emulator).await;
    let answer = send(&emulator, file.put(HELLO)).await;
    assert_eq!((answer.status, answer.header("etag")), (200, etag(HELLO).as_str()));
    emulator.clock().advance(SCAN);

    let url = state(&emulator, &file).await["downloadUrl"].as_str().unwrap().to_owned();
    let answer = send(&emulator, plain_get(&url)).await;
    assert_eq!((answer.status, answer.text()), (200, "hello"));
    assert_eq!(answer.header("content-type"), "text/plain");
    assert_eq!(answer.header("content-length"), "5");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"a.txt\"");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!((emulator.count(Route::PutUpload), emulator.count(Route::Download)), (1, 1));
}

#[tokio::test]
async fn a_file_of_the_maximum_size_arrives_whole() {
    let emulator = start().await;
    let bytes: Vec<u8> =
        (0..10 * 1024 * 1024_usize).map(|at| b'a' + u8::try_from(at % 26).unwrap()).collect();
    let url = judged(&emulator, "text/plain", &bytes).await["downloadUrl"].as_str().unwrap().to_owned();
    assert_eq!(etag(&send(&emulator, plain_get(&url)).await.body), etag(&bytes));
}

#[tokio::test]
async fn each_wrong_header_is_refused_and_nothing_is_stored() {
    let emulator = start().await;
    let file = hello(&emulator).await;
    let other = hello(&emulator).await;
    let mut empty = file.put(b"");
    empty.headers_mut().insert(CONTENT_LENGTH, 0.into());
    for (case, request) in [
        ("a bearer token", put_with(&file, "authorization", Some("Bearer abc"))),
        ("no type", put_with(&file, "content-type", None)),
        ("other type", put_with(&file, "content-type", Some("text/plain"))),
        ("no file id", put_with(&file, "x-genesys-file-id", None)),
        ("other file id", put_with(&file, "x-genesys-file-id", Some(&other.id))),
        ("too short", file.put(b"hell")),
        ("too long", file.put(b"hello!")),
        ("empty", empty),
    ] {
        assert_refused(&send(&emulator, request).await, 400, "InvalidArgument", case);
    }
    let chunks = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(HELLO)))]);
    let (parts, _) = file.put(HELLO).into_parts();
    let chunked = Request::from_parts(parts, StreamBody::new(chunks));
    let answer = try_send(emulator.address(), chunked).await.unwrap();
    assert_refused(&answer, 411, "MissingContentLength", "chunked");
    assert_eq!(state(&emulator, &file).await["status"], "pending");
}

#[tokio::test]
async fn only_the_signature_and_the_expiry_of_a_url_are_bound() {
    let emulator = start().await;
    let file = hello(&emulator).await;
    let other = hello(&emulator).await;
    let expires = file.url.split_once("expires=").unwrap().1.split_once('&').unwrap().0;
    let unsigned = file.url.split_once('?').unwrap().0;
    let signature = file.url.split_once("signature=").unwrap().1;
    for url in [
        unsigned.to_owned(),
        format!("{unsigned}?expires={expires}"),
        format!("{unsigned}?signature={signature}"),
        format!("{unsigned}?expires={expires}&signature=nothex"),
        format!("{unsigned}?expires={expires}&signature={}", signature.replace(|_| true, "0")),
        format!("{unsigned}?expires=9{expires}&signature={signature}"),
        format!("{}&expires={expires}", file.url),
        format!("{}&signature={signature}", file.url),
        file.url.replace(&file.id, &other.id),
        file.url.replace(&file.id, "unknown"),
        file.url.replace(&file.id, &file.id.to_uppercase()),
    ] {
        let forged = Announced { url: url.clone(), id: file.id.clone() };
        assert_refused(&send(&emulator, forged.put(HELLO)).await, 403, "SignatureDoesNotMatch", &url);
    }
    let extended = Announced { url: format!("{}&trace=1", file.url), id: file.id.clone() };
    assert_eq!(send(&emulator, extended.put(HELLO)).await.status, 200);
}

#[tokio::test]
async fn a_url_signed_for_one_length_does_not_carry_another_file() {
    let emulator = start().await;
    let short = hello(&emulator).await;
    let long = announce(&emulator, "a.txt", "text/plain", 6).await;
    let url = long.url.split_once('?').unwrap().0.to_owned() + "?" + short.url.split_once('?').unwrap().1;
    let forged = Announced { url, id: long.id.clone() };
    assert_refused(&send(&emulator, forged.put(b"hello!")).await, 403, "SignatureDoesNotMatch", "swapped");
}

#[tokio::test]
async fn an_upload_url_expires_with_the_clock() {
    let emulator = builder().upload_url_lifetime(Duration::from_secs(60)).start().await.unwrap();
    let (early, late) = (hello(&emulator).await, hello(&emulator).await);
    emulator.clock().advance(Duration::from_secs(30));
    assert_eq!(send(&emulator, early.put(HELLO)).await.status, 200);
    emulator.clock().advance(Duration::from_secs(30));
    let answer = send(&emulator, late.put(HELLO)).await;
    assert_refused(&answer, 403, "AccessDenied", "expired");
    assert!(answer.text().contains("<Message>Request has expired</Message>"));
    assert_eq!(state(&emulator, &late).await["status"], "pending");
}

#[tokio::test]
async fn a_download_url_expires_after_an_hour() {
    let emulator = start().await;
    let url = judged(&emulator, "text/plain", HELLO).await["downloadUrl"].as_str().unwrap().to_owned();
    emulator.clock().advance(Duration::from_secs(3_000));
    assert_eq!(send(&emulator, plain_get(&url)).await.status, 200);
    emulator.clock().advance(Duration::from_secs(600));
    assert_refused(&send(&emulator, plain_get(&url)).await, 403, "AccessDenied", "expired");
}

#[tokio::test]
async fn a_download_takes_its_own_signature_and_no_token() {
    let emulator = start().await;
    let url = judged(&emulator, "text/plain", HELLO).await["downloadUrl"].as_str().unwrap().to_owned();
    assert_eq!(send(&emulator, plain_get(&format!("{url}&trace=1"))).await.status, 200);
    for forged in [
        format!("{url}0"),
        format!("{url}&expires=1"),
        format!("{url}&expires=9999999999"),
        url.replace("expires=", "expires=9"),
        url.split_once('?').unwrap().0.to_owned(),
    ] {
        assert_refused(&send(&emulator, plain_get(&forged)).await, 403, "SignatureDoesNotMatch", &forged);
    }
    let mut request = plain_get(&url);
    request.headers_mut().insert(AUTHORIZATION, "Bearer abc".try_into().unwrap());
    assert_refused(&send(&emulator, request).await, 400, "InvalidArgument", "bearer");
}

#[tokio::test]
async fn a_put_can_be_repeated_until_the_verdict() {
    let emulator = start().await;
    let file = hello(&emulator).await;
    assert_eq!(send(&emulator, file.put(b"first")).await.header("etag"), etag(b"first"));
    assert_eq!(send(&emulator, file.put(b"other")).await.header("etag"), etag(b"other"));
    emulator.clock().advance(SCAN);

    // A sender that lost the answer may ask again, but nobody changes what has been scanned.
    let again = send(&emulator, file.put(b"other")).await;
    assert_eq!((again.status, again.header("etag")), (200, etag(b"other").as_str()));
    assert_refused(&send(&emulator, file.put(b"third")).await, 409, "InvalidObjectState", "third");
    let url = state(&emulator, &file).await["downloadUrl"].as_str().unwrap().to_owned();
    assert_eq!(send(&emulator, plain_get(&url)).await.text(), "other");
}

#[tokio::test]
async fn a_repeated_put_starts_the_scan_again() {
    let emulator = start().await;
    let file = hello(&emulator).await;
    send(&emulator, file.put(b"first")).await;
    emulator.clock().advance(SCAN / 2);
    send(&emulator, file.put(b"first")).await;
    emulator.clock().advance(SCAN / 2);
    assert_eq!(state(&emulator, &file).await["status"], "scanning");
    emulator.clock().advance(SCAN / 2);
    assert_eq!(state(&emulator, &file).await["status"], "completed");
}

#[tokio::test]
async fn a_refused_body_is_read_so_that_the_sender_sees_the_answer() {
    let emulator = start().await;
    let bytes = vec![b'a'; 10 * 1024 * 1024];
    let file = announce(&emulator, "a.txt", "text/plain", bytes.len()).await;
    let forged = Announced { url: file.url.replace("signature=", "signature=0"), id: file.id.clone() };
    assert_refused(&send(&emulator, forged.put(&bytes)).await, 403, "SignatureDoesNotMatch", "large");
    let recorded = emulator.requests().pop().unwrap();
    assert_eq!((recorded.status, recorded.body_bytes), (Some(403), 10 * 1024 * 1024));
}

#[tokio::test]
async fn a_sender_that_asks_first_is_refused_without_its_body() {
    let emulator = start().await;
    let file = hello(&emulator).await;
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    let target = file.url.strip_prefix(emulator.base_url()).unwrap().replace("signature=", "signature=0");
    let head =
        format!("PUT {target} HTTP/1.1\r\nhost: x\r\n{EXPECT}: 100-continue\r\n{CONTENT_LENGTH}: 5\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert_eq!(emulator.requests().pop().unwrap().body_bytes, 0);
}

#[tokio::test]
async fn a_body_that_ends_early_is_not_stored() {
    let emulator = start().await;
    let file = hello(&emulator).await;
    let target = file.url.strip_prefix(emulator.base_url()).unwrap();
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    let request = format!(
        "PUT {target} HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n\
         x-genesys-file-id: {}\r\ncontent-length: 5\r\n\r\nhell",
        file.id
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // The answer, if any, comes after the emulator has given up on the body.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(state(&emulator, &file).await["status"], "pending");
    assert_eq!(send(&emulator, file.put(HELLO)).await.status, 200);
}
