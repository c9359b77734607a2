//! The way of a good file, and of one that meets every fault on it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use webmessaging_emulator::{EmulatedClient, Fault, RateLimit, Route};
use webmessaging_files::UploadedFile;
use webmessaging_http::{Error, ErrorKind, Sent, Source, Timeouts};
use webmessaging_model::{ContentType, ScanVerdict, UploadLimits};

use crate::setup::{CHANNEL, MESSAGE, Setup, pdf};

const SIZE: usize = 2_000_000;

async fn upload(setup: &Setup) -> Result<UploadedFile, Error> {
    setup.files.upload(Source::bytes("report.pdf", pdf(SIZE))).channel(CHANNEL).message(MESSAGE).await
}

/// Uploads with faults on the way and expects the file to arrive whole.
async fn arrives(faults: impl IntoIterator<Item = (Route, Fault)>) -> (Setup, UploadedFile) {
    let setup = Setup::new().await;
    for (route, fault) in faults {
        setup.emulator.inject(route, fault);
    }
    let file = upload(&setup).await.unwrap();
    let attachment = setup.files.wait_for_scan(MESSAGE, file.file_id.clone()).await.unwrap();
    assert_eq!(attachment.verdict(), ScanVerdict::Clean);
    (setup, file)
}

#[tokio::test]
async fn a_file_arrives_with_its_exact_bytes_and_headers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, pdf(SIZE)).unwrap();
    let setup = Setup::new().await;
    let file = setup.files.upload(Source::path(path)).channel(CHANNEL).message(MESSAGE).await.unwrap();
    assert_eq!((file.file_name.as_str(), &file.content_type), ("report.pdf", &ContentType::Pdf));
    assert_eq!((file.size_bytes, file.urls, file.facts.attempts), (SIZE as u64, 1, 1));
    assert_eq!(setup.counts(), (1, 1, 1));

    let put = &setup.requests(Route::PutUpload)[0];
    assert_eq!((put.status, put.body_bytes), (Some(200), SIZE as u64));
    let mut names: Vec<_> = put.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "host", "x-genesys-file-id"]);
    assert_eq!(put.headers["content-type"], "application/octet-stream");
    assert_eq!(put.headers["content-length"], SIZE.to_string());
    assert_eq!(put.headers["x-genesys-file-id"], file.file_id.as_str());
}

#[tokio::test]
async fn the_digest_is_that_of_the_bytes() {
    let setup = Setup::new().await;
    let source = Source::bytes("hello.txt", "hello world");
    let file = setup.files.upload(source).channel(CHANNEL).message(MESSAGE).await.unwrap();
    // sha256sum of `hello world`
    let digest = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    assert_eq!(file.sha256.as_deref(), Some(digest));

    let source = Source::bytes("hello.txt", "hello world");
    let file = setup.files.upload(source).channel(CHANNEL).message(MESSAGE).digest(false).await.unwrap();
    assert_eq!(file.sha256, None);
}

#[tokio::test]
async fn progress_is_reported_up_to_the_last_byte_of_every_attempt() {
    let setup = Setup::new().await;
    setup.emulator.inject(Route::PutUpload, Fault::status(503));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let report = Arc::clone(&seen);
    let upload = setup.files.upload(Source::bytes("report.pdf", pdf(SIZE))).channel(CHANNEL).message(MESSAGE);
    upload.on_progress(move |progress| report.lock().unwrap().push(progress)).await.unwrap();
    let seen = seen.lock().unwrap().clone();
    for attempt in [1, 2] {
        let steps: Vec<_> = seen.iter().filter(|p| p.attempt == attempt).map(|p| p.sent_bytes).collect();
        assert!(steps.is_sorted() && steps.len() > 2, "{steps:?}");
        assert_eq!(steps.last(), Some(&(SIZE as u64)));
    }
    assert!(seen.iter().all(|progress| progress.total_bytes == SIZE as u64));
}

#[tokio::test]
async fn a_429_is_waited_out_on_the_announcement_and_on_the_bytes() {
    let busy = |seconds: &str| Fault::status(429).header("retry-after", seconds);
    let (setup, file) = arrives([(Route::CreateUpload, busy("7")), (Route::PutUpload, busy("5"))]).await;
    assert_eq!(setup.counts(), (1, 2, 2));
    assert_eq!(file.urls, 1);
    // With half a second on top, so that callers do not come back together.
    assert_eq!(setup.clock.sleeps()[..2], [Duration::from_millis(7_500), Duration::from_millis(5_500)]);
}

