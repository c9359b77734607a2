//! The access token in memory: renewed ahead of its end by one caller, while the others go on.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::clock::{Clock, Entropy, full_jitter};
use crate::error::Error;

/// The design documents renew 10 and 60 seconds ahead. We take a minute, or a tenth of a shorter life, so that a
/// token of 300 seconds is not renewed all the time.
const MARGIN_MAX: Duration = Duration::from_secs(60);

/// An access token. Each one has a number, so that a refusal can be held against the right one.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) value: SecretString,
    pub(crate) number: u64,
    expires_at: Instant,
    renew_at: Instant,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What a login gives.
pub(crate) struct Grant {
    pub(crate) value: SecretString,
    pub(crate) lifetime: Duration,
}

/// Holds the token and lets one caller at a time log in.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    state: Mutex<State>,
    /// Held during a login; it protects no data, only the flight itself.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// Logins finished so far, successful or not.
    logins: u64,
    /// Why the last one failed, if it did: callers who waited for it share its answer.
    failure: Option<Error>,
}

impl Tokens {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token, unless a login is due.
    pub(crate) fn at_hand(&self, now: Instant) -> Option<Token> {
        self.state().token.clone().filter(|token| now < token.renew_at)
    }

    /// A token that is good for now; logs in when there is none.
    pub(crate) async fn get<F>(
        &self,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
        login: impl FnOnce() -> F,
    ) -> Result<Token, Error>
    where
        F: Future<Output = Result<Grant, Error>>,
    {
        let now = clock.now();
        let (current, seen) = {
            let state = self.state();
            (state.token.clone().filter(|token| now < token.expires_at), state.logins)
        };
        match current {
            Some(token) if now < token.renew_at => Ok(token),
            // About to expire: whoever gets the lock renews, nobody else waits, and a failure can still wait too.
            Some(token) => match self.flight.try_lock() {
                Ok(_flight) if self.state().logins == seen => {
                    Ok(self.log_in(clock, entropy, login).await.unwrap_or(token))
                }
                _ => Ok(token),
            },
            None => {
                let _flight = self.flight.lock().await;
                // Somebody else's login may have ended while we waited for the lock.
                let shared = {
                    let state = self.state();
                    match (&state.token, &state.failure) {
                        (Some(token), _) if now < token.expires_at => Some(Ok(token.clone())),
                        (_, Some(failure)) if state.logins != seen => Some(Err(failure.clone())),
                        _ => None,
                    }
                };
                match shared {
                    Some(outcome) => outcome,
                    None => self.log_in(clock, entropy, login).await,
                }
            }
        }
    }

    /// Drops a token that the platform refused, unless it has been replaced since.
    pub(crate) fn refused(&self, token: &Token) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|current| current.number == token.number) {
            state.token = None;
        }
    }

    /// Logs in; the caller holds the flight.
    async fn log_in<F>(
        &self,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
        login: impl FnOnce() -> F,
    ) -> Result<Token, Error>
    where
        F: Future<Output = Result<Grant, Error>>,
    {
        let outcome = login().await;
        let now = clock.now();
        let mut state = self.state();
        state.logins += 1;
        let outcome = outcome.map(|Grant { value, lifetime }| {
            let margin = MARGIN_MAX.min(lifetime / 10);
            // Up to as much again, so that processes that started together do not renew together.
            let ahead = margin + full_jitter(entropy, margin);
            let expires_at = now + lifetime;
            Token {
                value,
                number: state.logins,
                expires_at,
                renew_at: expires_at.checked_sub(ahead).unwrap_or(now),
            }
        });
        match &outcome {
            Ok(token) => {
                state.token = Some(token.clone());
                state.failure = None;
            }
            Err(error) => {
                tracing::warn!(kind = error.kind().code(), "login failed");
                state.failure = Some(error.clone());
                if let Some(token) = &mut state.token {
                    // What is left of a token that is still good is not spent on one failing login after another.
                    token.renew_at = now + token.expires_at.saturating_duration_since(now) / 2;
                }
            }
        }
        outcome
    }
}
