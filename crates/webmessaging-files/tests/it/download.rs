//! Download URLs: only of clean files, for a limited time, on record, and with a reason where there is none.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_emulator::{EmulatedClient, Fault, Route};
use webmessaging_files::{ExpiryPolicy, ScanGate};
use webmessaging_http::{ErrorKind, Sent};
use webmessaging_journal::EventKind;
use webmessaging_model::{ScanVerdict, Timestamp};

use crate::clocks::OddClock;
use crate::setup::{MESSAGE, Setup, eicar, pdf, told};

const URL: &str = "https://store.example/f?signature=swordfish";

fn clean(url: &str) -> Fault {
    Fault::status(200).json(clean_body(url))
}

fn clean_body(url: &str) -> Value {
    json!({"id": "f", "fileName": "a.pdf", "status": "completed", "virusScanResult": "clean", "downloadUrl": url})
}

#[tokio::test]
async fn a_clean_file_has_a_url_for_an_hour() {
    let (setup, memory, _) = Setup::new().await.recorded();
    let file = setup.upload("report.pdf", pdf(100)).await.file_id;
    setup.files.wait_for_scan(MESSAGE, file.clone()).await.unwrap();
    let before = Timestamp::from(setup.files_wall());
    let download = setup.files.download_url(MESSAGE, file.clone()).await.unwrap();
    assert_eq!((&download.file_id, download.file_name.as_deref()), (&file, Some("report.pdf")));
    let life = download.expires_at.since(before);
    assert!((3_590..=3_601).contains(&life.as_secs()), "{life:?}");

    // The emulator signs its own end, so the URL is handed out as it is.
    assert_eq!(download.url.expose().matches("expires=").count(), 1);
    assert_eq!(told(&memory)[1..], ["file.download_url_issued success"]);
    let event = &memory.events()[1];
    let EventKind::DownloadUrlIssued(kind) = &event.kind else { panic!("{event:?}") };
    assert_eq!((kind.attachment_id.as_str(), kind.message_id.as_str()), (file.as_str(), MESSAGE));
    assert_eq!(kind.expires_at, Some(download.expires_at));
    assert_eq!(event.facts.operation.as_deref(), Some("files.attachment.get"));
    assert!(!serde_json::to_string(event).unwrap().contains("signature"));
}

#[tokio::test]
async fn the_policy_is_written_into_the_url_or_kept_here() {
    let setup = Setup::new().await;
    let policy = ExpiryPolicy::new(Duration::from_secs(600));
    setup.emulator.inject(Route::GetAttachment, clean(URL));
    let download = setup.files.download_url(MESSAGE, "f").expiry(policy).await.unwrap();
    let seconds = download.expires_at.unix_millis() / 1_000;
    assert_eq!(download.url.expose(), format!("{URL}&expires={seconds}"));
    assert_eq!(format!("{:?}", download.url), "PresignedUrl(presigned url of store.example)");

    setup.emulator.inject(Route::GetAttachment, clean(URL));
    let download = setup.files.download_url(MESSAGE, "f").expiry(policy.local_only()).await.unwrap();
    assert_eq!(download.url.expose(), URL);
    let life = download.expires_at.since(Timestamp::from(setup.files_wall()));
    assert!((590..=600).contains(&life.as_secs()), "{life:?}");
}

#[tokio::test]
async fn a_week_is_the_most() {
    let setup = Setup::new().await;
    let week = Duration::from_secs(7 * 86_400);
    setup.emulator.inject(Route::GetAttachment, clean(URL));
    setup.files.download_url(MESSAGE, "f").expiry(ExpiryPolicy::new(week)).await.unwrap();
    for (lifetime, found) in [
        (week + Duration::from_secs(1), "is too large: 604801 seconds, at most 604800 seconds"),
        (Duration::ZERO, "is too small: 0 seconds, at least 1 second"),
    ] {
        let ask = setup.files.download_url(MESSAGE, "f").expiry(ExpiryPolicy::new(lifetime));
        let error = ask.await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::InvalidInput, Sent::No));
        assert_eq!(error.violations().unwrap().to_string(), format!("expiresInSeconds {found}"));
    }
    assert_eq!(setup.emulator.count(Route::GetAttachment), 1);
}

