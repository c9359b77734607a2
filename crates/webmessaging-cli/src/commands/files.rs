//! `webmessaging files upload`: one file, with a progress bar and the scanner's verdict.

use std::time::Duration;

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use webmessaging::Source;
use webmessaging::files::{FilesClient, UploadedFile};
use webmessaging::model::{ScanVerdict, UploadLimits};
use webmessaging_emulator::cli::interrupted;

use crate::args::{FilesArgs, FilesCommand, UploadArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, table};

pub(crate) async fn run(args: FilesArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        FilesCommand::Upload(args) => upload(*args, output).await,
    }
}

async fn upload(args: UploadArgs, output: Output) -> Result<Exit, Failure> {
    let client = args.connection.client()?;
    let limits = UploadLimits::default().file_size_bytes_max(args.max_file_size);
    let files = client.files().limits(limits);
    let mut source = Source::path(args.path);
    if let Some(name) = args.name {
        source = source.named(name);
    }
    let bar = progress_bar(output, source.name());
    let report = bar.clone();
    let mut upload = files
        .upload(source)
        .channel(args.channel)
        .message(args.message.as_str())
        .on_progress(move |progress| {
            report.set_length(progress.total_bytes);
            report.set_position(progress.sent_bytes);
        })
        .cancel_on(interrupted().map_err(|error| Failure::internal("cannot listen for signals", error))?);
    if let Some(content_type) = args.content_type {
        upload = upload.content_type(content_type);
    }
    if args.unchecked {
        upload = upload.unchecked();
    }
    let uploaded = upload.await;
    bar.finish_and_clear();
    let file = uploaded?;

    let verdict = if args.no_wait {
        None
    } else {
        Some(verdict(&files, &args.message, &file, Duration::from_secs(args.scan_timeout)).await?)
    };
    output.result(&to_json(&file, verdict), || to_table(&file, verdict))?;
    Ok(Exit::of_verdict(verdict))
}

/// Waits for the scan of an uploaded file.
pub(crate) async fn verdict(
    files: &FilesClient,
    message: &str,
    file: &UploadedFile,
    within: Duration,
) -> Result<ScanVerdict, Failure> {
    let attachment = files.wait_for_scan(message, file.file_id.clone()).within(within).await?;
    Ok(attachment.verdict())
}

/// What a program is told about an upload.
pub(crate) fn to_json(file: &UploadedFile, verdict: Option<ScanVerdict>) -> Value {
    json!({
        "ok": Exit::of_verdict(verdict) == Exit::Success,
        "fileId": file.file_id,
        "fileName": file.file_name,
        "contentType": file.content_type,
        "sizeBytes": file.size_bytes,
        "sha256": file.sha256,
        "scan": verdict.map(ScanVerdict::as_str),
        "attempts": file.facts.attempts,
        "urls": file.urls,
        "seconds": file.facts.latency.as_secs_f64(),
        "requestId": file.facts.request_id,
        "correlationId": file.facts.correlation_id,
    })
}

fn to_table(file: &UploadedFile, verdict: Option<ScanVerdict>) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    table(
        &["upload", file.file_name.as_str()],
        [
            row("file id", file.file_id.to_string()),
            row("media type", file.content_type.to_string()),
            row("size", format!("{} ({} bytes)", BinaryBytes(file.size_bytes), file.size_bytes)),
            row("sha-256", file.sha256.clone()),
            row("attempts", file.facts.attempts.to_string()),
            row("scan", verdict.map_or("not waited for", ScanVerdict::as_str).to_owned()),
        ],
    )
}

/// A bar on standard error, where a person sees it; indicatif hides it where standard error is not a terminal.
fn progress_bar(output: Output, name: &str) -> ProgressBar {
    if !output.is_for_people() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0).with_message(name.to_owned());
    let template = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
