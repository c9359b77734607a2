#![doc = include_str!("../README.md")]

pub mod operations;

mod cache;
mod channel;
mod channel_update;
mod client;
mod create_webhook;
mod discover;
mod get_channel;
mod list_channels;
mod plan;
mod record;
mod register_webhook;
mod update_channel;

pub use crate::channel::Channel;
pub use crate::channel_update::ChannelUpdate;
pub use crate::client::ChannelsClient;
pub use crate::create_webhook::{CreateWebhook, CreatedWebhook};
pub use crate::discover::Channels;
pub use crate::get_channel::GetChannel;
pub use crate::list_channels::ListChannels;
pub use crate::plan::{Plan, Updated};
pub use crate::register_webhook::Registered;
pub use crate::update_channel::UpdateChannel;
