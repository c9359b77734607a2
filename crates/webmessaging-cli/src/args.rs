//! What can be typed.

pub(crate) mod audit;
pub(crate) mod bots;
pub(crate) mod channels;
pub(crate) mod data;
pub(crate) mod files;
pub(crate) mod guests;
pub(crate) mod outbox;
pub(crate) mod secrets;
pub(crate) mod targets;
pub(crate) mod transfers;
pub(crate) mod webhooks;
pub(crate) mod widget;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use webmessaging::model::Domain;
use webmessaging::{Client, Error, SecretString, Settings, reference};
use webmessaging_emulator::cli::EmulatorArgs;

use self::audit::AuditArgs;
use self::bots::BotsArgs;
use self::channels::ChannelsArgs;
use self::files::FilesArgs;
use self::guests::GuestsArgs;
use self::outbox::{DeadLettersArgs, OutboxArgs};
use self::transfers::TransfersArgs;
use self::webhooks::WebhooksArgs;
use self::widget::WidgetArgs;

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
    /// Upload files, ask what became of them, look after those that are kept away
    Files(FilesArgs),
    /// Transfer files to a bucket of the organisation, and see what became of them
    Transfers(TransfersArgs),
    /// See which channels there are, how they are set up, and change them to what a manifest says
    Channels(ChannelsArgs),
    /// Create guests, see and change them, and hash who they are
    Guests(GuestsArgs),
    /// Send messages of bots, check them, see which were read
    Bots(BotsArgs),
    /// Take webhooks, check and explain recorded ones, send samples
    Webhooks(WebhooksArgs),
    /// Let browsers upload files without credentials
    Widget(WidgetArgs),
    /// Look at what waits for its delivery to other systems
    Outbox(OutboxArgs),
    /// Look at what was given up, mend it, try it again or drop it
    DeadLetters(DeadLettersArgs),
    /// Check the log of what happened, or copy records out of it
    Audit(AuditArgs),
    /// Run the offline platform until it is interrupted
    Emulator(Box<EmulatorArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// A file of yours to upload along with the demo's own
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
}

/// Who logs in, and where. What is not given here comes from the settings file and the environment.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Settings file, in place of `WEBMESSAGING_CONFIG` and the usual one (~/.config/webmessaging/config.toml)
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,

    /// Profile in the settings file, in place of `WEBMESSAGING_PROFILE` and `default`
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Id of the OAuth client, in place of `GENESYS_CLIENT_ID`
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Secret of the OAuth client, in place of `GENESYS_CLIENT_SECRET`; other users of the machine can see arguments, a
    /// variable they cannot
    #[arg(long, value_name = "SECRET")]
    client_secret: Option<SecretString>,

    /// Region or domain of the organisation, for example `eu-west-1` or `mypurecloud.ie`, in place of
    /// `GENESYS_ENVIRONMENT`
    #[arg(long, value_name = "REGION")]
    environment: Option<Domain>,

    /// URL of the API, in place of `GENESYS_BASE_PATH` and the environment's; for example that of an emulator
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// URL of the login server, in place of `GENESYS_LOGIN_URL` and the one that belongs to the API
    #[arg(long, value_name = "URL")]
    login_url: Option<String>,
}

/// The flags that set a key of the settings.
const FLAGS: &[(&str, &str)] = &[
    ("client_id", "--client-id"),
    ("client_secret", "--client-secret"),
    ("environment", "--environment"),
    ("base_url", "--base-url"),
    ("login_url", "--login-url"),
];

impl ConnectionArgs {
    /// The client these arguments describe.
    pub(crate) fn client(self) -> Result<Client, Error> {
        self.settings()?.builder()?.build().map(Client::new)
    }

    /// The client these arguments describe, and the organisation that the settings name.
    pub(crate) fn client_and_organization(self) -> Result<(Client, Option<String>), Error> {
        let settings = self.settings()?;
        let organization = settings.organization_id().map(str::to_owned);
        Ok((settings.builder()?.build().map(Client::new)?, organization))
    }

    fn settings(self) -> Result<Settings, Error> {
        let mut loader = Settings::loader().operations(reference::operations());
        for (key, flag) in FLAGS {
            loader = loader.flag(key, flag);
        }
        if let Some(path) = self.config {
            loader = loader.file(path);
        }
        if let Some(profile) = self.profile {
            loader = loader.profile(profile);
        }
        let given = [
            ("client_id", self.client_id.map(SecretString::from)),
            ("client_secret", self.client_secret),
            ("environment", self.environment.map(|domain| SecretString::from(domain.as_str()))),
            ("base_url", self.base_url.map(SecretString::from)),
            ("login_url", self.login_url.map(SecretString::from)),
        ];
        for (key, value) in given {
            if let Some(value) = value {
                loader = loader.set(key, value);
            }
        }
        loader.load()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use webmessaging::http::settings::Key;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_and_their_variables_are_documented() {
        const PAGE: &str = include_str!("../../../docs/reference/configuration.md");
        let command = Cli::command();
        let upload =
            command.find_subcommand("files").and_then(|files| files.find_subcommand("upload")).unwrap();
        for (key, flag) in FLAGS {
            let argument = upload.get_arguments().find(|a| a.get_long() == flag.strip_prefix("--")).unwrap();
            let help =
                format!("{}{}", argument.get_help().unwrap(), argument.get_long_help().unwrap_or_default());
            let key = Key::of(key).unwrap();
            assert!(help.contains(key.variables[0]), "{flag}: {help}");
            assert!(PAGE.contains(&format!("`{flag}`")), "{flag}");
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        let line =
            "webmessaging files upload a.pdf --channel c --message m --client-id i --client-secret swordfish";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        assert!(!format!("{cli:?}").contains("swordfish"));
    }
}