#[tokio::test]
async fn without_a_download_the_error_says_why() {
    let setup = Setup::with(|e| e.scan_duration(Duration::from_secs(100)), |client| client).await;
    let refused = async |file: String| {
        let error = setup.files.download_url(MESSAGE, file).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::NotFound, Sent::Yes));
        error.to_string().split_once(": ").unwrap().1.to_owned()
    };
    let file = setup.upload("eicar.txt", eicar()).await.file_id.to_string();
    assert_eq!(refused(file.clone()).await, "no download: the file is not scanned yet");
    setup.emulator.clock().advance(Duration::from_secs(100));
    let malicious = "no download: the file is quarantined, its scan came to malicious";
    assert_eq!(refused(file).await, malicious);

    // Malware with a URL beside it, and a clean file without one.
    let mut body = clean_body(URL);
    body["virusScanResult"] = "malicious".into();
    setup.emulator.inject(Route::GetAttachment, Fault::status(200).json(body));
    assert_eq!(refused("f".to_owned()).await, malicious);
    let mut body = clean_body(URL);
    body.as_object_mut().unwrap().remove("downloadUrl");
    setup.emulator.inject(Route::GetAttachment, Fault::status(200).json(body));
    assert_eq!(refused("f".to_owned()).await, "no download: the file was quarantined or deleted");
    assert!(refused("unknown".to_owned()).await.starts_with("not found"));
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let writer = EmulatedClient::new("demo-client", "demo-secret").scopes(["conversations:messaging:write"]);
    let setup = Setup::with(|emulator| emulator.client(writer), |client| client).await;
    let error = setup.files.download_url(MESSAGE, "f").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.to_string().contains("needs scope `conversations:read`"), "{error}");
}

#[tokio::test]
async fn what_a_webhook_has_blocked_is_not_even_asked_for() {
    let (setup, memory, _) = Setup::new().await.recorded();
    let gate = ScanGate::new();
    gate.tell("f", ScanVerdict::FormatRejected);
    let error = setup.files.download_url(MESSAGE, "f").gate(&gate).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NotFound, Sent::No));
    assert!(error.to_string().ends_with("the file is quarantined, its scan came to format_rejected"));
    assert_eq!((setup.emulator.count(Route::GetAttachment), memory.events().len()), (0, 0));
}

#[tokio::test]
async fn a_url_that_is_over_or_none_is_not_handed_out() {
    let (setup, memory, _) = Setup::new().await.recorded();
    let hour_ago = Timestamp::from(setup.files_wall()).unix_millis() / 1_000 - 3_600;
    for (url, message) in [
        (format!("{URL}&expires={hour_ago}"), "the download url has expired already"),
        (format!("{URL}&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60"), "expired already"),
        ("nonsense".to_owned(), "the download url is not a url"),
    ] {
        setup.emulator.inject(Route::GetAttachment, clean(&url));
        let error = setup.files.download_url(MESSAGE, "f").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
        assert!(error.to_string().contains(message), "{error}");
        assert!(!error.to_string().contains("swordfish"), "{error}");
    }
    assert!(memory.events().is_empty());
}

#[tokio::test]
async fn a_machine_whose_clock_is_hours_ahead_is_told_so() {
    let clock = OddClock::default();
    let setup = Setup::with(|emulator| emulator, |client| client.clock(clock.clone())).await;
    clock.move_calendar(7_200);
    let file = setup.upload("report.pdf", pdf(100)).await.file_id;
    setup.emulator.clock().advance(Duration::from_secs(1));
    let error = setup.files.download_url(MESSAGE, file.clone()).await.unwrap_err();
    assert!(error.to_string().contains("or this machine's clock is wrong"), "{error}");
    // Behind, our own limit ends earlier by the platform's clock than it has to.
    clock.move_calendar(-14_400);
    let download = setup.files.download_url(MESSAGE, file).await.unwrap();
    let life = download.expires_at.since(Timestamp::from(webmessaging_http::Clock::wall(&clock)));
    assert!(life <= Duration::from_secs(3_600), "{life:?}");
}
