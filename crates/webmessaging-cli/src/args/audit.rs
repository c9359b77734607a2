//! What can be typed after `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use webmessaging::journal::audit::Checkpoint;
use webmessaging::model::Timestamp;

use super::data::DataArgs;

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that the log is what was written, and name the first record that is not
    #[command(
        after_help = "Exit codes: 0 intact, 7 damaged, 3 there is no log, 1 it cannot be read, 2 wrong usage."
    )]
    Verify(AuditVerifyArgs),
    /// Copy records out of the log as they are, one JSON object a line
    Export(AuditExportArgs),
}

/// Which log.
#[derive(Debug, Args)]
pub(crate) struct AuditDirArgs {
    /// Folder of the log, in place of `audit` in the data directory
    #[arg(long, visible_alias = "audit-dir", value_name = "PATH", conflicts_with = "data_dir")]
    pub(crate) dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArgs {
    /// A checkpoint that an earlier check has printed; finds a log that was cut off or written anew as a whole
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) expect: Option<Checkpoint>,

    #[command(flatten)]
    pub(crate) place: AuditDirArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AuditExportArgs {
    /// Only records from this moment on, such as 2026-11-25T00:00:00Z
    #[arg(long, value_name = "TIMESTAMP")]
    pub(crate) since: Option<Timestamp>,

    /// Only records before this moment
    #[arg(long, value_name = "TIMESTAMP")]
    pub(crate) until: Option<Timestamp>,

    /// Only records about this, such as `file:file-1`
    #[arg(long, value_name = "KIND:ID", value_parser = subject)]
    pub(crate) subject: Option<(String, String)>,

    /// A new file for the copies, in place of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) place: AuditDirArgs,
}

/// Ids can have colons; kinds have none.
fn subject(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((kind, id)) if !kind.is_empty() && !id.is_empty() => Ok((kind.to_owned(), id.to_owned())),
        _ => Err("not a kind, a colon and an id, such as `file:file-1`"),
    }
}
