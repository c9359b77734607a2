//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use webmessaging::model::{ContentType, Domain, limits};
use webmessaging::{Client, Credentials, Error, SecretString, http};
use webmessaging_emulator::cli::EmulatorArgs;

/// Genesys Cloud web messaging from the command line
#[derive(Debug, Parser)]
#[command(name = "webmessaging", version, propagate_version = true)]
pub(crate) struct Cli {
    /// What to print: a table for people, or JSON for programs
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    pub(crate) output: Format,

    /// Log to standard error: -v retries, -vv each request, -vvv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch everything work, without a Genesys organisation
    Demo(DemoArgs),
    /// Upload files
    Files(FilesArgs),
    /// Run the offline platform until it is interrupted
    Emulator(Box<EmulatorArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// A file of yours to upload along with the demo's own
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct FilesArgs {
    #[command(subcommand)]
    pub(crate) command: FilesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FilesCommand {
    /// Check a file, upload it, and wait for the scanner's verdict
    #[command(
        after_help = "Exit codes: 0 clean, 3 refused here, 4 blocked by the scan, 5 refused by the platform, \
                            6 network or platform trouble, 2 wrong usage, \
                            130 interrupted, 1 anything else."
    )]
    Upload(Box<UploadArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// The file
    pub(crate) path: PathBuf,

    /// Channel of the conversation
    #[arg(long, value_name = "ID")]
    pub(crate) channel: String,

    /// Message that the file belongs to
    #[arg(long, value_name = "ID")]
    pub(crate) message: String,

    /// Announce another name than the file's own
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Announce another media type than the one the name tells
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
    pub(crate) connection: ConnectionArgs,
}

/// Who logs in, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Id of the OAuth client
    #[arg(long, value_name = "ID", env = "GENESYS_CLIENT_ID")]
    client_id: String,

    /// Secret of the OAuth client; other users of the machine can see arguments, the variable they cannot
    #[arg(long, value_name = "SECRET", env = "GENESYS_CLIENT_SECRET", hide_env_values = true)]
    client_secret: SecretString,

    /// Region or domain of the organisation, for example `eu-west-1` or `mypurecloud.ie`
    #[arg(long, value_name = "REGION", env = "GENESYS_ENVIRONMENT", default_value_t)]
    environment: Domain,

    /// URL of the API, in place of the environment's; for example that of an emulator
    #[arg(long, value_name = "URL", env = "GENESYS_BASE_PATH")]
    base_url: Option<String>,

    /// URL of the login server, in place of the one that belongs to the API
    #[arg(long, value_name = "URL", env = "GENESYS_LOGIN_URL")]
    login_url: Option<String>,
}

impl ConnectionArgs {
    /// The client these arguments describe.
    pub(crate) fn client(self) -> Result<Client, Error> {
        let credentials = Credentials::new(self.client_id, self.client_secret);
        let mut builder = http::Client::builder(credentials).domain(self.environment);
        // A variable that is set to nothing is one that somebody switched off.
        let given = |url: &String| !url.is_empty();
        if let Some(url) = self.base_url.filter(given) {
            builder = builder.base_url(url);
        }
        if let Some(url) = self.login_url.filter(given) {
            builder = builder.login_url(url);
        }
        builder.build().map(Client::new)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that clap wants")]
fn content_type(text: &str) -> Result<ContentType, std::convert::Infallible> {
    Ok(ContentType::from(text))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn debug_hides_the_secret() {
        let line =
            "webmessaging files upload a.pdf --channel c --message m --client-id i --client-secret swordfish";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        assert!(!format!("{cli:?}").contains("swordfish"));
    }
}
