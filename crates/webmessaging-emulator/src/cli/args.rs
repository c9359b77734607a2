//! The arguments of the stand-alone emulator.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use secrecy::SecretString;

use crate::builder::EmulatorBuilder;
use crate::document::DocumentError;
use crate::emulator::Emulator;
use crate::fault::FaultScript;
use crate::oauth::EmulatedClient;
use crate::rate::RateLimit;
use crate::seed::StateSeed;
use crate::signature::SignatureFormat;

/// Arguments of the stand-alone emulator, to be flattened into a command.
///
/// # Examples
///
/// ```
/// use clap::Parser;
/// use webmessaging_emulator::cli::EmulatorArgs;
///
/// #[derive(Parser)]
/// struct Command {
///     #[command(flatten)]
///     emulator: EmulatorArgs,
/// }
///
/// let command = Command::try_parse_from(["emulate", "--listen", "127.0.0.1:0", "--token-lifetime", "300"])?;
/// let builder = command.emulator.builder();
/// # let _ = builder;
/// # Ok::<(), clap::Error>(())
/// ```
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
pub struct EmulatorArgs {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480", value_parser = address)]
    pub listen: SocketAddr,

    /// Id of the OAuth client that is known
    #[arg(long, value_name = "ID", env = "WEBMESSAGING_EMULATOR_CLIENT_ID", default_value = "demo-client")]
    pub client_id: String,

    /// Secret of the OAuth client
    #[arg(
        long,
        value_name = "SECRET",
        env = "WEBMESSAGING_EMULATOR_CLIENT_SECRET",
        hide_env_values = true,
        default_value = "demo-secret"
    )]
    pub client_secret: SecretString,

    /// Lifetime of bearer tokens, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = at_least_one())]
    pub token_lifetime: u32,

    /// Lifetime of upload URLs, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = at_least_one())]
    pub upload_url_lifetime: u32,

    /// Largest file that may be announced, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 10_485_760)]
    pub max_file_size: u64,

    /// Lifetime of the URLs of a file transfer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = at_least_one())]
    pub transfer_url_lifetime: u32,

    /// Largest file that may be transferred, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 52_428_800)]
    pub max_transfer_size: u64,

    /// Requests a minute that one access token, and one OAuth client, may send; 0 for any number
    #[arg(long, value_name = "REQUESTS", default_value_t = 300)]
    pub rate_limit: u32,

    /// Fault script to begin with: TOML, or JSON if the name ends in .json
    #[arg(long, value_name = "FILE", value_parser = faults_file)]
    pub faults: Option<FaultScript>,

    /// State to begin with: TOML, or JSON if the name ends in .json
    #[arg(long, value_name = "FILE", value_parser = state_file)]
    pub state: Option<StateSeed>,

    /// Let other machines use the control endpoints below /__emulator, and any name for this one
    #[arg(long)]
    pub remote_control: bool,

    /// Duration of a scan, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 500)]
    pub scan_duration: u32,

    /// Number of channels, as many as the sample has unless given
    #[arg(long, value_name = "NUMBER", value_parser = RangedU64ValueParser::<u32>::new().range(..=100_000))]
    pub channels: Option<u32>,

    /// Token that signs webhooks registered without a secret
    #[arg(
        long,
        value_name = "TOKEN",
        env = "WEBMESSAGING_EMULATOR_WEBHOOK_TOKEN",
        hide_env_values = true,
        default_value = "demo-webhook-token"
    )]
    pub webhook_token: SecretString,

    /// Spelling of webhook signatures
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub signature_format: SignatureFormat,
}

impl EmulatorArgs {
    /// A builder with these settings.
    pub fn builder(self) -> EmulatorBuilder {
        let rate_limit = match self.rate_limit {
            0 => RateLimit::off(),
            requests => RateLimit::default().per_token(requests).per_client(requests),
        };
        let builder = match self.channels {
            Some(count) => Emulator::builder().channels(usize::try_from(count).unwrap_or(usize::MAX)),
            None => Emulator::builder(),
        };
        builder
            .webhook_token(self.webhook_token)
            .signature_format(self.signature_format)
            .rate_limit(rate_limit)
            .listen(self.listen)
            .client(EmulatedClient::new(self.client_id, self.client_secret))
            .token_lifetime(Duration::from_secs(self.token_lifetime.into()))
            .upload_url_lifetime(Duration::from_secs(self.upload_url_lifetime.into()))
            .file_size_bytes_max(self.max_file_size)
            .transfer_url_lifetime(Duration::from_secs(self.transfer_url_lifetime.into()))
            .transfer_size_bytes_max(self.max_transfer_size)
            .scan_duration(Duration::from_millis(self.scan_duration.into()))
            .faults(self.faults.unwrap_or_default())
            .seed(self.state.unwrap_or_default())
            .remote_control(self.remote_control)
    }
}

/// `localhost:8480` is an address too.
fn address(text: &str) -> Result<SocketAddr, String> {
    let unknown = || "not an address and port, such as 127.0.0.1:8480".to_owned();
    text.to_socket_addrs().map_err(|_| unknown())?.next().ok_or_else(unknown)
}

fn faults_file(path: &str) -> Result<FaultScript, DocumentError> {
    FaultScript::from_file(path)
}

fn state_file(path: &str) -> Result<StateSeed, DocumentError> {
    StateSeed::from_file(path)
}

/// A lifetime of zero would make every token and URL expired from the start.
fn at_least_one() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        emulator: EmulatorArgs,
    }

    #[test]
    fn the_arguments_are_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn debug_hides_the_secret() {
        let secrets = ["emulate", "--client-secret", "swordfish", "--webhook-token", "swordfish"];
        let command = Command::try_parse_from(secrets).unwrap();
        assert!(!format!("{command:?}").contains("swordfish"));
    }

    #[test]
    fn addresses_can_have_names() {
        let listen = |address: &str| {
            let command = Command::try_parse_from(["emulate", "--listen", address]);
            command.map(|command| command.emulator.listen)
        };
        assert!(listen("localhost:8480").unwrap().ip().is_loopback());
        assert_eq!(listen("[::1]:80").unwrap().to_string(), "[::1]:80");
        for text in ["", "8480", "127.0.0.1", "127.0.0.1:http"] {
            assert!(listen(text).unwrap_err().to_string().contains("not an address and port"), "{text}");
        }
    }

    #[tokio::test]
    async fn the_organization_and_its_signatures_can_be_set() {
        let settings =
            ["emulate", "--listen", "127.0.0.1:0", "--channels", "101", "--signature-format", "hex"];
        let command = Command::try_parse_from(settings).unwrap();
        assert_eq!(command.emulator.signature_format, SignatureFormat::Hex);
        let emulator = command.emulator.builder().start().await.unwrap();
        assert_eq!(emulator.organization().channels().len(), 101);
        let error = Command::try_parse_from(["emulate", "--channels", "100001"]).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation);
    }

    #[test]
    fn lifetimes_of_zero_are_refused() {
        for option in ["--token-lifetime", "--upload-url-lifetime", "--transfer-url-lifetime"] {
            let error = Command::try_parse_from(["emulate", option, "0"]).unwrap_err();
            assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation);
        }
    }
}
