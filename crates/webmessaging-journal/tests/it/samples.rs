//! Events of every kind, and a log with some of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use webmessaging_journal::audit::{AuditLog, Checkpoint};
use webmessaging_journal::clock::SystemEntropy;
use webmessaging_journal::kind::*;
use webmessaging_journal::{Event, EventId, Facts, Stamp};
use webmessaging_model::{ScanVerdict, Timestamp};

/// 2026-11-25T08:30:00Z, and a second later for each number.
pub(crate) fn at(number: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_795_595_400_000) + Duration::from_secs(number)
}

pub(crate) fn event(number: u64, kind: impl Into<EventKind>) -> Event {
    Stamp::new(EventId::new(at(number), &SystemEntropy), at(number), "tester").event(kind)
}

/// A message of conversation `c0`, `c1`, ..., by the number.
pub(crate) fn message(number: u64) -> Event {
    event(number, BotMessageSent::new(format!("c{number}")).message_id("m1"))
}

pub(crate) fn facts() -> Facts {
    Facts::new()
        .operation("files.upload")
        .status(200)
        .attempts(2)
        .latency(Duration::from_micros(41_234))
        .correlation_id("corr-1")
        .request_id("req-1")
        .payload_sha256([7; 32])
}

pub(crate) fn guest_change() -> GuestChange {
    let changes = DataChanges::new()
        .with("consent.marketing", true)
        .with("identityAttributes.emailHash", "0f".repeat(32).as_str())
        .with("attributes.tier", "gold")
        .with("attributes.old", None);
    GuestChange::new(changes)
        .external_id("crm-1")
        .email_hash("0f".repeat(32))
        .consent_flags(Consent::new(true, true))
        .last_interaction(at(0))
        .channel_context(ChannelContext::new(Some("https://shop.example/cart".into()), Some("SPRING".into())))
        .ip_address("192.0.2.7")
        .user_agent("Mozilla/5.0 (X11; Linux x86_64)")
        .gdpr_applicable(true)
}

/// One of each kind, with everything that can be set.
pub(crate) fn every_kind() -> Vec<EventKind> {
    let policy = AccessPolicy::new(30, "AES-256", true);
    vec![
        FileUploaded::new("f1", "a.pdf", 10)
            .content_type("application/pdf")
            .channel_id("ch1")
            .message_id("m1")
            .into(),
        FileUploadFailed::new("m1", "too_large")
            .file_id("f1")
            .name("a.pdf")
            .size(10)
            .channel_id("ch1")
            .into(),
        FileScanned::new("f1", ScanVerdict::Clean)
            .name("a.pdf")
            .size(10)
            .content_type("application/pdf")
            .into(),
        FileQuarantined::new("f1", "malicious").name("a.pdf").message_id("m1").deleted(false).into(),
        DownloadUrlIssued::new("f1", "m1").expires_at(at(9)).into(),
        TransferCreated::new("t1", "a.pdf", 10).expires_at(at(9)).access_policy(policy.clone()).into(),
        TransferRenewed::new("t1", "expiring").expires_at(at(9)).into(),
        TransferUploaded::new("t1", 10).content_type("application/pdf").into(),
        TransferFinished::new("t1", "a.pdf")
            .storage_location("https://bucket.example/k?sig=s3cret")
            .access_policy(policy)
            .size(10)
            .into(),
        TransferBlocked::new("t1", "virus_detected").file_name("a.pdf").into(),
        ChannelUpdated::new("ch1", vec!["configuration.webchat.features".to_owned()])
            .features(BTreeMap::from([("rich-media".to_owned(), true), ("co-browsing".to_owned(), false)]))
            .into(),
        WebhookRegistered::new("scan-completed", true).webhook_id("w1").event_type("channel.updated").into(),
        WebhookReceived::new("d1", "file.upload.completed", false).about("f1").into(),
        GuestCreated::new("g1", guest_change()).into(),
        GuestUpdated::new("g1", guest_change()).into(),
        EngagementCalculated::new("g1", Duration::from_secs(60), 3).converted(true).into(),
        BotMessageSent::new("c1").message_id("m1").message_type("text").crm_target("crm").into(),
        BotMessageFailed::new("c1", "rate_limited").maybe_sent(false).into(),
        MessageRead::new("c1", "m1").participant_id("p1").read_at(at(1)).into(),
        DeliverySucceeded::new("b1", "crm").items(50).duplicate(false).into(),
        DeliveryFailed::new("b1", "crm", "server").dead(false).retry_in(Duration::from_secs(30)).into(),
        OperationFailed::new("channels.update", "channel", "ch1", "conflict").maybe_done(false).into(),
        RecordsRemoved::new(1, 9, "0f".repeat(32), "retention").into(),
    ]
}

/// A log of so many messages in files of about so many bytes, closed; and its end.
pub(crate) async fn log(folder: &Path, messages: u64, file_bytes: u64) -> Checkpoint {
    let log = AuditLog::builder(folder).file_bytes(file_bytes).open().unwrap();
    for number in 0..messages {
        log.append(&message(number)).await.unwrap();
    }
    let head = log.head().await.unwrap();
    log.close().await.unwrap();
    head
}

/// The files of a log in their order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    files
}

pub(crate) fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

pub(crate) fn write_lines(file: &Path, lines: &[String]) {
    let ended: Vec<_> = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    fs::write(file, ended.concat()).unwrap();
}
