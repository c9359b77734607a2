//! `webmessaging bots`: messages of bots sent, checked, and matched with their read receipts.

mod bulk;
mod content;
mod lint;
mod receipts;
mod report;
mod send;

use webmessaging::Error;
use webmessaging::model::Violations;

use crate::args::bots::{BotsArgs, BotsCommand};
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) async fn run(args: BotsArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        BotsCommand::Send(args) => send::run(*args, output).await,
        BotsCommand::Bulk(args) => bulk::run(*args, output).await,
        BotsCommand::Lint(args) => lint::run(&args, output),
        BotsCommand::Receipts(args) => receipts::run(&args, output),
    }
}

/// What is wrong, told about what the user named.
fn about(violations: impl Into<Violations>, subject: impl Into<String>) -> Failure {
    Failure::about(Error::from(violations.into()), subject)
}
