//! `webmessaging audit`: the log of what happened, checked, or copied out.

use std::error::Error as _;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use webmessaging::journal;
use webmessaging::journal::audit::{self, Checkpoint, Fault, Problem, Selection, Verification};
use webmessaging::model::Timestamp;

use crate::args::audit::{AuditArgs, AuditCommand, AuditDirArgs, AuditExportArgs, AuditVerifyArgs};
use crate::data_dir::{self, DataDir};
use crate::failure::{Exit, Failure, Local};
use crate::out_file;
use crate::output::{Output, table};

pub(crate) fn run(args: AuditArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        AuditCommand::Verify(args) => verify(&args, output),
        AuditCommand::Export(args) => export(args, output),
    }
}

/// The folder of the log, which has to be there: an empty place is not an intact log.
pub(super) fn folder(place: &AuditDirArgs) -> Result<PathBuf, Failure> {
    let folder = match &place.dir {
        Some(folder) => folder.clone(),
        None => DataDir::of(&place.data)?.audit(),
    };
    if fs::metadata(&folder).is_ok_and(|metadata| metadata.is_dir()) {
        Ok(folder)
    } else {
        Err(data_dir::missing(&folder, "there is no audit log").into())
    }
}

fn verify(args: &AuditVerifyArgs, output: Output) -> Result<Exit, Failure> {
    let folder = folder(&args.place)?;
    let found = audit::verify(&folder, args.expect.as_ref())
        .map_err(|error| Local::from(error).about(folder.display().to_string()))?;
    // Whoever writes a log makes its first file at once; only a checkpoint can tell that one was here.
    if found.files == 0 && found.removed.is_none() && found.is_intact() {
        return Err(data_dir::missing(&folder, "there is no audit log").into());
    }
    output.result(&to_json(&found), || to_text(&found, &folder))?;
    Ok(if found.is_intact() { Exit::Success } else { Exit::Damaged })
}

fn to_json(found: &Verification) -> Value {
    let problem = |problem: &Problem| {
        json!({
            "file": problem.file,
            "line": problem.line,
            "seq": problem.seq,
            "fault": problem.fault.code(),
            "message": problem.to_string(),
        })
    };
    json!({
        "ok": found.is_intact(),
        "files": found.files,
        "records": found.records,
        "firstSeq": found.first_seq,
        "from": found.from,
        "to": found.to,
        "checkpoint": found.last,
        "removed": found.removed,
        "removalOnRecord": found.removal_on_record,
        "problem": found.problem.as_ref().map(problem),
    })
}

fn to_text(found: &Verification, folder: &Path) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let checkpoint = found.last.as_ref().map_or_else(|| "-".to_owned(), Checkpoint::to_string);
    let mut rows = vec![
        row("files", found.files.to_string()),
        row("records", found.records.to_string()),
        row("from", time(found.from)),
        row("to", time(found.to)),
        row("checkpoint", checkpoint),
    ];
    if let Some(removed) = &found.removed {
        let on_record = if found.removal_on_record { "on record" } else { "NOT on record in the log itself" };
        rows.push(row("removed before", format!("{} records, {on_record}", removed.records)));
    }
    let text = table(&["audit log", &folder.display().to_string()], rows);
    match &found.problem {
        None => format!("{text}\nintact"),
        Some(problem) => {
            let torn =
                "\na log that is being written to can look like this: check again, or when `serve` has ended";
            let advice = if problem.fault == Fault::Torn { torn } else { "" };
            format!("{text}\nNOT intact: {problem}{advice}")
        }
    }
}

fn export(args: AuditExportArgs, output: Output) -> Result<Exit, Failure> {
    let folder = folder(&args.place)?;
    let mut selection = Selection::all();
    if let Some(at) = args.since {
        selection = selection.from(at);
    }
    if let Some(at) = args.until {
        selection = selection.until(at);
    }
    if let Some((kind, id)) = args.subject {
        selection = selection.subject(kind, id);
    }
    let failed = |error| Failure::from(Local::from(error).about(folder.display().to_string()));
    let Some(out) = args.out else {
        return match audit::export(&folder, &selection, &mut BufWriter::new(io::stdout().lock())) {
            Err(error) if !is_closed_pipe(&error) => Err(failed(error)),
            _ => Ok(Exit::Success),
        };
    };
    let mut file = out_file::begin(&out)?;
    let records = audit::export(&folder, &selection, &mut BufWriter::new(&mut file)).map_err(failed)?;
    out_file::keep(file, &out)?;
    let shown = out.display().to_string();
    output.result(&json!({"ok": true, "records": records, "file": shown}), || {
        format!("{records} records are in {shown}")
    })?;
    Ok(Exit::Success)
}

/// Somebody who has read enough closes the pipe; that is no trouble.
fn is_closed_pipe(error: &journal::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
