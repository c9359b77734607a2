//! The access token of several machines, in the store that they share: one login for all of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use webmessaging_http::clock::{SystemEntropy, TokioClock};
use webmessaging_http::{
    Cached, CachedToken, Clock, Entropy, Error, ErrorKind, LoginLock, Sent, TokenCache, TokenKey,
};
use webmessaging_model::Timestamp;
use webmessaging_store::{ErrorKind as StoreErrorKind, Lease, LeaseAnswer, Store};

/// Whoever has the right to log in and dies keeps it for so long.
const LOCK_LIFE: Duration = Duration::from_secs(30);

/// Keeps the access token in a [`Store`], for all processes that use it.
///
/// The token is in there as it is: whoever can read the store can call the platform until it ends. Of a SQLite file that is its
/// owner alone; of a database, whoever may read it. A store in trouble is done without: then each process logs in for itself.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use webmessaging::store::{SqliteOptions, SqliteStore};
/// use webmessaging::{Credentials, StoreTokenCache, http};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("store.db");
/// let store = Arc::new(SqliteStore::open(SqliteOptions::new(path)).await?);
/// let client = http::Client::builder(Credentials::new("client-id", "client-secret"))
///     .token_cache(StoreTokenCache::new(store))
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StoreTokenCache {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// The rights to log in that this process has, or had last, by their names: what it stores carries their tokens.
    leases: Arc<Mutex<HashMap<String, Lease>>>,
}

impl StoreTokenCache {
    /// A cache in this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, clock: Arc::new(TokioClock), leases: Arc::default() }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// As many as there are OAuth clients and scopes.
    fn leases(&self) -> MutexGuard<'_, HashMap<String, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.wall().into()
    }
}

impl TokenCache for StoreTokenCache {
    fn load<'a>(&'a self, key: &'a TokenKey) -> Cached<'a, Option<CachedToken>> {
        Box::pin(async move {
            let found = self.store.load_value(&name(key), self.now()).await.map_err(failed)?;
            Ok(found.map(|found| CachedToken::new(found.value, found.expires_at.to_system_time())))
        })
    }

    fn try_lock<'a>(&'a self, key: &'a TokenKey) -> Cached<'a, Option<LoginLock>> {
        Box::pin(async move {
            let (now, name) = (self.now(), name(key));
            // Each time another one: a holder could take the lease again.
            let holder = format!("process {}, {:x}", std::process::id(), SystemEntropy.bits());
            let answer = self.store.acquire_lease(&name, &holder, LOCK_LIFE, now).await.map_err(failed)?;
            let LeaseAnswer::Acquired(lease) = answer else { return Ok(None) };
            self.leases().insert(name, lease.clone());
            let lock: LoginLock = Box::new(Lock { cache: self.clone(), lease: Some(lease) });
            Ok(Some(lock))
        })
    }

    fn store<'a>(&'a self, key: &'a TokenKey, token: &'a CachedToken) -> Cached<'a, ()> {
        Box::pin(async move {
            let lease = self.leases().get(&name(key)).cloned();
            // Without the right nothing is kept: it may be older than what is there.
            let Some(lease) = lease else { return Ok(()) };
            let expires_at = token.expires_at.into();
            match self.store.store_value(&lease.name, token.value.clone(), expires_at, lease.token).await {
                // Somebody else has logged in meanwhile: theirs is as good.
                Err(error) if error.kind() == StoreErrorKind::LeaseLost => Ok(()),
                stored => stored.map_err(failed),
            }
        })
    }
}

fn name(key: &TokenKey) -> String {
    format!("token.{}", key.as_str())
}

fn failed(error: webmessaging_store::Error) -> Error {
    Error::new(ErrorKind::Connect, Sent::No)
        .with_message("the store of the shared token failed")
        .with_source(error)
}

/// The right to log in; given back when it is dropped, and otherwise at its end.
struct Lock {
    cache: StoreTokenCache,
    lease: Option<Lease>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let (Some(lease), Ok(runtime)) = (self.lease.take(), Handle::try_current()) {
            let cache = self.cache.clone();
            runtime.spawn(async move {
                // Whoever cannot give it back loses it soon.
                let _ = cache.store.release_lease(&lease, cache.now()).await;
            });
        }
    }
}

impl fmt::Debug for StoreTokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreTokenCache").field("store", &self.store).finish_non_exhaustive()
    }
}