#[tokio::test]
async fn a_429_with_a_date_is_waited_out() {
    let busy = Fault::status(429)
        .header("date", "Fri, 20 Nov 2026 10:00:00 GMT")
        .header("retry-after", "Fri, 20 Nov 2026 10:00:09 GMT");
    let (setup, _) = arrives([(Route::CreateUpload, busy)]).await;
    assert_eq!(setup.clock.sleeps()[0], Duration::from_millis(9_500));
}

/// The platform's own limit, met head-on: everything arrives, later.
#[tokio::test]
async fn more_files_than_the_rate_limit_allows_all_arrive() {
    let limit = RateLimit::default().per_token(3);
    let setup = Setup::with(|emulator| emulator.rate_limit(limit), |client| client).await;
    for number in 0..7 {
        let source = Source::bytes(format!("report-{number}.txt"), "words");
        setup.files.upload(source).channel(CHANNEL).message(MESSAGE).await.unwrap();
    }
    let minutes = setup.clock.sleeps().iter().sum::<Duration>().as_secs() / 60;
    assert_eq!(minutes, 2, "three files a minute");
}

#[tokio::test]
async fn a_500_on_the_announcement_fails_at_once() {
    let setup = Setup::new().await;
    setup.emulator.inject(
        Route::CreateUpload,
        Fault::status(500).json(serde_json::json!({"code": "internal.server.error"})),
    );
    let error = upload(&setup).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.sent()), (ErrorKind::Server, 1, Sent::Yes));
    assert_eq!(error.api().unwrap().code.as_deref(), Some("internal.server.error"));
    assert_eq!(setup.counts(), (1, 1, 0));
}

#[tokio::test]
async fn a_page_in_place_of_an_error_is_classified_by_its_status() {
    for (status, kind) in [(500, ErrorKind::Server), (403, ErrorKind::Permission), (404, ErrorKind::NotFound)]
    {
        let setup = Setup::new().await;
        setup.emulator.inject(Route::CreateUpload, Fault::status(status).html("<html>a proxy's page</html>"));
        let error = upload(&setup).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.api()), (kind, 1, None));
        assert!(!error.to_string().contains("proxy"), "{error}");
    }
}

#[tokio::test]
async fn a_gateway_error_on_either_step_is_retried() {
    for status in [502, 503, 504] {
        let gateway = || Fault::status(status).html("<html>bad gateway</html>");
        let (setup, _) = arrives([(Route::CreateUpload, gateway()), (Route::PutUpload, gateway())]).await;
        assert_eq!(setup.counts(), (1, 2, 2));
    }
}

