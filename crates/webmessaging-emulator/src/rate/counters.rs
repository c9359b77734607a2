//! The counters of a rate limit, and where each caller stands.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::answer::Refusal;
use crate::rate::{RateLimit, RateWindow};
use crate::state::lock;

const COUNT: HeaderName = HeaderName::from_static("inin-ratelimit-count");
const ALLOWED: HeaderName = HeaderName::from_static("inin-ratelimit-allowed");
const RESET: HeaderName = HeaderName::from_static("inin-ratelimit-reset");

/// Counters whose window is over are swept out each time their number reaches a multiple of this.
const SWEEP_EVERY: usize = 1_024;

/// Who a request is counted for.
pub(crate) struct Caller {
    /// Digest of the access token.
    pub(crate) token: [u8; 32],
    pub(crate) client: String,
}

/// Where a limit stands after a request, as the headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) count: u32,
    pub(crate) allowed: u32,
    pub(crate) reset: Duration,
}

impl Standing {
    /// Tells the caller.
    pub(crate) fn write(self, response: &mut Response) {
        let reset = self.reset_seconds();
        for (name, value) in [(COUNT, self.count.into()), (ALLOWED, self.allowed.into()), (RESET, reset)] {
            response.headers_mut().insert(name, HeaderValue::from(value));
        }
    }

    /// Seconds until the window ends, rounded up.
    pub(crate) fn reset_seconds(self) -> u64 {
        whole_seconds(self.reset)
    }

    fn left(self) -> u32 {
        self.allowed.saturating_sub(self.count)
    }
}

/// The counters.
#[derive(Debug)]
pub(crate) struct Rates {
    limit: RateLimit,
    counters: Mutex<Counters>,
}

/// The counters of every caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    tokens: HashMap<[u8; 32], Counter>,
    clients: HashMap<String, Counter>,
}

/// When the requests of a window came: for a fixed window all since its first, for a sliding one the recent ones.
type Counter = VecDeque<SystemTime>;

impl Rates {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { limit, counters: Mutex::default() }
    }

    /// Counts a request, or refuses it. A refused request is not counted.
    pub(crate) fn count(
        &self,
        caller: &Caller,
        now: SystemTime,
    ) -> Result<Option<Standing>, (Refusal, Option<Standing>)> {
        if !self.limit.is_on {
            return Ok(None);
        }
        let mut counters = lock(&self.counters).map_err(|refusal| (refusal, None))?;
        let Counters { tokens, clients } = &mut *counters;
        let token = self.current(tokens, caller.token, now);
        let client = self.current(clients, caller.client.clone(), now);
        let standings = |token: &Counter, client: &Counter| {
            let token = self.standing(token, self.limit.per_token, now);
            let client = self.standing(client, self.limit.per_client, now);
            if client.left() < token.left() { client } else { token }
        };
        let before = standings(token, client);
        if before.left() == 0 {
            return Err((self.refusal(before), Some(before)));
        }
        token.push_back(now);
        client.push_back(now);
        Ok(Some(standings(token, client)))
    }

    /// All counters as they are.
    pub(crate) fn capture(&self) -> Counters {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts these counters in place of all others.
    pub(crate) fn restore(&self, counters: Counters) {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner) = counters;
        self.counters.clear_poison();
    }

    /// Where each client stands, by its id, and then each token that has sent something in its window.
    pub(crate) fn standings(&self, now: SystemTime) -> (Vec<(String, Standing)>, Vec<Standing>) {
        let Counters { mut tokens, mut clients } = self.capture();
        let mut of_clients: Vec<_> = clients
            .iter_mut()
            .filter_map(|(id, counter)| {
                self.forget(counter, now);
                let standing = self.standing(counter, self.limit.per_client, now);
                (standing.count > 0).then(|| (id.clone(), standing))
            })
            .collect();
        of_clients.sort_by(|(one, _), (other, _)| one.cmp(other));
        let of_tokens = tokens.values_mut().filter_map(|counter| {
            self.forget(counter, now);
            let standing = self.standing(counter, self.limit.per_token, now);
            (standing.count > 0).then_some(standing)
        });
        (of_clients, of_tokens.collect())
    }

    /// The counter of a caller, without what its window has left behind.
    fn current<'a, K: Hash + Eq>(
        &self,
        counters: &'a mut HashMap<K, Counter>,
        key: K,
        now: SystemTime,
    ) -> &'a mut Counter {
        if counters.len() % SWEEP_EVERY == SWEEP_EVERY - 1 {
            counters.retain(|_, counter| counter.back().is_some_and(|last| !self.is_over(*last, now)));
        }
        let counter = counters.entry(key).or_default();
        self.forget(counter, now);
        counter
    }

    /// Leaves out what the window has left behind.
    fn forget(&self, counter: &mut Counter, now: SystemTime) {
        match self.limit.window {
            RateWindow::Fixed if counter.front().is_some_and(|first| self.is_over(*first, now)) => {
                counter.clear();
            }
            RateWindow::Fixed => {}
            RateWindow::Sliding => counter.retain(|at| !self.is_over(*at, now)),
        }
    }

    fn is_over(&self, at: SystemTime, now: SystemTime) -> bool {
        now.duration_since(at).is_ok_and(|age| age >= self.limit.length)
    }

    fn standing(&self, counter: &Counter, allowed: u32, now: SystemTime) -> Standing {
        let age = counter.front().and_then(|first| now.duration_since(*first).ok()).unwrap_or_default();
        Standing {
            count: u32::try_from(counter.len()).unwrap_or(u32::MAX),
            allowed,
            reset: self.limit.length.saturating_sub(age),
        }
    }

    fn refusal(&self, standing: Standing) -> Refusal {
        let (allowed, length) = (standing.allowed, self.limit.length.as_secs());
        let message = format!("rate limit exceeded: {allowed} requests in {length} seconds");
        let wait = HeaderValue::from(standing.reset_seconds());
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too.many.requests", message)
            .with_header(RETRY_AFTER, wait)
    }
}

