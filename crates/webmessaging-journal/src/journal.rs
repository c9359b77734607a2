//! The journal: what happens is recorded once, and handed to every sink.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::best_effort::Queue;
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::error::{Error, ErrorKind};
use crate::event::{Actor, Event, EventId, Stamp};
use crate::fan_out::{self, Named};
use crate::sink::Sink;
use crate::watchdog::Watchdogs;

pub use crate::best_effort::BestEffortStatus;

/// Takes what happens and hands it to the sinks. Cheap to clone; clones are the same journal.
///
/// A journal without sinks costs nothing: events are not even made.
///
/// # Examples
/// ```
/// use webmessaging_journal::kind::ChannelUpdated;
/// use webmessaging_journal::sinks::InMemory;
/// use webmessaging_journal::{Facts, Journal};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), webmessaging_journal::Error> {
/// let kept = InMemory::new();
/// let journal = Journal::builder().actor("channel-service").durable("memory", kept.clone()).build()?;
/// journal
///     .record(|stamp| {
///         stamp
///             .event(ChannelUpdated::new("channel-1", vec!["configuration.webchat.features".to_owned()]))
///             .facts(Facts::new().status(200))
///     })
///     .await?;
/// assert_eq!(kept.events()[0].action(), "channel.updated");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Journal(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    entropy: Box<dyn Entropy>,
    actor: Actor,
    watchdogs: Arc<Watchdogs>,
    durable: Vec<Named>,
    best_effort: Vec<Queue>,
}

impl Journal {
    /// A journal without sinks.
    pub fn none() -> Self {
        Self(None)
    }

    /// A journal with sinks.
    pub fn builder() -> JournalBuilder {
        JournalBuilder::default()
    }

    /// Whether there are no sinks, so that nothing is recorded.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Records what happened. Without sinks `make` is not called.
    ///
    /// The event is made now and recorded when the future runs. The future is done when every durable sink has the event;
    /// dropped before, some of them may have it.
    ///
    /// # Errors
    /// Those of the durable sinks, which name the sink: the event is then in some of them or in none.
    /// [`ErrorKind::TimedOut`] and [`ErrorKind::Panicked`] are the journal's own.
    #[must_use = "nothing is recorded before the future has run"]
    pub fn record(
        &self,
        make: impl FnOnce(Stamp) -> Event,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let work = self.0.as_deref().map(|inner| (inner, Arc::new(make(inner.stamp()))));
        async move {
            match work {
                Some((inner, event)) => inner.record(event).await,
                None => Ok(()),
            }
        }
    }

    /// Records an event that was made before, with its id and time.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub async fn append(&self, event: Event) -> Result<(), Error> {
        match self.0.as_deref() {
            Some(inner) => inner.record(Arc::new(event)).await,
            None => Ok(()),
        }
    }

    /// Waits until the best-effort sinks have worked off what was recorded so far; for the end of a program.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] when that takes longer than the time limit.
    pub async fn flush(&self) -> Result<(), Error> {
        let Some(inner) = self.0.as_deref() else { return Ok(()) };
        let mut watchdog = inner.watchdogs.watch();
        for queue in &inner.best_effort {
            let mut idle = pin!(queue.idle());
            let in_time = poll_fn(|context| match idle.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending if watchdog.is_over(context) => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            });
            if !in_time.await {
                let message = "there is still something in the queue: see what holds the sink up";
                return Err(Error::new(ErrorKind::TimedOut, message).with_sink(queue.status().name.into()));
            }
        }
        Ok(())
    }

    /// How it stands with the best-effort sinks, in the order they were added.
    pub fn best_effort(&self) -> Vec<BestEffortStatus> {
        self.0
            .as_deref()
            .map(|inner| inner.best_effort.iter().map(Queue::status).collect())
            .unwrap_or_default()
    }
}

impl Inner {
    fn stamp(&self) -> Stamp {
        let at = self.clock.wall();
        Stamp::new(EventId::new(at, &*self.entropy), at, self.actor.clone())
    }

    async fn record(&self, event: Arc<Event>) -> Result<(), Error> {
        for queue in &self.best_effort {
            queue.offer(Arc::clone(&event));
        }
        if self.durable.is_empty() {
            return Ok(());
        }
        fan_out::record(&self.durable, &event, &self.watchdogs).await
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(inner) = &self.0 else { return f.write_str("Journal(none)") };
        f.debug_struct("Journal")
            .field("durable", &inner.durable)
            .field("best_effort", &self.best_effort())
            .finish_non_exhaustive()
    }
}

/// Puts a journal together.
///
/// **Durable** sinks get every event at the same time and are all waited for; an error of one is the error of the record.
/// One that does not answer is given up after the time limit, and one that panics has failed; the others have the event
/// all the same. What cannot be bounded is a durable sink that blocks the thread it is polled on.
///
/// **Best-effort** sinks have a bounded queue and a thread each. They neither fail nor delay a caller: when a queue is
/// full the event is dropped for that sink and counted.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct JournalBuilder {
    clock: Arc<dyn Clock>,
    entropy: Box<dyn Entropy>,
    actor: Actor,
    time_limit: Duration,
    queue: usize,
    durable: Vec<Named>,
    best_effort: Vec<Named>,
}

impl Default for JournalBuilder {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Box::new(SystemEntropy),
            actor: Actor::default(),
            time_limit: Duration::from_secs(10),
            queue: 1_024,
            durable: Vec::new(),
            best_effort: Vec::new(),
        }
    }
}

impl JournalBuilder {
    /// Adds a sink that is waited for. The name is for errors.
    pub fn durable(mut self, name: impl Into<Cow<'static, str>>, sink: impl Sink) -> Self {
        self.durable.push(Named { name: name.into(), sink: Box::new(sink) });
        self
    }

    /// Adds a sink that nobody waits for. The name is for its status.
    pub fn best_effort(mut self, name: impl Into<Cow<'static, str>>, sink: impl Sink) -> Self {
        self.best_effort.push(Named { name: name.into(), sink: Box::new(sink) });
        self
    }

    /// Sets who is usually the actor; `system` by default.
    pub fn actor(mut self, actor: impl Into<Actor>) -> Self {
        self.actor = actor.into();
        self
    }

    /// Sets how long a sink may take for an event; 10 seconds by default, at most a day.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.min(Duration::from_secs(86_400));
        self
    }

    /// Sets how many events can wait for each best-effort sink; 1,024 by default, at least 1.
    pub fn queue(mut self, events: usize) -> Self {
        self.queue = events.max(1);
        self
    }

    /// Sets the clock; that of the system by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets where ids get their randomness; from the system by default.
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Box::new(entropy);
        self
    }

    /// The journal.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the thread of a best-effort sink cannot be started.
    pub fn build(self) -> Result<Journal, Error> {
        let Self { clock, entropy, actor, time_limit, queue, durable, best_effort } = self;
        if durable.is_empty() && best_effort.is_empty() {
            return Ok(Journal::none());
        }
        let watchdogs = Arc::new(Watchdogs::new(Arc::clone(&clock), time_limit));
        let start = |named| Queue::start(named, queue, Arc::clone(&watchdogs));
        let best_effort = best_effort.into_iter().map(start).collect::<Result<_, _>>()?;
        Ok(Journal(Some(Arc::new(Inner { clock, entropy, actor, watchdogs, durable, best_effort }))))
    }
}
