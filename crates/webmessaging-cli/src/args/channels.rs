//! What can be typed after `channels`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ConnectionArgs;
use crate::recording::AuditArgs;

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
    /// Say what a manifest would change, and change nothing
    #[command(
        after_help = "Exit codes: 0 nothing to change, 2 changes are pending or the file of what was applied is behind, 3 somebody else has changed the same places or the \
                            manifest breaks a rule, 5 a channel does not exist, 6 network or platform trouble."
    )]
    Plan(Box<PlanArgs>),
    /// Change channels to what a manifest says
    #[command(
        after_help = "Exit codes: 0 everything is as the manifest says, 2 not confirmed, 3 somebody else has changed the same places or \
                            the manifest breaks a rule, 5 refused by the platform, 6 network or platform trouble, 1 it was done and could not be recorded."
    )]
    Apply(Box<ApplyArgs>),
    /// Check a manifest against the rules, without a connection
    Validate(ValidateArgs),
    /// Write channels as they are into a manifest
    Export(Box<ExportArgs>),
    /// Look at the channels again and again, and say what changes
    Watch(Box<WatchArgs>),
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

/// What channels are to look like.
#[derive(Debug, Args)]
pub(crate) struct ManifestArgs {
    /// Manifest in TOML, or `-` for standard input; what was applied last is in the file beside it that ends in `.applied.toml`
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,

    /// File with rules in TOML, in place of the documented ones
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,

    /// Overwrite what others have changed since the last time; the plan shows it
    #[arg(long)]
    pub(crate) overwrite: bool,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,

    /// Change without asking
    #[arg(long, short)]
    pub(crate) yes: bool,

    /// When a channel fails, or after Ctrl-C, undo what was done to the channels before
    #[arg(long)]
    pub(crate) roll_back: bool,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Ids of the channels; all of web messaging where none is named
    #[arg(value_name = "CHANNEL_ID")]
    pub(crate) channels: Vec<String>,

    /// Write a new file, and the one beside it that says what was applied, in place of printing the manifest
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Seconds between two looks; each takes a request for every hundred channels
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) every: u32,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}
