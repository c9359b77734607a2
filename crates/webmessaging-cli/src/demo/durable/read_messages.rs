//! Receipts of the platform, on their way from what is recorded to the messages that they are about.

use webmessaging::bots::{ReadReceipt, Receipts};
use webmessaging::journal::{Event, EventKind, Recorded, Sink};

/// Hands on the receipts among what is recorded.
pub(super) struct ReadMessages(pub(super) Receipts);

impl Sink for ReadMessages {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        if let EventKind::MessageRead(read) = &event.kind {
            let receipt = ReadReceipt::new(&*read.conversation_id, read.message_id.clone());
            self.0.read(receipt.at(read.read_at.unwrap_or(event.at)));
        }
        Box::pin(async { Ok(()) })
    }
}
