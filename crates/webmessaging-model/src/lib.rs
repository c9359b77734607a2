#![doc = include_str!("../README.md")]

pub mod call_facts;
pub mod channel;
pub mod content_type;
pub mod id;
pub mod json_merge;
pub mod limits;
pub mod operation;
pub mod plain_identity;
pub mod region;
pub mod scan;
pub mod scan_progress;
pub mod timestamp;
pub mod transfer;
pub mod transfer_status;
pub mod upload;
pub mod violation;

mod open_enum;
mod rules;

pub use crate::call_facts::CallFacts;
pub use crate::channel::{Browser, ChannelFeature, ChannelRules};
pub use crate::content_type::{ContentType, SniffedType};
pub use crate::id::{
    AttachmentId, ChannelId, ConversationId, FileId, GuestId, MessageId, OrganizationId, ParticipantId,
    TransferId,
};
pub use crate::limits::DatedLimit;
pub use crate::operation::{Contract, LimitClass, Method, Operation, RetryClass};
pub use crate::region::{Domain, Region};
pub use crate::scan::{FormatValidation, ScanVerdict, UploadStatus, VirusScanResult};
pub use crate::scan_progress::ScanProgress;
pub use crate::timestamp::{InvalidTimestamp, Timestamp};
pub use crate::transfer::{AccessPolicyDirectives, EncryptionStandard, TransferLimits, TransferPayload};
pub use crate::transfer_status::{ContentTypeVerification, TransferStatus, VirusScanStatus};
pub use crate::upload::{UploadLimits, UploadMetadata, UploadType};
pub use crate::violation::{Actual, Code, Limit, Unit, Violation, Violations};
