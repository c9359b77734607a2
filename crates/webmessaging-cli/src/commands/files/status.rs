//! `webmessaging files status` and `url`: what the scanner said of a file, and where a clean one can be had.

use std::time::Duration;

use serde_json::json;
use webmessaging::ErrorKind;
use webmessaging::files::{Attachment, ExpiryPolicy};
use webmessaging::model::ScanVerdict;

use crate::args::files::{AttachmentArgs, UrlArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, table};

pub(super) async fn status(args: AttachmentArgs, output: Output) -> Result<Exit, Failure> {
    let file = args.file.clone();
    let attachment = attachment(args).await?;
    let verdict = attachment.verdict();
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let report = json!({
        "ok": exit(verdict) == Exit::Success,
        "fileId": attachment.id,
        "fileName": attachment.file_name,
        "status": attachment.status,
        "virusScanResult": attachment.virus_scan_result,
        "formatValidation": attachment.format_validation,
        "scan": verdict.as_str(),
    });
    output.result(&report, || {
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let rows = [
            row("file name", text(attachment.file_name.clone())),
            row("status", text(attachment.status.as_ref().map(ToString::to_string))),
            row("virus scan", text(attachment.virus_scan_result.as_ref().map(ToString::to_string))),
            row("format", text(attachment.format_validation.as_ref().map(ToString::to_string))),
            row("verdict", verdict.as_str().to_owned()),
        ];
        table(&["file", &file], rows)
    })?;
    Ok(exit(verdict))
}

/// That there is no verdict yet is an answer, too.
fn exit(verdict: ScanVerdict) -> Exit {
    if verdict == ScanVerdict::Pending { Exit::Success } else { Exit::of_verdict(verdict) }
}

async fn attachment(args: AttachmentArgs) -> Result<Attachment, Failure> {
    let files = args.connection.client()?.files();
    let attachment = files.attachment(args.message, &*args.file).await;
    attachment.map_err(|error| Failure::about(error, args.file))
}

pub(super) async fn url(args: UrlArgs, output: Output) -> Result<Exit, Failure> {
    let UrlArgs { attachment: AttachmentArgs { file, message, connection }, expires, as_signed } = args;
    let mut expiry = ExpiryPolicy::new(Duration::from_secs(expires));
    if as_signed {
        expiry = expiry.local_only();
    }
    let files = connection.client()?.files();
    let download = match files.download_url(&*message, &*file).expiry(expiry).await {
        Ok(download) => download,
        // A file that is blocked is no mistake of whoever asks.
        Err(error) if error.kind() == ErrorKind::NotFound && error.status().is_none() => {
            output.failed(&Failure::about(error, file));
            return Ok(Exit::Blocked);
        }
        Err(error) => return Err(Failure::about(error, file)),
    };
    let report = json!({
        "ok": true,
        "url": download.url.expose(),
        "expiresAt": download.expires_at,
        "fileId": download.file_id,
        "fileName": download.file_name,
    });
    // For a person the URL alone, to be handed on.
    output.result(&report, || download.url.expose().to_owned())?;
    Ok(Exit::Success)
}
