//! Which file says what is delivered where.

use std::path::PathBuf;

use clap::Args;

/// The targets of deliveries.
#[derive(Debug, Args)]
#[command(next_help_heading = "Targets")]
pub(crate) struct TargetsArgs {
    /// File with the targets of deliveries, in place of `WEBMESSAGING_TARGETS` and of `targets.toml` in the data
    /// directory, if that is there
    #[arg(long, value_name = "FILE")]
    pub(crate) targets: Option<PathBuf>,
}
