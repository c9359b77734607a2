//! What can be typed after `guests`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use webmessaging::model::Timestamp;

use super::ConnectionArgs;
use crate::recording::AuditArgs;

#[derive(Debug, Args)]
pub(crate) struct GuestsArgs {
    #[command(subcommand)]
    pub(crate) command: GuestsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GuestsCommand {
    /// Check the payload of a guest, and create it
    Create(Box<CreateArgs>),
    /// Show a guest with its version
    Get(Box<GetArgs>),
    /// Change a guest; changes of others are kept
    Update(Box<UpdateArgs>),
    /// Create the guests of a list, and say what is wrong with the others
    #[command(
        after_help = "CSV has a header: email, phone, region, marketing, dataProcessing, deviceFingerprint, originPage, campaignId, and \
                            attributes.NAME. JSON Lines have objects with the same keys. E-mail addresses and phone numbers are hashed before \
                            anything is sent. Exit codes: 0 all created, 3 some are wrong, 5 refused by the platform, 6 network or platform \
                            trouble, 130 interrupted."
    )]
    Import(Box<ImportArgs>),
    /// Calculate how engaged a guest was
    Engagement(Box<EngagementArgs>),
    /// List what the platform has recorded of a guest, the newest first
    Audit(Box<AuditsArgs>),
    /// Hash e-mail addresses or phone numbers, a line each
    Hash(HashArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Payload in JSON, or `-` for standard input: `channel`, `consent`, and whatever else its schema allows
    #[arg(value_name = "PAYLOAD")]
    pub(crate) payload: PathBuf,

    /// Create the guest though it has not agreed to the processing of data
    #[arg(long)]
    pub(crate) without_consent: bool,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Id of the guest
    #[arg(value_name = "GUEST_ID")]
    pub(crate) guest: String,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// Id of the guest
    #[arg(value_name = "GUEST_ID")]
    pub(crate) guest: String,

    /// Set an attribute
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    pub(crate) set: Vec<(String, String)>,

    /// Remove an attribute
    #[arg(long, value_name = "NAME")]
    pub(crate) remove: Vec<String>,

    /// Set whether the guest has agreed to marketing
    #[arg(long, value_name = "YES_OR_NO")]
    pub(crate) marketing: Option<YesOrNo>,

    /// Set whether the guest has agreed to the processing of data
    #[arg(long, value_name = "YES_OR_NO")]
    pub(crate) data_processing: Option<YesOrNo>,

    /// Change the guest though it has not agreed to the processing of data
    #[arg(long)]
    pub(crate) without_consent: bool,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EngagementArgs {
    /// Id of the guest
    #[arg(value_name = "GUEST_ID")]
    pub(crate) guest: String,

    /// Write the figures into the guest's attributes
    #[arg(long)]
    pub(crate) push: bool,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AuditsArgs {
    /// Id of the guest
    #[arg(value_name = "GUEST_ID")]
    pub(crate) guest: String,

    /// Leave out what happened before this moment, such as 2026-11-25T08:30:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,

    /// Leave out what happened at this moment and later
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,

    /// List so many entries at most
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) limit: usize,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HashArgs {
    /// File with one identity on each line, or `-` for standard input; an argument would be seen by other users of the machine
    #[arg(value_name = "FILE")]
    pub(crate) identities: PathBuf,

    /// What the lines are
    #[arg(long, value_enum, default_value_t = IdentityKind::Email)]
    pub(crate) kind: IdentityKind,

    /// Country of phone numbers that do not say theirs, such as `DE`
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    #[command(flatten)]
    pub(crate) salt: SaltArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// List of guests in CSV or JSON Lines, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) guests: PathBuf,

    /// What the list is; told by the name otherwise: CSV for `.csv`, and JSON Lines for everything else
    #[arg(long, value_enum)]
    pub(crate) format: Option<ImportFormat>,

    /// Write which lines were wrong, and why, into this new file: a JSON object on each line, with nothing of the guest in it
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,

    /// Leave out the lines before this one
    #[arg(long, value_name = "LINE", default_value_t = 1)]
    pub(crate) from_line: u64,

    /// Leave out all lines but these
    #[arg(long, value_name = "LINE,...", value_delimiter = ',')]
    pub(crate) only_lines: Vec<u64>,

    /// How many guests to create at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,

    /// Create guests as well that have not agreed to the processing of data
    #[arg(long)]
    pub(crate) without_consent: bool,

    #[command(flatten)]
    pub(crate) salt: SaltArgs,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// What identities are hashed with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Hash")]
pub(crate) struct SaltArgs {
    /// SHA-256 with the salt behind the identity, as the design document has it, in place of HMAC-SHA-256
    #[arg(long)]
    pub(crate) salted: bool,

    /// File with the salt, in place of `WEBMESSAGING_IDENTITY_SALT`; one newline at the end does not count
    #[arg(long, value_name = "PATH")]
    pub(crate) salt_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    Csv,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IdentityKind {
    Email,
    Phone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesOrNo {
    Yes,
    No,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
