//! The handle of a log: hands records to its writer, and waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;

use super::builder::AuditLogBuilder;
use super::checkpoint::Checkpoint;
use super::line;
use super::recover::Torn;
use super::removed::Removed;
use super::retention::Retention;
use super::writer::{Answer, Job, Request};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::sink::{Recorded, Sink};

/// A log that is written to. Cheap to clone; clones are the same log.
///
/// Whoever records waits until the record is on the disk, together with all others that wait: there is one write and one
/// `fdatasync` for all of them. When the queue is full callers wait for a place in it. A record that cannot be made durable
/// is an error, and nothing of it stays in the file; when there is space again, later records are taken as before.
///
/// It runs on a thread of its own and needs no particular async runtime. The log is closed when the last handle is gone
/// and the queue is empty, or by [`close`](Self::close).
///
/// # Examples
/// ```
/// use webmessaging_journal::audit::{AuditLog, verify};
/// use webmessaging_journal::kind::FileUploaded;
/// use webmessaging_journal::Journal;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("audit");
/// let log = AuditLog::builder(&folder).open()?;
/// let journal = Journal::builder().durable("audit", log.clone()).build()?;
/// journal.record(|stamp| stamp.event(FileUploaded::new("file-1", "invoice.pdf", 20_480))).await?;
///
/// let found = verify(&folder, Some(&log.head().await?))?;
/// assert!(found.is_intact());
/// assert_eq!(found.records, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct AuditLog {
    jobs: Sender<Job>,
    opened: Arc<Opened>,
}

#[derive(Debug)]
struct Opened {
    folder: PathBuf,
    torn: Option<Torn>,
}

impl AuditLog {
    /// A log in this folder, which is made with mode 0700 where there is none.
    pub fn builder(folder: impl Into<PathBuf>) -> AuditLogBuilder {
        AuditLogBuilder::new(folder.into())
    }

    pub(super) fn new(jobs: Sender<Job>, folder: PathBuf, torn: Option<Torn>) -> Self {
        Self { jobs, opened: Arc::new(Opened { folder, torn }) }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.opened.folder
    }

    /// The torn end that was moved away when the log was opened.
    pub fn torn(&self) -> Option<&Torn> {
        self.opened.torn.as_ref()
    }

    /// Records an event, and returns where in the chain it is.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be made durable, [`ErrorKind::TooLarge`] when it does not fit into a record,
    /// [`ErrorKind::Damaged`] when somebody else has changed the file, and [`ErrorKind::Closed`].
    pub async fn append(&self, event: &Event) -> Result<Checkpoint, Error> {
        let body = line::body(event)?;
        self.ask(|answer| Job::Record(body, answer)).await
    }

    /// The last record, when everything that was asked before is done.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`].
    pub async fn head(&self) -> Result<Checkpoint, Error> {
        self.ask(|answer| Job::Request(Request::Head(answer))).await
    }

    /// Removes old files by a rule, leaves a stub, and records that it has. Returns what was removed now.
    ///
    /// It looks at the ends of what it removes and does not check all of it: [`verify`](super::verify) does. When only the
    /// record of it fails, the files are gone all the same, the stub says so, and the record follows with the next one that can be
    /// written, or when the log is opened again.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], [`ErrorKind::Damaged`] when the files do not follow each other, and [`ErrorKind::Closed`].
    pub async fn retain(&self, rule: Retention) -> Result<Option<Removed>, Error> {
        self.ask(|answer| Job::Request(Request::Retain(rule, answer))).await
    }

    /// Closes the log for all handles, when everything that was asked before is done. Then it can be opened again.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] when it was closed before.
    pub async fn close(&self) -> Result<(), Error> {
        self.ask(|answer| Job::Request(Request::Close(answer))).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let closed = || Error::new(ErrorKind::Closed, "the audit log is closed: open it again");
        self.jobs.send(job(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

impl Sink for AuditLog {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        Box::pin(async move { self.append(event).await.map(drop) })
    }
}
