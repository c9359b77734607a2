//! What webhooks say about files, for those that wait for a verdict or hand a file out.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use webmessaging_model::{FileId, ScanProgress, ScanVerdict};

/// As many files are remembered by default; about 2 MiB.
const FILES_MAX: usize = 10_000;

/// Keeps what webhooks have said about files. Cheap to clone; clones are the same gate.
///
/// Verdicts only move forward, as [`ScanProgress`] has it: what comes late, twice or in the wrong order takes nothing back.
/// Nothing of it is kept when the process ends, and the oldest verdicts are forgotten when there are too many; then the
/// platform is asked.
///
/// # Examples
/// ```
/// use webmessaging_files::ScanGate;
/// use webmessaging_model::ScanVerdict;
///
/// let gate = ScanGate::new();
/// assert!(gate.tell("file-1", ScanVerdict::Malicious));
/// assert!(!gate.tell("file-1", ScanVerdict::Clean));
/// assert_eq!(gate.verdict("file-1"), ScanVerdict::Malicious);
/// ```
#[derive(Clone)]
pub struct ScanGate(Arc<Mutex<Inner>>);

struct Inner {
    files_max: usize,
    files: HashMap<FileId, Entry>,
    /// The files that have a verdict, oldest first.
    by_age: BTreeMap<u64, FileId>,
    next_age: u64,
}

struct Entry {
    progress: watch::Sender<ScanProgress>,
    /// Since when there is a verdict. Without one, somebody waits for it.
    age: Option<u64>,
}