#[tokio::test]
async fn a_connection_cut_anywhere_in_the_bytes_starts_again_at_the_first() {
    for bytes in [0, 1, SIZE as u64 / 2, SIZE as u64 - 1] {
        let (setup, file) = arrives([(Route::PutUpload, Fault::drop_body_after(bytes))]).await;
        assert_eq!(setup.counts(), (1, 1, 2), "cut after {bytes} bytes");
        assert_eq!(file.facts.attempts, 2);
        assert_eq!(setup.requests(Route::PutUpload)[1].body_bytes, SIZE as u64);
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_bytes_stores_them_once() {
    let (setup, file) = arrives([(Route::PutUpload, Fault::drop_after())]).await;
    assert_eq!((setup.counts(), file.urls), ((1, 1, 2), 1));
}

#[tokio::test]
async fn a_lost_answer_to_the_announcement_reserves_a_second_url() {
    for fault in [Fault::drop_before(), Fault::drop_after(), Fault::truncate_answer(5)] {
        let (setup, _) = arrives([(Route::CreateUpload, fault)]).await;
        assert_eq!(setup.counts(), (1, 2, 1));
    }
}

#[tokio::test]
async fn a_url_that_expired_before_the_bytes_is_asked_for_again() {
    // The wait after the 429 is longer than the URL lives, so the next attempt does not even begin with it.
    let setup = Setup::with(
        |emulator| emulator,
        |client| client.timeouts(Timeouts::default().call(Duration::from_secs(3_600))),
    )
    .await;
    setup.emulator.inject(Route::PutUpload, Fault::status(429).header("retry-after", "400"));
    let file = upload(&setup).await.unwrap();
    assert_eq!((file.urls, setup.counts()), (2, (1, 2, 2)));
    let statuses: Vec<_> = setup.requests(Route::PutUpload).iter().map(|put| put.status).collect();
    assert_eq!(statuses, [Some(429), Some(200)]);
}

#[tokio::test]
async fn a_url_that_the_store_says_has_expired_is_asked_for_again() {
    // Only the store's clock moves: our own says that the URL is fresh.
    let (setup, file) = arrives([(
        Route::PutUpload,
        Fault::advance_clock_in_body(SIZE as u64 / 2, Duration::from_secs(301)),
    )])
    .await;
    assert_eq!((file.urls, setup.counts()), (2, (1, 2, 2)));
    let statuses: Vec<_> = setup.requests(Route::PutUpload).iter().map(|put| put.status).collect();
    assert_eq!(statuses, [Some(403), Some(200)]);
}

#[tokio::test]
async fn a_url_that_is_over_for_the_store_before_the_first_byte_is_asked_for_again() {
    let (setup, file) =
        arrives([(Route::PutUpload, Fault::advance_clock_in_body(0, Duration::from_secs(301)))]).await;
    assert_eq!((file.urls, setup.counts()), (2, (1, 2, 2)));
}

#[tokio::test]
async fn a_store_that_refuses_for_another_reason_is_not_said_to_be_late() {
    let answer =
        |status, code: &str| Fault::status(status).body(format!("<Error><Code>{code}</Code></Error>"));
    for (status, code, attempts, kind) in [
        (410, "Gone", 3, ErrorKind::LinkExpired),
        (403, "ExpiredToken", 3, ErrorKind::LinkExpired),
        (400, "ExpiredToken", 3, ErrorKind::LinkExpired),
        (403, "AccessDenied", 2, ErrorKind::Rejected),
        (403, "SignatureDoesNotMatch", 1, ErrorKind::Rejected),
        (401, "Unauthorized", 1, ErrorKind::Rejected),
        (400, "InvalidArgument", 1, ErrorKind::Rejected),
    ] {
        let setup = Setup::new().await;
        for _ in 0..attempts {
            setup.emulator.inject(Route::PutUpload, answer(status, code));
        }
        let error = upload(&setup).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, attempts), "{status} {code}");
        assert_eq!(error.api().unwrap().code.as_deref(), Some(code));
    }
}

#[tokio::test]
async fn a_slow_upload_is_retried_however_long_it_took() {
    let setup = Setup::new().await;
    setup.emulator.inject(Route::PutUpload, Fault::drop_body_after(SIZE as u64 / 2));
    let clock = setup.clock.clone();
    let source = Source::bytes("report.pdf", pdf(SIZE));
    let slow = setup.files.upload(source).channel(CHANNEL).message(MESSAGE);
    // Each chunk takes a minute, so that one attempt is longer than a whole call may be.
    let file = slow.on_progress(move |_| clock.advance(Duration::from_secs(60))).await.unwrap();
    assert_eq!(file.facts.attempts, 2);
    assert!(file.facts.latency > Duration::from_secs(300));
}

#[tokio::test]
async fn a_store_that_refuses_every_url_ends_the_upload() {
    let expired = || {
        Fault::status(403)
            .body("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
    };
    let setup = Setup::new().await;
    for _ in 0..3 {
        setup.emulator.inject(Route::PutUpload, expired());
    }
    let error = upload(&setup).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::LinkExpired, 3));
    assert_eq!(error.api().unwrap().message.as_deref(), Some("Request has expired"));
    assert_eq!(setup.counts(), (1, 3, 3));
}

#[tokio::test]
async fn a_wrong_secret_and_a_missing_scope_are_told_apart() {
    let setup = Setup::with(|e| e.client(EmulatedClient::new("demo-client", "another-secret")), |c| c).await;
    let error = upload(&setup).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.to_string().contains("client id or client secret"), "{error}");
    assert_eq!(setup.counts(), (1, 0, 0));

    let reader = EmulatedClient::new("demo-client", "demo-secret").scopes(["conversations:read"]);
    let setup = Setup::with(|e| e.client(reader), |c| c).await;
    let error = upload(&setup).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.to_string().contains("needs scope `conversations:messaging:write`"), "{error}");
    assert_eq!(setup.counts(), (1, 1, 0));
}

