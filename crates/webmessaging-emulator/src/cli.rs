//! The stand-alone emulator: its command line arguments and its run loop, for this crate's binary and for others.

use std::error::Error;
use std::fmt;
use std::fmt::Display;
use std::io;
use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use secrecy::SecretString;

use crate::builder::{EmulatedClient, EmulatorBuilder, StartError};
use crate::document::DocumentError;
use crate::emulator::Emulator;
use crate::fault::FaultScript;
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
            .scan_duration(Duration::from_millis(self.scan_duration.into()))
            .faults(self.faults.unwrap_or_default())
            .seed(self.state.unwrap_or_default())
            .remote_control(self.remote_control)
    }
}

/// Runs an emulator until `shutdown` resolves.
///
/// Writes `listening on http://ADDR` as the first line of `out`, and flushes it, so that a script can wait for it. A
/// second line warns when the address can be reached from other machines.
///
/// # Errors
///
/// [`RunError::Start`] when the emulator does not start, [`RunError::Output`] when `out` cannot be written.
///
/// # Examples
///
/// ```
/// use clap::Parser;
/// use webmessaging_emulator::cli::{EmulatorArgs, run};
///
/// #[derive(Parser)]
/// struct Command {
///     #[command(flatten)]
///     emulator: EmulatorArgs,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let command = Command::try_parse_from(["emulate", "--listen", "127.0.0.1:0"])?;
/// let mut out = Vec::new();
/// run(command.emulator, &mut out, std::future::ready(())).await?;
/// assert!(out.starts_with(b"listening on http://127.0.0.1:"));
/// # Ok(())
/// # }
/// ```
pub async fn run(args: EmulatorArgs, out: &mut impl Write, shutdown: impl Future) -> Result<(), RunError> {
    let emulator = args.builder().start().await.map_err(RunError::Start)?;
    announce(emulator.address(), out).map_err(RunError::Output)?;
    shutdown.await;
    emulator.shutdown().await;
    Ok(())
}

/// Listens for ctrl-c and SIGTERM from the moment of the call; resolves with the first of them.
///
/// # Errors
///
/// When the system refuses the signal handlers.
#[cfg(unix)]
pub fn interrupted() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens for ctrl-c from the moment of the call.
///
/// # Errors
///
/// None on this system.
#[cfg(not(unix))]
pub fn interrupted() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a signal handler the system ends the process in its own way.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Why the stand-alone emulator ended early.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The emulator did not start.
    Start(StartError),
    /// The address could not be printed.
    Output(io::Error),
}

impl Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => error.fmt(formatter),
            Self::Output(_) => formatter.write_str("cannot write to the output"),
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its message is this one's message already.
            Self::Start(error) => error.source(),
            Self::Output(error) => Some(error),
        }
    }
}

fn announce(address: SocketAddr, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "listening on http://{address}")?;
    if !address.ip().is_loopback() {
        writeln!(out, "warning: other machines can reach {address}, without encryption")?;
    }
    out.flush()
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
        for option in ["--token-lifetime", "--upload-url-lifetime"] {
            let error = Command::try_parse_from(["emulate", option, "0"]).unwrap_err();
            assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation);
        }
    }

    #[test]
    fn only_an_address_that_others_can_reach_is_warned_about() {
        let announced = |address: &str| {
            let mut out = Vec::new();
            announce(address.parse().unwrap(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(announced("127.0.0.1:80"), "listening on http://127.0.0.1:80\n");
        assert_eq!(announced("[::1]:80"), "listening on http://[::1]:80\n");
        assert_eq!(
            announced("0.0.0.0:80"),
            "listening on http://0.0.0.0:80\n\
             warning: other machines can reach 0.0.0.0:80, without encryption\n"
        );
    }

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let emulator = Emulator::builder().start().await.unwrap();
        let address = emulator.address().to_string();
        let command = Command::try_parse_from(["emulate", "--listen", &address]).unwrap();
        let error = run(command.emulator, &mut Vec::new(), std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
        assert!(error.source().is_some());
    }
}
