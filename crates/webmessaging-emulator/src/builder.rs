//! How an emulator is set up and started.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::clock::EmulatorClock;
use crate::document::DocumentError;
use crate::emulator::Emulator;
use crate::fault::{FaultScript, Faults};
use crate::files::Files;
use crate::oauth::Authority;
use crate::organization::{LiveOrganization, Organization};
use crate::rate::{RateLimit, Rates};
use crate::record::Journal;
use crate::routes::all_scopes;
use crate::schema::Schemas;
use crate::seed::{SeedError, StateSeed, prepare};
use crate::sender::Sender;
use crate::sign::Signer;
use crate::signature::SignatureFormat;
use crate::snapshot::Snapshots;
use crate::state::{Settings, Shared, Start};
use crate::subscription::Subscriptions;

/// The client that exists unless others are named.
const DEFAULT_CLIENT: (&str, &str) = ("demo-client", "demo-secret");

/// Signs webhooks unless another token is set.
const DEFAULT_WEBHOOK_TOKEN: &str = "demo-webhook-token";

/// Default lifetime of a bearer token: one day.
const TOKEN_LIFETIME: Duration = Duration::from_secs(86_400);

/// Default lifetime of an upload URL: five minutes.
const UPLOAD_URL_LIFETIME: Duration = Duration::from_secs(300);

/// Default limit of a file: 10 MiB.
const FILE_SIZE_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// Default duration of a scan.
const SCAN_DURATION: Duration = Duration::from_millis(500);

/// An OAuth client that the emulator knows.
///
/// # Examples
///
/// ```
/// use webmessaging_emulator::EmulatedClient;
///
/// let reader = EmulatedClient::new("reader", "reader-secret").scopes(["conversations:read"]);
/// # let _ = reader;
/// ```
#[derive(Clone, Debug)]
pub struct EmulatedClient {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
    pub(crate) scopes: BTreeSet<String>,
}

impl EmulatedClient {
    /// A client with every scope that some emulated endpoint asks for.
    pub fn new(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self { id: id.into(), secret: secret.into(), scopes: all_scopes().map(str::to_owned).collect() }
    }

    /// Gives the client these scopes instead of all.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }
}

/// Sets up an [`Emulator`]; every setting has a default.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use webmessaging_emulator::{EmulatedClient, Emulator};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::builder()
///     .client(EmulatedClient::new("widget", "widget-secret"))
///     .token_lifetime(Duration::from_secs(300))
///     .file_size_bytes_max(1024)
///     .start()
///     .await?;
/// assert!(emulator.base_url().starts_with("http://127.0.0.1:"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an emulator runs only once it is started"]
pub struct EmulatorBuilder {
    listen: SocketAddr,
    clients: Vec<EmulatedClient>,
    organization: Organization,
    channels: Option<usize>,
    webhook_token: SecretString,
    signature_format: SignatureFormat,
    settings: Settings,
    faults: FaultScript,
    seed: StateSeed,
}

