//! Breakers by a clock that the test holds.

use proptest::prelude::*;

use super::*;
use crate::clock::{Clock, TokioClock};
use crate::observe::Observer;

const SECOND: Duration = Duration::from_secs(1);

/// Three failures open it for 10 s, then 20 s, then 30 s at most.
fn breakers() -> Breakers {
    breakers_with(Observers::default())
}

fn breakers_with(observers: Observers) -> Breakers {
    let policy = BreakerPolicy::default().failures(3).open_for(SECOND * 10).open_for_max(SECOND * 30);
    Breakers::new(policy, observers)
}

/// Every change, and what `status` says when it is told: whoever asks in between must get an answer.
#[derive(Clone, Default)]
struct Heard {
    changes: Arc<Mutex<Vec<(BreakerState, BreakerState)>>>,
    breakers: Arc<std::sync::OnceLock<Breakers>>,
}

impl Observer for Heard {
    fn breaker_changed(&self, change: &BreakerChanged<'_>) {
        let seen = self.breakers.get().unwrap().status(TokioClock.now())[0].failures;
        let is_well = change.to() == BreakerState::Closed;
        assert_eq!((change.host(), is_well), ("a", seen == 0));
        self.changes.lock().unwrap().push((change.from(), change.to()));
    }
}

impl Heard {
    /// Breakers that are heard, by somebody who does not panic either.
    fn listen() -> (Self, Arc<std::sync::OnceLock<Breakers>>) {
        let heard = Self::default();
        let observers = Observers::new(vec![Box::new(heard.clone())]);
        let breakers = Arc::clone(&heard.breakers);
        breakers.set(breakers_with(observers)).unwrap();
        (heard, breakers)
    }

    fn changes(&self) -> Vec<(BreakerState, BreakerState)> {
        self.changes.lock().unwrap().clone()
    }
}

fn failure(kind: ErrorKind) -> Error {
    Error::new(kind, Sent::Maybe)
}

fn send(breakers: &Breakers, now: Instant, outcome: Result<(), ErrorKind>) -> bool {
    let Ok(pass) = breakers.enter("a", now) else { return false };
    let error = outcome.err().map(failure);
    breakers.report(pass, error.as_ref().map_or(Ok(()), Err), now);
    true
}

fn state(breakers: &Breakers, now: Instant) -> BreakerState {
    breakers.status(now)[0].state
}

fn opened(now: Instant) -> Breakers {
    let breakers = breakers();
    for _ in 0..3 {
        assert!(send(&breakers, now, Err(ErrorKind::Server)));
    }
    breakers
}

#[test]
fn failures_in_a_row_open_it_and_a_success_starts_the_count_anew() {
    let (now, breakers) = (TokioClock.now(), breakers());
    for outcome in [Err(ErrorKind::Server), Err(ErrorKind::Connect), Ok(()), Err(ErrorKind::Timeout)] {
        assert!(send(&breakers, now, outcome));
    }
    assert!(send(&breakers, now, Err(ErrorKind::Interrupted)));
    assert_eq!(state(&breakers, now), BreakerState::Closed);
    assert!(send(&breakers, now, Err(ErrorKind::Server)));
    assert_eq!(state(&breakers, now), BreakerState::Open);

    let error = breakers.enter("a", now + SECOND * 4).unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::CircuitOpen, Sent::No));
    assert_eq!(error.retry_after(), Some(SECOND * 6));
    assert!(breakers.enter("b", now).is_ok(), "another host pays for it");
}

#[test]
fn a_refusal_is_no_failure() {
    let (now, breakers) = (TokioClock.now(), breakers());
    for kind in [ErrorKind::RateLimited, ErrorKind::Permission, ErrorKind::Rejected, ErrorKind::NotFound] {
        for _ in 0..5 {
            assert!(send(&breakers, now, Err(kind)));
        }
    }
    assert_eq!(state(&breakers, now), BreakerState::Closed);
}

#[test]
fn one_probe_decides() {
    let start = TokioClock.now();
    let breakers = opened(start);
    let later = start + SECOND * 10;
    assert_eq!(state(&breakers, later), BreakerState::HalfOpen);
    let probe = breakers.enter("a", later).unwrap();
    assert!(breakers.enter("a", later).is_err(), "a second probe");
    breakers.report(probe, Ok(()), later);
    assert_eq!(state(&breakers, later), BreakerState::Closed);
}

#[test]
fn failed_probes_make_it_wait_longer_up_to_the_maximum() {
    let mut now = TokioClock.now();
    let breakers = opened(now);
    for wait in [10, 20, 30, 30] {
        assert!(!send(&breakers, now + SECOND * (wait - 1), Ok(())));
        now += SECOND * wait;
        assert!(send(&breakers, now, Err(ErrorKind::Connect)), "after {wait} s");
    }
}

