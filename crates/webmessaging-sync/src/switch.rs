//! The switch of a target: off after 410 until somebody switches it on, for all processes and across restarts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use uuid::Uuid;
use webmessaging_model::Timestamp;
use webmessaging_store::{ErrorKind as StoreError, LeaseAnswer, Store};

use crate::error::{Error, ErrorKind};

/// Changing the switch is two calls to the store.
const LEASE: Duration = Duration::from_secs(10);

/// The switch stays as it is.
const FOR_EVER: Timestamp = Timestamp::from_unix_millis(i64::MAX);

const ON: &str = "on";

/// The switches of targets, for somebody who does not deliver: a command, a page. A worker sees a change with its next look.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use webmessaging_model::Timestamp;
/// use webmessaging_store::{SqliteOptions, SqliteStore};
/// use webmessaging_sync::TargetSwitches;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("store.db");
/// let switches = TargetSwitches::new(Arc::new(SqliteStore::open(SqliteOptions::new(path)).await?));
/// let now = Timestamp::UNIX_EPOCH;
/// switches.disable("crm", now).await?;
/// assert_eq!(switches.off_since("crm", now).await?, Some(now));
/// switches.enable("crm", now).await?;
/// assert_eq!(switches.off_since("crm", now).await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TargetSwitches {
    store: Arc<dyn Store>,
    holder: Arc<str>,
}

impl TargetSwitches {
    /// The switches in a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, holder: format!("switch-{}", Uuid::new_v4()).into() }
    }

    /// Since when a target is switched off; `None` while it is on, as every target is that nobody has switched off.
    ///
    /// # Errors
    /// [`Store`](crate::ErrorKind::Store).
    pub async fn off_since(&self, target: &str, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        off_since(&*self.store, target, now).await
    }

    /// Switches a target on again, in every process.
    ///
    /// # Errors
    /// [`Busy`](crate::ErrorKind::Busy) when somebody else is changing it, [`Store`](crate::ErrorKind::Store).
    pub async fn enable(&self, target: &str, now: Timestamp) -> Result<(), Error> {
        set(&*self.store, target, &self.holder, true, now).await
    }

    /// Switches a target off, in every process: what is for it waits.
    ///
    /// # Errors
    /// As [`enable`](Self::enable).
    pub async fn disable(&self, target: &str, now: Timestamp) -> Result<(), Error> {
        set(&*self.store, target, &self.holder, false, now).await
    }
}

impl fmt::Debug for TargetSwitches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetSwitches").finish_non_exhaustive()
    }
}

/// Since when a target is switched off; `None` while it is on.
pub(crate) async fn off_since(
    store: &dyn Store,
    target: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let value = store.load_value(&key(target), now).await?;
    // It is closed where nobody can read it.
    Ok(value.and_then(|value| match value.value.expose_secret() {
        ON => None,
        since => Some(since.parse().unwrap_or(Timestamp::UNIX_EPOCH)),
    }))
}

/// Switches a target off, or on.
pub(crate) async fn set(
    store: &dyn Store,
    target: &str,
    holder: &str,
    is_on: bool,
    now: Timestamp,
) -> Result<(), Error> {
    let busy = || Error::new(ErrorKind::Busy, "somebody else is changing the target's state: try again");
    let LeaseAnswer::Acquired(lease) = store.acquire_lease(&key(target), holder, LEASE, now).await? else {
        return Err(busy());
    };
    let value = if is_on { ON.to_owned() } else { now.to_string() };
    let stored = store.store_value(&key(target), value.into(), FOR_EVER, lease.token).await;
    // It ends by itself, too.
    let _ = store.release_lease(&lease, now).await;
    stored.map_err(|error| if error.kind() == StoreError::LeaseLost { busy() } else { error.into() })
}

fn key(target: &str) -> String {
    format!("sync.switch.{target}")
}
