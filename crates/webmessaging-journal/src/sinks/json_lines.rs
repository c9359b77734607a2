//! Events as lines of JSON, to standard output or any other writer.

use std::fmt;
use std::future::ready;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::redacted::Redacted;
use crate::sink::{Recorded, Sink};

/// Writes each event as one line, in the form of the audit log without its chain: no names of files, no storage
/// locations, no texts of people.
///
/// It writes while it is polled, so a writer that can block belongs behind a best-effort sink.
///
/// # Examples
/// ```
/// use webmessaging_journal::Journal;
/// use webmessaging_journal::sinks::JsonLines;
///
/// let journal = Journal::builder().best_effort("stdout", JsonLines::stdout()).build()?;
/// # Ok::<(), webmessaging_journal::Error>(())
/// ```
pub struct JsonLines {
    writer: Mutex<Box<dyn Write + Send>>,
}

impl JsonLines {
    /// Lines to a writer.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self { writer: Mutex::new(Box::new(writer)) }
    }

    /// Lines to standard output.
    pub fn stdout() -> Self {
        Self::new(io::stdout())
    }

    fn write(&self, event: &Event) -> Result<(), Error> {
        let failed =
            |error: io::Error| Error::new(ErrorKind::Io, "the line cannot be written").with_source(error);
        let mut line = serde_json::to_vec(&Redacted::of(event)).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(&line).and_then(|()| writer.flush()).map_err(failed)
    }
}

impl Sink for JsonLines {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        Box::pin(ready(self.write(event)))
    }
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").finish_non_exhaustive()
    }
}
