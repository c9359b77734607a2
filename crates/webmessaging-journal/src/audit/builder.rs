//! How a log is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::channel;

use super::folder::{Folder, trouble};
use super::log::AuditLog;
use super::recover::recover;
use super::writer::{Rotation, Wrap, Writer};
use crate::clock::{Clock, SystemClock};
use crate::error::Error;

/// Opens a log.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_journal::audit::AuditLog;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("audit");
/// let log = AuditLog::builder(folder).file_bytes(16 * 1024 * 1024).file_age(Duration::from_secs(86_400)).open()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until the log is opened"]
pub struct AuditLogBuilder {
    folder: PathBuf,
    queue: usize,
    rotation: Rotation,
    clock: Arc<dyn Clock>,
    wrap: Wrap,
}

impl AuditLogBuilder {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            queue: 1_024,
            rotation: Rotation { bytes: 64 * 1024 * 1024, age: Duration::from_secs(30 * 86_400) },
            clock: Arc::new(SystemClock),
            wrap: |file| Box::new(file),
        }
    }

    /// Sets how many bytes of a file are enough for the next one; 64 MiB by default. What was waiting then is still written
    /// to the same file, at most about 1 MiB more.
    pub fn file_bytes(mut self, bytes: u64) -> Self {
        self.rotation.bytes = bytes;
        self
    }

    /// Sets how old the first record of a file may be before the next record begins another file; 30 days by default.
    pub fn file_age(mut self, age: Duration) -> Self {
        self.rotation.age = age;
        self
    }

    /// Sets how many records can wait; 1,024 by default, at least 1. Above it callers wait for a place.
    pub fn queue(mut self, records: usize) -> Self {
        self.queue = records.clamp(1, usize::MAX >> 4);
        self
    }

    /// Sets the clock that tells when files are too old; that of the system by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    #[cfg(test)]
    pub(super) fn wrap(mut self, wrap: Wrap) -> Self {
        self.wrap = wrap;
        self
    }

    /// Takes the folder, moves away what a crash has torn, and goes on behind the last record. It blocks while it reads
    /// the end of the newest file.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`](crate::ErrorKind::Locked) when the log is open already, here or in another process,
    /// [`ErrorKind::Damaged`](crate::ErrorKind::Damaged) when its last whole record is not what was written, and
    /// [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn open(self) -> Result<AuditLog, Error> {
        let Self { folder: path, queue, rotation, clock, wrap } = self;
        let folder = Folder::take(&path)?;
        let mut recovered = recover(&folder)?;
        let torn = recovered.torn.take();
        let writer = Writer::new(folder, recovered, clock, rotation, wrap);
        let (sender, receiver) = channel(queue);
        thread::Builder::new()
            .name("audit log".to_owned())
            .spawn(move || writer.run(receiver))
            .map_err(|error| trouble("the thread of the audit log cannot be started", error))?;
        Ok(AuditLog::new(sender, path, torn))
    }
}
