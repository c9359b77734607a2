//! `webmessaging files upload` of one file: with a progress bar and the scanner's verdict.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::BinaryBytes;
use serde_json::{Value, json};
use webmessaging::files::operations::GET_ATTACHMENT;
use webmessaging::files::{DeliverError, Delivered, UploadedFile};
use webmessaging::http::Progress;
use webmessaging::journal::Journal;
use webmessaging::model::{ScanVerdict, UploadLimits};
use webmessaging::{Error, ErrorKind, Sent, Source};

use super::bars;
use crate::args::files::UploadArgs;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::{Output, table};

/// What is known of the scan when the command ends.
#[derive(Debug)]
enum Scan {
    NotAsked,
    Verdict(ScanVerdict),
    /// The bytes are there, but the verdict is not known.
    Failed(Failure),
    Interrupted,
}

impl Scan {
    fn exit(&self) -> Exit {
        match self {
            Self::NotAsked => Exit::Success,
            Self::Verdict(verdict) => Exit::of_verdict(*verdict),
            Self::Failed(failure) => failure.exit(),
            Self::Interrupted => Exit::Interrupted,
        }
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::NotAsked => "not waited for",
            Self::Verdict(verdict) => verdict.as_str(),
            Self::Failed(_) => "not known",
            Self::Interrupted => "not known, interrupted",
        }
    }
}

pub(super) async fn run(
    args: UploadArgs,
    path: PathBuf,
    journal: Journal,
    output: Output,
) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let client = args.connection.client()?;
    let limits = UploadLimits::default().file_size_bytes_max(args.max_file_size);
    let files = client.files().limits(limits).journal(journal);
    let shown = path.display().to_string();
    let mut source = Source::path(path);
    if let Some(name) = args.name {
        source = source.named(name);
    }
    let bar = bars::single(output, source.name());
    let report = bar.clone();
    let on_progress = move |progress: Progress| {
        report.set_length(progress.total_bytes);
        report.set_position(progress.sent_bytes);
    };
    let ended = if args.no_wait {
        let mut upload = files.upload(source).channel(args.channel).message(args.message);
        if let Some(content_type) = args.content_type {
            upload = upload.content_type(content_type);
        }
        if args.unchecked {
            upload = upload.unchecked();
        }
        upload.on_progress(on_progress).cancel_on(interrupt.heard()).await.map(|file| (file, Scan::NotAsked))
    } else {
        let within = Duration::from_secs(args.scan_timeout);
        let mut delivery = files.deliver(source).channel(args.channel).message(args.message).within(within);
        if let Some(content_type) = args.content_type {
            delivery = delivery.content_type(content_type);
        }
        if args.unchecked {
            delivery = delivery.unchecked();
        }
        // Nobody wants to sit before a terminal for 5 minutes; the exit code says that it can be done again.
        let delivery = delivery.scan_retries(0).on_progress(on_progress).cancel_on(interrupt.heard());
        scanned(delivery.await, &shown, args.scan_timeout)
    };
    bar.finish_and_clear();
    let (file, scan) = ended.map_err(|error| Failure::about(error, &*shown))?;
    output.result(&report_of(&file, &scan), || to_table(&file, &scan))?;
    if let Scan::Failed(failure) = &scan {
        output.complain(failure)?;
    }
    Ok(scan.exit())
}

/// A file whose bytes have arrived is reported, whatever became of its scan.
fn scanned(
    delivered: Result<Delivered, DeliverError>,
    shown: &str,
    waited_seconds: u64,
) -> Result<(UploadedFile, Scan), Error> {
    let (file, error) = match delivered {
        Ok(Delivered { file, verdict: ScanVerdict::Pending, .. }) => {
            let error = Error::new(ErrorKind::Timeout, Sent::Yes).with_operation(&GET_ATTACHMENT);
            (file, error.with_message(format!("no scan verdict within {waited_seconds} s")))
        }
        Ok(Delivered { file, verdict, .. }) => return Ok((file, Scan::Verdict(verdict))),
        Err(error) => match error.file() {
            Some(file) => (file.clone(), error.error().clone()),
            None => return Err(error.into()),
        },
    };
    let scan = match error.kind() {
        ErrorKind::Canceled => Scan::Interrupted,
        _ => Scan::Failed(Failure::about(error, shown)),
    };
    Ok((file, scan))
}

/// What a program is told about an uploaded file.
pub(crate) fn to_json(file: &UploadedFile, verdict: Option<ScanVerdict>) -> Value {
    json!({
        "ok": verdict.is_none_or(|verdict| verdict == ScanVerdict::Clean),
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

fn report_of(file: &UploadedFile, scan: &Scan) -> Value {
    let verdict = match scan {
        Scan::Verdict(verdict) => Some(*verdict),
        _ => None,
    };
    let mut report = to_json(file, verdict);
    if let Value::Object(fields) = &mut report {
        fields.insert("ok".to_owned(), (scan.exit() == Exit::Success).into());
        if let Scan::Failed(failure) = scan {
            fields.insert("error".to_owned(), failure.json());
        }
    }
    report
}

fn to_table(file: &UploadedFile, scan: &Scan) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    table(
        &["upload", file.file_name.as_str()],
        [
            row("file id", file.file_id.to_string()),
            row("media type", file.content_type.to_string()),
            row("size", format!("{} ({} bytes)", BinaryBytes(file.size_bytes), file.size_bytes)),
            row("sha-256", file.sha256.clone().unwrap_or_default()),
            row("attempts", file.facts.attempts.to_string()),
            row("scan", scan.as_str().to_owned()),
        ],
    )
}
