//! Typed ids: opaque text that the platform hands out, one type per thing it names.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an id as the platform wrote it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.0)
            }
        }
    )+};
}

ids! {
    /// A messaging channel, the `channelId` of an upload.
    ChannelId,
    /// A message of a conversation.
    MessageId,
    /// An uploaded file, named by the answer to the upload request.
    FileId,
    /// An attachment of a message. The id of an uploaded file serves as its attachment id.
    AttachmentId,
    /// An organisation of Genesys Cloud.
    OrganizationId,
    /// A conversation.
    ConversationId,
    /// Somebody who takes part in a conversation.
    ParticipantId,
    /// A guest of web messaging.
    GuestId,
    /// A file transfer; it stays the same when its URLs are renewed.
    TransferId,
}

impl From<FileId> for AttachmentId {
    fn from(id: FileId) -> Self {
        Self(id.0)
    }
}
