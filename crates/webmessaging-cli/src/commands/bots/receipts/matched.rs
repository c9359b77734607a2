//! Messages matched with their receipts, whichever of them the log has first.

use std::collections::BTreeMap;

use webmessaging::bots::{ReadReceipt, Receipts};
use webmessaging::model::{ConversationId, MessageId, Timestamp};

use super::records::{Happened, What};

/// A message that was sent, or may have been.
pub(super) struct Message {
    pub(super) conversation: ConversationId,
    pub(super) id: MessageId,
    pub(super) kind: Option<String>,
    pub(super) at: Timestamp,
    pub(super) read_at: Option<Timestamp>,
}

/// What a log comes to; each list in the order of the log.
#[derive(Default)]
pub(super) struct Matched {
    pub(super) messages: Vec<Message>,
    pub(super) unmatched: Vec<ReadReceipt>,
    pub(super) uncertain: Vec<Message>,
}

impl Matched {
    pub(super) fn of(happened: Vec<Happened>) -> Self {
        let mut matched = Self::default();
        let mut conversations: BTreeMap<String, Vec<Step>> = BTreeMap::new();
        for Happened { at, what, conversation, message } in happened {
            let (id, kind) = (MessageId::new(message), None);
            let message = Message {
                conversation: ConversationId::new(&*conversation),
                id: id.clone(),
                kind,
                at,
                read_at: None,
            };
            let steps = conversations.entry(conversation).or_default();
            match what {
                What::Sent { kind } => {
                    steps.push(Step::Sent(id, matched.messages.len()));
                    matched.messages.push(Message { kind, ..message });
                }
                What::MayBeSent => matched.uncertain.push(message),
                What::Read => steps.push(Step::Read(id, at)),
            }
        }
        for (conversation, steps) in conversations {
            matched.conversation(&ConversationId::new(conversation), steps);
        }
        matched.unmatched.sort_by_key(|receipt| receipt.at);
        matched
    }

    /// One at a time, so that none is forgotten for another.
    fn conversation(&mut self, conversation: &ConversationId, steps: Vec<Step>) {
        let receipts = Receipts::new();
        let mut places = BTreeMap::new();
        let mut read_at = BTreeMap::new();
        for step in steps {
            let (read, at): (Vec<_>, _) = match step {
                Step::Sent(id, place) => {
                    places.insert(id.clone(), place);
                    receipts.sent(conversation, &id);
                    let late = receipts.take_late().into_iter().flat_map(|(_, late)| late);
                    (late.collect(), read_at.get(&id).copied())
                }
                Step::Read(id, at) => {
                    // Of two receipts the first one says when.
                    read_at.entry(id.clone()).or_insert(at);
                    (receipts.read(ReadReceipt::new(conversation.clone(), id).at(at)), Some(at))
                }
            };
            let read = read.iter().filter_map(|id| places.get(id));
            for place in read {
                if let Some(message) = self.messages.get_mut(*place) {
                    message.read_at = at;
                }
            }
        }
        // A receipt for what was read before matches nothing that is unread, and is no riddle.
        let riddles =
            receipts.unmatched().into_iter().filter(|receipt| !places.contains_key(&receipt.message));
        self.unmatched.extend(riddles);
    }
}

enum Step {
    /// With its place among all.
    Sent(MessageId, usize),
    Read(MessageId, Timestamp),
}
