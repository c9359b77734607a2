//! `webmessaging webhooks serve`: the receiver, with the store and the audit log of the data directory, and deliveries to targets.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use webmessaging::journal::Journal;
use webmessaging::journal::audit::{AuditLog, Torn};
use webmessaging::journal::clock::SystemClock;
use webmessaging::journal::metrics::Metrics;
use webmessaging::store::Store;
use webmessaging::sync::{Target, Targets, Wake};
use webmessaging::webhooks::Secrets;
use webmessaging::webhooks::receiver::{Receiver, ReceiverBuilder};

use super::deliveries::{self, Deliveries};
use super::{upkeep, verifier};
use crate::args::webhooks::ServeArgs;
use crate::data_dir::{self, DataDir};
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::output::{Output, print};
use crate::targets;

/// Whom deliveries are taken from.
enum Trust {
    Signed(Secrets),
    Anybody,
}

pub(super) async fn run(args: ServeArgs, output: Output) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let trust = trust(&args)?;
    let targets = targets::with_secrets(&args.targets, &args.store.data)?;
    let (listener, address) = listen(args.listen)?;
    // Before the store: the log is what only one process can have.
    let audit = open_audit(&args)?;
    let store = data_dir::store(&args.store).await?;
    let metrics = Metrics::new();
    let journal = Journal::builder()
        .actor("webhooks")
        .durable("audit", audit.clone())
        .durable("metrics", metrics.clone())
        .build()?;

    let upkeep = tokio::spawn(upkeep::keep_up(Arc::clone(&store), SystemClock));
    let mut receiver = receiver(Arc::clone(&store), trust).journal(journal).metrics({
        let metrics = metrics.clone();
        move || {
            let shown = metrics.prometheus();
            Box::pin(std::future::ready(shown))
        }
    });
    let mut deliveries = None;
    if let Some((_, targets)) = &targets {
        let wake = Wake::new();
        receiver = receiver.items_for(deliveries::items_for(targets.clone(), wake.clone()));
        let grace = Duration::from_secs(args.grace);
        let started = Deliveries::start(store, targets.clone(), &wake, (&audit, &metrics), grace)?;
        receiver = receiver.metrics(started.metrics());
        deliveries = Some(started);
    }
    announce(address, audit.torn(), output)?;
    if let Some((file, targets)) = &targets {
        announce_targets(file, targets, output)?;
    }
    let served = receiver.build().serve(listener, stop(interrupt, deliveries.as_mut())).await;
    // After the receiver, which puts into the outbox what it finishes last.
    let delivered = match deliveries {
        Some(deliveries) => deliveries.stop().await,
        None => Ok(()),
    };
    upkeep.abort();
    // Whatever failed, what was recorded is written first.
    audit.close().await?;
    served.map_err(|error| Failure::internal("the receiver did not run", error))?;
    delivered?;
    Ok(Exit::Success)
}

/// An interrupt; or the end of the deliveries, without which nothing is to be taken.
async fn stop(interrupt: Interrupt, deliveries: Option<&mut Deliveries>) {
    match deliveries {
        None => interrupt.heard().await,
        Some(deliveries) => tokio::select! {
            () = interrupt.heard() => {}
            () = deliveries.ended() => {}
        },
    }
}

/// Nothing is believed by omission, and no secret is left unused.
fn trust(args: &ServeArgs) -> Result<Trust, Failure> {
    let refused = |message| Err(Local::input("configuration", message).into());
    match (args.secrets.read()?, args.unsigned) {
        (Some(secrets), false) => Ok(Trust::Signed(secrets)),
        (None, true) => Ok(Trust::Anybody),
        (None, false) => refused(
            "there is no secret to check signatures with: give --secret-file or set WEBMESSAGING_WEBHOOK_SECRET, \
             or believe everybody with --unsigned",
        ),
        (Some(_), true) => refused(
            "there is a secret, and --unsigned would not use it: leave out --unsigned, or --secret-file and \
             WEBMESSAGING_WEBHOOK_SECRET",
        ),
    }
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listen = || {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().map_err(|error: std::io::Error| Failure::internal("cannot listen on the address", error))
}

fn open_audit(args: &ServeArgs) -> Result<AuditLog, Failure> {
    let folder = DataDir::of(&args.store.data)?.audit();
    let shown = folder.display().to_string();
    Ok(AuditLog::builder(folder).open().map_err(|error| Local::from(error).about(shown))?)
}

fn receiver(store: Arc<dyn Store>, trust: Trust) -> ReceiverBuilder {
    match trust {
        Trust::Signed(secrets) => Receiver::builder(store, verifier(secrets)),
        Trust::Anybody => Receiver::unsigned(store),
    }
}

/// The first line is for scripts that wait for it, in either form of output.
fn announce(address: SocketAddr, torn: Option<&Torn>, output: Output) -> Result<(), Failure> {
    print(&format!("listening on http://{address}"))?;
    if !address.ip().is_loopback() {
        output.note(&format!("warning: other machines can reach {address}, without encryption"))?;
    }
    if let Some(torn) = torn {
        let moved_to = torn.moved_to.display();
        output
            .note(&format!("warning: a crash has torn the end of the audit log; it is kept in {moved_to}"))?;
    }
    Ok(())
}

/// A file that is there is taken without being named: a person is told.
fn announce_targets(file: &Path, targets: &Targets, output: Output) -> Result<(), Failure> {
    let names: Vec<_> = targets.iter().map(Target::name).collect();
    let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    output.note(&format!("delivering to {names}, as {} says", file.display()))
}
