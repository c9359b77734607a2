//! Many files at once: a few at a time, each with an outcome of its own, and nothing twice after an interruption.

mod item;
mod one;
mod report;

use std::fmt;
use std::future::{IntoFuture, pending};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared};
use futures_util::stream::{self, StreamExt};
use webmessaging_http::{Error, Progress, Source};
use webmessaging_model::{ChannelId, MessageId};

use self::item::Origin;
use crate::client::FilesClient;
use crate::gate::ScanGate;
use crate::ledger::{Ledger, ledger_failed};
use crate::wait_for_scan::SCAN_WITHIN;

pub use self::item::BatchItem;
pub use self::report::{BatchFile, BatchReport, BatchUpload};

/// So many files are uploaded at once by default.
pub const CONCURRENCY: usize = 4;

/// More at once only wait for each other, whatever is asked for.
pub const CONCURRENCY_MAX: usize = 64;

/// An upload of many files; `.await` begins it.
///
/// A file that fails stops none of the others. With a [`Ledger`] an interrupted batch can be run again: what is there already is not
/// uploaded again, and of a file whose fate is not known the platform is asked. A file that has changed since is a new one.
///
/// # Errors
/// Only what concerns the batch as a whole: a ledger that cannot be read. What became of each file is in the [`BatchReport`].
///
/// # Examples
/// ```no_run
/// use webmessaging_files::ledger::FileLedger;
///
/// # async fn example(files: webmessaging_files::FilesClient) -> Result<(), Box<dyn std::error::Error>> {
/// let report = files
///     .batch()
///     .directory("reports")
///     .channel("12345678-1234-1234-1234-123456789012")
///     .message("87654321-4321-4321-4321-210987654321")
///     .ledger(FileLedger::open("reports.jsonl")?)
///     .await?;
/// for file in report.failed() {
///     println!("{}: {:?}", file.name, file.outcome);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a batch does nothing until it is awaited"]
pub struct Batch {
    plan: Plan,
    origins: Vec<Origin>,
    cancel: Option<BoxFuture<'static, ()>>,
}

/// What is the same for all files.
struct Plan {
    files: FilesClient,
    channel: ChannelId,
    message: MessageId,
    concurrency: usize,
    scan: bool,
    scan_within: Duration,
    gate: ScanGate,
    checked: bool,
    ledger: Option<Arc<dyn Ledger>>,
    on_event: Option<Arc<OnEvent>>,
}

type OnEvent = dyn Fn(BatchEvent<'_>) + Send + Sync;

/// Something happened to a file of a batch; files are told apart by their place.
#[derive(Debug)]
#[non_exhaustive]
pub enum BatchEvent<'a> {
    /// How many files there are is known.
    Listed {
        /// So many.
        files: usize,
        /// How many bytes they have, but for sources that are no files.
        bytes: u64,
    },
    /// Its turn has come.
    Begun {
        /// Its place, from 0.
        index: usize,
        /// Its name.
        name: &'a str,
    },
    /// Bytes went out.
    Sent {
        /// Its place, from 0.
        index: usize,
        /// How many.
        progress: Progress,
    },
    /// Its bytes are there, and the scan is waited for.
    Stored {
        /// Its place, from 0.
        index: usize,
    },
    /// It is over.
    Ended {
        /// Its place, from 0.
        index: usize,
        /// What came of it.
        file: &'a BatchFile,
    },
}

/// The end of the whole batch, for each file that has to know of it.
type Canceled = Shared<BoxFuture<'static, ()>>;

impl FilesClient {
    /// Uploads many files; see [`Batch`].
    pub fn batch(&self) -> Batch {
        let plan = Plan {
            files: self.clone(),
            channel: ChannelId::new(""),
            message: MessageId::new(""),
            concurrency: CONCURRENCY,
            scan: true,
            scan_within: SCAN_WITHIN,
            gate: ScanGate::new(),
            checked: true,
            ledger: None,
            on_event: None,
        };
        Batch { plan, origins: Vec::new(), cancel: None }
    }
}

