//! Answers to choose from.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use webmessaging_model::{Violation, limits};

use crate::rules::{bounded, visible};
use crate::wire::{fields, text, unknown};

/// An answer that a person can choose. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QuickReply {
    /// What the person sees: 1 to 80 characters without markup.
    pub label: String,
    /// What the bot is told when it is chosen: 1 to 1 024 characters, which nobody sees.
    pub payload: String,
}

impl QuickReply {
    /// An answer.
    pub fn new(label: impl Into<String>, payload: impl Into<String>) -> Self {
        Self { label: label.into(), payload: payload.into() }
    }

    /// The answer of an object; violations where a field is missing, no text, or not known.
    pub(crate) fn read(value: &Value, path: &str, found: &mut Vec<Violation>) -> Option<Self> {
        let known = fields(value, path, "bot_message.quick_reply", found)?;
        found.extend(unknown(known, &["label", "payload"], path));
        let label = text(known, "label", path, "bot_message.quick_reply.label", found);
        let payload = text(known, "payload", path, "bot_message.quick_reply.payload", found);
        Some(Self { label: label?, payload: payload? })
    }

    pub(crate) fn check(&self, path: &str, found: &mut Vec<Violation>) {
        found.extend(visible(format!("{path}.label"), &self.label, limits::BOT_LABEL_CHARACTERS_MAX));
        found.extend(bounded(format!("{path}.payload"), &self.payload, limits::BOT_PAYLOAD_CHARACTERS_MAX));
    }
}

impl fmt::Debug for QuickReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuickReply([hidden])")
    }
}
