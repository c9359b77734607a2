//! The store in a file: SQLite, compiled in.

mod dead_letters;
mod failure;
mod inbox;
mod intents;
mod keys;
mod leases;
mod open;
mod outbox;
mod outbox_stats;
mod quarantine;
mod rate_leases;
mod retention;
mod scan_states;
mod session;
mod shared_values;
mod thread;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use self::session::Session;
use self::thread::Calls;
use crate::error::{Error, ErrorKind};

/// Threads that read; a slow question then does not hold up a quick one.
const READERS: usize = 2;

/// How a [`SqliteStore`] is opened.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_store::SqliteOptions;
///
/// let options = SqliteOptions::new("/var/lib/webmessaging/store.db").busy_timeout(Duration::from_secs(10));
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    path: PathBuf,
    busy_timeout: Duration,
    queue: usize,
    bytes_max: Option<u64>,
}

impl SqliteOptions {
    /// A store in this file, which should lie on a local disk. Neither it nor its folder has to exist; on Unix they are made with
    /// modes 0600 and 0700. Beside it lie two files of the same name with `-wal` and `-shm`, which belong to it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), busy_timeout: Duration::from_secs(5), queue: 1_024, bytes_max: None }
    }

    /// Sets how long a call waits for another process that writes to the same file; 5 seconds by default.
    #[must_use]
    pub fn busy_timeout(mut self, wait: Duration) -> Self {
        self.busy_timeout = wait;
        self
    }

    /// Sets how many calls wait for the writer before others have to wait for a place; 1,024 by default, at least 1. Each of them holds its
    /// body in memory.
    #[must_use]
    pub fn queue(mut self, calls: usize) -> Self {
        self.queue = calls.max(1);
        self
    }

    /// Sets how large the file may grow, in bytes; by default as large as the disk. Beyond, calls that write fail as
    /// [`Full`](ErrorKind::Full).
    #[must_use]
    pub fn bytes_max(mut self, bytes: u64) -> Self {
        self.bytes_max = Some(bytes);
        self
    }
}

/// The store in a file, for one machine; several processes can have it open.
///
/// One thread writes, and what gathers while it does shares the next commit. Everything is flushed to the disk before it is answered
/// (`synchronous=FULL`). Dropped, the store finishes what waits and closes the file.
///
/// # Examples
/// ```
/// use webmessaging_model::Timestamp;
/// use webmessaging_store::{Accepted, Inbox, NewDelivery, SqliteOptions, SqliteStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), webmessaging_store::Error> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("store.db");
/// let store = SqliteStore::open(SqliteOptions::new(path)).await?;
/// let at = Timestamp::UNIX_EPOCH;
/// let delivery = NewDelivery::new("genesys", "sha256:9f86d081", "file.upload.completed", at).body("{}");
/// assert!(matches!(store.accept(delivery.clone()).await?, Accepted::New(_)));
/// assert_eq!(store.accept(delivery).await?, Accepted::Duplicate { first_received_at: at });
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    writer: Calls,
    readers: Calls,
}

impl SqliteStore {
    /// Opens a store, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when the path cannot be one of a store or others can read the file,
    /// [`ReadOnly`](ErrorKind::ReadOnly), [`Full`](ErrorKind::Full), [`Corrupt`](ErrorKind::Corrupt) when it is damaged or something else's,
    /// [`NewerSchema`](ErrorKind::NewerSchema), [`Busy`](ErrorKind::Busy) when another process did not let go of it.
    pub async fn open(options: SqliteOptions) -> Result<Self, Error> {
        let SqliteOptions { path, busy_timeout: busy, queue, bytes_max } = options;
        let (writer, calls) = Calls::queue(queue);
        let file = path.clone();
        start(
            "store-writer",
            move || open::writer(&file, busy, bytes_max),
            move |session| {
                thread::write(session, calls, busy);
            },
        )
        .await?;
        let (readers, calls) = Calls::queue(queue);
        let calls = Arc::new(Mutex::new(calls));
        for _ in 0..READERS {
            let (file, calls) = (path.clone(), Arc::clone(&calls));
            start(
                "store-reader",
                move || open::reader(&file, busy),
                move |session| {
                    thread::read(session, &calls);
                },
            )
            .await?;
        }
        Ok(Self { writer, readers })
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writer.call(work).await
    }

    /// As [`write`](Self::write), for what is one statement and therefore done or not.
    async fn write_once<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writer.call_once(work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.readers.call(|session| work(session)).await
    }
}

/// Starts a thread, and tells when it has its connection.
async fn start(
    name: &str,
    open: impl FnOnce() -> Result<Connection, Error> + Send + 'static,
    work: impl FnOnce(&Session) + Send + 'static,
) -> Result<(), Error> {
    let (ready, answer) = oneshot::channel();
    let thread = move || match open() {
        Ok(connection) => {
            // Who opens the store may be gone; then its queue is, too, and the work ends at once.
            let _ = ready.send(Ok(()));
            work(&Session::new(connection));
        }
        Err(error) => {
            let _ = ready.send(Err(error));
        }
    };
    let failed = "the system gives no thread to the store: raise its limits";
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(thread)
        .map_err(|error| Error::new(ErrorKind::Unavailable).with_message(failed).with_source(error))?;
    answer.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal)))
}
