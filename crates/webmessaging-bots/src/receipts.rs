//! Read receipts: which of the messages that were sent somebody has read.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use webmessaging_journal::{Event, EventKind, Recorded, Sink};
use webmessaging_model::{ConversationId, MessageId, Timestamp};

/// So many conversations are remembered; those that nothing has happened to for the longest go first.
const CONVERSATIONS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// So many unread messages of a conversation are remembered; the oldest go first.
const MESSAGES_MAX: usize = 1_000;

/// That somebody has read a message, as the event `conversation:participated:read` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadReceipt {
    /// The conversation.
    pub conversation: ConversationId,
    /// The message, or the last one of those that were read.
    pub message: MessageId,
    /// When it was read, where that is known.
    pub at: Option<Timestamp>,
}

impl ReadReceipt {
    /// A receipt without a time.
    pub fn new(conversation: impl Into<ConversationId>, message: impl Into<MessageId>) -> Self {
        Self { conversation: conversation.into(), message: message.into(), at: None }
    }

    /// Sets when it was read.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
}

/// Matches read receipts with the messages that were sent. Clones share what they know.
///
/// A receipt is about a message and everything that was sent before it in its conversation. One that nothing is known of is kept: the answer to a message can
/// come later than its receipt.
///
/// # Examples
/// ```
/// use webmessaging_bots::{ReadReceipt, Receipts};
///
/// let receipts = Receipts::new();
/// receipts.sent(&"conversation-1".into(), &"message-1".into());
/// receipts.sent(&"conversation-1".into(), &"message-2".into());
/// let read = receipts.read(ReadReceipt::new("conversation-1", "message-2"));
/// assert_eq!(read, ["message-1".into(), "message-2".into()]);
/// receipts.read(ReadReceipt::new("conversation-1", "message-9"));
/// assert_eq!(receipts.unmatched().len(), 1);
/// ```
#[derive(Clone)]
pub struct Receipts(Arc<Mutex<LruCache<ConversationId, Known>>>);

/// What is known of a conversation.
#[derive(Default)]
struct Known {
    /// Sent and not read, the oldest first.
    unread: VecDeque<MessageId>,
    /// Receipts for what nobody has sent yet.
    unmatched: VecDeque<ReadReceipt>,
    /// Read before anybody knew that they were sent, and not told yet.
    late: Vec<MessageId>,
    /// The message that was read last.
    last_read: Option<MessageId>,
}

impl Known {
    /// Everything up to this message, if it is unread.
    fn take_until(&mut self, message: &MessageId) -> Vec<MessageId> {
        let Some(at) = self.unread.iter().position(|unread| unread == message) else { return Vec::new() };
        self.last_read = Some(message.clone());
        self.unread.drain(..=at).collect()
    }
}

impl Default for Receipts {
    fn default() -> Self {
        Self::new()
    }
}

impl Receipts {
    /// Remembers 10 000 conversations, and 1 000 unread messages of each.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(CONVERSATIONS_MAX))))
    }

    /// Notes a message that was sent. A receipt that was here before it counts at once; the next [`read`](Self::read) of the conversation tells what was read by
    /// that, or [`take_late`](Self::take_late).
    pub fn sent(&self, conversation: &ConversationId, message: &MessageId) {
        let mut known = self.lock();
        let known = known.get_or_insert_mut(conversation.clone(), Known::default);
        if known.unread.len() == MESSAGES_MAX {
            known.unread.pop_front();
        }
        known.unread.push_back(message.clone());
        if let Some(at) = known.unmatched.iter().position(|receipt| receipt.message == *message) {
            known.unmatched.remove(at);
            let read = known.take_until(message);
            known.late.extend(read);
        }
    }

    /// What was read and was not told yet: before it was known to be sent, or by what a journal has recorded. Messages by their conversations.
    pub fn take_late(&self) -> Vec<(ConversationId, Vec<MessageId>)> {
        let mut known = self.lock();
        let late = known.iter_mut().filter(|(_, known)| !known.late.is_empty());
        late.map(|(conversation, known)| (conversation.clone(), std::mem::take(&mut known.late))).collect()
    }

    /// Takes a receipt and keeps what is read by it for [`take_late`](Self::take_late).
    fn hear(&self, receipt: ReadReceipt) {
        let conversation = receipt.conversation.clone();
        let read = self.read(receipt);
        if let Some(known) = self.lock().get_mut(&conversation) {
            known.late.extend(read);
        }
    }

    /// Takes a receipt: the messages that are read by it and were not before, the oldest first. One that matches nothing is kept.
    pub fn read(&self, receipt: ReadReceipt) -> Vec<MessageId> {
        let mut known = self.lock();
        let known = known.get_or_insert_mut(receipt.conversation.clone(), Known::default);
        let mut read = std::mem::take(&mut known.late);
        let matched = known.take_until(&receipt.message);
        // The same receipt can come twice.
        let is_known = known.last_read.as_ref() == Some(&receipt.message)
            || known.unmatched.iter().any(|other| other.message == receipt.message);
        if matched.is_empty() && !is_known {
            if known.unmatched.len() == MESSAGES_MAX {
                known.unmatched.pop_front();
            }
            known.unmatched.push_back(receipt);
        }
        read.extend(matched);
        read
    }

    /// The messages of a conversation that were sent and not read, the oldest first.
    pub fn unread(&self, conversation: &ConversationId) -> Vec<MessageId> {
        self.lock().peek(conversation).map(|known| known.unread.iter().cloned().collect()).unwrap_or_default()
    }

    /// Receipts that match no message: sent by somebody else, read before, or not known here any more.
    pub fn unmatched(&self) -> Vec<ReadReceipt> {
        self.lock().iter().flat_map(|(_, known)| known.unmatched.iter().cloned()).collect()
    }

    /// Nothing is half-done under the lock, so a poisoned one holds good data.
    fn lock(&self) -> MutexGuard<'_, LruCache<ConversationId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a receiver records of webhooks: give a clone to its journal.
impl Sink for Receipts {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        if let EventKind::MessageRead(read) = &event.kind {
            let receipt = ReadReceipt::new(&*read.conversation_id, read.message_id.clone());
            self.hear(receipt.at(read.read_at.unwrap_or(event.at)));
        }
        Box::pin(async { Ok(()) })
    }
}

impl fmt::Debug for Receipts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipts").field("conversations", &self.lock().len()).finish()
    }
}
