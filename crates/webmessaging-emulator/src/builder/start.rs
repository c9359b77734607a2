//! How an emulator is started, and why it may not be.

use std::error::Error;
use std::fmt;
use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use uuid::Uuid;

use crate::builder::EmulatorBuilder;
use crate::clock::EmulatorClock;
use crate::document::DocumentError;
use crate::emulator::Emulator;
use crate::fault::Faults;
use crate::files::Files;
use crate::guests::Guests;
use crate::messages::Messages;
use crate::oauth::{Authority, EmulatedClient};
use crate::organization::LiveOrganization;
use crate::rate::Rates;
use crate::record::Journal;
use crate::schema::Schemas;
use crate::seed::{SeedError, check_organization, prepare};
use crate::sender::Sender;
use crate::sign::Signer;
use crate::snapshot::Snapshots;
use crate::state::{Shared, Start};
use crate::subscription::Subscriptions;
use crate::verdicts::ScanFailures;
use crate::watch::Watches;

/// The client that exists unless others are named.
const DEFAULT_CLIENT: (&str, &str) = ("demo-client", "demo-secret");

impl EmulatorBuilder {
    /// Starts listening; must be called within a tokio runtime, on which the emulator then runs.
    ///
    /// # Errors
    ///
    /// [`StartError::Listen`] when the address cannot be had, [`StartError::Storage`] when there is no place for
    /// temporary files, [`StartError::Faults`] and [`StartError::Seed`] when the script, the seed or the organisation breaks a rule,
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
        let schemas = Schemas::compile(&self.settings).map_err(StartError::Internal)?;
        let directory = tempfile::Builder::new()
            .prefix("webmessaging-emulator-")
            .tempdir()
            .map_err(StartError::Storage)?;
        check_organization(&self.organization)?;
        let seed = prepare(self.seed, &schemas, &self.webhook_token, directory.path().to_owned()).await?;
        let mut organization = seed.organization(&self.organization).unwrap_or(self.organization);
        if let Some(count) = self.channels {
            organization.resize_channels(count);
        }
        let seed = seed.completed(organization);
        let not_listening = |source| StartError::Listen { address: self.listen, source };
        let listener = TcpListener::bind(self.listen).await.map_err(not_listening)?;
        let address = listener.local_addr().map_err(not_listening)?;

        let clock = EmulatorClock::default();
        let scan_duration = self.settings.scan_duration;
        let scan_failures = Arc::<ScanFailures>::default();
        let shared = Arc::new(Shared {
            id: Uuid::new_v4(),
            settings: self.settings,
            base_url: format!("http://{}", reachable(address)),
            sender: Arc::new(Sender::new(clock.clone(), self.signature_format)),
            clock,
            signer: signer()?,
            schemas,
            oauth,
            files: Files::new(scan_duration, Arc::clone(&scan_failures)),
            transfers: Files::new(scan_duration, Arc::clone(&scan_failures)),
            scan_failures,
            organization: LiveOrganization::default(),
            guests: Guests::default(),
            messages: Messages::default(),
            subscriptions: Subscriptions::default(),
            webhook_token: self.webhook_token,
            rates: Rates::new(self.settings.rate_limit),
            faults: Faults::new(self.faults.clone()),
            snapshots: Snapshots::default(),
            start: Start { seed, script: self.faults },
            journal: Journal::default(),
            watches: Watches::default(),
            turn: Mutex::default(),
            directory,
        });
        shared.apply(&shared.start.seed);
        Ok(Emulator::run(shared, listener, address))
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
    /// The seed, or the organisation, breaks a rule.
    Seed(DocumentError),
    /// Something that does not depend on the settings; a bug, or a system without randomness.
    Internal(String),
}

impl From<SeedError> for StartError {
    fn from(error: SeedError) -> Self {
        match error {
            SeedError::Invalid(error) => Self::Seed(error),
            SeedError::Storage(error) => Self::Storage(error),
        }
    }
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
}
