//! One event to several sinks at once: each with its own result, none at the mercy of another.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::sink::{Recorded, Sink};
use crate::watchdog::Watchdogs;

/// A sink and what it is called.
pub(crate) struct Named {
    pub(crate) name: Cow<'static, str>,
    pub(crate) sink: Box<dyn Sink>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sink").field(&self.name).finish()
    }
}

/// Records with all sinks at once and waits for all of them, but for those that take longer than the limit.
pub(crate) async fn record(sinks: &[Named], event: &Event, watchdogs: &Watchdogs) -> Result<(), Error> {
    let mut parts: Vec<_> = sinks.iter().map(|named| Part::start(named, event)).collect();
    let mut watchdog = watchdogs.watch();
    poll_fn(|context| {
        let mut all_done = true;
        for part in &mut parts {
            all_done &= part.is_done(context);
        }
        if !all_done && !watchdog.is_over(context) {
            return Poll::Pending;
        }
        for part in &mut parts {
            part.give_up(watchdogs.limit());
        }
        Poll::Ready(())
    })
    .await;
    Error::together(parts.into_iter().filter_map(Part::into_error).collect()).map_or(Ok(()), Err)
}

/// What one sink does with the event.
struct Part<'a> {
    name: &'a Cow<'static, str>,
    state: State<'a>,
}

enum State<'a> {
    Pending(Recorded<'a>),
    Done(Result<(), Error>),
}

impl<'a> Part<'a> {
    fn start(named: &'a Named, event: &'a Event) -> Self {
        let state = match guarded(|| named.sink.record(event)) {
            Ok(recorded) => State::Pending(recorded),
            Err(panicked) => State::Done(Err(panicked)),
        };
        Self { name: &named.name, state }
    }

    fn is_done(&mut self, context: &mut Context<'_>) -> bool {
        let State::Pending(recorded) = &mut self.state else { return true };
        let result = match guarded(|| recorded.as_mut().poll(context)) {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(result)) => result,
            Err(panicked) => Err(panicked),
        };
        self.finish(result);
        true
    }

    /// Does nothing with what is done.
    fn give_up(&mut self, limit: Duration) {
        if matches!(self.state, State::Pending(_)) {
            let message = format!(
                "not done within {} ms, and the event may be recorded or not: see what holds the sink up",
                limit.as_millis()
            );
            self.finish(Err(Error::new(ErrorKind::TimedOut, message)));
        }
    }

    fn finish(&mut self, result: Result<(), Error>) {
        let before = std::mem::replace(&mut self.state, State::Done(result));
        // A future that has panicked can do so again when it is dropped.
        let _ = guarded(|| drop(before));
    }

    fn into_error(self) -> Option<Error> {
        match self.state {
            State::Done(Err(error)) => Some(error.with_sink(self.name.clone())),
            State::Done(Ok(())) | State::Pending(_) => None,
        }
    }
}

/// Does something of a sink's. In a program that is built to abort on panics nothing can be caught.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| Error::new(ErrorKind::Panicked, "it has panicked, which is a mistake in the sink"))
}
