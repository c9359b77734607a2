//! `webmessaging files upload` of many files: a bar for each and one for all, and a report that has every one of them.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging::files::ledger::FileLedger;
use webmessaging::files::{BatchFile, BatchReport, BatchUpload};
use webmessaging::journal::Journal;
use webmessaging::model::{ScanVerdict, UploadLimits};

use super::bars::Bars;
use crate::args::files::UploadArgs;
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::output::{Output, table};

pub(super) async fn run(args: UploadArgs, journal: Journal, output: Output) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let client = args.connection.client()?;
    let limits = UploadLimits::default().file_size_bytes_max(args.max_file_size);
    let files = client.files().limits(limits).journal(journal);
    let bars = Bars::new(output);
    let shown = bars.clone();
    let mut batch = files
        .batch()
        .channel(args.channel)
        .message(args.message)
        .concurrency(args.jobs.into())
        .scan(!args.no_wait)
        .scan_within(Duration::from_secs(args.scan_timeout))
        .on_event(move |event| shown.tell(&event))
        .cancel_on(interrupt.heard());
    for path in args.paths {
        batch = match (path.is_dir(), args.recursive) {
            (true, true) => batch.tree(path),
            (true, false) => batch.directory(path),
            (false, _) => batch.path(path),
        };
    }
    if args.unchecked {
        batch = batch.unchecked();
    }
    if let Some(path) = args.ledger {
        let shown = path.display().to_string();
        let ledger = FileLedger::open(path).map_err(|error| {
            Local::input("ledger", format!("the ledger cannot be used: {error}")).about(shown)
        })?;
        batch = batch.ledger(ledger);
    }
    let report = batch.await;
    bars.end();
    let report = report?;
    output.result(&to_json(&report), || to_text(&report))?;
    for file in &report.files {
        if let Some(failure) = failure(file) {
            output.complain(&failure)?;
        }
    }
    Ok(exit(&report))
}

/// Of the files' own ends the one that matters most.
fn exit(report: &BatchReport) -> Exit {
    let exits: Vec<_> = report.files.iter().map(exit_of).collect();
    [Exit::Interrupted, Exit::Internal, Exit::Unavailable, Exit::Refused, Exit::InvalidInput, Exit::Blocked]
        .into_iter()
        .find(|exit| exits.contains(exit))
        .unwrap_or(Exit::Success)
}

fn exit_of(file: &BatchFile) -> Exit {
    if let Some(failure) = failure(file) {
        return failure.exit();
    }
    let verdict = file.outcome.as_ref().ok().and_then(|upload| upload.verdict);
    verdict.map_or(Exit::Success, Exit::of_verdict)
}

/// What is to be said of a file: that it is not there, or that nobody knows what the scan came to.
fn failure(file: &BatchFile) -> Option<Failure> {
    let error = match &file.outcome {
        Ok(upload) => upload.trouble.as_ref()?,
        Err(error) => error,
    };
    Some(Failure::about(error.clone(), &*file.name))
}

fn to_json(report: &BatchReport) -> Value {
    let files: Vec<_> = report.files.iter().map(file_to_json).collect();
    json!({
        "ok": exit(report) == Exit::Success,
        "files": files,
        "good": report.good().count(),
        "blocked": report.blocked().count(),
        "troubled": report.troubled().count(),
        "failed": report.failed().count(),
    })
}

fn file_to_json(file: &BatchFile) -> Value {
    let upload = file.outcome.as_ref().ok();
    let sent = upload.and_then(|upload| upload.uploaded.as_ref());
    json!({
        "ok": exit_of(file) == Exit::Success,
        "path": file.name,
        "fileId": upload.map(|upload| &upload.file_id),
        "sizeBytes": upload.and_then(|upload| upload.size_bytes),
        "sha256": upload.and_then(|upload| upload.sha256.as_ref()),
        "scan": upload.and_then(|upload| upload.verdict).map(ScanVerdict::as_str),
        "wasThere": upload.map(|upload| upload.was_there),
        "attempts": sent.map(|file| file.facts.attempts),
        "seconds": sent.map(|file| file.facts.latency.as_secs_f64()),
        "error": failure(file).map(|failure| failure.json()),
    })
}

fn to_text(report: &BatchReport) -> String {
    let rows = report.files.iter().map(|file| {
        let (id, result) = match &file.outcome {
            Ok(upload) => (upload.file_id.to_string(), result(upload)),
            Err(error) => ("-".to_owned(), format!("failed: {}", error.kind())),
        };
        vec![file.name.clone(), id, result]
    });
    let text = table(&["file", "file id", "result"], rows);
    let count = |what: &str, count: usize| (count > 0).then(|| format!("{count} {what}"));
    let counts = [
        Some(format!("{} good", report.good().count())),
        count("blocked", report.blocked().count()),
        count("with trouble afterwards", report.troubled().count()),
        count("failed", report.failed().count()),
    ];
    format!("{text}\n{}", counts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn result(upload: &BatchUpload) -> String {
    let scan = match (upload.verdict, &upload.trouble) {
        (Some(verdict), _) => verdict.as_str(),
        (None, Some(_)) => "verdict not known",
        (None, None) => "stored",
    };
    if upload.was_there { format!("{scan}, was there") } else { scan.to_owned() }
}
