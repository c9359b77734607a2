//! Scans that fail, and verdicts that change, from outside.

use http::StatusCode;
use uuid::Uuid;

use crate::answer::Refusal;
use crate::control::Failure;
use crate::document::{Fields, Place, from_json};
use crate::state::Shared;
use crate::verdicts::RejudgeError;

/// No more scans than this are made to fail by one request.
const FAILURES_MAX: usize = 1_000_000;

/// `POST /__emulator/scans/fail`: lets coming scans fail.
pub(super) fn fail_scans(shared: &Shared, text: &[u8]) -> Result<(), Failure> {
    let count = from_json(text, |value, problems| {
        let mut fields = Fields::new(value, Place::default(), problems)?;
        let count = fields.required().whole("count", 0..=FAILURES_MAX);
        fields.finish();
        count
    })?;
    let Some(count) = count else { return Err(Refusal::internal("scans").into()) };
    shared.scan_failures.set(count);
    Ok(())
}

/// `PUT /__emulator/verdicts/{id}`: changes what the virus scan of a file or transfer came to.
pub(super) fn rejudge(shared: &Shared, id: Uuid, text: &[u8]) -> Result<(), Failure> {
    let is_malicious = from_json(text, |value, problems| {
        let mut fields = Fields::new(value, Place::default(), problems)?;
        let is_malicious = fields.required().read("malicious", "true or false", serde_json::Value::as_bool);
        fields.finish();
        is_malicious
    })?;
    let Some(is_malicious) = is_malicious else { return Err(Refusal::internal("verdict").into()) };
    shared.rejudge(&id.to_string(), is_malicious).map_err(|error| match error {
        RejudgeError::NotFound => Refusal::not_found().into(),
        RejudgeError::NotJudged => {
            Refusal::new(StatusCode::CONFLICT, "emulator.verdict.missing", error.to_string()).into()
        }
    })
}
