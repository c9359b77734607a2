//! Circuit breakers, one for each host: a host that keeps failing is left alone for a while, then asked once.
//!
//! Closed, requests go through and failures in a row are counted. At the limit the breaker opens and requests are
//! refused here, without being sent. After a while it is half open: one request goes through as a probe. If that one
//! succeeds the breaker closes, otherwise it stays open for twice as long, up to a maximum.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Sent};
use crate::log;
use crate::observe::{BreakerChanged, Observers};

/// No client speaks with more hosts than this. Above it, hosts without trouble are forgotten, and further ones are not
/// kept.
const HOSTS_MAX: usize = 1_000;

/// Nobody is left alone for longer than a day.
const OPEN_MAX: Duration = Duration::from_secs(86_400);

/// When a host is left alone, and for how long.
///
/// Failures are answers with status 5xx and requests without an answer. 4xx is none: a server that refuses is well, and
/// 429 has a way of its own. Nor is a certificate that was refused, which waiting does not mend, nor what fails on this
/// side: a source that changed, a caller whose time was up.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_http::BreakerPolicy;
///
/// let quick = BreakerPolicy::default().failures(3).open_for(Duration::from_secs(2));
/// let off = BreakerPolicy::off();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerPolicy {
    failures: Option<u32>,
    open_for: Duration,
    open_for_max: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { failures: Some(10), open_for: Duration::from_secs(5), open_for_max: Duration::from_secs(60) }
    }
}

impl BreakerPolicy {
    /// Every request goes through, whatever came of the ones before.
    #[must_use]
    pub fn off() -> Self {
        Self { failures: None, ..Self::default() }
    }

    /// Sets how many failures in a row open a breaker; 10 by default, at least 1.
    #[must_use]
    pub fn failures(mut self, failures: u32) -> Self {
        self.failures = Some(failures.max(1));
        self
    }

    /// Sets how long a breaker is open at first; 5 seconds by default, doubled with each probe that fails.
    #[must_use]
    pub fn open_for(mut self, wait: Duration) -> Self {
        self.open_for = wait.min(OPEN_MAX);
        self
    }

    /// Sets how long a breaker is open at most; 60 seconds by default.
    #[must_use]
    pub fn open_for_max(mut self, wait: Duration) -> Self {
        self.open_for_max = wait.min(OPEN_MAX);
        self
    }

    /// How long a breaker stays open after so many failed probes.
    fn open_after(&self, probes: u32) -> Duration {
        self.open_for.saturating_mul(2_u32.saturating_pow(probes)).min(self.open_for_max)
    }
}

/// What a breaker does with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// Lets it through.
    Closed,
    /// Refuses it.
    Open,
    /// Lets one through, to see.
    HalfOpen,
}

impl BreakerState {
    /// The stable name, as it appears in metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half open",
        })
    }
}

/// How it stands with a host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStatus {
    /// Host and port.
    pub host: String,
    /// What happens to the next request.
    pub state: BreakerState,
    /// Failures in a row.
    pub failures: u32,
    /// How long requests are still refused.
    pub retry_after: Option<Duration>,
}

/// The breakers of a client.
#[derive(Debug)]
pub(crate) struct Breakers {
    policy: BreakerPolicy,
    observers: Observers,
    hosts: Mutex<Hosts>,
}

#[derive(Debug, Default)]
struct Hosts {
    all: HashMap<Box<str>, Arc<Watched>>,
    /// The one asked last, which is mostly the one asked next.
    recent: Option<Arc<Watched>>,
}

#[derive(Debug)]
struct Watched {
    name: Box<str>,
    host: Mutex<Host>,
    /// Held from a change until it is told, so that changes are told in their order; the host itself is free meanwhile.
    /// Always taken first.
    telling: Mutex<()>,
}

impl Watched {
    fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.into(), host: Mutex::default(), telling: Mutex::default() })
    }

    /// Works on the host and tells what has changed.
    fn change<T>(&self, observers: &Observers, work: impl FnOnce(&mut Host) -> T) -> T {
        if observers.is_empty() {
            return work(&mut self.host());
        }
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let mut host = self.host();
        let from = host.told_state();
        let done = work(&mut host);
        let to = host.told_state();
        drop(host);
        if from != to {
            let change = BreakerChanged { host: &self.name, from, to };
            observers.tell(|observer| observer.breaker_changed(&change));
        }
        done
    }

    fn host(&self) -> MutexGuard<'_, Host> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Host {
    failures: u32,
    /// `None` while it is closed.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    failed_probes: u32,
    probing: bool,
    /// A probe has gone out since it opened last.
    probed: bool,
}

impl Host {
    fn is_in_trouble(&self) -> bool {
        self.failures > 0 || self.open.is_some()
    }

