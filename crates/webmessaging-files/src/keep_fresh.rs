//! Keeps the URL of a transfer alive while the transfer waits for its bytes.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use webmessaging_http::Error;

use crate::transfer::Transfer;
use crate::transfer_manager::{EXPIRING, TransferManager};

/// Between two renewals, so that a platform whose URLs seem to end at once is not asked without pause; also the time after
/// which a renewal that failed is tried again.
const PAUSE: Duration = Duration::from_secs(60);

/// A transfer whose URL is renewed whenever less than 30 minutes of it remain. Dropping it ends that.
///
/// A renewal that fails and can succeed later is tried again; any other failure ends the renewals, and
/// [`failure`](Self::failure) has it. One that could not be recorded counts all the same, and is named there, too.
#[must_use = "dropping it ends the renewals"]
pub struct KeepFresh {
    current: watch::Receiver<(Transfer, Option<Error>)>,
    task: JoinHandle<()>,
}

impl KeepFresh {
    pub(crate) fn start(manager: TransferManager, transfer: Transfer) -> Self {
        let (sender, current) = watch::channel((transfer, None));
        let task = tokio::spawn(renew_until_dropped(manager, sender));
        Self { current, task }
    }

    /// The transfer with its newest URL.
    pub fn transfer(&self) -> Transfer {
        self.current.borrow().0.clone()
    }

    /// What ended the renewals, or was in the way of the last one.
    pub fn failure(&self) -> Option<Error> {
        self.current.borrow().1.clone()
    }

    /// Waits for the next renewal, or a failure of one; `None` when there will be no more.
    pub async fn changed(&mut self) -> Option<Transfer> {
        self.current.changed().await.ok()?;
        Some(self.transfer())
    }
}

async fn renew_until_dropped(manager: TransferManager, sender: watch::Sender<(Transfer, Option<Error>)>) {
    let clock = manager.http.clock();
    let mut pause = Duration::ZERO;
    loop {
        let transfer = sender.borrow().0.clone();
        let until_due = transfer.left(&**clock).saturating_sub(transfer.margin());
        clock.sleep(until_due.max(pause)).await;
        pause = PAUSE;
        match manager.renewed_even_if_unrecorded(&transfer, EXPIRING).await {
            // The old URL is no better for a journal that is full.
            Ok((renewed, recorded)) => sender.send_replace((renewed, recorded.err())),
            Err(error) => {
                let is_over = !error.is_transient();
                sender.send_replace((transfer, Some(error)));
                if is_over {
                    return;
                }
                continue;
            }
        };
    }
}

impl Drop for KeepFresh {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for KeepFresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepFresh").field("transfer", &self.transfer()).finish_non_exhaustive()
    }
}
