//! Where the durable things are: the data directory, or a database.

use std::path::PathBuf;

use clap::Args;
use webmessaging::SecretString;

/// The data directory.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArgs {
    /// Folder of the store and the audit log, in place of `WEBMESSAGING_DATA_DIR` and the usual one
    /// (`$XDG_DATA_HOME/webmessaging`, or ~/.local/share/webmessaging)
    #[arg(long, value_name = "PATH")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// The store, in the data directory or elsewhere.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// URL of the PostgreSQL database that is the store, in place of `WEBMESSAGING_STORE_URL` and the file in the data
    /// directory; other users of the machine can see arguments, a variable they cannot
    #[arg(long, value_name = "URL")]
    pub(crate) store_url: Option<SecretString>,
}
