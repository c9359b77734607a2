//! `webmessaging channels apply`: channels become what a manifest says, and what was done is told exactly.

use std::io::{self, BufRead, IsTerminal};

use serde_json::{Value, json};
use webmessaging::channels::{Applied, AppliedChannel, ApplyEnd, Declared};
use webmessaging::model::ChannelId;
use webmessaging::{Error, ErrorKind};

use super::plan::Planned;
use crate::args::channels::ApplyArgs;
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::output::{Output, print, printable};
use crate::recording::Recording;

pub(super) async fn run(args: ApplyArgs, output: Output) -> Result<Exit, Failure> {
    let recording = Recording::begin(&args.audit, "command")?;
    let outcome = apply(args, &recording, output).await;
    recording.end(outcome).await
}

async fn apply(args: ApplyArgs, recording: &Recording, output: Output) -> Result<Exit, Failure> {
    let planned = Planned::new(args.plan, |channels| channels.journal(recording.journal())).await?;
    output.note(&planned.text())?;
    if planned.exit() == Exit::Pending
        && !planned.plan.is_empty()
        && !args.yes
        && !is_confirmed(&planned, output)?
    {
        return Ok(Exit::Pending);
    }
    let memory = planned.file.begin()?;
    // From here on a signal ends it in order: after the channel that is under way.
    let interrupt = Interrupt::listen()?;
    let applied = planned.channels.apply_manifest_while(&planned.plan, || !interrupt.is_heard()).await;
    let applied = match applied {
        Ok(applied) => applied,
        Err(error) => return refused(error, &planned, output),
    };
    let back = if !applied.is_complete() && args.roll_back {
        Some(planned.channels.roll_back(&applied).await)
    } else {
        None
    };
    let kept = memory.keep(|id| stands(id, &applied, back.as_ref()));
    report(&Outcome { applied, back, kept, is_interrupted: interrupt.is_heard() }, &planned, output)
}

/// What is now applied of a channel: nothing where it was undone.
fn stands(id: &ChannelId, applied: &Applied, back: Option<&Applied>) -> Option<Declared> {
    let of = |applied: &Applied| applied.channels.iter().find(|channel| channel.id() == id).cloned();
    let is_undone = back.and_then(of).is_some_and(|channel| match channel.end {
        ApplyEnd::Failed(error) => error.kind() == ErrorKind::NotRecorded,
        _ => true,
    });
    if is_undone { None } else { of(applied)?.applied() }
}

