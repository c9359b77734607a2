//! The store that several machines share: PostgreSQL.

mod clock;
mod dead_letters;
mod failure;
mod inbox;
mod intents;
mod lanes;
mod leases;
mod open;
mod outbox;
mod outbox_stats;
mod pool;
mod quarantine;
mod rate_leases;
mod retention;
mod scan_states;
mod shared_values;

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;

use self::clock::Clock;
use self::pool::Pool;
use crate::error::{Error, ErrorKind};

/// What is known to be harmless when it happens twice is tried so many times in all.
const ATTEMPTS: u32 = 3;

/// How a [`PostgresStore`] is opened.
///
/// # Examples
/// ```
/// use webmessaging_store::PostgresOptions;
///
/// let options = PostgresOptions::new("postgresql://gateway:secret@db.example.com/webmessaging").connections(4);
/// assert!(!format!("{options:?}").contains("secret@"));
/// ```
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    url: SecretString,
    connections: usize,
    clock: Clock,
}

impl PostgresOptions {
    /// A store in the database of this URL. The user needs the right to make a schema, called `webmessaging`, or to use the one that is there.
    #[must_use]
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self { url: url.into(), connections: 8, clock: Clock::Database }
    }

    /// Sets how many connections there are at most; 8 by default, at least 1. Calls beyond that wait for each other.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Keeps leases and due times by the callers' clocks instead of the database's, for tests that have a clock of their own.
    #[must_use]
    pub fn callers_clock(mut self) -> Self {
        self.clock = Clock::Caller;
        self
    }
}

/// The store in PostgreSQL 13 or later, for gateways on several machines.
///
/// Work is claimed with `FOR UPDATE SKIP LOCKED`, so that processes share it without waiting for each other. What is due, and when a lease
/// ends, is decided by the database's clock, whatever the clocks of the machines say; moments that go in and out are by the caller's.
///
/// A connection that broke is replaced with the next call. Where a call cannot do harm twice ([`accept`](crate::Inbox::accept),
/// [`enqueue`](crate::Outbox::enqueue)) it is repeated; an `accept` whose first answer was lost then says
/// [`Duplicate`](crate::Accepted::Duplicate). Connections are not encrypted by this version: keep them within a network that you trust, or in a
/// tunnel.
pub struct PostgresStore {
    pool: Pool,
    clock: Clock,
}

impl PostgresStore {
    /// Opens a store, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when the URL is none, asks for TLS, or the server does not know user or database;
    /// [`Unavailable`](ErrorKind::Unavailable), [`NewerSchema`](ErrorKind::NewerSchema), [`ReadOnly`](ErrorKind::ReadOnly).
    pub async fn open(options: PostgresOptions) -> Result<Self, Error> {
        let mut config: Config = options.url.expose_secret().parse().map_err(|_| {
            // The parser's own words could quote the URL.
            let message =
                "the store's URL is not one of PostgreSQL: use postgresql://user:password@host/database";
            Error::new(ErrorKind::Configuration).with_message(message)
        })?;
        if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
            let message = "connections with TLS are not supported: use a tunnel, and leave sslmode out";
            return Err(Error::new(ErrorKind::Configuration).with_message(message));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_application_name().is_none() {
            config.application_name("webmessaging");
        }
        // A machine that is gone does not say so.
        config
            .tcp_user_timeout(Duration::from_secs(30))
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3);
        let pool = Pool::new(config, options.connections);
        open::migrate(&pool, open::MIGRATIONS).await?;
        Ok(Self { pool, clock: options.clock })
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// Whether a call that failed like this, and can do no harm twice, is worth another attempt at once.
fn is_worth_repeating(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Busy)
}