impl EmulatorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            listen: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            clients: Vec::new(),
            organization: Organization::sample(),
            channels: None,
            webhook_token: DEFAULT_WEBHOOK_TOKEN.into(),
            signature_format: SignatureFormat::default(),
            settings: Settings {
                token_lifetime: TOKEN_LIFETIME,
                upload_url_lifetime: UPLOAD_URL_LIFETIME,
                file_size_bytes_max: FILE_SIZE_BYTES_MAX,
                scan_duration: SCAN_DURATION,
                rate_limit: RateLimit::default(),
                allows_remote_control: false,
            },
            faults: FaultScript::default(),
            seed: StateSeed::new(),
        }
    }

    /// Where to listen. Default `127.0.0.1:0`: loopback, any free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Adds a client. The first one replaces the default client `demo-client` with the secret `demo-secret`; of
    /// two with the same id, the later counts.
    pub fn client(mut self, client: EmulatedClient) -> Self {
        self.clients.push(client);
        self
    }

    /// How long bearer tokens live. Default 86 400 s; answered in whole seconds, rounded down.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.token_lifetime = lifetime;
        self
    }

    /// How long upload URLs live, in whole seconds, rounded down. Default 300 s.
    pub fn upload_url_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.upload_url_lifetime = lifetime;
        self
    }

    /// The largest file that may be announced, in bytes. Default 10 MiB.
    pub fn file_size_bytes_max(mut self, bytes: u64) -> Self {
        self.settings.file_size_bytes_max = bytes;
        self
    }

    /// How long a scan takes on the emulator's clock, from the last byte to the verdict. Default 500 ms.
    pub fn scan_duration(mut self, duration: Duration) -> Self {
        self.settings.scan_duration = duration;
        self
    }

    /// How many requests are let in. By default as many as the platform lets in: 300 a minute for each access token and
    /// each OAuth client.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.settings.rate_limit = limit;
        self
    }

    /// The faults to begin with, and to come back to by a reset. Default: none.
    pub fn faults(mut self, script: FaultScript) -> Self {
        self.faults = script;
        self
    }

    /// The state to begin with, and to come back to by a reset. Default: none.
    pub fn seed(mut self, seed: StateSeed) -> Self {
        self.seed = seed;
        self
    }

    /// Whether other machines may use the control endpoints. Default `false`: they answer programs of this machine only,
    /// and web pages never.
    pub fn remote_control(mut self, is_allowed: bool) -> Self {
        self.settings.allows_remote_control = is_allowed;
        self
    }

    /// What the organisation holds. Default [`Organization::sample`].
    pub fn organization(mut self, organization: Organization) -> Self {
        self.organization = organization;
        self
    }

    /// How many channels the organisation has: surplus ones are left out, and missing ones are web messaging channels
    /// named after their position, such as `channel-101`. By default there are those of the
    /// [organisation](Self::organization).
    pub fn channels(mut self, count: usize) -> Self {
        self.channels = Some(count);
        self
    }

    /// The organisation's webhook token: it takes the place of `{{platform:webhook:token}}` in the headers of a webhook,
    /// and signs the deliveries to webhooks that were registered without a secret. Default `demo-webhook-token`.
    pub fn webhook_token(mut self, token: impl Into<SecretString>) -> Self {
        self.webhook_token = token.into();
        self
    }

    /// How webhook signatures are spelled. Default [`SignatureFormat::PrefixedBase64`].
    pub fn signature_format(mut self, format: SignatureFormat) -> Self {
        self.signature_format = format;
        self
    }

    /// Starts listening; must be called within a tokio runtime, on which the emulator then runs.
    ///
    /// # Errors
    ///
    /// [`StartError::Listen`] when the address cannot be had, [`StartError::Storage`] when there is no place for
    /// temporary files, [`StartError::Faults`] and [`StartError::Seed`] when the script or the seed breaks a rule,
    /// [`StartError::Internal`] when the system has no randomness.
    pub async fn start(self) -> Result<Emulator, StartError> {
        self.faults.check().map_err(StartError::Faults)?;
        let signer = || Signer::random().map_err(|error| StartError::Internal(error.to_string()));
        let clients = if self.clients.is_empty() {
            let (id, secret) = DEFAULT_CLIENT;
            vec![EmulatedClient::new(id, secret)]
        } else {
            self.clients
        };
        let oauth = Authority::new(signer()?, &clients);
        let schemas = Schemas::compile(self.settings.file_size_bytes_max).map_err(StartError::Internal)?;
        let directory = tempfile::Builder::new()
            .prefix("webmessaging-emulator-")
            .tempdir()
            .map_err(StartError::Storage)?;
        let seed =
            prepare(self.seed, &schemas, directory.path().to_owned()).await.map_err(|error| match error {
                SeedError::Invalid(error) => StartError::Seed(error),
                SeedError::Storage(error) => StartError::Storage(error),
            })?;
        let not_listening = |source| StartError::Listen { address: self.listen, source };
        let listener = TcpListener::bind(self.listen).await.map_err(not_listening)?;
        let address = listener.local_addr().map_err(not_listening)?;

        let mut organization = self.organization;
        if let Some(count) = self.channels {
            organization.resize_channels(count);
        }
        let clock = EmulatorClock::default();

        let shared = Shared {
            id: Uuid::new_v4(),
            settings: self.settings,
            base_url: format!("http://{}", reachable(address)),
            sender: Arc::new(Sender::new(clock.clone(), self.signature_format)),
            clock,
            signer: signer()?,
            schemas,
            oauth,
            files: Files::new(self.settings.scan_duration),
            organization: LiveOrganization::new(organization),
            subscriptions: Subscriptions::default(),
            webhook_token: self.webhook_token,
            rates: Rates::new(self.settings.rate_limit),
            faults: Faults::new(self.faults.clone()),
            snapshots: Snapshots::default(),
            start: Start { seed, script: self.faults },
            journal: Journal::default(),
            directory,
        };
        shared.apply(&shared.start.seed);
        Ok(Emulator::run(Arc::new(shared), listener, address))
    }
}

/// Why an emulator did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, not local, or not allowed.
    #[non_exhaustive]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The directory for uploaded bytes could not be made, or the content of a seeded file not be stored.
    Storage(io::Error),
    /// The fault script breaks a rule.
    Faults(DocumentError),
    /// The seed breaks a rule.
    Seed(DocumentError),
    /// Something that does not depend on the settings; a bug, or a system without randomness.
    Internal(String),
}

impl Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, .. } => write!(formatter, "cannot listen on {address}"),
            Self::Storage(_) => formatter.write_str("cannot store files in a temporary directory"),
            Self::Faults(_) => formatter.write_str("invalid fault script"),
            Self::Seed(_) => formatter.write_str("invalid seed"),
            Self::Internal(cause) => write!(formatter, "cannot start the emulator: {cause}"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::Storage(source) => Some(source),
            Self::Faults(error) | Self::Seed(error) => Some(error),
            Self::Internal(_) => None,
        }
    }
}

/// An address that a client on this machine can connect to: "any address" is no destination.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_never_name_the_unspecified_address() {
        for (listening, expected) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(listening.parse().unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn debug_hides_client_secrets() {
        let client = EmulatedClient::new("widget", "swordfish");
        let builder = EmulatorBuilder::new().client(client).webhook_token("swordfish");
        let printed = format!("{builder:?}");
        assert!(printed.contains("widget"));
        assert!(!printed.contains("swordfish"));
    }
}
