//! What is too much: bytes, time, uploads of one client, uploads of all.

use axum::body::Body;
use http::Request;
use std::time::Duration;
use webmessaging_emulator::{Fault, Route};

use crate::setup::{SHOP, Setup, TestClock, UPLOADS, from, upload};

/// An upload that announces one length and has another.
fn lying(announced: &str, content: &str) -> Request<Body> {
    let mut request = upload("hello.txt", content);
    request.headers_mut().insert("content-length", announced.parse().unwrap());
    request
}

#[tokio::test]
async fn the_length_has_to_be_told_and_to_be_true() {
    let setup = Setup::with(|widget| widget.file_size_bytes_max(100).uploads_per_minute(100)).await;
    for (request, status, code) in [
        (lying("101", "hello"), 413, "too_large"),
        (lying("99999999999999999999999", "hello"), 413, "too_large"),
        (lying("4", "hello"), 400, "interrupted"),
        (lying("6", "hello"), 400, "interrupted"),
        (lying("5", &"a".repeat(101)), 413, "too_large"),
        (lying("-5", "hello"), 411, "length_required"),
        (lying("", "hello"), 411, "length_required"),
    ] {
        let answer = setup.send(request).await;
        assert_eq!(answer.problem(), (status, code.to_owned()));
    }
    let mut chunked = upload("hello.txt", "hello");
    chunked.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
    assert_eq!(setup.send(chunked).await.problem(), (411, "length_required".to_owned()));
    let mut unannounced = upload("hello.txt", "hello");
    unannounced.headers_mut().remove("content-length");
    assert_eq!(setup.send(unannounced).await.problem(), (411, "length_required".to_owned()));
    assert_eq!(setup.announced(), 0);
    assert_eq!(setup.upload("hello.txt", "a".repeat(100)).await.status.as_u16(), 201);
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_given_up() {
    let barking = TestClock { barks: true, ..Setup::new().await.clock };
    let setup = Setup::with(|widget| widget.clock(barking)).await;
    // It never goes on: the sender stays open.
    let (_sender, body) = slow_body();
    let request = Request::post(UPLOADS)
        .header("origin", SHOP)
        .header("content-length", 5)
        .header("x-file-name", "hello.txt");
    let answer = setup.send(request.body(body).unwrap()).await;
    assert_eq!(answer.problem(), (408, "timeout".to_owned()));
    assert_eq!(setup.announced(), 0);
}

/// A body that waits for whoever holds the other end.
pub(crate) fn slow_body() -> (tokio::io::DuplexStream, Body) {
    let (ours, theirs) = tokio::io::duplex(64);
    let stream = futures_util::stream::unfold(theirs, async |mut theirs| {
        let mut buffer = [0; 64];
        let read =
            tokio::io::AsyncReadExt::read(&mut theirs, &mut buffer).await.ok().filter(|read| *read > 0)?;
        Some((Ok::<_, std::io::Error>(buffer[..read].to_vec()), theirs))
    });
    (ours, Body::from_stream(stream))
}

#[tokio::test]
async fn a_client_that_does_too_much_is_told_when_to_come_back() {
    let setup = Setup::with(|widget| widget.uploads_per_minute(2).looks_per_minute(1)).await;
    let by = |peer| setup.send(from(upload("hello.txt", "hello"), peer));
    assert_eq!(by("192.0.2.1").await.status.as_u16(), 201);
    // A refusal counts as well: it was an upload to read.
    let mut wrong = upload("../", "hello");
    wrong.headers_mut().insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
    assert_eq!(setup.send(from(wrong, "192.0.2.1")).await.status.as_u16(), 422);
    let answer = by("192.0.2.1").await;
    assert_eq!(answer.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert_eq!(answer.json()["error"]["retryAfterSeconds"], 30);
    assert_eq!(by("192.0.2.2").await.status.as_u16(), 201, "another client");
    *setup.clock.passed.lock().unwrap() += Duration::from_secs(30);
    assert_eq!(by("192.0.2.1").await.status.as_u16(), 201);

    let look = || {
        let request = Request::get("/widget/uploads/file-1?messageId=m").header("origin", SHOP);
        setup.send(from(request.body(Body::empty()).unwrap(), "192.0.2.1"))
    };
    assert_eq!(look().await.problem(), (404, "not_found".to_owned()));
    assert_eq!(look().await.problem(), (429, "rate_limited".to_owned()));
}

#[tokio::test]
async fn nobody_becomes_another_client_by_saying_so() {
    let forwarded = |list: &str| {
        let mut request = upload("hello.txt", "hello");
        request.headers_mut().insert("x-forwarded-for", list.parse().unwrap());
        from(request, "10.0.0.1")
    };
    let direct = Setup::with(|widget| widget.uploads_per_minute(1)).await;
    assert_eq!(direct.send(forwarded("192.0.2.1")).await.status.as_u16(), 201);
    assert_eq!(direct.send(forwarded("192.0.2.2")).await.status.as_u16(), 429);

    let behind = Setup::with(|widget| widget.uploads_per_minute(1).trusted_proxies(1)).await;
    assert_eq!(behind.send(forwarded("6.6.6.1, 192.0.2.1")).await.status.as_u16(), 201);
    assert_eq!(behind.send(forwarded("6.6.6.2, 192.0.2.1")).await.status.as_u16(), 429);
    assert_eq!(behind.send(forwarded("192.0.2.1, 192.0.2.2")).await.status.as_u16(), 201);
}

#[tokio::test]
async fn there_is_a_place_for_so_many_and_no_more() {
    let setup = Setup::with(|widget| widget.uploads_max(1)).await;
    let (sender, body) = slow_body();
    let request = Request::post(UPLOADS)
        .header("origin", SHOP)
        .header("content-length", 5)
        .header("x-file-name", "hello.txt")
        .body(body)
        .unwrap();
    let mut first = Box::pin(setup.send(request));
    assert!(futures_util::poll!(&mut first).is_pending());
    let answer = setup.upload("hello.txt", "hello").await;
    assert_eq!(answer.problem(), (503, "busy".to_owned()));
    assert_eq!(answer.header("retry-after"), Some("5"));
    // A browser that goes away gives its place back.
    drop(first);
    drop(sender);
    assert_eq!(setup.upload("hello.txt", "hello").await.status.as_u16(), 201);
    assert_eq!(setup.announced(), 1);
}

#[tokio::test]
async fn a_browser_that_goes_away_late_does_not_get_around_the_verdict() {
    let setup = Setup::with(|widget| widget.uploads_max(1)).await;
    setup.emulator.inject(Route::CreateUpload, Fault::delay(Duration::from_millis(20)));
    let mut upload = Box::pin(setup.upload("hello.txt", crate::setup::eicar()));
    while setup.emulator.count(Route::Token) == 0 {
        assert!(futures_util::poll!(&mut upload).is_pending());
        tokio::task::yield_now().await;
    }
    drop(upload);
    setup.widget.finish().await;
    assert_eq!(setup.emulator.count(Route::PutUpload), 1);
    assert!(setup.emulator.count(Route::GetAttachment) >= 1);
}
