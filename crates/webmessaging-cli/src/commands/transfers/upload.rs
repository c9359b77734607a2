//! `webmessaging transfers upload`: the whole life of a transfer, or what is left of it.

use std::time::Duration;

use webmessaging::journal::Journal;

use super::remembering::Remembering;
use super::{Subject, manager, open_ledger, report};
use crate::args::transfers::UploadArgs;
use crate::commands::files::single_bar;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::Output;

pub(super) async fn run(args: UploadArgs, journal: Journal, output: Output) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let subject = Subject::of(&args.file).await?;
    let ledger = Remembering::new(open_ledger(&args.file.ledger)?, subject.stamp.clone());
    let transfers = manager(args.file.owner, journal)?;
    let bar = single_bar(output, subject.source.name());
    let report = bar.clone();
    let mut transfer = transfers
        .transfer(subject.payload, subject.source)
        .ledger(ledger.clone(), subject.key, subject.stamp)
        .within(Duration::from_secs(args.timeout))
        .on_progress(move |progress| {
            report.set_length(progress.total_bytes);
            report.set_position(progress.sent_bytes);
        })
        .cancel_on(interrupt.heard());
    if let Some(id) = &args.transfer {
        transfer = transfer.resume(&**id);
    }
    let finished = transfer.await;
    bar.finish_and_clear();
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            let failure = Failure::about(error, subject.shown);
            return report::failed(output, ledger.id().or(args.transfer).as_deref(), failure);
        }
    };
    let (json, text) = report::finished(&finished);
    output.result(&json, || text)?;
    Ok(report::exit(finished.verdict()))
}
