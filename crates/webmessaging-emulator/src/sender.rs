//! The webhook sender: a lane for each webhook, retries on the side, everything bounded.
//!
//! The platform promises no order, and an event that is being repeated holds up no other. So that runs are alike, the
//! first attempts at one webhook are made one after another, in the order of the events.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt::{ANSWER_WITHIN, HORIZON, Next, next, post};
use crate::clock::{EmulatorClock, later};
use crate::delivery::{AttemptResult, Delivery, DeliveryLog, DeliveryOutcome};
use crate::event::Event;
use crate::job::Job;
use crate::signature::SignatureFormat;
use crate::subscription::Subscription;
use crate::tamper::Tamper;

/// As many deliveries wait or are under way at once.
const PENDING_MAX: usize = 1_000;

/// As many requests are open at once.
const CONNECTIONS_MAX: usize = 32;

/// The next event is waited for so long before one that is to be late goes out anyway.
const HELD_BACK_MAX: Duration = Duration::from_secs(60);

/// Sends events until it is stopped.
pub(crate) struct Sender {
    clock: EmulatorClock,
    signature_format: SignatureFormat,
    runtime: Handle,
    tasks: TaskTracker,
    stop: CancellationToken,
    log: DeliveryLog,
    tampers: Mutex<VecDeque<Tamper>>,
    lanes: Mutex<Lanes>,
    connections: Semaphore,
}

/// Where deliveries wait for their first attempt.
struct Lanes {
    /// By the webhook's id.
    by_webhook: HashMap<String, Lane>,
    /// A place for each delivery that waits or is under way.
    places: Arc<Semaphore>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { by_webhook: HashMap::new(), places: Arc::new(Semaphore::new(PENDING_MAX)) }
    }
}

/// Where the deliveries to one webhook wait. Bounded by the places, as all of them are.
struct Lane {
    jobs: UnboundedSender<Job>,
    gone: CancellationToken,
}

