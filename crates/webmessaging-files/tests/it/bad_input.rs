//! Bad input: every broken rule is named at once, and nothing is sent.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use webmessaging_http::{Error, ErrorKind, Sent, Source, SourceContent};
use webmessaging_model::{ContentType, UploadLimits};

use crate::setup::{CHANNEL, MESSAGE, Setup, pdf};

/// Uploads a source that must be refused before anything is sent, and gives the text of the violations.
async fn refused(source: Source) -> String {
    let setup = Setup::new().await;
    let error = setup.files.upload(source).channel(CHANNEL).message(MESSAGE).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::InvalidInput, Sent::No));
    assert_eq!(error.operation().unwrap().name, "files.upload.create");
    assert_eq!(setup.counts(), (0, 0, 0), "something was sent");
    error.violations().unwrap().to_string()
}

fn file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> Source {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    Source::path(path)
}

#[tokio::test]
async fn each_rule_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        refused(file(&folder, "empty.pdf", b"")).await,
        "fileSize is too small: 0 bytes, at least 1 byte"
    );
    assert_eq!(
        refused(file(&folder, "two words.pdf", &pdf(10))).await,
        "fileName has a forbidden character: at character 4, allowed are A-Z a-z 0-9 _ - ."
    );
    assert_eq!(
        refused(file(&folder, "tool.pdf", b"\x7fELF\x02\x01\x01\0")).await,
        "contentType does not match the content: found application/x-executable, allowed is application/pdf"
    );
    assert_eq!(
        refused(file(&folder, "large.pdf", &pdf(10 * 1024 * 1024 + 1))).await,
        "fileSize is too large: 10485761 bytes, at most 10485760 bytes"
    );
    let kinds = ContentType::KNOWN.join(", ");
    assert_eq!(
        refused(file(&folder, "archive.zip", b"PK\x03\x04")).await,
        format!("contentType is not allowed: allowed are {kinds}")
    );
    std::fs::create_dir(folder.path().join("folder.pdf")).unwrap();
    assert_eq!(refused(Source::path(folder.path().join("folder.pdf"))).await, "source is not a regular file");
    assert_eq!(refused(Source::path(folder.path().join("missing.pdf"))).await, "source does not exist");
    assert_eq!(
        refused(Source::bytes("../evil.pdf", pdf(10))).await,
        "fileName has a forbidden character: at character 3, allowed are A-Z a-z 0-9 _ - ."
    );
    assert_eq!(
        refused(Source::bytes("..", pdf(10)).named("..")).await,
        format!("fileName is a reserved name; contentType is not allowed: allowed are {kinds}")
    );
}

#[tokio::test]
async fn all_rules_together() {
    let setup = Setup::new().await;
    let files = setup.files.clone().limits(UploadLimits::default().file_size_bytes_max(4));
    let source = Source::bytes("a b.pdf", &b"\x7fELF\x02\x01"[..]);
    let error = files.upload(source).message("..").await.unwrap_err();
    let found: Vec<_> = error.violations().unwrap().iter().map(|v| v.rule).collect();
    assert_eq!(
        found,
        [
            "upload.file_name.charset",
            "upload.file_size.max",
            "id.required",
            "id.reserved",
            "upload.content_type.content",
        ]
    );
    assert_eq!(setup.counts(), (0, 0, 0));

    let missing = Source::path("no such folder/two words.exe");
    let error = files.upload(missing).channel(CHANNEL).await.unwrap_err();
    let found: Vec<_> = error.violations().unwrap().iter().map(|v| v.rule).collect();
    let expected =
        ["upload.file_name.charset", "upload.content_type.allowed", "id.required", "source.exists"];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_claim_of_4_gib_is_refused_by_its_first_bytes() {
    /// Gives the few bytes that are looked at, and no more.
    struct Begins(std::io::Cursor<Vec<u8>>);
    impl std::io::Read for Begins {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(into)?;
            assert!(read > 0 || into.is_empty(), "the source was read on");
            Ok(read)
        }
    }
    let source = Source::open_with("huge.pdf", || {
        let head = std::io::Cursor::new(pdf(webmessaging_model::content_type::HEAD_BYTES));
        Ok(SourceContent::from_reader(4 << 30, Begins(head)))
    });
    assert_eq!(refused(source).await, "fileSize is too large: 4294967296 bytes, at most 10485760 bytes");
}

