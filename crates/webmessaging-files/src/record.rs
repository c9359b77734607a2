//! What happens is told to the journal, with the facts of its call.

use webmessaging_http::{Error, ErrorKind, Facts, Sent};
use webmessaging_journal::{EventKind, Facts as EventFacts, Journal};
use webmessaging_model::Operation;

/// Records what a call came to. Without sinks `kind` is not called.
pub(crate) async fn success(
    journal: &Journal,
    facts: &Facts,
    kind: impl FnOnce() -> (EventKind, EventFacts),
) -> Result<(), Error> {
    write(journal, kind).await.map_err(|error| Error::not_recorded(facts, error))
}

/// Records what was done or came to light, whether a call was answered for it or not.
pub(crate) async fn done(
    journal: &Journal,
    operation: &'static Operation,
    kind: impl FnOnce() -> (EventKind, EventFacts),
) -> Result<(), Error> {
    write(journal, kind).await.map_err(|error| {
        Error::new(ErrorKind::NotRecorded, Sent::Yes).with_operation(operation).with_source(error)
    })
}

/// Records that a call failed. What it failed with matters more than a record that cannot be written.
pub(crate) async fn failure(journal: &Journal, error: &Error, kind: impl FnOnce() -> EventKind) {
    let _ = write(journal, || (kind(), EventFacts::of(error))).await;
}

async fn write(
    journal: &Journal,
    kind: impl FnOnce() -> (EventKind, EventFacts),
) -> Result<(), webmessaging_journal::Error> {
    let recorded = journal.record(|stamp| {
        let (kind, facts) = kind();
        stamp.event(kind).facts(facts)
    });
    recorded.await.map(drop)
}
