//! Every fault on the way of a delivery: it arrives whole and clean, or fails with the exact reason and a record.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{ErrorKind, Sent, Source, SourceContent, Timeouts};

use crate::setup::{Setup, pdf, told};

const SIZE: usize = 2_000_000;

fn report() -> Source {
    Source::bytes("report.pdf", pdf(SIZE))
}

/// Delivers with faults on the way, and expects the file to be clean and recorded once.
async fn arrives(faults: Vec<(Route, Fault)>) -> Setup {
    let timeouts = Timeouts::default().call(Duration::from_secs(3_600));
    let (setup, memory, kept) =
        Setup::with(|emulator| emulator, |client| client.timeouts(timeouts)).await.recorded();
    for (route, fault) in faults {
        setup.emulator.inject(route, fault);
    }
    let delivered = setup.deliver(report()).await.unwrap();
    assert!(delivered.is_clean());
    assert_eq!(told(&memory), ["file.uploaded success", "file.scanned success"]);
    assert!(kept.reasons().is_empty());
    let stored = setup.requests(Route::PutUpload).into_iter().rfind(|put| put.status == Some(200)).unwrap();
    assert_eq!(stored.body_bytes, SIZE as u64);
    setup
}

#[tokio::test]
async fn a_connection_that_drops_anywhere() {
    for at in [0, SIZE / 2, SIZE / 1_000 * 999] {
        let setup = arrives(vec![(Route::PutUpload, Fault::drop_body_after(at as u64))]).await;
        assert_eq!(setup.counts(), (1, 1, 2), "dropped after {at} bytes");
    }
    // All bytes are there, and nobody says so.
    let setup = arrives(vec![(Route::PutUpload, Fault::drop_after())]).await;
    assert_eq!(setup.counts(), (1, 1, 2));
    let setup = arrives(vec![(Route::GetAttachment, Fault::drop_before())]).await;
    assert_eq!(setup.counts(), (1, 1, 1));
}

#[tokio::test]
async fn a_quota_that_is_used_up_on_each_step() {
    for route in [Route::CreateUpload, Route::PutUpload, Route::GetAttachment] {
        let setup = arrives(vec![(route, Fault::status(429).header("retry-after", "7"))]).await;
        let waited: Duration = setup.clock.sleeps().iter().sum();
        assert!(waited >= Duration::from_secs(7), "{route}: {waited:?}");
    }
}

#[tokio::test]
async fn a_url_that_expires_while_it_waits_before_the_first_byte_and_in_the_middle() {
    let late = Fault::status(429).header("retry-after", "400");
    let expired = |after_bytes| Fault::advance_clock_in_body(after_bytes, Duration::from_secs(301));
    for fault in [late, expired(0), expired(SIZE as u64 / 2)] {
        let setup = arrives(vec![(Route::PutUpload, fault)]).await;
        assert_eq!(setup.counts(), (1, 2, 2));
    }
}

#[tokio::test]
async fn several_faults_one_after_another() {
    arrives(vec![
        (Route::CreateUpload, Fault::status(503).html("<html>busy</html>")),
        (Route::CreateUpload, Fault::drop_after()),
        (Route::PutUpload, Fault::drop_body_after(SIZE as u64 / 2)),
        (Route::PutUpload, Fault::advance_clock_in_body(10, Duration::from_secs(301))),
        (Route::PutUpload, Fault::status(502).html("<html>gateway</html>")),
        (Route::GetAttachment, Fault::status(504).html("<html>late</html>")),
        (Route::GetAttachment, Fault::truncate_answer(10)),
    ])
    .await;
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_is_never_a_verdict() {
    for route in [Route::CreateUpload, Route::GetAttachment] {
        for fault in [Fault::html_page("<html>log in</html>"), Fault::status(200).html("<html></html>")] {
            let (setup, memory, _) = Setup::new().await.recorded();
            setup.emulator.inject(route, fault);
            let error = setup.deliver(report()).await.unwrap_err();
            assert_eq!(error.error().kind(), ErrorKind::UnexpectedAnswer);
            assert_eq!(error.file().is_some(), route == Route::GetAttachment);
            let expected = if route == Route::GetAttachment {
                "file.uploaded success"
            } else {
                "file.upload_failed unexpected_answer"
            };
            assert_eq!(told(&memory), [expected]);
        }
    }
}

#[tokio::test]
async fn an_empty_file_is_refused_before_anything_is_sent() {
    let (setup, memory, _) = Setup::new().await.recorded();
    let error = setup.deliver(Source::bytes("empty.pdf", "")).await.unwrap_err();
    assert_eq!(
        error.error().violations().unwrap().to_string(),
        "fileSize is too small: 0 bytes, at least 1 byte"
    );
    assert_eq!((setup.counts(), error.file().is_none()), ((0, 0, 0), true));
    assert_eq!(told(&memory), ["file.upload_failed invalid_input"]);
}

/// A disk whose sectors cannot be read from the middle of the file on.
struct Broken {
    content: Cursor<Vec<u8>>,
    is_broken: bool,
}

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let half = SIZE as u64 / 2;
        if self.is_broken && self.content.position() >= half {
            return Err(io::Error::other("input/output error"));
        }
        let left = usize::try_from(half - self.content.position().min(half)).unwrap();
        let until = if self.is_broken { into.len().min(left) } else { into.len() };
        self.content.read(&mut into[..until])
    }
}

/// A source whose first so many transfers break; the look before an upload is no transfer.
fn breaking(transfers: usize) -> Source {
    let opened = Arc::new(AtomicUsize::new(0));
    Source::open_with("report.pdf", move || {
        let number = opened.fetch_add(1, Ordering::SeqCst);
        let is_broken = number % 2 == 1 && number / 2 < transfers;
        let content = Cursor::new(pdf(SIZE));
        Ok(SourceContent::from_reader(SIZE as u64, Broken { content, is_broken }))
    })
}

#[tokio::test]
async fn a_disk_that_cannot_be_read_in_the_middle_stores_nothing() {
    let (setup, memory, _) = Setup::new().await.recorded();
    let (once, always) = (breaking(1), breaking(usize::MAX));
    for source in [&once, &always, &always] {
        let error = setup.deliver(source.clone()).await.unwrap_err();
        let sent = error.error().sent();
        assert_eq!((error.error().kind(), sent), (ErrorKind::Source, Sent::Maybe));
        assert_eq!(error.error().violations().unwrap().to_string(), "source cannot be read");
        assert!(error.file().is_none());
    }
    assert!(setup.requests(Route::PutUpload).iter().all(|put| put.status != Some(200)));
    assert_eq!(told(&memory), ["file.upload_failed source"; 3]);
    // The disk has come back, and the file begins at its first byte again.
    assert!(setup.deliver(once).await.unwrap().is_clean());
}