/// An upload of a source that says one thing when it is looked at and another when it is sent.
async fn changed(announced: u64, real: u64, claims_real: bool) -> (Setup, Error) {
    let opened = AtomicUsize::new(0);
    let source = Source::open_with("report.pdf", move || {
        let first = opened.fetch_add(1, Ordering::SeqCst) == 0;
        let claimed = if claims_real && !first { real } else { announced };
        let size = usize::try_from(if first { announced } else { real }).unwrap();
        Ok(SourceContent::from_reader(claimed, std::io::Cursor::new(pdf(size))))
    });
    let setup = Setup::new().await;
    let error = setup.files.upload(source).channel(CHANNEL).message(MESSAGE).await.unwrap_err();
    (setup, error)
}

#[tokio::test]
async fn a_file_that_shrinks_or_grows_while_it_is_read_is_never_stored() {
    for (announced, real, found) in [
        (1_000_000, 600_000, "600000 bytes"),
        (1_000_000, 999_999, "999999 bytes"),
        (1_000_000, 1_000_001, "at least 1000001 bytes"),
        (1_000_000, 3_000_000, "at least 1000001 bytes"),
    ] {
        let (setup, error) = changed(announced, real, false).await;
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Source, Sent::Maybe));
        assert_eq!(
            error.violations().unwrap().to_string(),
            format!("fileSize changed while it was read: {found}, exactly 1000000 bytes")
        );
        never_stored(&setup);
    }
}

/// One attempt at most, since the file is not going to be what it was; it may end before its head is sent.
#[track_caller]
fn never_stored(setup: &Setup) {
    let (logins, announcements, puts) = setup.counts();
    assert_eq!((logins, announcements), (1, 1));
    assert!(puts <= 1, "a changed file was sent again");
    assert!(
        setup.requests(webmessaging_emulator::Route::PutUpload).iter().all(|put| put.status != Some(200))
    );
}

#[tokio::test]
async fn a_file_on_disk_that_changes_under_the_upload_is_never_stored() {
    const SIZE: u64 = 4_000_000;
    for (new_size, found) in [(1_000, "changed while it was read: "), (SIZE + 1, "at least 4000001 bytes")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.pdf");
        std::fs::write(&path, pdf(usize::try_from(SIZE).unwrap())).unwrap();
        let setup = Setup::new().await;
        let changing = path.clone();
        let upload = setup.files.upload(Source::path(&path)).channel(CHANNEL).message(MESSAGE);
        let upload = upload.on_progress(move |_| {
            let file = std::fs::OpenOptions::new().write(true).open(&changing).unwrap();
            file.set_len(new_size).unwrap();
        });
        let error = upload.await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Source, Sent::Maybe));
        let text = error.violations().unwrap().to_string();
        assert!(text.contains(found) && text.ends_with("exactly 4000000 bytes"), "{text}");
        never_stored(&setup);
    }
}

#[tokio::test]
async fn a_file_that_changed_between_the_look_and_the_sending_is_not_sent() {
    let (setup, error) = changed(100, 90, true).await;
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Source, Sent::No));
    assert_eq!(
        error.violations().unwrap().to_string(),
        "fileSize changed while it was read: 90 bytes, exactly 100 bytes"
    );
    assert_eq!(setup.counts(), (0, 0, 0), "it was announced");
}

#[tokio::test]
async fn a_file_that_vanished_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, pdf(100)).unwrap();
    let opened = AtomicUsize::new(0);
    let gone = path.clone();
    let source = Source::open_with("report.pdf", move || {
        if opened.fetch_add(1, Ordering::SeqCst) > 0 {
            std::fs::remove_file(&gone)?;
        }
        let file = std::fs::File::open(&gone)?;
        Ok(SourceContent::from_reader(file.metadata()?.len(), file))
    });
    let setup = Setup::new().await;
    let error = setup.files.upload(source).channel(CHANNEL).message(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
    assert_eq!(error.violations().unwrap().to_string(), "source does not exist");
    assert!(!Path::new(&path).exists());
}

#[tokio::test]
async fn limits_can_be_raised_or_left_to_the_server() {
    let setup = Setup::with(|emulator| emulator.file_size_bytes_max(11 << 20), |client| client).await;
    let large = || Source::bytes("large.pdf", pdf((10 << 20) + 1));
    let raised = setup.files.clone().limits(UploadLimits::default().file_size_bytes_max(11 << 20));
    raised.upload(large()).channel(CHANNEL).message(MESSAGE).await.unwrap();
    setup.files.upload(large()).channel(CHANNEL).message(MESSAGE).unchecked().await.unwrap();

    // What we do not check, the server does, and its word is passed on.
    let odd = Source::bytes("two words.pdf", pdf(10));
    let error = setup.files.upload(odd).channel(CHANNEL).message(MESSAGE).unchecked().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let api = error.api().unwrap();
    assert_eq!(api.code.as_deref(), Some("constraint.validation"));
    assert_eq!(api.details[0].field.as_deref(), Some("fileName"));
}
