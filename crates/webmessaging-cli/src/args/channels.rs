//! What can be typed after `channels`.

use clap::{Args, Subcommand};

use super::ConnectionArgs;

#[derive(Debug, Args)]
pub(crate) struct ChannelsArgs {
    #[command(subcommand)]
    pub(crate) command: ChannelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelsCommand {
    /// List the channels of web messaging
    List(Box<ListArgs>),
    /// Show a channel with its whole configuration
    Show(Box<ShowArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// List the channels of every other type as well
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Id of the channel
    #[arg(value_name = "CHANNEL_ID")]
    pub(crate) channel: String,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}
