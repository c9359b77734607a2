//! What the organisation of a seed holds: checked key by key, whether a document or code has made it.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::channels::Channel;
use crate::conversations::{Conversation, Participant, START_TIME};
use crate::document::{Fields, Place, Problems};
use crate::organization::Organization;
use crate::seed::read::entries;

/// More channels than this are not seeded.
const CHANNELS_MAX: usize = 100_000;

/// More conversations than this are not seeded.
const CONVERSATIONS_MAX: usize = 10_000;

/// More participants than this are not seeded in one conversation.
const PARTICIPANTS_MAX: usize = 1_000;

/// The longest id or name, in characters.
const LABEL_CHARS_MAX: usize = 255;

/// The longest type, state or purpose, in bytes.
const WORD_BYTES_MAX: usize = 64;

/// What a seed mentions of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeededOrganization {
    channels: Option<Vec<Channel>>,
    conversations: Option<Vec<Conversation>>,
}

impl From<Organization> for SeededOrganization {
    fn from(organization: Organization) -> Self {
        Self {
            channels: Some(organization.channels().to_vec()),
            conversations: Some(organization.conversations().to_vec()),
        }
    }
}

impl SeededOrganization {
    /// Reads the table of a document.
    pub(super) fn read(table: &Value, problems: &mut Problems) -> Self {
        let section = Place::section("organization");
        let Some(mut fields) = Fields::new(table, section.clone(), problems) else { return Self::default() };
        let channels = fields.optional_list("channels", CHANNELS_MAX);
        let conversations = fields.optional_list("conversations", CONVERSATIONS_MAX);
        fields.finish();
        Self {
            channels: channels.map(|list| {
                let mut known = HashSet::new();
                entries(list, |index, value| {
                    let place = section.inner("channels", index, "channel");
                    channel(Fields::new(value, place, problems)?, &mut known)
                })
            }),
            conversations: conversations.map(|list| {
                let mut known = HashSet::new();
                entries(list, |index, value| {
                    let place = section.inner("conversations", index, "conversation");
                    conversation(value, &place, &mut known, problems)
                })
            }),
        }
    }

    /// Holds what code has made to the rules for written ones, by writing it.
    pub(super) fn check(&self, problems: &mut Problems) {
        let mut table = json!({});
        if let (Some(channels), Value::Object(table)) = (&self.channels, &mut table) {
            table.insert("channels".to_owned(), json!(channels));
        }
        if let (Some(conversations), Value::Object(table)) = (&self.conversations, &mut table) {
            table.insert("conversations".to_owned(), json!(conversations));
        }
        Self::read(&table, problems);
    }

    /// The organisation that `former` becomes; `None` when nothing is mentioned.
    pub(super) fn replacing(&self, former: &Organization) -> Option<Organization> {
        if self.channels.is_none() && self.conversations.is_none() {
            return None;
        }
        let channels = self.channels.as_deref().unwrap_or(former.channels());
        let conversations = self.conversations.as_deref().unwrap_or(former.conversations());
        Some(Organization::of(channels.to_vec(), conversations.to_vec()))
    }
}

fn channel(mut fields: Fields<'_, '_>, known: &mut HashSet<String>) -> Option<Channel> {
    let id = id(&mut fields, known, "channel");
    let name = label(&mut fields, "name");
    let kind = word(fields.required(), "channelType");
    let configuration = fields.read("configuration", "a table of keys and values", Value::as_object);
    fields.finish();
    let configuration = configuration.cloned().unwrap_or_default();
    Some(Channel { id: id?, name: name?, kind: kind?, configuration })
}

fn conversation(
    value: &Value,
    place: &Place,
    known: &mut HashSet<String>,
    problems: &mut Problems,
) -> Option<Conversation> {
    let mut fields = Fields::new(value, place.clone(), problems)?;
    let id = id(&mut fields, known, "conversation");
    let start_time = time(&mut fields, "startTime");
    let end_time = time(&mut fields, "endTime");
    let state = word(&mut fields, "state");
    let list = fields.list("participants", PARTICIPANTS_MAX);
    fields.finish();
    let mut known = HashSet::new();
    let participants = entries(list, |index, value| {
        let place = place.inner("participants", index, "participant");
        participant(Fields::new(value, place, problems)?, &mut known)
    });
    let usual = if end_time.is_some() { "disconnected" } else { "connected" };
    Some(Conversation {
        id: id?,
        start_time: start_time.unwrap_or_else(|| START_TIME.to_owned()),
        end_time,
        state: state.unwrap_or_else(|| usual.to_owned()),
        participants,
    })
}

fn participant(mut fields: Fields<'_, '_>, known: &mut HashSet<String>) -> Option<Participant> {
    let id = id(&mut fields, known, "participant");
    let purpose = word(fields.required(), "purpose");
    let start_time = time(&mut fields, "startTime");
    let end_time = time(&mut fields, "endTime");
    fields.finish();
    let start_time = start_time.unwrap_or_else(|| START_TIME.to_owned());
    Some(Participant { id: id?, purpose: purpose?, start_time, end_time })
}

/// An id that no earlier entry of the list has.
fn id(fields: &mut Fields<'_, '_>, known: &mut HashSet<String>, entry: &str) -> Option<String> {
    let id = label(fields, "id")?;
    if !known.insert(id.clone()) {
        fields.problem("id", format!("is the id of an earlier {entry} as well"));
    }
    Some(id)
}

fn label(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    let allowed = format!("a text of 1 to {LABEL_CHARS_MAX} characters without control characters");
    let is_label = |text: &&str| {
        (1..=LABEL_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    let text = fields.required().read(key, allowed, |value| value.as_str().filter(is_label));
    text.map(str::to_owned)
}

fn word(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    let allowed = format!("a word of letters, digits, hyphens and underscores, {WORD_BYTES_MAX} at most");
    let is_word = |text: &&str| {
        (1..=WORD_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    fields.read(key, allowed, |value| value.as_str().filter(is_word)).map(str::to_owned)
}

fn time(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    let is_time = |text: &&str| humantime::parse_rfc3339(text).is_ok();
    let time = fields
        .read(key, format!("a time in UTC, such as {START_TIME}"), |value| value.as_str().filter(is_time));
    time.map(str::to_owned)
}
