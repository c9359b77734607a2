//! How an emulator is set up.

mod start;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;

use crate::fault::FaultScript;
use crate::oauth::EmulatedClient;
use crate::organization::Organization;
use crate::rate::RateLimit;
use crate::seed::StateSeed;
use crate::signature::SignatureFormat;
use crate::state::Settings;

pub use self::start::StartError;

/// Signs webhooks unless another token is set.
const DEFAULT_WEBHOOK_TOKEN: &str = "demo-webhook-token";

/// Default lifetime of a bearer token: one day.
const TOKEN_LIFETIME: Duration = Duration::from_secs(86_400);

/// Default lifetime of an upload URL: five minutes.
const UPLOAD_URL_LIFETIME: Duration = Duration::from_secs(300);

/// Default limit of a file: 10 MiB.
const FILE_SIZE_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// Default lifetime of the URLs of a transfer: one day.
const TRANSFER_URL_LIFETIME: Duration = Duration::from_secs(86_400);

/// Default limit of a transfer: 50 MiB.
const TRANSFER_SIZE_BYTES_MAX: u64 = 50 * 1024 * 1024;

/// Default duration of a scan.
const SCAN_DURATION: Duration = Duration::from_millis(500);

/// Sets up an [`Emulator`](crate::Emulator); every setting has a default.
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
                transfer_url_lifetime: TRANSFER_URL_LIFETIME,
                transfer_size_bytes_max: TRANSFER_SIZE_BYTES_MAX,
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

    /// How long the URLs of a transfer live, in whole seconds, rounded down. Default 86 400 s.
    pub fn transfer_url_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.transfer_url_lifetime = lifetime;
        self
    }

    /// The largest file that may be transferred, in bytes. Default 50 MiB.
    pub fn transfer_size_bytes_max(mut self, bytes: u64) -> Self {
        self.settings.transfer_size_bytes_max = bytes;
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

    /// What the organisation holds, unless the [seed](Self::seed) mentions it. Default [`Organization::sample`].
    pub fn organization(mut self, organization: Organization) -> Self {
        self.organization = organization;
        self
    }

    /// How many channels the organisation has: surplus ones are left out, and missing ones are web messaging channels
    /// named after their position, such as `channel-101`. By default there are those of the [seed](Self::seed) or the
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_client_secrets() {
        let client = EmulatedClient::new("widget", "swordfish");
        let builder = EmulatorBuilder::new().client(client).webhook_token("swordfish");
        let printed = format!("{builder:?}");
        assert!(printed.contains("widget"));
        assert!(!printed.contains("swordfish"));
    }
}
