//! From bytes to an event: which type it is, with an envelope or without, and the data in the shape of that type.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use webmessaging_model::Timestamp;

use super::content_key::Digest;
use super::{
    CHANNEL_UPDATED, CONVERSATION_PARTICIPATED_READ, ChannelUpdated, Event, EventData,
    FILE_TRANSFER_STATUS_CHANGE, FILE_UPLOAD_COMPLETED, FileTransferChanged, MessageRead, OPEN_MESSAGE,
    OpenMessage, Payload,
};
use crate::error::{Error, ErrorKind};

/// What tells events apart. Everything else is skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow, default)]
    event_type: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "id")]
    event_id: Option<Box<str>>,
    #[serde(default, deserialize_with = "moment")]
    timestamp: Option<Moment>,
    #[serde(default)]
    data: Option<IgnoredAny>,
    #[serde(default)]
    transfer_id: Option<IgnoredAny>,
    #[serde(default)]
    channel: Option<IgnoredAny>,
    #[serde(default, rename = "type")]
    kind: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Enveloped<T> {
    data: T,
}

pub(super) fn read(body: &[u8]) -> Result<Event, Error> {
    let text = std::str::from_utf8(body)
        .map_err(|error| not_json(format!("the body is not UTF-8, see byte {}", error.valid_up_to())))?;
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        // The parser knows whether it is JSON at all.
        let _: IgnoredAny = serde_json::from_str(text).map_err(Error::json)?;
        return Err(unknown("the body is JSON and not an object"));
    }
    let head: Head<'_> = serde_json::from_str(text).map_err(Error::json)?;
    let (event_type, (content_key, data)) = match &head.event_type {
        Some(event_type) if head.data.is_some() => (&**event_type, enveloped(event_type, text, &head)?),
        Some(event_type) => (&**event_type, other(event_type, text, &head)?),
        None if head.transfer_id.is_some() => {
            (FILE_TRANSFER_STATUS_CHANGE, transfer(serde_json::from_str(text).map_err(Error::json)?))
        }
        None if head.channel.is_some() && head.kind.is_some() => (OPEN_MESSAGE, message(text, &head)?),
        None => return Err(unknown("the body has no eventType and none of the shapes that have none")),
    };
    let occurred_at = head.timestamp.as_ref().and_then(|moment| moment.at).or_else(|| data.time());
    Ok(Event { type_name: event_type.into(), id: head.event_id, occurred_at, content_key, data })
}

type Read = (super::ContentKey, EventData);

fn enveloped(event_type: &str, text: &str, head: &Head<'_>) -> Result<Read, Error> {
    Ok(match event_type {
        FILE_UPLOAD_COMPLETED => {
            let scanned: super::FileScanned = data(text)?;
            let mut digest = Digest::new(event_type);
            digest.text(scanned.file_id.as_str());
            digest.maybe(scanned.status.as_ref().map(webmessaging_model::UploadStatus::as_str));
            digest.maybe(scanned.virus_scan_result.as_ref().map(webmessaging_model::VirusScanResult::as_str));
            digest
                .maybe(scanned.format_validation.as_ref().map(webmessaging_model::FormatValidation::as_str));
            (digest.finish(), EventData::FileScanned(scanned))
        }
        FILE_TRANSFER_STATUS_CHANGE => transfer(data(text)?),
        CHANNEL_UPDATED => {
            let key = whole(event_type, &data::<Payload>(text)?, head);
            (key, EventData::ChannelUpdated(data::<ChannelUpdated>(text)?))
        }
        CONVERSATION_PARTICIPATED_READ => {
            let key = whole(event_type, &data::<Payload>(text)?, head);
            (key, EventData::MessageRead(data::<MessageRead>(text)?))
        }
        _ => {
            let data: Payload = data(text)?;
            (whole(event_type, &data, head), EventData::Other(data))
        }
    })
}

/// An event that names its type and has no `data`: if the type is known it is broken, otherwise that is its shape.
fn other(event_type: &str, text: &str, head: &Head<'_>) -> Result<Read, Error> {
    let known =
        [FILE_UPLOAD_COMPLETED, FILE_TRANSFER_STATUS_CHANGE, CHANNEL_UPDATED, CONVERSATION_PARTICIPATED_READ];
    if known.contains(&event_type) {
        return Err(unknown("the event has no data"));
    }
    let payload: Payload = serde_json::from_str(text).map_err(Error::json)?;
    // The id of the envelope is not part of what happened.
    let payload = payload.without("eventId");
    Ok((whole(event_type, &payload, head), EventData::Other(payload)))
}

fn transfer(transfer: FileTransferChanged) -> Read {
    let mut digest = Digest::new(FILE_TRANSFER_STATUS_CHANGE);
    digest.text(&transfer.transfer_id);
    digest.maybe(transfer.status.as_ref().map(super::TransferStatus::as_str));
    digest.maybe(transfer.virus_scan_result.as_ref().map(webmessaging_model::VirusScanResult::as_str));
    (digest.finish(), EventData::FileTransferChanged(Box::new(transfer)))
}

fn message(text: &str, head: &Head<'_>) -> Result<Read, Error> {
    let message: OpenMessage = serde_json::from_str(text).map_err(Error::json)?;
    let key = if message.is_identified() {
        let mut digest = Digest::new(OPEN_MESSAGE);
        message.digest(&mut digest);
        digest.finish()
    } else {
        // Two messages that say hello are two messages.
        whole(OPEN_MESSAGE, &serde_json::from_str(text).map_err(Error::json)?, head)
    };
    Ok((key, EventData::OpenMessage(Box::new(message))))
}

fn whole(event_type: &str, data: &Payload, head: &Head<'_>) -> super::ContentKey {
    let mut digest = Digest::new(event_type);
    digest.maybe(head.timestamp.as_ref().map(|moment| moment.text.as_str()));
    digest.value(data.value());
    digest.finish()
}

fn data<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let enveloped: Enveloped<T> = serde_json::from_str(text).map_err(Error::json)?;
    Ok(enveloped.data)
}

fn unknown(message: &'static str) -> Error {
    Error::with_message(ErrorKind::UnknownShape, message)
}

fn not_json(message: String) -> Error {
    Error::with_message(ErrorKind::NotJson, message)
}

/// A time as it was written, and as it was meant.
struct Moment {
    text: String,
    at: Option<Timestamp>,
}

/// A time that cannot be read is no reason to lose an event.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Moment>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let at = value.as_str().and_then(|text| text.parse().ok());
    Ok((!value.is_null()).then(|| Moment { text: value.to_string(), at }))
}

/// An id that is a number is as good as one that is a text, and none is no reason to lose an event either.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<str>>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Some(text.into()),
        serde_json::Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    })
}

/// A time within data.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(moment(deserializer)?.and_then(|moment| moment.at))
}

/// A value that can be missing, also as `null`.
pub(super) fn nullable<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl EventData {
    /// The time that the data itself has.
    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::MessageRead(read) => read.read_at,
            Self::OpenMessage(message) => message.channel.time,
            _ => None,
        }
    }
}
