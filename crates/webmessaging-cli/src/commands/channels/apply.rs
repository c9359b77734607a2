//! `webmessaging channels apply`: channels become what a manifest says, and what was done is told exactly.

use std::io::{self, BufRead, IsTerminal};

use serde_json::{Value, json};
use webmessaging::channels::{Applied, AppliedChannel, ApplyEnd};
use webmessaging::{Error, ErrorKind};

use super::plan::Planned;
use crate::args::channels::ApplyArgs;
use crate::failure::{Exit, Failure, Local};
use crate::output::{Output, print};
use crate::recording::Recording;

pub(super) async fn run(args: ApplyArgs, output: Output) -> Result<Exit, Failure> {
    let recording = Recording::begin(&args.audit, "command")?;
    let outcome = apply(args, &recording, output).await;
    recording.end(outcome).await
}

async fn apply(args: ApplyArgs, recording: &Recording, output: Output) -> Result<Exit, Failure> {
    let planned = Planned::new(args.plan, |channels| channels.journal(recording.journal())).await?;
    output.note(&planned.text())?;
    if planned.exit() == Exit::Pending && !args.yes && !is_confirmed(output)? {
        output.note("nothing was changed")?;
        return Ok(Exit::Pending);
    }
    let applied = match planned.channels.apply_manifest(&planned.plan).await {
        Ok(applied) => applied,
        Err(error) => return refused(error, &planned, output),
    };
    let back = match applied.failed() {
        Some(_) if args.roll_back => Some(planned.channels.roll_back(&applied).await),
        _ => None,
    };
    // What was undone is as it was before.
    let is_back = back.is_some();
    let remembered = planned.file.remember(|id| {
        let channel = applied.channels.iter().find(|channel| channel.id() == id);
        channel.is_some_and(|channel| match channel.end {
            ApplyEnd::Unchanged => true,
            ApplyEnd::Changed(_) => !is_back,
            _ => false,
        })
    });
    let exit = report(&applied, back.as_ref(), output)?;
    remembered?;
    Ok(exit)
}

/// The platform was not asked for anything.
fn refused(error: Error, planned: &Planned, output: Output) -> Result<Exit, Failure> {
    let missing: Vec<_> = planned.plan.missing.iter().map(ToString::to_string).collect();
    let failure =
        if missing.is_empty() { Failure::from(error) } else { Failure::about(error, missing.join(", ")) };
    let exit = match planned.exit() {
        Exit::Success | Exit::Pending => failure.exit(),
        exit => exit,
    };
    if output.is_for_people() {
        output.complain(&failure)?;
    } else {
        let mut report = json!({"ok": false, "error": failure.json()});
        if let (Value::Object(fields), Value::Object(plan)) = (&mut report, json!(planned.plan)) {
            fields.extend(plan);
        }
        print(&format!("{report:#}"))?;
    }
    Ok(exit)
}

fn report(applied: &Applied, back: Option<&Applied>, output: Output) -> Result<Exit, Failure> {
    let failed = applied.failed().map(|(id, error)| Failure::about(error.clone(), id.as_str()));
    let mut report = json!({"ok": failed.is_none(), "channels": ends(applied)});
    if let (Value::Object(fields), Some(back)) = (&mut report, back) {
        fields.insert("rolledBack".to_owned(), ends(back));
    }
    output.result(&report, || {
        let mut lines: Vec<_> = applied.channels.iter().map(|channel| line(channel, "")).collect();
        lines.extend(back.iter().flat_map(|back| &back.channels).map(|channel| line(channel, " back")));
        lines.join("\n")
    })?;
    for channel in back.iter().flat_map(|back| &back.channels) {
        if let ApplyEnd::Failed(error) = &channel.end {
            output.complain(&Failure::about(error.clone(), channel.id().as_str()))?;
        }
    }
    let Some(failure) = failed else { return Ok(Exit::Success) };
    output.complain(&failure)?;
    Ok(match applied.failed() {
        Some((_, error)) if error.kind() == ErrorKind::Conflict => Exit::CONFLICT,
        _ => failure.exit(),
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

fn line(channel: &AppliedChannel, back: &str) -> String {
    let end = match &channel.end {
        ApplyEnd::Unchanged => "nothing to change".to_owned(),
        ApplyEnd::Changed(changes) => format!("{}{back}", changed(changes.len())),
        ApplyEnd::Failed(error) if error.kind() == ErrorKind::NotRecorded => {
            format!("changed{back}, and not recorded")
        }
        ApplyEnd::Failed(error) if error.is_transient() && !error.can_repeat() => {
            format!("failed{back}; it may be changed all the same")
        }
        ApplyEnd::Failed(_) => format!("failed{back}"),
        _ => "not tried".to_owned(),
    };
    format!("{}: {end}", channel.id())
}

/// Asks, where there is somebody to ask.
fn is_confirmed(output: Output) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !output.is_for_people() {
        return Err(Local::input("confirmation", "nobody is there to ask: nothing was changed")
            .hint("--yes changes without asking")
            .into());
    }
    output.note("\nChange them? Only `yes` is taken for it.")?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::internal("cannot read from the terminal", error))?;
    Ok(answer.trim() == "yes")
}
