//! Which request meets which fault: the queues, the script, and the counters between them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::fault::{Fault, FaultRule, FaultScript};
use crate::routes::Route;

/// The faults that wait for their requests.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    schedule: Mutex<Schedule>,
}

#[derive(Debug, Default)]
struct Schedule {
    /// First in, first out.
    queues: HashMap<Route, VecDeque<Fault>>,
    script: FaultScript,
    /// Requests since the script was set; of all routes under `None`.
    met: HashMap<Option<Route>, u64>,
    /// How often each rule of the script has acted.
    acted: Vec<u64>,
}

impl Faults {
    /// A schedule with empty queues.
    pub(crate) fn new(script: FaultScript) -> Self {
        Self { schedule: Mutex::new(Schedule::new(script)) }
    }

    pub(crate) fn push(&self, route: Route, fault: Fault) {
        self.lock().queues.entry(route).or_default().push_back(fault);
    }

    /// Replaces the script, and counts its requests from the next one on.
    pub(crate) fn set_script(&self, script: FaultScript) {
        let mut schedule = self.lock();
        let queues = std::mem::take(&mut schedule.queues);
        *schedule = Schedule { queues, ..Schedule::new(script) };
    }

    /// Empties the queues and begins with `script`.
    pub(crate) fn reset(&self, script: FaultScript) {
        *self.lock() = Schedule::new(script);
    }

    pub(crate) fn script(&self) -> FaultScript {
        self.lock().script.clone()
    }

    /// How often each rule has acted.
    pub(crate) fn acted(&self) -> Vec<u64> {
        self.lock().acted.clone()
    }

    /// How many faults wait in the queue of each route.
    pub(crate) fn queued(&self) -> BTreeMap<String, usize> {
        let schedule = self.lock();
        let queues = schedule.queues.iter().filter(|(_, queue)| !queue.is_empty());
        queues.map(|(route, queue)| (route.to_string(), queue.len())).collect()
    }

    /// Counts a request of `route` and gives what happens to it: all but the last let the request go on.
    pub(crate) fn next(&self, route: Route) -> Vec<Fault> {
        self.lock().next(route)
    }

    /// No step leaves the schedule half-changed, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    fn new(script: FaultScript) -> Self {
        let acted = vec![0; script.rules.len()];
        Self { script, acted, ..Self::default() }
    }

    fn next(&mut self, route: Route) -> Vec<Fault> {
        let of_route = self.count(Some(route));
        let of_all = self.count(None);
        if let Some(fault) = self.queues.get_mut(&route).and_then(VecDeque::pop_front) {
            return vec![fault];
        }
        let mut faults = Vec::new();
        for (index, (rule, acted)) in (0_u64..).zip(self.script.rules.iter().zip(&mut self.acted)) {
            let number = match rule.route {
                None => of_all,
                Some(own) if own == route => of_route,
                Some(_) => continue,
            };
            if rule.times.is_some_and(|times| *acted >= times)
                || !holds(rule, number)
                || !rule.rate.is_none_or(|rate| draw(self.script.seed, index, number) < rate)
            {
                continue;
            }
            *acted = acted.saturating_add(1);
            faults.push(rule.fault.clone());
            if !rule.fault.lets_go_on() {
                break;
            }
        }
        faults
    }

    fn count(&mut self, route: Option<Route>) -> u64 {
        let met = self.met.entry(route).or_default();
        *met = met.saturating_add(1);
        *met
    }
}

/// Whether a rule is about the request of this number, counted from 1.
fn holds(rule: &FaultRule, number: u64) -> bool {
    rule.from.is_none_or(|from| number >= from)
        && rule.to.is_none_or(|to| number <= to)
        && rule.every.is_none_or(|every| number.checked_rem(every) == Some(0))
}

