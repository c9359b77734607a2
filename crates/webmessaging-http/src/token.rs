//! The access token in memory: renewed ahead of its end by one caller, while the others go on.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OwnedMutexGuard;

use crate::clock::{Clock, Entropy, full_jitter};
use crate::error::Error;
use crate::log;
use crate::login::sensitive;

/// The design documents renew 10 and 60 seconds ahead. We take a minute, or a tenth of a shorter life, so that a
/// token of 300 seconds is not renewed all the time.
const MARGIN_MAX: Duration = Duration::from_secs(60);

/// No server means a longer life than this; the platform's longest is two days.
const LIFETIME_MAX: Duration = Duration::from_secs(366 * 86_400);

/// After a login that failed for good nobody tries again for half a second to a second, twice as long after each further
/// one, and at most for so long. A login has retries of its own before it fails.
const BACK_OFF: Duration = Duration::from_secs(1);
const BACK_OFF_MAX: Duration = Duration::from_secs(60);

/// A login server that asks for more is asked again after this long.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(180);

/// An access token. Each one has a number, so that a refusal can be held against the right one.
#[derive(Clone)]
pub(crate) struct Token {
    value: Arc<SecretString>,
    /// What is sent of it. One copy that stays is better than one for each request that is left behind in memory.
    pub(crate) header: HeaderValue,
    number: u64,
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

/// The right to log in; there is one at a time.
#[derive(Debug)]
pub(crate) struct Flight(#[expect(dead_code, reason = "held, not read")] OwnedMutexGuard<()>);

/// What a caller without a token finds.
#[derive(Debug)]
pub(crate) enum Boarding {
    /// Somebody else's login ended while the caller waited.
    Arrived(Result<Token, Error>),
    /// It is the caller's turn.
    Fly(Flight),
}

/// Holds the token and lets one caller at a time log in.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    state: Mutex<State>,
    /// Held during a login; it protects no data, only the flight itself.
    flight: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// Logins finished so far, successful or not.
    logins: u64,
    /// What became of the last one, if it failed: callers who waited for it share its answer, and so does everybody
    /// until it is time to try again.
    failure: Option<Failure>,
    /// The token that the platform refused last, which no cache may bring back.
    refused: Option<Arc<SecretString>>,
}

#[derive(Debug)]
struct Failure {
    error: Error,
    in_a_row: u32,
    again_at: Instant,
}

impl State {
    fn good(&self, now: Instant) -> Option<&Token> {
        self.token.as_ref().filter(|token| now < token.expires_at)
    }
}

impl Tokens {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that is still good. When it is time to renew it and nobody does yet, the right to do so comes along.
    pub(crate) fn at_hand(&self, now: Instant) -> Option<(Token, Option<Flight>)> {
        let token = self.state().good(now).cloned()?;
        if now < token.renew_at {
            return Some((token, None));
        }
        let flight = Arc::clone(&self.flight).try_lock_owned().ok();
        // The lock may have been free because a renewal has just ended.
        let is_current = self.state().token.as_ref().is_some_and(|current| current.number == token.number);
        Some((token, flight.filter(|_| is_current).map(Flight)))
    }

    /// Waits for the login under way, or gives the right to log in.
    pub(crate) async fn board(&self, clock: &dyn Clock) -> Boarding {
        let seen = self.state().logins;
        let flight = Flight(Arc::clone(&self.flight).lock_owned().await);
        let now = clock.now();
        let state = self.state();
        match (state.good(now), &state.failure) {
            (Some(token), _) => Boarding::Arrived(Ok(token.clone())),
            (None, Some(failure)) if state.logins != seen || now < failure.again_at => {
                let error = failure.error.clone();
                let wait = failure.again_at.saturating_duration_since(now);
                Boarding::Arrived(Err(if wait.is_zero() || !error.is_transient() {
                    error
                } else {
                    error.with_retry_after(wait)
                }))
            }
            _ => Boarding::Fly(flight),
        }
    }

    /// Keeps what a login gave, for its caller and for those who wait.
    pub(crate) fn land(
        &self,
        flight: Flight,
        outcome: Result<Grant, Error>,
        now: Instant,
        entropy: &dyn Entropy,
    ) -> Result<Token, Error> {
        let mut state = self.state();
        state.logins += 1;
        let outcome = outcome.and_then(|Grant { value, lifetime }| {
            let header = sensitive("Bearer", value.expose_secret())?;
            let lifetime = lifetime.min(LIFETIME_MAX);
            let margin = MARGIN_MAX.min(lifetime / 10);
            // Up to as much again, so that processes that started together do not renew together.
            let ahead = margin + full_jitter(entropy, margin);
            let expires_at = now + lifetime;
            let renew_at = expires_at.checked_sub(ahead).unwrap_or(now);
            Ok(Token { value: Arc::new(value), header, number: state.logins, expires_at, renew_at })
        });
        match &outcome {
            Ok(token) => {
                state.token = Some(token.clone());
                state.failure = None;
            }
            Err(error) => {
                log::login_failed(error);
                let in_a_row = state.failure.as_ref().map_or(0, |failure| failure.in_a_row).saturating_add(1);
                let pause = BACK_OFF.saturating_mul(2_u32.saturating_pow(in_a_row - 1)).min(BACK_OFF_MAX);
                let pause = pause / 2 + full_jitter(entropy, pause / 2);
                let pause = pause.max(error.retry_after().unwrap_or_default().min(RETRY_AFTER_MAX));
                state.failure = Some(Failure { error: error.clone(), in_a_row, again_at: now + pause });
                if let Some(token) = &mut state.token {
                    // What is left of a token that is still good is not spent on one failing login after another.
                    token.renew_at = now + token.expires_at.saturating_duration_since(now) / 2;
                }
            }
        }
        // Those who wait find the outcome in place.
        drop(state);
        drop(flight);
        outcome
    }

    /// Whether the platform has refused just this token.
    pub(crate) fn was_refused(&self, value: &SecretString) -> bool {
        let state = self.state();
        state.refused.as_ref().is_some_and(|refused| refused.expose_secret() == value.expose_secret())
    }

    /// Whether this is the token at hand.
    pub(crate) fn is_current(&self, value: &SecretString) -> bool {
        let state = self.state();
        state.token.as_ref().is_some_and(|token| token.value.expose_secret() == value.expose_secret())
    }

    /// Drops a token that the platform refused, unless it has been replaced since.
    pub(crate) fn refused(&self, token: &Token) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|current| current.number == token.number) {
            state.token = None;
            state.refused = Some(Arc::clone(&token.value));
        }
    }
}
