#![doc = include_str!("../README.md")]

pub mod operations;

mod applied;
mod apply;
mod cache;
mod channel;
mod channel_update;
mod client;
mod create_webhook;
mod discover;
mod get_channel;
mod list_channels;
mod manifest;
mod manifest_plan;
#[cfg(feature = "toml")]
mod manifest_toml;
mod places;
mod plan;
mod record;
mod register_webhook;
mod shown;
mod update_channel;
mod watch;

pub use webmessaging_http::{CreatedWebhook, Registered};

pub use crate::applied::{Applied, AppliedChannel, ApplyEnd};
pub use crate::channel::Channel;
pub use crate::channel_update::ChannelUpdate;
pub use crate::client::ChannelsClient;
pub use crate::create_webhook::CreateWebhook;
pub use crate::discover::Channels;
pub use crate::get_channel::GetChannel;
pub use crate::list_channels::ListChannels;
pub use crate::manifest::{Declared, Exported, Manifest};
pub use crate::manifest_plan::{ManifestPlan, PlannedChannel};
#[cfg(feature = "toml")]
pub use crate::manifest_toml::rules_from_toml;
pub use crate::plan::{Plan, Updated};
pub use crate::update_channel::UpdateChannel;
pub use crate::watch::{Sighting, Watch};

/// Compiles the examples of a guide.
#[cfg(all(doctest, feature = "toml"))]
#[doc = include_str!("../../../docs/guides/manage-channels-as-code.md")]
struct Guide;