/// Rounded up: who comes back after so many seconds is let in.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn caller(token: u8) -> Caller {
        Caller { token: [token; 32], client: "client".to_owned() }
    }

    /// Sends a request at every given second and says which were let in.
    fn let_in(rates: &Rates, token: u8, seconds: &[f64]) -> Vec<bool> {
        let at = |seconds: &f64| START + Duration::from_secs_f64(*seconds);
        seconds.iter().map(|seconds| rates.count(&caller(token), at(seconds)).is_ok()).collect()
    }

    #[test]
    fn a_fixed_window_begins_with_its_first_request() {
        let rates = Rates::new(RateLimit::default().per_token(2));
        assert_eq!(
            let_in(&rates, 1, &[10.0, 60.0, 69.9, 70.0, 70.0, 70.0]),
            [true, true, false, true, true, false]
        );
    }

    #[test]
    fn a_sliding_window_looks_back() {
        let rates = Rates::new(RateLimit::default().per_token(2).window(RateWindow::Sliding));
        assert_eq!(
            let_in(&rates, 1, &[10.0, 60.0, 69.9, 70.0, 119.9, 120.0]),
            [true, true, false, true, false, true]
        );
    }

    #[test]
    fn all_tokens_of_a_client_share_its_limit() {
        let rates = Rates::new(RateLimit::default().per_token(2).per_client(3));
        assert_eq!(let_in(&rates, 1, &[0.0, 0.0, 0.0]), [true, true, false]);
        assert_eq!(let_in(&rates, 2, &[0.0, 0.0]), [true, false]);
    }

    #[test]
    fn the_tighter_limit_is_told_and_the_wait_is_enough() {
        let rates = Rates::new(RateLimit::default().per_token(5).per_client(2));
        let at = START + Duration::from_millis(500);
        let told = rates.count(&caller(1), START).unwrap().unwrap();
        assert_eq!((told.count, told.allowed, told.reset), (1, 2, Duration::from_secs(60)));
        rates.count(&caller(2), at).unwrap();
        let (_, told) = rates.count(&caller(1), at).unwrap_err();
        let told = told.unwrap();
        assert_eq!((told.count, told.allowed, whole_seconds(told.reset)), (2, 2, 60));
        assert!(rates.count(&caller(1), at + Duration::from_secs(60)).is_ok());
    }

    #[test]
    fn switched_off_it_tells_nothing() {
        let rates = Rates::new(RateLimit::off());
        assert_eq!(rates.count(&caller(1), START).unwrap(), None);
    }

    #[test]
    fn old_counters_are_swept_out() {
        let rates = Rates::new(RateLimit::default());
        for number in 0..3 * SWEEP_EVERY {
            let mut caller = caller(0);
            caller.token[..8].copy_from_slice(&number.to_be_bytes());
            caller.client = number.to_string();
            rates.count(&caller, START + Duration::from_secs(number as u64)).unwrap();
        }
        assert!(rates.counters.lock().unwrap().tokens.len() < 2 * SWEEP_EVERY);
    }
}