    fn state(&self, now: Instant) -> BreakerState {
        match &self.open {
            None => BreakerState::Closed,
            Some(open) if now < open.until => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// The state as observers hear of it, which is half open only when somebody came to ask.
    fn told_state(&self) -> BreakerState {
        match &self.open {
            None => BreakerState::Closed,
            Some(open) if open.probed => BreakerState::HalfOpen,
            Some(_) => BreakerState::Open,
        }
    }
}

/// Leave to send one request; it wants to hear what came of it. Dropped unheard, it was never asked for.
#[derive(Debug)]
pub(crate) struct Pass {
    watched: Arc<Watched>,
    is_probe: bool,
    is_reported: bool,
}

impl Breakers {
    pub(crate) fn new(policy: BreakerPolicy, observers: Observers) -> Self {
        Self { policy, observers, hosts: Mutex::default() }
    }

    /// Why a request would not be sent; asking takes nobody's place.
    pub(crate) fn refusal(&self, host: &str, now: Instant) -> Option<Error> {
        let watched = self.watched(host);
        let known = watched.host();
        match &known.open {
            Some(open) if open.probing => Some(refused(self.policy.open_for)),
            Some(open) if now < open.until => Some(refused(open.until.saturating_duration_since(now))),
            _ => None,
        }
    }

    /// Leave to send a request, or why it is not sent.
    pub(crate) fn enter(&self, host: &str, now: Instant) -> Result<Pass, Error> {
        let watched = self.watched(host);
        let is_probe = watched.change(&self.observers, |host| match &mut host.open {
            None => Ok(false),
            Some(open) if now >= open.until && !open.probing => {
                open.probing = true;
                open.probed = true;
                Ok(true)
            }
            // A probe under way answers soon; the shortest opening is as good a guess as any.
            Some(open) if open.probing => Err(refused(self.policy.open_for)),
            Some(open) => Err(refused(open.until.saturating_duration_since(now))),
        })?;
        Ok(Pass { watched, is_probe, is_reported: false })
    }

    fn watched(&self, name: &str) -> Arc<Watched> {
        let mut hosts = self.hosts();
        let Hosts { all, recent } = &mut *hosts;
        if let Some(recent) = recent.as_ref().filter(|recent| *recent.name == *name) {
            return Arc::clone(recent);
        }
        let watched = all.get(name).map_or_else(|| Watched::new(name), Arc::clone);
        if !all.contains_key(name) {
            if all.len() >= HOSTS_MAX {
                all.retain(|_, watched| watched.host().is_in_trouble());
            }
            if all.len() >= HOSTS_MAX {
                return watched;
            }
            all.insert(name.into(), Arc::clone(&watched));
        }
        *recent = Some(Arc::clone(&watched));
        watched
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears what came of a request.
    pub(crate) fn report(&self, mut pass: Pass, outcome: Result<(), &Error>, now: Instant) {
        pass.is_reported = true;
        pass.watched.change(&self.observers, |host| self.note(&pass, host, outcome, now));
    }

    fn note(&self, pass: &Pass, host: &mut Host, outcome: Result<(), &Error>, now: Instant) {
        if !outcome.is_err_and(is_failure) {
            if host.open.is_some() {
                log::breaker_closed(&pass.watched.name);
            }
            *host = Host::default();
            return;
        }
        host.failures = host.failures.saturating_add(1);
        match &mut host.open {
            // What was sent before it opened says nothing new.
            Some(_) if !pass.is_probe => {}
            Some(open) => {
                open.probing = false;
                open.probed = false;
                open.failed_probes = open.failed_probes.saturating_add(1);
                open.until = now + self.policy.open_after(open.failed_probes);
            }
            None if self.policy.failures.is_some_and(|limit| host.failures >= limit) => {
                log::breaker_opened(&pass.watched.name, host.failures);
                let until = now + self.policy.open_after(0);
                host.open = Some(Open { until, failed_probes: 0, probing: false, probed: false });
            }
            None => {}
        }
    }

    /// How it stands with every host that was spoken with, by name.
    pub(crate) fn status(&self, now: Instant) -> Vec<BreakerStatus> {
        let mut status: Vec<_> = self
            .hosts()
            .all
            .iter()
            .map(|(name, watched)| {
                let host = watched.host();
                BreakerStatus {
                    host: name.to_string(),
                    state: host.state(now),
                    failures: host.failures,
                    retry_after: host.open.as_ref().map(|open| open.until.saturating_duration_since(now)),
                }
            })
            .collect();
        status.sort_by(|a, b| a.host.cmp(&b.host));
        status
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.is_probe && !self.is_reported {
            // The probe was given up before it knew; somebody else may try.
            if let Some(open) = &mut self.watched.host().open {
                open.probing = false;
            }
        }
    }
}

/// Whether a request failed in a way that speaks against its host.
fn is_failure(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server | ErrorKind::Connect | ErrorKind::Interrupted | ErrorKind::Timeout
    )
}

fn refused(wait: Duration) -> Error {
    Error::new(ErrorKind::CircuitOpen, Sent::No).with_retry_after(wait)
}

#[cfg(test)]
mod tests;