/// A number from 0 to below 1 that depends on nothing else: neither on the order in which requests of different routes
/// come, nor on the version of a library.
fn draw(seed: u64, rule: u64, number: u64) -> f64 {
    let mut hasher = Sha256::new();
    for part in [seed, rule, number] {
        hasher.update(part.to_be_bytes());
    }
    let [a, b, c, d, ..]: [u8; 32] = hasher.finalize().into();
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The numbers of those of the first `count` requests that meet a fault.
    fn acting(faults: &Faults, route: Route, count: usize) -> Vec<usize> {
        (1..=count).filter(|_| !faults.next(route).is_empty()).collect()
    }

    fn script(rule: FaultRule) -> Faults {
        Faults::new(FaultScript::new(7).rule(rule))
    }

    fn rule() -> FaultRule {
        FaultRule::new(Fault::drop_before())
    }

    #[test]
    fn each_condition_picks_its_requests() {
        for (rule, expected) in [
            (rule(), vec![1, 2, 3, 4, 5, 6, 7, 8]),
            (rule().nth(3), vec![3]),
            (rule().every(3), vec![3, 6]),
            (rule().from(7), vec![7, 8]),
            (rule().to(2), vec![1, 2]),
            (rule().from(3).to(4), vec![3, 4]),
            (rule().from(4).every(3), vec![6]),
            (rule().times(2), vec![1, 2]),
            (rule().every(2).times(1), vec![2]),
            (rule().rate(0.0), vec![]),
            (rule().rate(1.0), vec![1, 2, 3, 4, 5, 6, 7, 8]),
            (rule().nth(0), vec![]),
            (rule().every(0), vec![]),
        ] {
            assert_eq!(acting(&script(rule.clone()), Route::Token, 8), expected, "{rule:?}");
        }
    }

    #[test]
    fn a_rule_counts_its_own_route_or_all_of_them() {
        let own = script(rule().route(Route::Download).nth(2));
        let all = script(rule().nth(2));
        for (faults, expected) in [(own, [false, false, true]), (all, [false, true, false])] {
            let routes = [Route::Download, Route::Token, Route::Download];
            assert_eq!(routes.map(|route| !faults.next(route).is_empty()), expected);
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_one_does_not() {
        let drawn = |seed| {
            let faults = Faults::new(FaultScript::new(seed).rule(rule().rate(0.25)));
            acting(&faults, Route::Token, 1_000)
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert!((200..300).contains(&drawn(7).len()), "{}", drawn(7).len());
        // What a seed means must not change with a release; computed by another program.
        assert_eq!(drawn(7)[..8], [1, 5, 6, 13, 16, 17, 21, 24]);
    }

    #[test]
    fn draws_do_not_depend_on_what_other_routes_do() {
        let one = Faults::new(FaultScript::new(7).rule(rule().route(Route::Token).rate(0.5)));
        let other = Faults::new(FaultScript::new(7).rule(rule().route(Route::Token).rate(0.5)));
        let alone = acting(&one, Route::Token, 100);
        let mixed: Vec<_> = (1..=100_usize)
            .filter(|_| {
                other.next(Route::Download);
                !other.next(Route::Token).is_empty()
            })
            .collect();
        assert_eq!(alone, mixed);
    }

    #[test]
    fn the_queue_goes_first_and_its_requests_are_counted() {
        let faults = script(rule().nth(1));
        faults.push(Route::Token, Fault::drop_after());
        assert_eq!(faults.next(Route::Token), [Fault::drop_after()]);
        assert_eq!(faults.next(Route::Token), []);
        assert_eq!(faults.acted(), [0]);
    }

    #[test]
    fn delays_let_later_rules_act_and_other_faults_do_not() {
        let delay = Fault::delay(Duration::from_millis(1));
        let jump = Fault::advance_clock(Duration::from_secs(1));
        let faults = Faults::new(
            FaultScript::new(7)
                .rule(FaultRule::new(delay.clone()))
                .rule(FaultRule::new(jump.clone()))
                .rule(rule())
                .rule(FaultRule::new(Fault::drop_after())),
        );
        assert_eq!(faults.next(Route::Token), [delay, jump, Fault::drop_before()]);
        assert_eq!(faults.acted(), [1, 1, 1, 0]);
    }

    #[test]
    fn another_script_begins_to_count_anew_and_leaves_the_queue() {
        let faults = script(rule().nth(1));
        assert_eq!(acting(&faults, Route::Token, 2), [1]);
        faults.push(Route::Download, Fault::drop_after());
        faults.set_script(faults.script());
        assert_eq!(acting(&faults, Route::Token, 2), [1]);
        assert_eq!(faults.next(Route::Download), [Fault::drop_after()]);
        faults.push(Route::Download, Fault::drop_after());
        faults.reset(FaultScript::default());
        assert_eq!(faults.next(Route::Download), []);
    }

    #[test]
    fn concurrent_requests_share_one_count() {
        let faults = script(rule().every(10));
        let acting: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| acting(&faults, Route::Token, 250).len())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(acting, 100);
    }
}
