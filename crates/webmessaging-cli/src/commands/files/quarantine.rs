//! `webmessaging files quarantine`: the files that the scan has blocked, and what somebody decides about them.

use serde_json::{Value, json};
use webmessaging::journal::clock::{Clock, SystemClock};
use webmessaging::store::{QuarantineEntry, QuarantineState};

use crate::args::files::{QuarantineArgs, QuarantineChangeArgs, QuarantineCommand, QuarantineListArgs};
use crate::data_dir;
use crate::failure::{Exit, Failure, Local};
use crate::output::{Output, table};

pub(super) async fn run(args: QuarantineArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        QuarantineCommand::List(args) => list(args, output).await,
        QuarantineCommand::Release(args) => change(args, Change::Release, output).await,
        QuarantineCommand::Delete(args) => change(args, Change::Delete, output).await,
    }
}

async fn list(args: QuarantineListArgs, output: Output) -> Result<Exit, Failure> {
    let store = data_dir::existing_store(&args.store).await?;
    let held = store.quarantined(args.after.as_deref(), args.limit).await?;
    let is_full = u32::try_from(held.len()).is_ok_and(|count| count == args.limit);
    let next = held.last().filter(|_| is_full).map(|entry| entry.file_id.clone());
    let json: Vec<_> = held.iter().map(to_json).collect();
    output.result(&json!({"ok": true, "files": json, "next": next}), || {
        let rows = held
            .iter()
            .map(|entry| vec![entry.file_id.clone(), entry.reason.clone(), entry.quarantined_at.to_string()]);
        let text = table(&["file id", "reason", "since"], rows);
        match &next {
            Some(next) => format!("{text}\nthere can be more: --after {next}"),
            None => text,
        }
    })?;
    Ok(Exit::Success)
}

fn to_json(entry: &QuarantineEntry) -> Value {
    json!({"fileId": entry.file_id, "reason": entry.reason, "quarantinedAt": entry.quarantined_at})
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Release,
    Delete,
}

async fn change(args: QuarantineChangeArgs, change: Change, output: Output) -> Result<Exit, Failure> {
    let store = data_dir::existing_store(&args.store).await?;
    let (file, note, now) = (&*args.file, &*args.note, SystemClock.wall());
    let entry = store.quarantine_entry(file).await?;
    if entry.is_none_or(|entry| entry.state != QuarantineState::Held) {
        return Err(Local::input("not_found", "is not in quarantine: list it again").about(file).into());
    }
    if !args.dry_run {
        match change {
            Change::Release => store.release_quarantined(file, note, now).await?,
            Change::Delete => store.delete_quarantined(file, note, now).await?,
        }
    }
    let action = match change {
        Change::Release => "released",
        Change::Delete => "deleted",
    };
    let report = json!({
        "ok": true, "action": action, "fileId": file, "note": note, "dryRun": args.dry_run,
    });
    output.result(&report, || {
        if args.dry_run {
            format!("{file} would be noted as {action}; nothing was changed")
        } else {
            format!("{file} is noted as {action}")
        }
    })?;
    Ok(Exit::Success)
}
