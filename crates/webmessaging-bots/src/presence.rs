//! Who was in which conversation a short while ago.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use webmessaging_http::Error;
use webmessaging_model::ConversationId;

use crate::client::{BotsClient, absent};
use crate::get_conversation::Conversation;
use crate::message::Message;
use crate::operations::SEND_MESSAGE;

type Seen = LruCache<ConversationId, (Instant, Arc<Conversation>)>;

/// Shared by a client and its clones.
#[derive(Clone)]
pub(crate) struct Presence {
    seen: Arc<Mutex<Seen>>,
    life: Duration,
}

impl Presence {
    pub(crate) fn new(conversations_max: NonZeroUsize, life: Duration) -> Self {
        Self { seen: Arc::new(Mutex::new(LruCache::new(conversations_max))), life }
    }

    /// Refuses a message whose conversation is over, or whose sides are not in it.
    pub(crate) async fn check(
        &self,
        bots: &BotsClient,
        id: &ConversationId,
        message: &Message,
    ) -> Result<(), Error> {
        let refuse = |path, rule| Err(absent(path, rule, &SEND_MESSAGE));
        let now = bots.http.clock().now();
        let seen =
            self.lock().get(id).filter(|(at, _)| now.saturating_duration_since(*at) < self.life).cloned();
        if seen.is_some_and(|(_, conversation)| missing(&conversation, message).is_none()) {
            return Ok(());
        }
        // Whoever was not there a moment ago can have come since.
        let conversation = Arc::new(bots.conversation(id.clone()).await?);
        self.lock().put(id.clone(), (now, Arc::clone(&conversation)));
        missing(&conversation, message).map_or(Ok(()), |(path, rule)| refuse(path, rule))
    }

    /// Nothing is half-done under the lock, so a poisoned one holds good data.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a message lacks in its conversation.
fn missing(conversation: &Conversation, message: &Message) -> Option<(&'static str, &'static str)> {
    if !conversation.is_active() {
        return Some(("conversationId", "bot_message.conversation.active"));
    }
    let sides = [("to.id", message.to()), ("from.id", message.from())];
    let absent = sides.into_iter().find(|(_, participant)| !conversation.has(participant));
    absent.map(|(path, _)| (path, "bot_message.participant.present"))
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").field("life", &self.life).finish_non_exhaustive()
    }
}