impl ScanGate {
    /// A gate that remembers 10,000 files.
    pub fn new() -> Self {
        let inner =
            Inner { files_max: FILES_MAX, files: HashMap::new(), by_age: BTreeMap::new(), next_age: 0 };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Sets how many files with a verdict are remembered, for all clones; 10,000 by default, at least 1. The oldest ones are
    /// forgotten first, those that are waited for not before the wait is over.
    #[must_use]
    pub fn files_max(self, files: usize) -> Self {
        let mut inner = self.inner();
        inner.files_max = files.max(1);
        inner.forget();
        drop(inner);
        self
    }

    /// Takes what a webhook says of a file; tells whether that changed anything. Whoever waits for the file is woken.
    pub fn tell(&self, file: impl Into<FileId>, verdict: ScanVerdict) -> bool {
        // Before there is a verdict there is nothing to remember.
        verdict.is_final() && self.inner().tell(file.into(), verdict)
    }

    /// What is known of a file; [`Pending`](ScanVerdict::Pending) when nothing is.
    pub fn verdict(&self, file: impl Into<FileId>) -> ScanVerdict {
        let inner = self.inner();
        let entry = inner.files.get(&file.into());
        entry.map_or(ScanVerdict::Pending, |entry| entry.progress.borrow().verdict())
    }

    /// Watches a file for as long as the watch lives.
    pub(crate) fn watch(&self, file: FileId) -> Watch {
        let receiver = self.inner().entry(file.clone()).progress.subscribe();
        Watch { gate: self.clone(), file, receiver: Some(receiver) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is whole before anything in it can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ScanGate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ScanGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner();
        f.debug_struct("ScanGate")
            .field("files", &inner.by_age.len())
            .field("files_max", &inner.files_max)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn entry(&mut self, file: FileId) -> &mut Entry {
        self.files
            .entry(file)
            .or_insert_with(|| Entry { progress: watch::Sender::new(ScanProgress::default()), age: None })
    }

    fn tell(&mut self, file: FileId, verdict: ScanVerdict) -> bool {
        let age = self.next_age;
        let entry = self.entry(file.clone());
        let is_new = entry.progress.send_if_modified(|progress| progress.advance(verdict));
        if entry.age.is_none() {
            entry.age = Some(age);
            self.by_age.insert(age, file);
            self.next_age += 1;
            self.forget();
        }
        is_new
    }

    /// Forgets the oldest verdicts that are too many, but for those that somebody watches.
    fn forget(&mut self) {
        while self.by_age.len() > self.files_max {
            let is_idle =
                |file: &FileId| self.files.get(file).is_none_or(|entry| entry.progress.receiver_count() == 0);
            let oldest = self.by_age.iter().find(|(_, file)| is_idle(file)).map(|(age, _)| *age);
            let Some(file) = oldest.and_then(|age| self.by_age.remove(&age)) else { return };
            self.files.remove(&file);
        }
    }
}

/// One file of a gate, while somebody waits for its verdict.
pub(crate) struct Watch {
    gate: ScanGate,
    file: FileId,
    /// `None` only while it is dropped.
    receiver: Option<watch::Receiver<ScanProgress>>,
}

impl Watch {
    /// What is known by now.
    pub(crate) fn verdict(&self) -> ScanVerdict {
        self.receiver.as_ref().map_or(ScanVerdict::Pending, |receiver| receiver.borrow().verdict())
    }

    /// Takes what the platform answered, so that a webhook that comes later cannot take it back.
    pub(crate) fn tell(&self, verdict: ScanVerdict) {
        self.gate.tell(self.file.clone(), verdict);
    }

    /// Ends when what is known is as wished.
    pub(crate) async fn until(&mut self, mut is_wished: impl FnMut(ScanVerdict) -> bool) {
        let Some(receiver) = &mut self.receiver else { return };
        if receiver.wait_for(|progress| is_wished(progress.verdict())).await.is_err() {
            // The entry is gone, which it is not while it is watched.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut inner = self.gate.inner();
        // Within the lock, so that nobody begins to watch between the count and the removal.
        self.receiver = None;
        let is_idle = |entry: &Entry| entry.age.is_none() && entry.progress.receiver_count() == 0;
        if inner.files.get(&self.file).is_some_and(is_idle) {
            inner.files.remove(&self.file);
        }
        inner.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_verdicts_are_forgotten_first() {
        use ScanVerdict::{Clean, Pending};
        let gate = ScanGate::new().files_max(2);
        let waiting = gate.watch("waiting".into());
        for file in ["one", "two", "three"] {
            assert!(gate.tell(file, Clean));
        }
        // Heard of again, a file does not become younger: who sends twice must not push out the others.
        assert!(gate.tell("two", ScanVerdict::Malicious));
        assert!(gate.tell("four", Clean));
        let known = ["one", "two", "three", "four"].map(|file| gate.verdict(file));
        assert_eq!(known, [Pending, Pending, Clean, Clean]);
        assert_eq!(waiting.verdict(), Pending);
        assert_eq!(format!("{gate:?}"), "ScanGate { files: 2, files_max: 2, .. }");
    }

    #[test]
    fn a_wait_that_is_over_leaves_nothing_behind() {
        let gate = ScanGate::new();
        let (one, two) = (gate.watch("file".into()), gate.watch("file".into()));
        drop(one);
        assert_eq!(gate.inner().files.len(), 1);
        drop(two);
        assert!(gate.inner().files.is_empty());

        let watch = gate.watch("file".into());
        assert!(!gate.tell("file", ScanVerdict::Pending));
        assert!(gate.tell("file", ScanVerdict::Clean));
        assert_eq!(watch.verdict(), ScanVerdict::Clean);
        drop(watch);
        assert_eq!(gate.verdict("file"), ScanVerdict::Clean);
    }

    #[test]
    fn what_is_watched_is_not_forgotten_before_the_wait_is_over() {
        let gate = ScanGate::new().files_max(1);
        let watch = gate.watch("one".into());
        gate.tell("one", ScanVerdict::Clean);
        gate.tell("two", ScanVerdict::Clean);
        assert!(gate.tell("one", ScanVerdict::Malicious));
        assert_eq!(watch.verdict(), ScanVerdict::Malicious);
        drop(watch);
        gate.tell("three", ScanVerdict::Clean);
        assert_eq!(gate.verdict("one"), ScanVerdict::Pending);
        assert_eq!(gate.inner().files.len(), 1);
    }
}
