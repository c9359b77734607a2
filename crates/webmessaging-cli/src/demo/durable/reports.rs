//! What the durable core has done, told in three reports.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use webmessaging::journal;
use webmessaging::journal::audit::verify;
use webmessaging::store::Store;
use webmessaging::webhooks::receiver::Receiver;

use crate::demo::Report;
use crate::demo::other_system::{BUSY, OtherSystem};
use crate::failure::Failure;

fn step(what: &str, outcome: String) -> (String, String) {
    (what.to_owned(), outcome)
}

pub(super) async fn webhooks(
    receiver: &Receiver,
    store: &dyn Store,
    is_received: bool,
    expected: u64,
) -> Result<Report, Failure> {
    let (status, refused) = {
        let status = receiver.status();
        let refused: u64 = status.refused.iter().map(|(_, count)| count).sum();
        (status, refused)
    };
    let quarantined = store
        .quarantined(None, 100)
        .await
        .map_err(|error| Failure::internal("the store failed", error))?
        .len();
    let ok = is_received
        && (status.accepted, status.duplicates, refused) == (expected, 1, 1)
        && status.buried == 0
        && quarantined >= 1;
    let figures = json!({
        "accepted": status.accepted,
        "duplicates": status.duplicates,
        "refused": refused,
        "handled": status.handled,
        "quarantined": quarantined,
    });
    let steps = vec![
        step(
            "scans and receipts of the platform",
            format!("{} kept before they were answered", status.accepted),
        ),
        step("one of them told twice", format!("{} answered and without effect", status.duplicates)),
        step("a forged one", format!("{refused} refused: its signature is not of these bytes")),
        step("worked on", format!("{} done, {quarantined} files quarantined", status.handled)),
    ];
    Ok(Report { system: "webhooks", ok, figures: figures_of(figures), steps })
}

pub(super) fn synchronization(
    [documents, crm]: [&OtherSystem; 2],
    is_synchronized: bool,
    [clean, guests]: [usize; 2],
) -> Report {
    let (files, (busy, requests, repeated)) = (documents.told(), documents.figures());
    let (told, (crm_busy, _, crm_repeated)) = (crm.told(), crm.figures());
    let ok = is_synchronized
        && (busy, repeated, files.len()) == (BUSY, 0, clean)
        && (crm_busy, crm_repeated, told.len()) == (BUSY, 0, guests);
    let figures = json!({
        "requests": requests, "busy": busy, "repeated": repeated, "files": files,
        "guests": told.len(), "crmBusy": crm_busy, "crmRepeated": crm_repeated,
    });
    let steps = vec![
        step(
            "the document system is busy",
            format!("answered 503 {busy} times, the batch waits in the outbox"),
        ),
        step("told once it has time", format!("{}: only what is clean, under one key", files.join(", "))),
        step(
            "the CRM fails as well",
            format!("answered 503 {crm_busy} times, and has {} changes of guests, each once", told.len()),
        ),
    ];
    Report { system: "sync", ok, figures: figures_of(figures), steps }
}

pub(super) fn audit(log: &Path, folder: &Path, is_closed: bool) -> Result<Report, Failure> {
    let failed = |error: journal::Error| Failure::internal("the audit log cannot be read", error);
    let verified = verify(log, None).map_err(failed)?;
    let copy = changed_copy(log, &folder.join("changed"))
        .map_err(|error| Failure::internal("the audit log cannot be copied", error))?;
    let found = verify(copy, None).map_err(failed)?.problem.map(|problem| problem.to_string());
    let ok = is_closed && verified.is_intact() && verified.records > 0 && found.is_some();
    let figures = json!({ "records": verified.records, "intact": verified.is_intact(), "tampering": found });
    let steps = vec![
        step("recorded", format!("{} records, chained by their hashes: intact", verified.records)),
        step("one byte changed in a copy", found.unwrap_or_else(|| "not found".to_owned())),
    ];
    Ok(Report { system: "audit", ok, figures: figures_of(figures), steps })
}

/// The log again, with one digit of its first record changed.
fn changed_copy(log: &Path, to: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(log)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "jsonl") {
            let text = std::fs::read_to_string(entry.path())?;
            std::fs::write(to.join(entry.file_name()), text.replacen("webhook", "webhaak", 1))?;
        }
    }
    Ok(to.to_owned())
}

fn figures_of(figures: Value) -> Map<String, Value> {
    match figures {
        Value::Object(figures) => figures,
        _ => Map::new(),
    }
}
