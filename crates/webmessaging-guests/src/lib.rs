#![doc = include_str!("../README.md")]

pub mod operations;

mod attributes;
mod client;
mod conflict;
mod context;
mod create_guest;
mod email;
mod engagement;
mod get_guest;
mod guest;
mod guest_record;
mod guest_update;
mod identity;
mod identity_attributes;
mod list_audits;
mod manager;
mod merge_policy;
mod payload;
mod record;
mod schema;
mod update_guest;
mod wire;

pub use webmessaging_journal::kind::Consent;

pub use crate::attributes::Attributes;
pub use crate::client::{Created, GuestsClient, Updated};
pub use crate::conflict::GuestConflict;
pub use crate::context::{CampaignId, ChannelContext, OriginPage};
pub use crate::create_guest::CreateGuest;
pub use crate::engagement::Engagement;
pub use crate::get_guest::GetGuest;
pub use crate::guest::{ETagged, Guest};
pub use crate::guest_record::GuestRecord;
pub use crate::guest_update::GuestUpdate;
pub use crate::identity::{IdentityHasher, ResolutionMethod, Resolved};
pub use crate::identity_attributes::{DeviceFingerprint, IdentityAttributes, IdentityHash};
pub use crate::list_audits::{AuditEntry, Audits, ListAudits};
pub use crate::manager::GuestManager;
pub use crate::merge_policy::MergePolicy;
pub use crate::payload::GuestPayload;
pub use crate::record::Visitor;
pub use crate::schema::{GUEST_SCHEMA, check_payload};
pub use crate::update_guest::UpdateGuest;

/// Compiles the examples of a guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/guest-data-and-privacy.md")]
struct Guide;
