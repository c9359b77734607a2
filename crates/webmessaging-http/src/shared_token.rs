//! One login for several processes: look, take the lock, look again, and only then log in.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::token::{Grant, Tokens};
use crate::token_cache::{Cached, CachedToken, LoginLock, TokenCache, TokenKey};

/// How often a lock that somebody else has is asked for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Whoever holds the lock for longer than this does not log in any more; a second login does no harm.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// A token that ends sooner is not worth taking over.
const REST_MIN: Duration = Duration::from_secs(10);

/// The cache, and which of its tokens is ours.
#[derive(Debug)]
pub(crate) struct Sharing {
    cache: Arc<dyn TokenCache>,
    key: TokenKey,
}

impl Sharing {
    pub(crate) fn new(cache: Arc<dyn TokenCache>, key: TokenKey) -> Self {
        Self { cache, key }
    }

    /// A token that another process got, or one of our own that others will find.
    pub(crate) async fn obtain<F>(
        &self,
        clock: &dyn Clock,
        tokens: &Tokens,
        log_in: impl FnOnce() -> F,
    ) -> Result<Grant, Error>
    where
        F: Future<Output = Result<Grant, Error>>,
    {
        if let Some(grant) = self.look(clock, tokens).await? {
            return Ok(grant);
        }
        let _lock = match self.lock(clock, tokens).await? {
            Locked::Ours(lock) => lock,
            Locked::NotNeeded(grant) => return Ok(grant),
        };
        if let Some(grant) = self.look(clock, tokens).await? {
            return Ok(grant);
        }
        let grant = log_in().await?;
        if let Some(expires_at) = clock.wall().checked_add(grant.lifetime) {
            let token = CachedToken::new(grant.value.clone(), expires_at);
            heed(self.cache.store(&self.key, &token)).await?;
        }
        Ok(grant)
    }

    /// The token in the cache, if it is good for a while and not the one that we are about to replace.
    async fn look(&self, clock: &dyn Clock, tokens: &Tokens) -> Result<Option<Grant>, Error> {
        let Some(token) = heed(self.cache.load(&self.key)).await?.flatten() else { return Ok(None) };
        let rest = token.expires_at.duration_since(clock.wall()).unwrap_or_default();
        if rest < REST_MIN || tokens.is_current(&token.value) || tokens.was_refused(&token.value) {
            return Ok(None);
        }
        log::token_taken_over(rest);
        Ok(Some(Grant { value: token.value, lifetime: rest }))
    }

    /// Waits for the lock, and meanwhile for whoever has it to be done.
    async fn lock(&self, clock: &dyn Clock, tokens: &Tokens) -> Result<Locked, Error> {
        let started = clock.now();
        loop {
            match heed(self.cache.try_lock(&self.key)).await? {
                Some(Some(lock)) => return Ok(Locked::Ours(Some(lock))),
                // A cache in trouble locks nobody out.
                None => return Ok(Locked::Ours(None)),
                Some(None) if clock.now().saturating_duration_since(started) >= LOCK_PATIENCE => {
                    log::login_lock_ignored();
                    return Ok(Locked::Ours(None));
                }
                Some(None) => clock.sleep(LOOK_AGAIN).await,
            }
            if let Some(grant) = self.look(clock, tokens).await? {
                return Ok(Locked::NotNeeded(grant));
            }
        }
    }
}

enum Locked {
    Ours(Option<LoginLock>),
    NotNeeded(Grant),
}

/// A cache that is set up wrongly ends the call; one in trouble is done without.
async fn heed<T>(work: Cached<'_, T>) -> Result<Option<T>, Error> {
    match work.await {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::Configuration => Err(error),
        Err(error) => {
            log::token_cache_failed(&error);
            Ok(None)
        }
    }
}
