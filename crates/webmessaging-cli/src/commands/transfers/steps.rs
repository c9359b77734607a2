//! The steps of a transfer, each on its own.

use std::time::Duration;

use serde_json::json;
use webmessaging::files::ledger::{Ledger, LedgerEntry, LedgerState};
use webmessaging::files::operations::GET_TRANSFER;
use webmessaging::journal::Journal;
use webmessaging::model::TransferId;
use webmessaging::{Error, ErrorKind, Sent};

use super::{Subject, entries, manager, open_ledger, report};
use crate::args::transfers::{FileArgs, ListArgs, TransferArgs, WaitArgs};
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::{Output, table};

pub(super) async fn create(args: FileArgs, journal: Journal, output: Output) -> Result<Exit, Failure> {
    let subject = Subject::of(&args).await?;
    // Before the announcement: what cannot be noted is not begun.
    let ledger = open_ledger(&args.ledger)?;
    let created = manager(args.owner, journal)?.create(subject.payload).await;
    let transfer = created.map_err(|error| Failure::about(error, subject.shown))?;
    let id = transfer.transfer_id.as_str();
    let entry = LedgerEntry::new(subject.key, subject.stamp, LedgerState::Announced, id);
    if let Err(error) = ledger.note(entry).await {
        let failure = Failure::internal("the transfer cannot be noted", error);
        return report::failed(output, Some(id), failure);
    }
    let report = json!({
        "ok": true,
        "transferId": id,
        "expiresAt": transfer.expires_at,
        "uploadUri": transfer.upload_uri.expose(),
    });
    output.result(&report, || {
        format!("{id} waits for its bytes until {}: send them with `transfers upload`", transfer.expires_at)
    })?;
    Ok(Exit::Success)
}

pub(super) async fn renew(args: TransferArgs, journal: Journal, output: Output) -> Result<Exit, Failure> {
    let id = TransferId::new(&*args.transfer);
    let renewed = manager(args.owner, journal)?.renew(&id).await;
    let ticket = renewed.map_err(|error| Failure::about(error, args.transfer))?;
    let report = json!({
        "ok": true,
        "transferId": id,
        "expiresAt": ticket.expires_at,
        "uploadUri": ticket.upload_uri.expose(),
    });
    // For a person the URL alone, to be handed on.
    output.result(&report, || ticket.upload_uri.expose().to_owned())?;
    Ok(Exit::Success)
}

pub(super) async fn wait(args: WaitArgs, journal: Journal, output: Output) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let id = TransferId::new(&*args.transfer.transfer);
    let transfers = manager(args.transfer.owner, journal)?;
    let wait = transfers.wait(&id).within(Duration::from_secs(args.timeout));
    let state = tokio::select! {
        state = wait.into_future() => state,
        () = interrupt.heard() => Err(Error::new(ErrorKind::Canceled, Sent::Maybe).with_operation(&GET_TRANSFER)),
    };
    let state = match state {
        Ok(state) => state,
        Err(error) => return report::failed(output, Some(id.as_str()), Failure::about(error, id.as_str())),
    };
    let (json, text) = report::state(&id, &state);
    output.result(&json, || text)?;
    Ok(report::exit(state.verdict()))
}

pub(super) fn list(args: &ListArgs, output: Output) -> Result<Exit, Failure> {
    let entries = entries(&args.ledger)?;
    let state = |entry: &LedgerEntry| match entry.state {
        LedgerState::Announced => "announced",
        LedgerState::Stored => "stored",
        LedgerState::Finished => "finished",
        _ => "unknown",
    };
    // The key is the bucket and the path.
    let parts = |entry: &LedgerEntry| {
        let (bucket, path) = entry.key.split_once(' ').unwrap_or(("-", &*entry.key));
        (bucket.to_owned(), path.to_owned())
    };
    let json: Vec<_> = entries
        .iter()
        .map(|entry| {
            let (bucket, path) = parts(entry);
            json!({
                "transferId": entry.id, "state": state(entry), "verdict": entry.verdict, "path": path,
                "bucket": bucket, "sizeBytes": entry.size, "sha256": entry.sha256,
            })
        })
        .collect();
    output.result(&json!({"ok": true, "transfers": json}), || {
        let rows = entries.iter().map(|entry| {
            let verdict = entry.verdict.clone().unwrap_or_else(|| "-".to_owned());
            vec![entry.id.clone(), state(entry).to_owned(), verdict, parts(entry).1]
        });
        table(&["transfer", "state", "verdict", "file"], rows)
    })?;
    Ok(Exit::Success)
}
