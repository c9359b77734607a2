//! Sources: opened again for every attempt, and clear about what cannot be read.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use webmessaging_http::{Source, SourceContent};
use webmessaging_model::Code;

async fn code_of(source: Source) -> Code {
    let violation = source.open().await.unwrap_err();
    assert_eq!(violation.path, "source");
    violation.code
}

#[tokio::test]
async fn what_is_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code_of(Source::path(folder.path())).await, Code::NotAFile);
    assert_eq!(code_of(Source::path(folder.path().join("missing.pdf"))).await, Code::NotFound);
    assert_eq!(code_of(Source::path("")).await, Code::NotFound);
}

#[cfg(unix)]
#[tokio::test]
async fn a_device_is_no_file_and_is_not_waited_for() {
    assert_eq!(code_of(Source::path("/dev/null")).await, Code::NotAFile);
}

#[tokio::test]
async fn a_closure_that_fails_or_panics_is_unreadable() {
    let failing = Source::open_with("a.txt", || Err(std::io::Error::other("no")));
    assert_eq!(code_of(failing).await, Code::Unreadable);
    let panicking = Source::open_with("a.txt", || panic!("on purpose"));
    assert_eq!(code_of(panicking).await, Code::Unreadable);
}

#[tokio::test]
async fn names_are_the_last_part_of_a_path() {
    assert_eq!(Source::path("/a/b/c.pdf").name(), "c.pdf");
    assert_eq!(Source::path("..").name(), "");
    assert_eq!(Source::path("a.pdf").named("b.pdf").name(), "b.pdf");
}

#[tokio::test]
async fn the_head_is_the_start_of_each_kind_of_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, b"hello world").unwrap();
    let streamed = Source::open_with("a.txt", || {
        let pieces = ["hel", "lo wor", "ld"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        Ok(SourceContent::from_stream(11, futures_util::stream::iter(pieces)))
    });
    for source in [Source::path(path), Source::bytes("a.txt", "hello world"), streamed] {
        assert_eq!(source.head(5).await.unwrap(), (11, Bytes::from_static(b"hello")));
        assert_eq!(source.head(50).await.unwrap(), (11, Bytes::from_static(b"hello world")));
    }
}

#[tokio::test]
async fn a_closure_is_asked_every_time() {
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    let source = Source::open_with("a.txt", || {
        OPENED.fetch_add(1, Ordering::SeqCst);
        Ok(SourceContent::from_reader(1, std::io::Cursor::new(b"a")))
    });
    for _ in 0..3 {
        source.open().await.unwrap();
    }
    assert_eq!(OPENED.load(Ordering::SeqCst), 3);
}
