//! Ctrl-C and SIGTERM, heard once and told to everybody who waits.

use tokio::sync::watch;
use webmessaging_emulator::cli::interrupted;

use crate::failure::Failure;

/// Hears the signals from the moment it is made; clones hear the same.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    pub(crate) fn listen() -> Result<Self, Failure> {
        let signal = interrupted().map_err(|error| Failure::internal("cannot listen for signals", error))?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            signal.await;
            // Nobody is left to hear it when the command is over.
            let _ = sender.send(true);
        });
        Ok(Self(receiver))
    }

    /// Whether there was one already.
    pub(crate) fn is_heard(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends with the first signal, also one that came before.
    pub(crate) async fn heard(mut self) {
        if self.0.wait_for(|heard| *heard).await.is_err() {
            // The listener is gone without a signal; there will never be one.
            std::future::pending::<()>().await;
        }
    }
}