#[test]
fn a_probe_that_was_given_up_leaves_room_for_another() {
    let start = TokioClock.now();
    let breakers = opened(start);
    let later = start + SECOND * 10;
    drop(breakers.enter("a", later).unwrap());
    assert!(send(&breakers, later, Ok(())));
}

#[test]
fn what_was_sent_before_it_opened_does_not_prolong_it() {
    let start = TokioClock.now();
    let breakers = breakers();
    let passes: Vec<_> = (0..20).map(|_| breakers.enter("a", start).unwrap()).collect();
    for pass in passes {
        breakers.report(pass, Err(&failure(ErrorKind::Timeout)), start);
    }
    assert!(send(&breakers, start + SECOND * 10, Ok(())));
}

#[test]
fn switched_off_it_never_opens() {
    let (now, breakers) = (TokioClock.now(), Breakers::new(BreakerPolicy::off(), Observers::default()));
    for _ in 0..100 {
        assert!(send(&breakers, now, Err(ErrorKind::Server)));
    }
}

#[test]
fn hosts_without_trouble_are_forgotten() {
    let now = TokioClock.now();
    let breakers = opened(now);
    for number in 0..3 * HOSTS_MAX {
        let host = format!("host-{number}");
        let pass = breakers.enter(&host, now).unwrap();
        breakers.report(pass, Ok(()), now);
    }
    let status = breakers.status(now);
    assert!(status.len() <= HOSTS_MAX);
    assert_eq!(status[0].state, BreakerState::Open, "trouble is remembered");
}

#[test]
fn the_hosts_that_are_kept_have_an_end() {
    let (now, breakers) = (TokioClock.now(), breakers());
    for number in 0..2 * HOSTS_MAX {
        let pass = breakers.enter(&format!("host-{number}"), now).unwrap();
        breakers.report(pass, Err(&failure(ErrorKind::Connect)), now);
    }
    assert_eq!(breakers.status(now).len(), HOSTS_MAX);
}

#[test]
fn every_change_is_told_once() {
    use BreakerState::{Closed, HalfOpen, Open};
    let (heard, breakers) = Heard::listen();
    let breakers = breakers.get().unwrap();
    let mut now = TokioClock.now();
    for _ in 0..5 {
        send(breakers, now, Err(ErrorKind::Server));
    }
    assert_eq!(heard.changes(), [(Closed, Open)]);
    now += SECOND * 10;
    drop(breakers.enter("a", now).unwrap());
    assert!(send(breakers, now, Err(ErrorKind::Server)), "a second probe, since nothing came of the first");
    now += SECOND * 20;
    assert!(send(breakers, now, Ok(())));
    assert!(send(breakers, now, Ok(())));
    assert_eq!(
        heard.changes(),
        [(Closed, Open), (Open, HalfOpen), (HalfOpen, Open), (Open, HalfOpen), (HalfOpen, Closed)]
    );
}

proptest! {
    /// Each change begins where the last one ended, whatever threads do.
    #[test]
    fn changes_are_told_in_their_order(threads in prop::collection::vec(prop::collection::vec(0..3_u8, 1..60), 2..4)) {
        let (heard, breakers) = Heard::listen();
        let breakers = breakers.get().unwrap();
        let start = TokioClock.now();
        std::thread::scope(|scope| {
            for steps in &threads {
                scope.spawn(move || {
                    for (number, step) in (0..).zip(steps) {
                        let outcome = if *step == 0 { Ok(()) } else { Err(ErrorKind::Server) };
                        send(breakers, start + SECOND * 10 * number, outcome);
                    }
                });
            }
        });
        let mut before = BreakerState::Closed;
        for (from, to) in heard.changes() {
            prop_assert_eq!(from, before);
            prop_assert_ne!(from, to);
            before = to;
        }
    }

    /// Whatever happens, at most one request is under way to a host that is not known to be well, and a success
    /// closes the breaker.
    #[test]
    fn at_most_one_probe_is_under_way(steps in prop::collection::vec((0..4_u8, 0..15_u64), 0..60)) {
        let (mut now, breakers) = (TokioClock.now(), breakers());
        let mut under_way = Vec::new();
        for (step, seconds) in steps {
            now += Duration::from_secs(seconds);
            let is_closed = breakers.status(now).first().is_none_or(|s| s.state == BreakerState::Closed);
            match (step, under_way.pop()) {
                (0, pass) => {
                    under_way.extend(pass);
                    under_way.extend(breakers.enter("a", now).ok());
                    if !is_closed {
                        prop_assert!(under_way.iter().filter(|pass: &&Pass| pass.is_probe).count() <= 1);
                    }
                }
                (1, Some(pass)) => {
                    breakers.report(pass, Ok(()), now);
                    prop_assert_eq!(state(&breakers, now), BreakerState::Closed);
                }
                (2, Some(pass)) => breakers.report(pass, Err(&failure(ErrorKind::Server)), now),
                (_, pass) => drop(pass),
            }
        }
    }
}
