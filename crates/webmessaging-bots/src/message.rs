//! A bot's message: who it is from and for, and one kind of content.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use webmessaging_model::{Code, ParticipantId, Violation, Violations, limits};

use crate::card::Card;
use crate::quick_reply::QuickReply;
use crate::rules::{check_ids, counted, visible};
use crate::wire;

/// What a message is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageType {
    /// A text.
    Text,
    /// Cards, each with a title.
    Card,
    /// Answers to choose from.
    QuickReply,
}

impl MessageType {
    /// Every type.
    pub const ALL: &'static [Self] = &[Self::Text, Self::Card, Self::QuickReply];

    /// Its name, as the wire has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Card => "card",
            Self::QuickReply => "quickReply",
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The content of a message: one kind of it, so that a message cannot have what its type has no place for.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// 1 to 4 096 characters ([`limits::BOT_TEXT_CHARACTERS_MAX`]) without markup.
    Text(String),
    /// 1 to 10 cards ([`limits::BOT_CARDS_MAX`]).
    Cards(Vec<Card>),
    /// 1 to 13 answers ([`limits::BOT_QUICK_REPLIES_MAX`]).
    QuickReplies(Vec<QuickReply>),
}

/// A bot's message. Contract: design. `Debug` shows its type and not what it says.
///
/// # Examples
/// ```
/// use webmessaging_bots::{Card, Message, QuickReply};
///
/// let text = Message::text("customer-1", "bot-1", "Your parcel is on its way.");
/// let cards = Message::cards("customer-1", "bot-1", [Card::new("Blue shoes").description("Size 42")]);
/// let replies = Message::quick_replies("customer-1", "bot-1", [QuickReply::new("Yes", "yes"), QuickReply::new("No", "no")]);
/// for message in [&text, &cards, &replies] {
///     message.validate()?;
/// }
/// let violations = Message::text("customer-1", "bot-1", "<b>hi</b>").validate().unwrap_err();
/// assert_eq!(violations.to_string(), "text has markup or a script in it: at character 1");
/// # Ok::<(), webmessaging_model::Violations>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Message {
    pub(crate) to: ParticipantId,
    pub(crate) from: ParticipantId,
    pub(crate) content: Content,
}

impl Message {
    /// A message with this content.
    pub fn new(to: impl Into<ParticipantId>, from: impl Into<ParticipantId>, content: Content) -> Self {
        Self { to: to.into(), from: from.into(), content }
    }

    /// A text.
    pub fn text(
        to: impl Into<ParticipantId>,
        from: impl Into<ParticipantId>,
        text: impl Into<String>,
    ) -> Self {
        Self::new(to, from, Content::Text(text.into()))
    }

    /// Cards.
    pub fn cards(
        to: impl Into<ParticipantId>,
        from: impl Into<ParticipantId>,
        cards: impl IntoIterator<Item = Card>,
    ) -> Self {
        Self::new(to, from, Content::Cards(cards.into_iter().collect()))
    }

    /// Answers to choose from.
    pub fn quick_replies(
        to: impl Into<ParticipantId>,
        from: impl Into<ParticipantId>,
        replies: impl IntoIterator<Item = QuickReply>,
    ) -> Self {
        Self::new(to, from, Content::QuickReplies(replies.into_iter().collect()))
    }

    /// Reads a message from JSON as the wire has it, strictly: what no message has is refused.
    ///
    /// # Errors
    /// Every violation, those of [`validate`](Self::validate) among them; an empty path is the message itself.
    pub fn from_json(json: &[u8]) -> Result<Self, Violations> {
        let value: Value = serde_json::from_slice(json)
            .map_err(|_| Violation::new("", Code::Malformed, "bot_message.json"))?;
        Self::from_value(&value)
    }

    /// Reads a message from JSON that was parsed before; see [`from_json`](Self::from_json).
    ///
    /// # Errors
    /// Those of [`from_json`](Self::from_json).
    pub fn from_value(value: &Value) -> Result<Self, Violations> {
        wire::read(value)
    }

    /// Who it is for.
    pub fn to(&self) -> &ParticipantId {
        &self.to
    }

    /// Who it is from.
    pub fn from(&self) -> &ParticipantId {
        &self.from
    }

    /// What it says.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Its type.
    pub fn message_type(&self) -> MessageType {
        match self.content {
            Content::Text(_) => MessageType::Text,
            Content::Cards(_) => MessageType::Card,
            Content::QuickReplies(_) => MessageType::QuickReply,
        }
    }

    /// Checks every rule and reports every broken one.
    ///
    /// # Errors
    /// [`Violations`] with paths as the wire names them, such as `cards[0].title`.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Vec::new();
        check_ids(&[("to.id", self.to.as_str()), ("from.id", self.from.as_str())], &mut found);
        self.content.check(&mut found);
        Violations::check(found)
    }
}

impl Content {
    pub(crate) fn check(&self, found: &mut Vec<Violation>) {
        match self {
            Self::Text(text) => found.extend(visible("text", text, limits::BOT_TEXT_CHARACTERS_MAX)),
            Self::Cards(cards) => {
                found.extend(counted("cards", cards.len(), limits::BOT_CARDS_MAX));
                for (index, card) in cards.iter().enumerate() {
                    card.check(&format!("cards[{index}]"), found);
                }
            }
            Self::QuickReplies(replies) => {
                found.extend(counted("quickReplies", replies.len(), limits::BOT_QUICK_REPLIES_MAX));
                for (index, reply) in replies.iter().enumerate() {
                    reply.check(&format!("quickReplies[{index}]"), found);
                }
            }
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("to", &self.to)
            .field("from", &self.from)
            .field("type", &self.message_type())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Cards(cards) => write!(f, "Cards({})", cards.len()),
            Self::QuickReplies(replies) => write!(f, "QuickReplies({})", replies.len()),
        }
    }
}

#[derive(Serialize)]
struct Participant<'a> {
    id: &'a ParticipantId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    to: Participant<'a>,
    from: Participant<'a>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cards: Option<&'a [Card]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quick_replies: Option<&'a [QuickReply]>,
}

impl Serialize for Message {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (mut text, mut cards, mut quick_replies) = (None, None, None);
        match &self.content {
            Content::Text(content) => text = Some(&**content),
            Content::Cards(content) => cards = Some(&**content),
            Content::QuickReplies(content) => quick_replies = Some(&**content),
        }
        let (to, from) = (Participant { id: &self.to }, Participant { id: &self.from });
        let r#type = self.message_type().as_str();
        Wire { to, from, r#type, text, cards, quick_replies }.serialize(serializer)
    }
}