impl Sender {
    /// A sender on the runtime that it is made on.
    pub(crate) fn new(clock: EmulatorClock, signature_format: SignatureFormat) -> Self {
        Self {
            clock,
            signature_format,
            runtime: Handle::current(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            log: DeliveryLog::default(),
            tampers: Mutex::default(),
            lanes: Mutex::default(),
            connections: Semaphore::new(CONNECTIONS_MAX),
        }
    }

    /// The deliveries.
    pub(crate) fn log(&self) -> &DeliveryLog {
        &self.log
    }

    /// Lets the next event that somebody wants go wrong.
    pub(crate) fn tamper(&self, tamper: Tamper) {
        unpoisoned(&self.tampers).push_back(tamper);
    }

    /// The same, unless as many as `max` wait already; tells whether it was taken.
    pub(crate) fn tamper_within(&self, max: usize, tamper: Tamper) -> bool {
        let mut tampers = unpoisoned(&self.tampers);
        let has_room = tampers.len() < max;
        if has_room {
            tampers.push_back(tamper);
        }
        has_room
    }

    /// The tampers that wait for an event, the next one first.
    pub(crate) fn tampers(&self) -> Vec<Tamper> {
        unpoisoned(&self.tampers).iter().copied().collect()
    }

    /// Ends all deliveries, which the log says at once; to be followed by the end of the webhooks that they are for.
    pub(crate) fn cancel(&self) {
        let mut lanes = unpoisoned(&self.lanes);
        self.log.cancel();
        // Who is canceled gives its place back a little later; nobody has to wait for that.
        *lanes = Lanes::default();
    }

    /// Forgets the deliveries and the tampers.
    pub(crate) fn forget(&self) {
        self.log.clear();
        unpoisoned(&self.tampers).clear();
    }

    /// Runs `work` until it ends or the sender stops.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.stop.clone().cancelled_owned();
        let task = async move {
            tokio::select! {
                biased;
                () = stopped => {}
                () = work => {}
            }
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Cuts everything that is under way.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Cuts everything that is under way and waits until it is gone.
    pub(crate) async fn stopped(&self) {
        self.stop();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Queues one delivery of the event for each of the webhooks.
    pub(crate) fn publish(self: &Arc<Self>, event: &Event, subscriptions: Vec<Arc<Subscription>>) {
        // Held to the end, so that all webhooks see events in one order.
        let mut lanes = unpoisoned(&self.lanes);
        lanes.by_webhook.retain(|_, lane| !lane.gone.is_cancelled());
        let tamper = if subscriptions.is_empty() { None } else { unpoisoned(&self.tampers).pop_front() };
        let copies = if tamper == Some(Tamper::Duplicate) { 2 } else { 1 };
        for subscription in subscriptions {
            for _ in 0..copies {
                let entry = self.log.add(Delivery {
                    event_id: event.id.clone(),
                    event_type: event.kind.clone(),
                    webhook_id: subscription.id.clone(),
                    webhook_name: subscription.name.clone(),
                    attempts: Vec::new(),
                    outcome: None,
                });
                let Ok(place) = Arc::clone(&lanes.places).try_acquire_owned() else {
                    entry.end(DeliveryOutcome::Overflow);
                    continue;
                };
                let Some(job) = Job::new(event, &subscription, entry, place, self.signature_format, tamper)
                else {
                    continue;
                };
                let lane = lanes.by_webhook.entry(subscription.id.clone());
                let lane = lane.or_insert_with(|| self.open_lane(&subscription));
                // A lane that closes at this very moment drops the job, and the log says so.
                let _ = lane.jobs.send(job);
            }
        }
    }

    fn open_lane(self: &Arc<Self>, subscription: &Subscription) -> Lane {
        let (lane, jobs) = unbounded_channel();
        self.spawn_for(subscription, Arc::clone(self).work_off(jobs));
        Lane { jobs: lane, gone: subscription.gone.clone() }
    }

    /// Runs `work` until it ends, the webhook goes, or the sender stops.
    fn spawn_for(&self, subscription: &Subscription, work: impl Future<Output = ()> + Send + 'static) {
        let gone = subscription.gone.clone().cancelled_owned();
        self.spawn(async move {
            tokio::select! {
                biased;
                () = gone => {}
                () = work => {}
            }
        });
    }

    async fn work_off(self: Arc<Self>, mut jobs: UnboundedReceiver<Job>) {
        while let Some(job) = jobs.recv().await {
            if job.is_late {
                let until = later(self.clock.now(), HELD_BACK_MAX);
                if let Some(Some(earlier)) = self.clock.before(until, jobs.recv()).await {
                    self.deliver(earlier).await;
                }
            }
            self.deliver(job).await;
        }
    }

    /// Makes the first attempt, and leaves the others to a task of their own.
    async fn deliver(self: &Arc<Self>, mut job: Job) {
        let Some(mut at) = self.attempt(&mut job).await else { return };
        let sender = Arc::clone(self);
        let subscription = Arc::clone(&job.subscription);
        self.spawn_for(&subscription, async move {
            loop {
                sender.clock.wait_until(at).await;
                match sender.attempt(&mut job).await {
                    Some(next) => at = next,
                    None => return,
                }
            }
        });
    }

    /// Makes one attempt; gives the time of the next one, if there is to be one.
    async fn attempt(&self, job: &mut Job) -> Option<SystemTime> {
        // Nobody closes the semaphore.
        let _connection = self.connections.acquire().await.ok()?;
        let began = self.clock.now();
        let horizon = later(*job.first_at.get_or_insert(began), HORIZON);
        if began >= horizon {
            job.entry.end(DeliveryOutcome::Expired);
            return None;
        }
        if !job.entry.begin(began) {
            return None;
        }
        let deadline = later(began, ANSWER_WITHIN).min(horizon);
        let sent = post(&job.target, job.headers.clone(), job.body.clone());
        let result = self.clock.before(deadline, sent).await.unwrap_or(AttemptResult::TimedOut);
        // Read before the result can be seen: who then moves the clock by the pause finds the retry due.
        let ended = self.clock.now();
        let next = next(result, ended, horizon, job.retries_left);
        job.retries_left = job.retries_left.saturating_sub(1);
        tracing::debug!(webhook = job.subscription.id, ?result, ?next, "delivery attempt");
        match next {
            Next::End(outcome) => {
                job.entry.attempted(result, Some(outcome));
                None
            }
            Next::RetryAt(at) => {
                job.entry.attempted(result, None);
                Some(at)
            }
        }
    }
}

/// No step leaves the sender's state half-changed, so a poisoned lock holds good data.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
