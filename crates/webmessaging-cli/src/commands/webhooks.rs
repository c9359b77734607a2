//! `webmessaging webhooks`: take deliveries, check and explain recorded ones, send samples.

mod deliveries;
mod delivery;
mod explain;
mod sample;
mod serve;
mod trigger;
mod upkeep;
mod verify;

use webmessaging::webhooks::{Secrets, Verifier};

use crate::args::webhooks::{WebhooksArgs, WebhooksCommand};
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) async fn run(args: WebhooksArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        WebhooksCommand::Serve(args) => serve::run(*args, output).await,
        WebhooksCommand::Verify(args) => verify::run(&args, output),
        WebhooksCommand::Explain(args) => explain::run(&args, output),
        WebhooksCommand::Trigger(args) => trigger::run(*args, output).await,
    }
}

/// The one that all commands use, so that `verify` and `explain` speak of what `serve` does.
fn verifier(secrets: Secrets) -> Verifier {
    Verifier::new(secrets).timestamped(true)
}
