//! What became of a message whose answer was lost.

use webmessaging_http::Error;
use webmessaging_http::paging::Items;
use webmessaging_model::{MessageId, ParticipantId};

use crate::list_messages::ListMessages;

/// So many messages are looked through, the newest first: what was sent a moment ago is among them.
const MESSAGES_MAX: usize = 1_000;

/// Whether a message has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrival {
    /// It has, under this id.
    Arrived(MessageId),
    /// It has not.
    Absent,
    /// Nobody can say: there are messages of which the platform does not tell what they were sent with, or more than 1 000 newer ones.
    Unclear,
}

impl Arrival {
    /// Looks for a message; `from` is who sent it, so that others' messages, which have no such ids, leave nothing open.
    pub(crate) async fn find(
        mut messages: Items<ListMessages>,
        request_id: &str,
        from: Option<&ParticipantId>,
    ) -> Result<Self, Error> {
        let mut is_clear = true;
        let mut seen = 0;
        while let Some(message) = messages.next().await {
            let message = message?;
            let is_others =
                from.is_some_and(|from| message.from.as_ref().is_some_and(|side| side.id != *from));
            match message.request_id {
                Some(id) if id == request_id => return Ok(Self::Arrived(message.id)),
                None if !is_others => is_clear = false,
                _ => {}
            }
            seen += 1;
            if seen == MESSAGES_MAX {
                // It can be among the older ones.
                return Ok(Self::Unclear);
            }
        }
        Ok(if is_clear { Self::Absent } else { Self::Unclear })
    }
}