/// The platform was not asked for anything.
fn refused(error: Error, planned: &Planned, output: Output) -> Result<Exit, Failure> {
    let plan = &planned.plan;
    let disputed = plan.channels.iter().filter(|channel| !channel.conflicts.is_empty());
    let ids: Vec<_> = match error.kind() {
        ErrorKind::Conflict => disputed.map(|channel| channel.id().to_string()).collect(),
        ErrorKind::NotFound => plan.missing.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    let is_conflict = error.kind() == ErrorKind::Conflict;
    let failure = if ids.is_empty() { Failure::from(error) } else { Failure::about(error, ids.join(", ")) };
    say(&failure, planned, output)?;
    Ok(if is_conflict { Exit::CONFLICT } else { failure.exit() })
}

/// A failure, for a program with the plan that it is about; a person has seen that.
fn say(failure: &Failure, planned: &Planned, output: Output) -> Result<(), Failure> {
    if output.is_for_people() {
        return output.complain(failure);
    }
    let mut report = planned.report();
    if let Value::Object(fields) = &mut report {
        fields.insert("ok".to_owned(), false.into());
        fields.insert("error".to_owned(), failure.json());
    }
    print(&format!("{report:#}"))
}

/// All that became of it.
struct Outcome {
    applied: Applied,
    back: Option<Applied>,
    /// Whether the file of what was applied is another one now.
    kept: Result<bool, Failure>,
    is_interrupted: bool,
}

fn report(outcome: &Outcome, planned: &Planned, output: Output) -> Result<Exit, Failure> {
    let Outcome { applied, back, kept, is_interrupted } = outcome;
    let failed = applied.failed().map(|(id, error)| Failure::about(error.clone(), id.as_str()));
    let mut report = json!({"ok": applied.is_complete() && kept.is_ok(), "channels": ends(applied)});
    if let Value::Object(fields) = &mut report {
        if let Some(back) = back {
            fields.insert("rolledBack".to_owned(), ends(back));
        }
        if let Err(failure) = kept {
            fields.insert("error".to_owned(), failure.json());
        }
    }
    output.result(&report, || {
        let mut lines: Vec<_> = applied.channels.iter().flat_map(|channel| lines_of(channel, "")).collect();
        lines.extend(
            back.iter().flat_map(|back| &back.channels).flat_map(|channel| lines_of(channel, " back")),
        );
        let path = planned.file.applied.as_deref().filter(|_| matches!(kept, Ok(true)));
        lines.extend(path.map(|path| format!("{} is new: keep it with the manifest", path.display())));
        lines.join("\n")
    })?;
    for channel in back.iter().flat_map(|back| &back.channels) {
        if let ApplyEnd::Failed(error) = &channel.end {
            output.complain(&Failure::about(error.clone(), channel.id().as_str()))?;
        }
    }
    if let Err(failure) = kept {
        output.complain(failure)?;
    }
    if let Some(failure) = &failed {
        output.complain(failure)?;
    }
    Ok(match (applied.failed(), failed) {
        (Some((_, error)), _) if error.kind() == ErrorKind::Conflict => Exit::CONFLICT,
        (_, Some(failure)) => failure.exit(),
        _ if *is_interrupted && !applied.is_complete() => Exit::Interrupted,
        _ if kept.is_err() => Exit::Internal,
        _ => Exit::Success,
    })
}

fn ends(applied: &Applied) -> Value {
    let end = |channel: &AppliedChannel| {
        let mut end = json!({"id": channel.id(), "end": name(&channel.end)});
        let more = match &channel.end {
            ApplyEnd::Changed(changes) => Some(("changes", json!(changes))),
            ApplyEnd::Failed(error) => Some(("error", Failure::from(error.clone()).json())),
            _ => None,
        };
        if let Value::Object(fields) = &mut end {
            fields.insert("mayBeChanged".to_owned(), channel.may_be_changed().into());
            fields.insert("differing".to_owned(), json!(channel.differing));
        }
        if let (Value::Object(fields), Some((key, value))) = (&mut end, more) {
            fields.insert(key.to_owned(), value);
        }
        end
    };
    applied.channels.iter().map(end).collect()
}

fn name(end: &ApplyEnd) -> &'static str {
    match end {
        ApplyEnd::Unchanged => "unchanged",
        ApplyEnd::Changed(_) => "changed",
        ApplyEnd::Failed(_) => "failed",
        _ => "notTried",
    }
}

fn changed(places: usize) -> String {
    if places == 1 { "1 place changed".to_owned() } else { format!("{places} places changed") }
}

fn lines_of(channel: &AppliedChannel, back: &str) -> Vec<String> {
    let end = match &channel.end {
        ApplyEnd::Unchanged => "nothing to change".to_owned(),
        ApplyEnd::Changed(changes) => format!("{}{back}", changed(changes.len())),
        ApplyEnd::Failed(error) if error.kind() == ErrorKind::NotRecorded => {
            format!("changed{back}, and not recorded")
        }
        ApplyEnd::Failed(_) if channel.may_be_changed() => {
            format!("failed{back}; it may be changed all the same")
        }
        ApplyEnd::Failed(_) => format!("failed{back}"),
        _ => "not tried".to_owned(),
    };
    let mut lines = vec![format!("{}: {end}", printable(channel.id().as_str()))];
    lines.extend(channel.differing.iter().map(|change| {
        let shown = change.after.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        printable(&format!(
            "  the platform has made something else of {}: {shown}; write that into the manifest",
            change.path
        ))
    }));
    lines
}

/// Asks, where there is somebody to ask.
fn is_confirmed(planned: &Planned, output: Output) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !output.is_for_people() {
        let failure = Local::input("confirmation", "nobody is there to ask: nothing was changed")
            .hint("--yes changes without asking");
        say(&failure.into(), planned, output)?;
        return Ok(false);
    }
    output.note("\nChange them? Only `yes` is taken for it.")?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::internal("cannot read from the terminal", error))?;
    let is_confirmed = answer.trim() == "yes";
    if !is_confirmed {
        output.note("nothing was changed")?;
    }
    Ok(is_confirmed)
}