#[tokio::test]
async fn a_token_withdrawn_between_uploads_costs_one_login() {
    let setup = Setup::new().await;
    upload(&setup).await.unwrap();
    setup.emulator.clock().advance(Duration::from_secs(90_000));
    upload(&setup).await.unwrap();
    assert_eq!(setup.counts(), (2, 3, 2));
}

#[tokio::test]
async fn a_page_or_half_an_answer_in_place_of_the_ticket_is_an_unexpected_answer() {
    for (fault, message) in [
        (Fault::status(200).html("<html>log in</html>"), "answered a page of markup, 19 bytes"),
        (Fault::status(200).body(r#"{"uploadUrl":"http"#), "answered JSON that ends too early"),
        (Fault::status(200).body(r#"{"fileId":"f"}"#), "answered JSON of another shape"),
        (
            Fault::status(200).body(r#"{"uploadUrl":"http://10.0.0.1/x","fileId":"f"}"#),
            "not one that a file may be sent to",
        ),
        (
            Fault::status(200).body(r#"{"uploadUrl":"file:///etc/x","fileId":"f"}"#),
            "not one that a file may be sent to",
        ),
        (Fault::status(200).body(r#"{"uploadUrl":"nonsense","fileId":"f"}"#), "is not a url"),
        (
            Fault::status(200).body(r#"{"uploadUrl":"https://s.example/","fileId":"a\nb"}"#),
            "no header can hold",
        ),
    ] {
        let setup = Setup::new().await;
        setup.emulator.inject(Route::CreateUpload, fault);
        let error = upload(&setup).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(setup.counts(), (1, 1, 0));
    }
}

#[tokio::test]
async fn a_success_before_the_last_byte_is_not_believed() {
    let setup = Setup::with(|e| e.file_size_bytes_max(1 << 30), |c| c).await;
    // The fault reads the whole body first, so the early answer is staged by a listener that reads nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = [0; 1024];
        let _ = socket.read(&mut head).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        // The client hangs up once it has made up its mind.
        while socket.read(&mut head).await.is_ok_and(|read| read > 0) {}
    });
    let ticket = serde_json::json!({"uploadUrl": format!("http://{address}/put"), "fileId": "f"});
    setup.emulator.inject(Route::CreateUpload, Fault::status(200).json(ticket));
    let source = Source::bytes("report.pdf", pdf(64 << 20));
    let files = setup.files.clone().limits(UploadLimits::default().file_size_bytes_max(1 << 30));
    let error = files.upload(source).channel(CHANNEL).message(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    assert!(error.to_string().contains("answered before it was complete"), "{error}");
    serving.abort();
}

#[tokio::test]
async fn nobody_at_the_presigned_host_is_not_sent() {
    let setup = Setup::new().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ticket = serde_json::json!({"uploadUrl": format!("http://{closed}/put"), "fileId": "f"});
    setup.emulator.inject(Route::CreateUpload, Fault::status(200).json(ticket));
    let error = upload(&setup).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Connect, Sent::No, 4));
}

#[tokio::test]
async fn an_upload_that_stands_still_times_out() {
    let timeouts = Timeouts::default().stall(Duration::from_millis(20));
    let setup = Setup::with(|e| e, |client| client.timeouts(timeouts)).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ticket = serde_json::json!({"uploadUrl": format!("http://{}/put", listener.local_addr().unwrap()), "fileId": "f"});
    setup.emulator.inject(Route::CreateUpload, Fault::status(200).json(ticket));
    // The connection is taken by the system, and nobody ever reads from it. Standing still is retried like any lost
    // connection.
    let error = upload(&setup).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Timeout, Sent::Maybe, 4));
    drop(listener);
}

#[tokio::test]
async fn canceling_says_how_far_it_came() {
    let setup = Setup::new().await;
    let before = setup.files.upload(Source::bytes("report.pdf", pdf(SIZE))).channel(CHANNEL).message(MESSAGE);
    let error = before.cancel_on(std::future::ready(())).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Canceled, Sent::No));
    assert_eq!(setup.counts(), (0, 0, 0));

    let (cancel, canceled) = tokio::sync::oneshot::channel::<()>();
    let cancel = Mutex::new(Some(cancel));
    let during = setup
        .files
        .upload(Source::bytes("report.pdf", pdf(SIZE)))
        .channel(CHANNEL)
        .message(MESSAGE)
        .on_progress(move |_| drop(cancel.lock().unwrap().take()))
        .cancel_on(async { drop(canceled.await) });
    let error = during.await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Canceled, Sent::Maybe));
}
