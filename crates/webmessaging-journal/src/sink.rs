//! What takes events: a log, counters, an outbox.

use std::pin::Pin;
use std::sync::Arc;

use crate::error::Error;
use crate::event::Event;

/// An event on its way into a sink.
pub type Recorded<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Takes events.
///
/// The journal says which of two ways it is asked, see [`JournalBuilder`](crate::JournalBuilder). As a durable sink it
/// answers when the event cannot be lost any more, and must not block the thread it is polled on, since callers are on
/// it. As a best-effort sink it has a thread of its own, is polled outside any async runtime, and may block.
///
/// # Examples
/// ```
/// use webmessaging_journal::{Error, Event, Recorded, Sink};
///
/// struct Printer;
///
/// impl Sink for Printer {
///     fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
///         Box::pin(async move {
///             println!("{} {}", event.at, event.action());
///             Ok::<(), Error>(())
///         })
///     }
/// }
/// ```
pub trait Sink: Send + Sync + 'static {
    /// Takes one event. The future can be dropped before it is done; the event may have been taken then, or not.
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a>;
}

impl<T: Sink + ?Sized> Sink for Arc<T> {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        (**self).record(event)
    }
}

impl<T: Sink + ?Sized> Sink for Box<T> {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        (**self).record(event)
    }
}