impl Batch {
    /// Adds a file.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.origins.push(Origin::Item(BatchItem::path(path)));
        self
    }

    /// Adds all files of a folder, in the order of their names; not those of its subfolders. Links to files are followed.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.origins.push(Origin::Directory { path: path.into(), recursive: false });
        self
    }

    /// Adds all files of a folder and of its subfolders. Links to folders are not followed.
    pub fn tree(mut self, path: impl Into<PathBuf>) -> Self {
        self.origins.push(Origin::Directory { path: path.into(), recursive: true });
        self
    }

    /// Adds a source; the key is what it is called in the ledger.
    pub fn source(self, key: impl Into<String>, source: Source) -> Self {
        self.item(BatchItem::source(key, source))
    }

    /// Adds a file with settings of its own.
    pub fn item(mut self, item: BatchItem) -> Self {
        self.origins.push(Origin::Item(item));
        self
    }

    /// Sets the channel of the conversation; required.
    pub fn channel(mut self, channel: impl Into<ChannelId>) -> Self {
        self.plan.channel = channel.into();
        self
    }

    /// Sets the message that the files belong to; required, but for files that have one of their own.
    pub fn message(mut self, message: impl Into<MessageId>) -> Self {
        self.plan.message = message.into();
        self
    }

    /// Sets how many files are uploaded at once; [`CONCURRENCY`] by default, from 1 to [`CONCURRENCY_MAX`].
    pub fn concurrency(mut self, files: usize) -> Self {
        self.plan.concurrency = files.clamp(1, CONCURRENCY_MAX);
        self
    }

    /// Sets whether the scanner's verdict is waited for; it is by default.
    pub fn scan(mut self, scan: bool) -> Self {
        self.plan.scan = scan;
        self
    }

    /// Sets how long each verdict is waited for; 120 seconds by default.
    pub fn scan_within(mut self, limit: Duration) -> Self {
        self.plan.scan_within = limit;
        self
    }

    /// Listens to what webhooks say of the files, as [`WaitForScan::gate`](crate::WaitForScan::gate) does.
    pub fn gate(mut self, gate: &ScanGate) -> Self {
        self.plan.gate = gate.clone();
        self
    }

    /// Leaves every check of the files to the server.
    pub fn unchecked(mut self) -> Self {
        self.plan.checked = false;
        self
    }

    /// Sets where it is kept how far each file came; nowhere by default.
    pub fn ledger(mut self, ledger: impl Ledger) -> Self {
        self.plan.ledger = Some(Arc::new(ledger));
        self
    }

    /// Calls back with everything that happens, from whichever thread that is.
    pub fn on_event(mut self, report: impl Fn(BatchEvent<'_>) + Send + Sync + 'static) -> Self {
        self.plan.on_event = Some(Arc::new(report));
        self
    }

    /// Ends the batch when a future does: what is under way and what is to come is reported as
    /// [`Canceled`](webmessaging_http::ErrorKind::Canceled).
    pub fn cancel_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cancel = Some(Box::pin(signal));
        self
    }

    async fn run(self) -> Result<BatchReport, Error> {
        let Self { plan, origins, cancel } = self;
        let canceled: Canceled = cancel.unwrap_or_else(|| Box::pin(pending())).shared();
        let items = item::list(origins).await;
        let bytes = items.iter().flatten().map(|item| item.length).sum();
        plan.tell(BatchEvent::Listed { files: items.len(), bytes });
        if let Some(ledger) = &plan.ledger {
            // One that cannot be read would have everything uploaded again.
            ledger.find("").await.map_err(ledger_failed)?;
        }
        let plan = &plan;
        let one = |(index, item): (usize, Result<BatchItem, BatchFile>)| {
            let canceled = canceled.clone();
            async move {
                let file = match item {
                    Ok(item) => plan.one(index, item, canceled).await,
                    Err(file) => file,
                };
                plan.tell(BatchEvent::Ended { index, file: &file });
                (index, file)
            }
        };
        let mut files: Vec<_> = stream::iter(items.into_iter().enumerate())
            .map(one)
            .buffer_unordered(plan.concurrency)
            .collect()
            .await;
        files.sort_unstable_by_key(|(index, _)| *index);
        Ok(BatchReport { files: files.into_iter().map(|(_, file)| file).collect() })
    }
}

impl Plan {
    fn tell(&self, event: BatchEvent<'_>) {
        if let Some(report) = &self.on_event {
            report(event);
        }
    }
}

impl IntoFuture for Batch {
    type Output = Result<BatchReport, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("channel", &self.plan.channel)
            .field("message", &self.plan.message)
            .field("concurrency", &self.plan.concurrency)
            .finish_non_exhaustive()
    }
}
