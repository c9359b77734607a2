//! `webmessaging bots bulk`: a list of messages, each line sent once, whatever happens in between.

use std::io;
use std::path::Path;

use futures_util::stream::{self, Stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use webmessaging::bots::Sender;
use webmessaging::{BulkError, BulkReport, BulkSender, BulkStop, Error, ErrorKind, LineOutcome, Sent};

use crate::args::bots::BulkArgs;
use crate::data_dir::{self, DataDir};
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::lines::Lines;
use crate::output::{Output, table};
use crate::recording::Recording;

/// So many lines that were not sent are shown; all are counted.
const SHOWN_MAX: usize = 100;

/// So many lines are read ahead.
const AHEAD: usize = 256;

pub(super) async fn run(args: BulkArgs, output: Output) -> Result<Exit, Failure> {
    let recording = Recording::begin(&args.audit, "command")?;
    let outcome = send(args, &recording, output).await;
    recording.end(outcome).await
}

async fn send(args: BulkArgs, recording: &Recording, output: Output) -> Result<Exit, Failure> {
    let name = name(&args)?;
    let lines = Lines::open(&args.list)?;
    let interrupt = Interrupt::listen()?;
    // Two runs at once do not know of each other. The system lets go of it when the process ends, however that is.
    let _lock = DataDir::of(&args.store.data)?.bulk_lock()?;
    let store = data_dir::store(&args.store).await?;
    let bots = args.connection.client()?.bots().journal(recording.journal());
    let sender = Sender::builder(bots).at_once(args.jobs.into()).build();
    let shown = args.list.display().to_string();
    let bar = bar(&args.list, output);
    // Of a run that is interrupted nobody else knows it.
    let (mut report, mut troubles) = (BulkReport::default(), Vec::new());
    let bulk = BulkSender::new(sender, store, name);
    let run = bulk.run(texts(lines), |line, outcome| {
        bar.inc(1);
        report.count(outcome);
        if !matches!(outcome, LineOutcome::Delivered(_) | LineOutcome::SentBefore)
            && troubles.len() < SHOWN_MAX
        {
            troubles.push((line, outcome.clone()));
        }
    });
    let failure = tokio::select! {
        ended = run => ended.err().map(|error| failure(error, shown)),
        () = interrupt.heard() => Some(interrupted().into()),
    };
    bar.finish_and_clear();
    // Lines end in the order in which they are answered.
    troubles.sort_by_key(|(line, _)| *line);
    tell(&report, &troubles, failure, output)
}

/// The same list has the same name, wherever the command is run.
fn name(args: &BulkArgs) -> Result<String, Failure> {
    if let Some(name) = &args.name {
        return Ok(name.clone());
    }
    let shown = args.list.display().to_string();
    // A pipe has another name each time, under which everything would be sent again.
    if shown == "-" || (args.list.exists() && !args.list.is_file()) {
        return Err(Local::input("invalid_input", "a list that is no file needs a --name")
            .about(shown)
            .into());
    }
    let path = args.list.canonicalize();
    let path =
        path.map_err(|error| Local::input("source", "cannot be read").about(shown).caused_by(error))?;
    Ok(path.display().to_string())
}

/// Reads on a thread of its own, which nobody waits for: standard input can stand still.
fn texts(mut lines: Lines) -> impl Stream<Item = io::Result<String>> {
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        loop {
            let read = match lines.read() {
                Ok(None) => return,
                // What is no text is no message either, and is told as one that is malformed.
                Ok(Some((_, line))) => {
                    let text = line.ok().and_then(|text| String::from_utf8(text).ok());
                    Ok(text.unwrap_or_else(|| "{".to_owned()))
                }
                Err(error) => Err(error),
            };
            let is_over = read.is_err();
            if sender.blocking_send(read).is_err() || is_over {
                return;
            }
        }
    });
    stream::poll_fn(move |context| receiver.poll_recv(context))
}

/// With the number of lines where the list is a file.
fn bar(list: &Path, output: Output) -> ProgressBar {
    if !output.is_for_people() {
        return ProgressBar::hidden();
    }
    // To count what is in a pipe would take it away.
    let file = list.is_file().then(|| std::fs::File::open(list).ok()).flatten();
    // What cannot be read is said by whoever reads the list; here it would be tried again and again.
    let lines = file.map(|file| {
        io::BufRead::split(io::BufReader::new(file), b'\n').take_while(io::Result::is_ok).count()
    });
    let bar = lines.map_or_else(ProgressBar::no_length, |lines| ProgressBar::new(lines as u64));
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} lines {per_sec} {eta}") {
        bar.set_style(style);
    }
    bar
}

fn failure(error: BulkError, list: String) -> Failure {
    match error {
        BulkError { stop: BulkStop::Store(error), .. } => Local::from(error).about("the store").into(),
        BulkError { stop: BulkStop::Login(error), .. } => error.into(),
        error => Local::input("source", "cannot be read").about(list).caused_by(error).into(),
    }
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Canceled, Sent::Maybe)
        .with_message("interrupted: what was under way is looked for when the same command is run again")
}

/// What came of the lines, and what has stopped the list.
fn tell(
    report: &BulkReport,
    troubles: &[(u64, LineOutcome)],
    failure: Option<Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    let exit = failure.as_ref().map_or_else(|| exit(report), Failure::exit);
    let lines: Vec<_> = troubles.iter().map(|(line, outcome)| line_json(*line, outcome)).collect();
    let mut json = json!({
        "ok": exit == Exit::Success, "sent": report.sent, "sentBefore": report.sent_before, "refused": report.refused,
        "changed": report.changed, "notSent": report.not_sent, "unknown": report.unknown,
        "notRecorded": report.not_recorded, "lines": lines,
    });
    if let (Some(failure), Some(fields)) = (&failure, json.as_object_mut()) {
        fields.insert("error".to_owned(), failure.json());
    }
    output.result(&json, || {
        let mut text: Vec<_> =
            troubles.iter().map(|(line, outcome)| format!("line {line}: {outcome}")).collect();
        let rows = [
            ("sent in an earlier run", report.sent_before),
            ("refused", report.refused),
            ("not what it was in an earlier run", report.changed),
            ("not sent, left for another run", report.not_sent),
            ("may have arrived, left for another run", report.unknown),
            ("sent and not on record", report.not_recorded),
        ];
        let rows = rows.into_iter().filter(|(_, count)| *count > 0);
        let rows = rows.map(|(what, count)| vec![what.to_owned(), count.to_string()]);
        text.push(table(&["sent", &report.sent.to_string()], rows));
        text.join("\n")
    })?;
    if let Some(failure) = failure.filter(|_| output.is_for_people()) {
        output.complain(&failure)?;
    }
    Ok(exit)
}

fn line_json(line: u64, outcome: &LineOutcome) -> Value {
    let what = outcome.to_string();
    match outcome {
        LineOutcome::Rejected(violations) => json!({"line": line, "what": what, "violations": violations}),
        _ => json!({"line": line, "what": what}),
    }
}

fn exit(report: &BulkReport) -> Exit {
    if report.left() > 0 {
        Exit::Unavailable
    } else if report.refused + report.changed > 0 {
        Exit::InvalidInput
    } else if report.not_recorded > 0 {
        Exit::Internal
    } else {
        Exit::Success
    }
}
