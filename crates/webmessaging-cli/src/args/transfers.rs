//! What can be typed after `transfers`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use webmessaging::model::{ContentType, EncryptionStandard};

use super::ConnectionArgs;
use super::data::DataArgs;
use super::files::content_type;
use crate::recording::AuditArgs;

#[derive(Debug, Args)]
pub(crate) struct TransfersArgs {
    #[command(subcommand)]
    pub(crate) command: TransfersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TransfersCommand {
    /// Announce the transfer of a file, and note its id
    Create(Box<FileArgs>),
    /// Transfer a file: announce it, or go on where it was left, send it, and wait for the verdict
    #[command(
        after_help = "One process at a time has a ledger: for several uploads at once, give each one of its own with \
                            --ledger.\n\n\
                            Exit codes: 0 clean, 3 refused here, 4 blocked, 5 refused by the platform, \
                            6 network or platform trouble, 2 wrong usage, 130 interrupted, 1 anything else."
    )]
    Upload(Box<UploadArgs>),
    /// Get fresh URLs for a transfer that waits for its bytes; whoever has them can use them until they end
    Renew(Box<TransferArgs>),
    /// Wait for the verdict on a transfer
    Wait(Box<WaitArgs>),
    /// List the transfers that were begun here
    List(ListArgs),
}

impl TransfersCommand {
    /// Whose transfers they are; nobody is asked for those that are only listed.
    pub(crate) fn owner(&self) -> Option<&OwnerArgs> {
        match self {
            Self::Create(args) => Some(&args.owner),
            Self::Upload(args) => Some(&args.file.owner),
            Self::Renew(args) => Some(&args.owner),
            Self::Wait(args) => Some(&args.transfer.owner),
            Self::List(_) => None,
        }
    }
}

/// Whose transfers, and where they are noted.
#[derive(Debug, Args)]
pub(crate) struct OwnerArgs {
    /// Id of the organisation, in place of `GENESYS_ORGANIZATION_ID`
    #[arg(long, value_name = "ID", help_heading = "Connection")]
    pub(crate) organization: Option<String>,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    /// Keep in this file how far each transfer came, in place of `transfers.jsonl` in the data directory
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub(crate) ledger: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// A file, and what may be done with it.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The file
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,

    /// Bucket that the file is stored in, a UUID
    #[arg(long, value_name = "UUID")]
    pub(crate) bucket: String,

    /// How many days the file is kept
    #[arg(long, value_name = "DAYS")]
    pub(crate) retention_days: u32,

    /// How the file is encrypted where it is stored: AES-256 or RSA-2048
    #[arg(long, value_name = "STANDARD", default_value = "AES-256", value_parser = encryption_standard)]
    pub(crate) encryption: EncryptionStandard,

    /// The file cannot be downloaded
    #[arg(long)]
    pub(crate) no_download: bool,

    /// Announce another name than the file's own
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Announce another media type than the one the name tells
    #[arg(long, value_name = "TYPE", value_parser = content_type)]
    pub(crate) content_type: Option<ContentType>,

    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,

    #[command(flatten)]
    pub(crate) owner: OwnerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Go on with this transfer, when the ledger does not know of one
    #[arg(long, value_name = "ID")]
    pub(crate) transfer: Option<String>,

    /// How long to wait for the verdict, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// Id of the transfer
    #[arg(value_name = "TRANSFER_ID")]
    pub(crate) transfer: String,

    #[command(flatten)]
    pub(crate) owner: OwnerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,

    /// How long to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that clap wants")]
fn encryption_standard(text: &str) -> Result<EncryptionStandard, std::convert::Infallible> {
    Ok(EncryptionStandard::from(text))
}
