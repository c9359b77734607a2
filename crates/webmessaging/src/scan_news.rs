//! What webhooks say of scans, handed on to whoever waits for it in this process.

use std::fmt;

use webmessaging_files::{ScanGate, TransferManager};
use webmessaging_model::TransferId;
use webmessaging_webhooks::EventData;
use webmessaging_webhooks::receiver::{Handler, Handling, Received};

/// A handler that tells a gate and a manager of transfers what webhooks say of scans, when the work of another handler on them is
/// done: deliveries, downloads and transfers under way in this process then end with the webhook and need not ask.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use webmessaging::files::ScanGate;
/// use webmessaging::store::Store;
/// use webmessaging::webhooks::Verifier;
/// use webmessaging::webhooks::receiver::{PlatformEvents, Receiver};
/// use webmessaging::ScanNews;
///
/// fn receiver(store: Arc<dyn Store>, verifier: Verifier, gate: &ScanGate) -> Receiver {
///     let work = ScanNews::new(PlatformEvents::new(Arc::clone(&store))).gate(gate);
///     Receiver::builder(store, verifier).handler(work).build()
/// }
/// ```
#[must_use = "a handler does nothing until a receiver has it"]
pub struct ScanNews<H> {
    handler: H,
    gate: Option<ScanGate>,
    transfers: Option<TransferManager>,
}

impl<H: Handler> ScanNews<H> {
    /// Does the work of this handler first.
    pub fn new(handler: H) -> Self {
        Self { handler, gate: None, transfers: None }
    }

    /// Tells a gate what is said of files.
    pub fn gate(mut self, gate: &ScanGate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Tells a manager what is said of transfers.
    pub fn transfers(mut self, transfers: &TransferManager) -> Self {
        self.transfers = Some(transfers.clone());
        self
    }

    fn tell(&self, data: &EventData) {
        match data {
            EventData::FileScanned(scanned) => {
                if let Some(gate) = &self.gate {
                    gate.tell(scanned.file_id.clone(), scanned.verdict());
                }
            }
            EventData::FileTransferChanged(transfer) => {
                if let Some(transfers) = &self.transfers {
                    transfers.tell(&TransferId::new(&*transfer.transfer_id), transfer.verdict());
                }
            }
            _ => {}
        }
    }
}

impl<H: Handler> Handler for ScanNews<H> {
    fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a> {
        Box::pin(async move {
            let handled = self.handler.handle(received).await?;
            self.tell(received.event.data());
            Ok(handled)
        })
    }
}

impl<H> fmt::Debug for ScanNews<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanNews")
            .field("gate", &self.gate)
            .field("transfers", &self.transfers)
            .finish_non_exhaustive()
    }
}
