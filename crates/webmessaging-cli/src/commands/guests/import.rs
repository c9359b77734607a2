//! `webmessaging guests import`: a list of guests, created line by line, with a file that says what was wrong with the others.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use webmessaging::guests::{GuestPayload, GuestsClient};
use webmessaging::{Error, ErrorKind, Sent};

use super::lines::{Lines, Read};
use super::salt;
use crate::args::guests::ImportArgs;
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::recording::Recording;

pub(super) async fn run(args: ImportArgs, output: Output) -> Result<Exit, Failure> {
    let recording = Recording::begin(&args.audit, "command")?;
    let outcome = import(args, &recording, output).await;
    recording.end(outcome).await
}

async fn import(args: ImportArgs, recording: &Recording, output: Output) -> Result<Exit, Failure> {
    let hasher = salt::hasher(&args.salt)?;
    let mut lines = Lines::open(&args.guests, args.format)?;
    let guests = args.connection.client()?.guests().journal(recording.journal());
    let mut rejects = args.rejects.as_deref().map(Rejects::new).transpose()?;
    let interrupt = Interrupt::listen()?;
    let mut totals = Totals::default();
    let mut under_way = JoinSet::new();
    loop {
        let is_full = under_way.len() >= usize::from(args.jobs);
        let is_over = interrupt.is_heard() || totals.is_hopeless;
        if is_full || (is_over && !under_way.is_empty()) {
            let ended = under_way.join_next().await;
            note(&mut totals, &mut rejects, ended)?;
            continue;
        }
        if is_over {
            break;
        }
        match lines.next()? {
            Some(Read { line, .. }) if line < args.from_line => {}
            Some(Read { line, record }) => {
                totals.last = line;
                let payload = record.and_then(|record| {
                    record.payload(&hasher).map_err(|violations| json!({"violations": violations}))
                });
                match payload {
                    Ok(payload) => {
                        let (guests, may) = (guests.clone(), args.without_consent);
                        under_way.spawn(async move {
                            let created = create(&guests, &payload, may).await;
                            (line, created)
                        });
                    }
                    Err(why) => totals.reject(&mut rejects, line, &why)?,
                }
            }
            None if under_way.is_empty() => break,
            None => {
                let ended = under_way.join_next().await;
                note(&mut totals, &mut rejects, ended)?;
            }
        }
    }
    if let Some(rejects) = rejects {
        rejects.end()?;
    }
    report(&totals, interrupt.is_heard(), args.rejects.as_deref(), output)
}

async fn create(guests: &GuestsClient, payload: &GuestPayload, without_consent: bool) -> Result<(), Error> {
    let created = if without_consent {
        guests.create_without_consent(payload).await
    } else {
        guests.create(payload).await
    };
    created.map(drop)
}

/// What became of the lines.
#[derive(Debug, Default)]
struct Totals {
    created: u64,
    rejected: u64,
    /// Lines whose guest may exist though the call failed.
    unknown: u64,
    last: u64,
    /// A failure that every other line would have as well.
    is_hopeless: bool,
    failure: Option<Failure>,
}

impl Totals {
    fn reject(&mut self, rejects: &mut Option<Rejects>, line: u64, why: &Value) -> Result<(), Failure> {
        self.rejected += 1;
        match rejects {
            Some(rejects) => rejects.write(line, why),
            None => Ok(()),
        }
    }
}

type Ended = Option<Result<(u64, Result<(), Error>), tokio::task::JoinError>>;

fn note(totals: &mut Totals, rejects: &mut Option<Rejects>, ended: Ended) -> Result<(), Failure> {
    let Some(ended) = ended else { return Ok(()) };
    let (line, created) = ended.map_err(|error| Failure::internal("a line was not worked on", error))?;
    let Err(error) = created else {
        totals.created += 1;
        return Ok(());
    };
    let may_exist = error.sent() != Sent::No && error.status().is_none_or(|status| status.is_server_error());
    totals.unknown += u64::from(may_exist);
    // Everything else is not about this line: no permission, no network, a platform in trouble.
    totals.is_hopeless |= !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Rejected);
    let failure = Failure::from(error);
    totals.reject(rejects, line, &json!({"error": failure.json(), "mayExist": may_exist}))?;
    totals.failure.get_or_insert(failure);
    Ok(())
}

/// A JSON object on each line: which line it was, and why. Nothing of the guest is in it.
struct Rejects(BufWriter<File>);

impl Rejects {
    fn new(path: &Path) -> Result<Self, Failure> {
        let created = File::create_new(path);
        let file = created.map_err(|error| {
            Local::input("output", "cannot be made, or is there already")
                .about(path.display().to_string())
                .caused_by(error)
        })?;
        Ok(Self(BufWriter::new(file)))
    }

    fn write(&mut self, line: u64, why: &Value) -> Result<(), Failure> {
        let mut entry = json!({"line": line});
        if let (Value::Object(entry), Value::Object(why)) = (&mut entry, why) {
            entry.extend(why.clone());
        }
        // Each is there before the next line is begun: a process can be killed.
        writeln!(self.0, "{entry}").and_then(|()| self.0.flush()).map_err(unwritable)
    }

    fn end(mut self) -> Result<(), Failure> {
        self.0.flush().and_then(|()| self.0.get_ref().sync_all()).map_err(unwritable)
    }
}

fn unwritable(error: std::io::Error) -> Failure {
    Failure::internal("the rejects cannot be written", error)
}

fn report(
    totals: &Totals,
    is_interrupted: bool,
    rejects: Option<&Path>,
    output: Output,
) -> Result<Exit, Failure> {
    let Totals { created, rejected, unknown, last, is_hopeless, failure } = totals;
    let is_whole = !is_interrupted && !is_hopeless;
    let report = json!({
        "ok": is_whole && *rejected == 0,
        "created": created, "rejected": rejected, "mayExist": unknown, "lastLine": last, "complete": is_whole,
        "error": failure.as_ref().map(Failure::json),
    });
    output.result(&report, || {
        let mut lines = vec![format!("{created} created, {rejected} rejected")];
        if *unknown > 0 {
            lines.push(format!("{unknown} of the rejected may exist all the same"));
        }
        if let (Some(path), true) = (rejects, *rejected > 0) {
            lines.push(format!("{} says why, line by line", path.display()));
        }
        if !is_whole {
            lines.push(format!("go on with --from-line {}", last + 1));
        }
        lines.join("\n")
    })?;
    if let Some(failure) = failure {
        output.complain(failure)?;
    }
    Ok(match failure {
        _ if is_interrupted => Exit::Interrupted,
        Some(failure) => failure.exit(),
        None if *rejected > 0 => Exit::InvalidInput,
        None => Exit::Success,
    })
}
