//! What can be typed after `outbox` and `dead-letters`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use webmessaging::store::{DeadLetterCursor, DeadLetterId, Origin};

use super::data::StoreArgs;
use super::targets::TargetsArgs;

#[derive(Debug, Args)]
pub(crate) struct OutboxArgs {
    #[command(subcommand)]
    pub(crate) command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// Show how much waits for its delivery, since when, and which lanes are held up
    List(OutboxListArgs),
    /// Deliver to a target again that was switched off, as one is that answers 410
    Enable(SwitchArgs),
    /// Switch a target off: what is for it waits until `enable`
    Disable(SwitchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OutboxListArgs {
    /// One target; can be given several times. By default each one that has items, and all of them together
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Vec<String>,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SwitchArgs {
    /// The target's name
    pub(crate) target: String,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) targets: TargetsArgs,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    pub(crate) command: DeadLettersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List what was given up and waits for somebody, the oldest first
    List(DeadLetterListArgs),
    /// Show one with its content, which can be somebody's words
    Show(DeadLetterShowArgs),
    /// Replace the content of an item, and keep the old one for the record; checked where the targets file knows its target
    Edit(DeadLetterEditArgs),
    /// Try one again, or all, at once and in their old places
    Retry(DeadLetterRetryArgs),
    /// Give one up for good; its lane goes on
    Drop(DeadLetterDropArgs),
}

/// Where a dead letter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OriginArg {
    /// Deliveries whose work failed
    Inbox,
    /// Items that could not be delivered
    Outbox,
}

impl From<OriginArg> for Origin {
    fn from(origin: OriginArg) -> Self {
        match origin {
            OriginArg::Inbox => Self::Inbox,
            OriginArg::Outbox => Self::Outbox,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DeadLetterListArgs {
    /// Only from there
    #[arg(long, value_enum)]
    pub(crate) origin: Option<OriginArg>,

    /// Only for this target, or from this source
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Option<String>,

    /// Only of this lane
    #[arg(long, value_name = "LANE")]
    pub(crate) lane: Option<String>,

    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,

    /// Go on behind this place, which the page before has told
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<DeadLetterCursor>,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLetterShowArgs {
    /// Which one, such as `inbox-12` or `outbox-7`
    pub(crate) id: DeadLetterId,

    #[command(flatten)]
    pub(crate) view: ViewArgs,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// With which eyes a letter is looked at.
#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    #[command(flatten)]
    pub(crate) targets: TargetsArgs,

    /// Leave the targets aside: the content as it is kept, with the queries of its URLs, and checked by nobody
    #[arg(long, conflicts_with = "targets")]
    pub(crate) plain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLetterEditArgs {
    /// Which one, such as `outbox-7`
    pub(crate) id: DeadLetterId,

    /// File with the new content, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) payload_file: PathBuf,

    /// The new idempotency key, where there are no targets; by default the SHA-256 of the new content
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) view: ViewArgs,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLetterRetryArgs {
    /// Which one, such as `inbox-12` or `outbox-7`
    #[arg(required_unless_present = "all")]
    pub(crate) id: Option<DeadLetterId>,

    /// All of the outbox, the one that was given up first before the others: after an outage, say
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,

    /// Of all, only those for this target
    #[arg(long, value_name = "NAME", requires = "all", conflicts_with = "id")]
    pub(crate) target: Option<String>,

    /// Of all, so many at most
    #[arg(long, value_name = "N", requires = "all", conflicts_with = "id", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLetterDropArgs {
    /// Which one, such as `inbox-12` or `outbox-7`
    pub(crate) id: DeadLetterId,

    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: String,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}
