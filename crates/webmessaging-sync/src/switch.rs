//! The switch of a target: off after 410 until somebody switches it on, for all processes and across restarts.

use std::time::Duration;

use secrecy::ExposeSecret;
use webmessaging_model::Timestamp;
use webmessaging_store::{ErrorKind as StoreError, LeaseAnswer, Store};

use crate::error::{Error, ErrorKind};

/// Changing the switch is two calls to the store.
const LEASE: Duration = Duration::from_secs(10);

/// The switch stays as it is.
const FOR_EVER: Timestamp = Timestamp::from_unix_millis(i64::MAX);

const ON: &str = "on";

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
