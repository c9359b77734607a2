//! What became of a file: the scan's progress, its verdicts, and the download that only a clean file has.

use std::time::Duration;

use webmessaging_emulator::{Fault, Route};
use webmessaging_files::Attachment;
use webmessaging_http::ErrorKind;
use webmessaging_model::{ScanVerdict, UploadStatus};

use crate::setup::{MESSAGE, Setup, eicar, pdf};

#[tokio::test]
async fn the_scan_goes_from_pending_to_a_verdict() {
    let scan = Duration::from_secs(1_000);
    let setup = Setup::with(|emulator| emulator.scan_duration(scan), |client| client).await;
    let file = setup.upload("report.pdf", pdf(100)).await;
    let look = || setup.files.attachment(MESSAGE, file.file_id.clone());

    let attachment = look().await.unwrap();
    assert_eq!(
        (attachment.status.clone(), attachment.verdict()),
        (Some(UploadStatus::Scanning), ScanVerdict::Pending)
    );
    assert!(attachment.download_url().is_none());

    setup.emulator.clock().advance(scan);
    let attachment = look().await.unwrap();
    assert_eq!(attachment.verdict(), ScanVerdict::Clean);
    assert!(attachment.download_url().is_some());
    assert_eq!(attachment.file_name.as_deref(), Some("report.pdf"));
}

#[tokio::test]
async fn malware_and_false_content_have_no_download() {
    let setup = Setup::new().await;
    let file = setup.upload("eicar.txt", eicar()).await;
    let attachment = setup.files.wait_for_scan(MESSAGE, file.file_id).await.unwrap();
    assert_eq!(attachment.verdict(), ScanVerdict::Malicious);
    assert!(attachment.download_url().is_none());

    // Only the server sees the whole content: a NUL far behind the first bytes.
    let mut text = vec![b'a'; 100_000];
    text.push(0);
    let file = setup.upload("words.txt", text).await;
    let attachment = setup.files.wait_for_scan(MESSAGE, file.file_id).await.unwrap();
    assert_eq!(attachment.verdict(), ScanVerdict::FormatRejected);
}

#[tokio::test]
async fn waiting_asks_less_and_less_often() {
    let scan = Duration::from_secs(20);
    let setup = Setup::with(|emulator| emulator.scan_duration(scan), |client| client).await;
    let file = setup.upload("report.pdf", pdf(100)).await;
    setup.files.wait_for_scan(MESSAGE, file.file_id).await.unwrap();
    let seconds: Vec<_> = setup.clock.sleeps().iter().map(Duration::as_secs_f64).collect();
    assert_eq!(seconds, [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0]);
}

#[tokio::test]
async fn waiting_ends() {
    let setup =
        Setup::with(|emulator| emulator.scan_duration(Duration::from_secs(100)), |client| client).await;
    let file = setup.upload("report.pdf", pdf(100)).await;
    let wait = setup.files.wait_for_scan(MESSAGE, file.file_id).within(Duration::from_secs(3));
    let error = wait.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.to_string(), "files.attachment.get: no scan verdict within 3 s");
    assert_eq!(setup.clock.sleeps().iter().sum::<Duration>(), Duration::from_secs(3));
}

#[tokio::test]
async fn waiting_ends_even_when_the_platform_keeps_asking_for_patience() {
    let setup = Setup::new().await;
    let file = setup.upload("report.pdf", pdf(100)).await;
    setup.emulator.inject(Route::GetAttachment, Fault::status(429).header("retry-after", "50"));
    let wait = setup.files.wait_for_scan(MESSAGE, file.file_id).within(Duration::from_secs(3));
    let error = wait.await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(50))));
    assert!(setup.clock.sleeps().is_empty());
}

#[tokio::test]
async fn a_missing_attachment_is_not_found() {
    let setup = Setup::new().await;
    let file = setup.upload("report.pdf", pdf(100)).await;
    for (message, attachment) in [("another-message", file.file_id.as_str()), (MESSAGE, "unknown")] {
        let error = setup.files.wait_for_scan(message, attachment).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

/// A server that hands out a URL for a file it does not call clean is not followed.
#[tokio::test]
async fn a_download_exists_only_for_a_clean_verdict() {
    let setup = Setup::new().await;
    let cases = [
        (serde_json::json!({}), ScanVerdict::Unknown),
        (serde_json::json!({"status": "scanning"}), ScanVerdict::Pending),
        (serde_json::json!({"status": "completed", "virusScanResult": "malicious"}), ScanVerdict::Malicious),
        (
            serde_json::json!({"status": "completed", "virusScanResult": "probably fine"}),
            ScanVerdict::Unknown,
        ),
        (serde_json::json!({"status": "archived", "virusScanResult": "clean"}), ScanVerdict::Unknown),
    ];
    for (mut body, verdict) in cases {
        body["id"] = "f".into();
        body["downloadUrl"] = "https://store.example/f?signature=s".into();
        setup.emulator.inject(Route::GetAttachment, Fault::status(200).json(body));
        let attachment: Attachment = setup.files.attachment(MESSAGE, "f").await.unwrap();
        assert_eq!(attachment.verdict(), verdict);
        assert!(attachment.download_url().is_none());
    }
}
