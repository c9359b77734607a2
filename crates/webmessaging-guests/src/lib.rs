#![doc = include_str!("../README.md")]

mod attributes;
mod context;
mod identity;
mod identity_attributes;
mod payload;
mod schema;

pub use webmessaging_journal::kind::Consent;

pub use crate::attributes::Attributes;
pub use crate::context::{CampaignId, ChannelContext, OriginPage};
pub use crate::identity::{IdentityHasher, ResolutionMethod, Resolved};
pub use crate::identity_attributes::{DeviceFingerprint, IdentityAttributes, IdentityHash};
pub use crate::payload::GuestPayload;
pub use crate::schema::{GUEST_SCHEMA, check_payload};
