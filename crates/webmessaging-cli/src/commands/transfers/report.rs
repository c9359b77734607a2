//! What is said of a transfer.

use serde_json::{Value, json};
use webmessaging::files::{FinishedTransfer, TransferState};
use webmessaging::model::{
    ContentTypeVerification, ScanVerdict, TransferId, TransferStatus, VirusScanResult,
};

use crate::failure::{Exit, Failure};
use crate::output::{Output, table};

pub(super) fn exit(verdict: ScanVerdict) -> Exit {
    Exit::of_verdict(verdict)
}

/// A transfer that is over.
pub(super) fn finished(finished: &FinishedTransfer) -> (Value, String) {
    let (mut json, mut rows) = of_state(&finished.transfer_id, &finished.state);
    if let (Some(uploaded), Value::Object(fields)) = (&finished.uploaded, &mut json) {
        fields.insert("sizeBytes".to_owned(), uploaded.size_bytes.into());
        fields.insert("sha256".to_owned(), json!(uploaded.sha256));
        fields.insert("attempts".to_owned(), uploaded.facts.attempts.into());
        fields.insert("urls".to_owned(), uploaded.urls.into());
        rows.push(row("size", format!("{} bytes", uploaded.size_bytes)));
        rows.push(row("sha-256", uploaded.sha256.clone().unwrap_or_default()));
    }
    (json, table(&["transfer", finished.transfer_id.as_str()], rows))
}

/// A transfer that failed, or whose end nobody has seen: whoever goes on with it needs its id.
pub(super) fn failed(output: Output, id: Option<&str>, failure: Failure) -> Result<Exit, Failure> {
    let Some(id) = id else { return Err(failure) };
    if output.is_for_people() {
        output.complain(&failure)?;
        output.note(&format!("the transfer is {id}"))?;
    } else {
        let json = json!({"ok": false, "transferId": id, "error": failure.json()});
        output.result(&json, String::new)?;
    }
    Ok(failure.exit())
}

/// The state of a transfer.
pub(super) fn state(id: &TransferId, state: &TransferState) -> (Value, String) {
    let (json, rows) = of_state(id, state);
    (json, table(&["transfer", id.as_str()], rows))
}

fn of_state(id: &TransferId, state: &TransferState) -> (Value, Vec<Vec<String>>) {
    let verdict = state.verdict();
    let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let json = json!({
        "ok": verdict == ScanVerdict::Clean,
        "transferId": id,
        "status": state.status,
        "virusScanStatus": state.virus_scan_status,
        "virusScanResult": state.virus_scan_result,
        "contentTypeVerification": state.content_type_verification,
        "fileName": state.file_name,
        "verdict": verdict.as_str(),
    });
    let rows = vec![
        row("file name", text(state.file_name.as_deref())),
        row("status", text(state.status.as_ref().map(TransferStatus::as_str))),
        row("virus scan", text(state.virus_scan_result.as_ref().map(VirusScanResult::as_str))),
        row("content", text(state.content_type_verification.as_ref().map(ContentTypeVerification::as_str))),
        row("verdict", verdict.as_str().to_owned()),
    ];
    (json, rows)
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}
