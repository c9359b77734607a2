//! What can happen: one small struct for each kind, named in the terms of the field.

mod bots;
mod cause;
mod channels;
mod define;
mod deliveries;
mod files;
mod guest_change;
mod guests;
mod other;
mod transfers;
mod webhooks;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::details::Details;

pub use self::bots::{BotMessageFailed, BotMessageSent, MessageRead};
pub use self::cause::Cause;
pub use self::channels::ChannelUpdated;
pub use self::deliveries::{DeliveryFailed, DeliverySucceeded};
pub use self::files::{DownloadUrlIssued, FileQuarantined, FileScanned, FileUploadFailed, FileUploaded};
pub use self::guest_change::{ChangedValue, ChannelContext, Consent, DataChanges, GuestChange};
pub use self::guests::{EngagementCalculated, GuestCreated, GuestUpdated};
pub use self::other::{OperationFailed, RecordsRemoved};
pub use self::transfers::{
    AccessPolicy, TransferBlocked, TransferCreated, TransferFinished, TransferRenewed, TransferUploaded,
};
pub use self::webhooks::{WebhookReceived, WebhookRegistered};

/// What something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Subject<'a> {
    /// What it is: `file`, `transfer`, `message`, `conversation`, `channel`, `guest`, `webhook`, `webhook_delivery`,
    /// `delivery`, `audit_log`, or `unknown`.
    pub kind: &'a str,
    /// Its id.
    pub id: &'a str,
}

impl<'a> Subject<'a> {
    pub(crate) const fn new(kind: &'static str, id: &'a str) -> Self {
        Self { kind, id }
    }
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// As it was meant to.
    Success,
    /// It failed.
    Failure {
        /// The stable code of what was in the way.
        code: &'a str,
    },
    /// It was stopped on purpose, for safety.
    Blocked {
        /// The stable name of the reason.
        reason: &'a str,
    },
    /// This version cannot tell.
    Unknown,
}

impl<'a> Outcome<'a> {
    /// The stable name: `success`, `failure`, `blocked` or `unknown`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure { .. } => "failure",
            Self::Blocked { .. } => "blocked",
            Self::Unknown => "unknown",
        }
    }

    /// The code or the reason, where there is one.
    pub const fn cause(self) -> Option<&'a str> {
        match self {
            Self::Failure { code } => Some(code),
            Self::Blocked { reason } => Some(reason),
            Self::Success | Self::Unknown => None,
        }
    }
}

/// What every kind says of itself.
pub(crate) trait Described {
    fn subject(&self) -> Subject<'_>;

    fn outcome(&self) -> Outcome<'_> {
        Outcome::Success
    }

    /// What it counts towards, where a success and a failure are two kinds of the same thing.
    fn activity(&self) -> Option<&'static str> {
        None
    }

    /// What logs may have of it.
    fn details(&self) -> Details<'_> {
        Details::default()
    }
}

/// Something that a newer version has recorded; kept as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct UnknownKind {
    action: String,
    data: Value,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $action:literal,)+) => {
        /// What happened.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $kind($kind),)+
            /// Something that a newer version has recorded; kept as it was.
            Unknown(UnknownKind),
        }

        impl EventKind {
            /// The actions this version knows.
            pub const ACTIONS: &'static [&'static str] = &[$($action),+];

            /// The stable name, such as `file.uploaded`.
            pub fn action(&self) -> &str {
                match self {
                    $(Self::$kind(_) => $action,)+
                    Self::Unknown(kind) => &kind.action,
                }
            }

            fn described(&self) -> Option<&dyn Described> {
                match self {
                    $(Self::$kind(kind) => Some(kind),)+
                    Self::Unknown(_) => None,
                }
            }

            /// Reads what [`Data`] wrote; the error is the action whose data is not as it should be.
            pub(crate) fn parse(action: String, data: Value) -> Result<Self, &'static str> {
                match action.as_str() {
                    $($action => serde_json::from_value(data).map(Self::$kind).map_err(|_| $action),)+
                    _ => Ok(Self::Unknown(UnknownKind { action, data })),
                }
            }
        }

        $(impl From<$kind> for EventKind {
            fn from(kind: $kind) -> Self {
                Self::$kind(kind)
            }
        })+

        impl Serialize for Data<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.0 {
                    $(EventKind::$kind(kind) => kind.serialize(serializer),)+
                    EventKind::Unknown(kind) => kind.data.serialize(serializer),
                }
            }
        }
    };
}

kinds! {
    /// A file was uploaded; it is not scanned yet.
    FileUploaded = "file.uploaded",
    /// A file could not be uploaded.
    FileUploadFailed = "file.upload_failed",
    /// The platform has said what its scan found.
    FileScanned = "file.scanned",
    /// A file is kept from everybody.
    FileQuarantined = "file.quarantined",
    /// Somebody got a URL to download a file.
    DownloadUrlIssued = "file.download_url_issued",
    /// A transfer was announced.
    TransferCreated = "transfer.created",
    /// A transfer got fresh URLs.
    TransferRenewed = "transfer.renewed",
    /// The bytes of a transfer were stored; they are not scanned yet.
    TransferUploaded = "transfer.uploaded",
    /// A transfer is complete and clean.
    TransferFinished = "transfer.finished",
    /// A transfer was stopped because of what it holds.
    TransferBlocked = "transfer.blocked",
    /// The configuration of a channel was changed.
    ChannelUpdated = "channel.updated",
    /// A webhook was registered, or had been before.
    WebhookRegistered = "webhook.registered",
    /// A webhook was received and taken.
    WebhookReceived = "webhook.received",
    /// A guest was created.
    GuestCreated = "guest.created",
    /// A guest was changed.
    GuestUpdated = "guest.updated",
    /// The engagement of a guest was calculated.
    EngagementCalculated = "guest.engagement_calculated",
    /// A message of a bot was accepted.
    BotMessageSent = "bot_message.sent",
    /// A message of a bot was not accepted.
    BotMessageFailed = "bot_message.failed",
    /// A message was read.
    MessageRead = "message.read",
    /// A system outside has taken what was delivered to it.
    DeliverySucceeded = "delivery.succeeded",
    /// A system outside has not taken what was to be delivered to it.
    DeliveryFailed = "delivery.failed",
    /// Something else that changes things failed.
    OperationFailed = "operation.failed",
    /// Old records of an audit log were removed.
    RecordsRemoved = "audit.records_removed",
}

/// The data of a kind as serde writes it, apart from its action.
#[derive(Clone, Copy)]
pub(crate) struct Data<'a>(&'a EventKind);

impl EventKind {
    pub(crate) fn data(&self) -> Data<'_> {
        Data(self)
    }

    /// What it happened to; of kind `unknown` and without an id where this version does not know.
    pub fn subject(&self) -> Subject<'_> {
        self.described().map_or(Subject::new("unknown", ""), Described::subject)
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome<'_> {
        self.described().map_or(Outcome::Unknown, Described::outcome)
    }

    pub(crate) fn details(&self) -> Details<'_> {
        self.described().map_or_else(Details::default, Described::details)
    }

    /// What successes and failures are counted by: `file.upload`, `bot_message.send`, `delivery`, or the action itself;
    /// `unknown` for what this version does not know, so that there is an end to them.
    pub fn activity(&self) -> &'static str {
        let Some(described) = self.described() else { return "unknown" };
        described.activity().or_else(|| self.known_action()).unwrap_or("unknown")
    }

    /// The action as one of [`ACTIONS`](Self::ACTIONS).
    pub(crate) fn known_action(&self) -> Option<&'static str> {
        Self::ACTIONS.iter().copied().find(|action| *action == self.action())
    }
}
