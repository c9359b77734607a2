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
        let conversation = self.conversation(bots, id).await?;
        if !conversation.is_active() {
            return refuse("conversationId", "bot_message.conversation.active");
        }
        for (path, participant) in [("to.id", message.to()), ("from.id", message.from())] {
            if !conversation.has(participant) {
                return refuse(path, "bot_message.participant.present");
            }
        }
        Ok(())
    }

    async fn conversation(&self, bots: &BotsClient, id: &ConversationId) -> Result<Arc<Conversation>, Error> {
        let now = bots.http.clock().now();
        if let Some((at, conversation)) = self.lock().get(id)
            && now.saturating_duration_since(*at) < self.life
        {
            return Ok(Arc::clone(conversation));
        }
        let conversation = Arc::new(bots.conversation(id.clone()).await?);
        self.lock().put(id.clone(), (now, Arc::clone(&conversation)));
        Ok(conversation)
    }

    /// Nothing is half-done under the lock, so a poisoned one holds good data.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").field("life", &self.life).finish_non_exhaustive()
    }
}
