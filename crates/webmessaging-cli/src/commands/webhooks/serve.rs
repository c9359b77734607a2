//! `webmessaging webhooks serve`: the receiver, with the store and the audit log of the data directory.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use webmessaging::journal::Journal;
use webmessaging::journal::audit::{AuditLog, Torn};
use webmessaging::journal::clock::SystemClock;
use webmessaging::store::Store;
use webmessaging::webhooks::Secrets;
use webmessaging::webhooks::receiver::{Receiver, ReceiverBuilder};

use super::{upkeep, verifier};
use crate::args::webhooks::ServeArgs;
use crate::data_dir::{self, DataDir};
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::output::{Output, print};

/// Whom deliveries are taken from.
enum Trust {
    Signed(Secrets),
    Anybody,
}

pub(super) async fn run(args: ServeArgs, output: Output) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let trust = trust(&args)?;
    let (listener, address) = listen(args.listen)?;
    // Before the store: the log is what only one process can have.
    let audit = open_audit(&args)?;
    let store = data_dir::store(&args.store).await?;
    let journal = Journal::builder().actor("webhooks").durable("audit", audit.clone()).build()?;

    let upkeep = tokio::spawn(upkeep::keep_up(Arc::clone(&store), SystemClock));
    let receiver = receiver(store, trust).journal(journal).build();
    announce(address, audit.torn(), output)?;
    let served = receiver.serve(listener, interrupt.heard()).await;
    upkeep.abort();
    audit.close().await?;
    served.map_err(|error| Failure::internal("the receiver did not run", error))?;
    Ok(Exit::Success)
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

/// What is done with deliveries. Whoever delivers the outbox says here what goes into it.
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
