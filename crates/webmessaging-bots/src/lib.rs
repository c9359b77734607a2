#![doc = include_str!("../README.md")]

pub mod operations;

mod arrival;
mod autolink;
mod card;
mod client;
mod code_span;
mod create_webhook;
mod delivery;
mod elements;
mod entities;
mod get_conversation;
mod lanes;
mod list_messages;
mod markup;
mod message;
mod message_line;
mod origin;
mod outcome;
mod presence;
mod quick_reply;
mod receipts;
mod record;
mod register_webhook;
mod rules;
mod script_link;
mod send_message;
mod sender;
mod split;
mod template;
mod wire;

pub use webmessaging_http::{CreatedWebhook, Registered};

pub use crate::arrival::Arrival;
pub use crate::card::Card;
pub use crate::client::{BotsClient, SentMessage};
pub use crate::create_webhook::CreateWebhook;
pub use crate::get_conversation::{Conversation, GetConversation, Participant};
pub use crate::list_messages::{ArrivedMessage, ListMessages, MessagePage, MessageSide};
pub use crate::markup::{Markup, find_markup};
pub use crate::message::{Content, Message, MessageType};
pub use crate::message_line::MessageLine;
pub use crate::origin::{AllowedOrigins, Origin};
pub use crate::outcome::{Delivered, Reason, Undelivered};
pub use crate::quick_reply::QuickReply;
pub use crate::receipts::{ReadReceipt, Receipts};
pub use crate::send_message::{Accepted, SendMessage};
pub use crate::sender::{Sender, SenderBuilder, Ticket};
pub use crate::split::split_text;
pub use crate::template::Template;

/// Compiles the examples of a guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/send-bot-messages.md")]
struct Guide;
