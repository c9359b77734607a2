//! What can be typed after `files`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use webmessaging::model::{ContentType, limits};

use super::ConnectionArgs;
use super::data::StoreArgs;
use crate::recording::AuditArgs;

#[derive(Debug, Args)]
pub(crate) struct FilesArgs {
    #[command(subcommand)]
    pub(crate) command: FilesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FilesCommand {
    /// Check files, upload them, and wait for the scanner's verdicts
    #[command(
        after_help = "Exit codes: 0 clean, 3 refused here, 4 blocked by the scan, 5 refused by the platform, \
                            6 network or platform trouble, 2 wrong usage, \
                            130 interrupted, 1 anything else. Of several files the first one of 130, 1, 6, 5, 3, 4 that occurs."
    )]
    Upload(Box<UploadArgs>),
    /// Ask what the scanner said of a file
    Status(Box<AttachmentArgs>),
    /// Get a URL to download a clean file from; whoever has it can use it until it ends
    Url(Box<UrlArgs>),
    /// Look after the files that the scan has blocked
    Quarantine(QuarantineArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// Files; folders, too, with all files in them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Channel of the conversation
    #[arg(long, value_name = "ID")]
    pub(crate) channel: String,

    /// Message that the files belong to
    #[arg(long, value_name = "ID")]
    pub(crate) message: String,

    /// Take the files in subfolders as well
    #[arg(long, short)]
    pub(crate) recursive: bool,

    /// How many files to upload at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,

    /// Keep in this file how far each file came, and go on from what it says: nothing is uploaded twice
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,

    /// Announce another name than the file's own; for a single file
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Announce another media type than the one the name tells; for a single file
    #[arg(long, value_name = "TYPE", value_parser = content_type)]
    pub(crate) content_type: Option<ContentType>,

    /// Largest file, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = limits::FILE_SIZE_BYTES_MAX.value)]
    pub(crate) max_file_size: u64,

    /// Leave every limit to the server
    #[arg(long)]
    pub(crate) unchecked: bool,

    /// Do not wait for the scanner's verdict
    #[arg(long)]
    pub(crate) no_wait: bool,

    /// How long to wait for the verdict, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) scan_timeout: u64,

    #[command(flatten)]
    pub(crate) audit: AuditArgs,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// A file on the platform.
#[derive(Debug, Args)]
pub(crate) struct AttachmentArgs {
    /// Id of the file, which its upload has told
    #[arg(value_name = "FILE_ID")]
    pub(crate) file: String,

    /// Message that the file belongs to
    #[arg(long, value_name = "ID")]
    pub(crate) message: String,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UrlArgs {
    #[command(flatten)]
    pub(crate) attachment: AttachmentArgs,

    /// How long the URL may be used, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub(crate) expires: u64,

    /// Leave the URL as the platform signed it, for a store that takes no further parameter
    #[arg(long)]
    pub(crate) as_signed: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    pub(crate) command: QuarantineCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List the files that are kept away, by their ids
    List(QuarantineListArgs),
    /// Let a file out: somebody has looked at it
    Release(QuarantineChangeArgs),
    /// Note that a file was deleted for good
    Delete(QuarantineChangeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineListArgs {
    /// Go on behind this file
    #[arg(long, value_name = "FILE_ID")]
    pub(crate) after: Option<String>,

    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineChangeArgs {
    /// Id of the file
    #[arg(value_name = "FILE_ID")]
    pub(crate) file: String,

    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: String,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that clap wants")]
pub(crate) fn content_type(text: &str) -> Result<ContentType, std::convert::Infallible> {
    Ok(ContentType::from(text))
}
