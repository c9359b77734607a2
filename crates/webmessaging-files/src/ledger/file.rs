//! A ledger in a file: a JSON object for each note, one to a line, the last one of a key counts.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Ledger, LedgerEntry, Noted};

/// A line that is longer is none of ours, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// How every line begins.
const LINE_BEGINS: &[u8] = b"{\"key\":\"";

/// A ledger in a file that one process at a time can have. What is made is for its owner only.
///
/// Every note is flushed to the disk before it counts. A last line that a crash has torn was never noted, and is left out; the
/// file is written anew when it is opened, with one line for each key.
///
/// # Examples
/// ```
/// use webmessaging_files::ledger::{FileLedger, Ledger, LedgerEntry, LedgerState};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("batch.jsonl");
/// let ledger = FileLedger::open(&path)?;
/// ledger.note(LedgerEntry::new("a.pdf", "4096 1", LedgerState::Stored, "file-1")).await?;
/// drop(ledger);
/// let ledger = FileLedger::open(&path)?;
/// assert_eq!(ledger.find("a.pdf").await?.unwrap().id, "file-1");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FileLedger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    lock: File,
    /// Apart from the sheet, so that nobody who looks something up waits for a flush.
    entries: Mutex<BTreeMap<String, LedgerEntry>>,
    sheet: Mutex<Sheet>,
}

/// The file itself.
#[derive(Debug)]
struct Sheet {
    file: File,
    /// Up to where it is as it should be.
    length: u64,
    /// What a failed note has left behind could not be cut off.
    is_broken: bool,
}

impl FileLedger {
    /// Opens a ledger, and makes it where there is none.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when another process has it, [`InvalidData`](io::ErrorKind::InvalidData) for a file that is
    /// no ledger, and what the disk says.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        // However it is spelled, and behind a link: there is one lock for one file.
        let path = fs::canonicalize(&path).unwrap_or(path);
        let lock = private().read(true).create(true).truncate(false).open(beside(&path, "lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "another process works with this ledger: wait for it, or name another file";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let entries = match File::open(&path) {
            Ok(file) => read(file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let sheet = Mutex::new(Sheet::write_anew(&path, &entries)?);
        Ok(Self(Arc::new(Inner { path, lock, entries: Mutex::new(entries), sheet })))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

impl Ledger for FileLedger {
    fn find<'a>(&'a self, key: &'a str) -> Noted<'a, Option<LedgerEntry>> {
        let found = self.0.entries().get(key).cloned();
        Box::pin(async { Ok(found) })
    }

    fn note(&self, entry: LedgerEntry) -> Noted<'_, ()> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let noting = tokio::task::spawn_blocking(move || inner.note(entry));
            noting.await.map_err(io::Error::other)?
        })
    }

    fn entries(&self) -> Noted<'_, Vec<LedgerEntry>> {
        let entries = self.0.entries().values().cloned().collect();
        Box::pin(async { Ok(entries) })
    }
}

impl Inner {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, LedgerEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, entry: LedgerEntry) -> io::Result<()> {
        let mut sheet = self.sheet.lock().unwrap_or_else(PoisonError::into_inner);
        sheet.write(&line(&entry)?)?;
        // While the sheet is ours: of two notes of one key the later line is the later entry.
        self.entries().insert(entry.key.clone(), entry);
        Ok(())
    }
}

impl Drop for Inner {
    /// Closing the file is not enough: a process that this one is just about to start has it open, too, for a moment.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl Sheet {
    /// Beside the old file first, so that there is a whole one at every moment.
    fn write_anew(path: &Path, entries: &BTreeMap<String, LedgerEntry>) -> io::Result<Self> {
        let beside = beside(path, "new");
        // One that is there was left by a crash, or is somebody else's.
        match File::open(&beside) {
            Ok(file) => {
                read(file)?;
                fs::remove_file(&beside)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut text = Vec::new();
        for entry in entries.values() {
            text.extend(line(entry)?);
        }
        // Whatever is cut off later, the next line goes to the end.
        let mut file = private().append(true).create_new(true).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_folder(path)?;
        Ok(Self { file, length: text.len() as u64, is_broken: false })
    }

    /// Writes a line durably, or leaves the file as it was.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other("an earlier note has failed half-way: open the ledger again"));
        }
        if let Err(error) = self.file.write_all(line).and_then(|()| self.file.sync_data()) {
            // Half a line would spoil the next one, and a whole one was not noted.
            self.is_broken = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length = self.length.saturating_add(line.len() as u64);
        Ok(())
    }
}

fn line(entry: &LedgerEntry) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    if line.len() as u64 > LINE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the entry is too long for a ledger"));
    }
    Ok(line)
}

fn read(file: File) -> io::Result<BTreeMap<String, LedgerEntry>> {
    let mut entries = BTreeMap::new();
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        io::Read::take(&mut lines, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        let Some(whole) = line.strip_suffix(b"\n") else {
            if is_torn(&line) {
                break;
            }
            return Err(no_ledger(number));
        };
        let entry: LedgerEntry = serde_json::from_slice(whole).map_err(|_| no_ledger(number))?;
        entries.insert(entry.key.clone(), entry);
    }
    Ok(entries)
}

/// Whether a last line without an end is what a crash has left of one of ours. Somebody's own file can end without a line end, too.
fn is_torn(line: &[u8]) -> bool {
    let begins = line.iter().zip(LINE_BEGINS).all(|(found, due)| found == due);
    let is_short = (line.len() as u64) < LINE_BYTES_MAX;
    begins
        && is_short
        && serde_json::from_slice::<LedgerEntry>(line).map_or_else(|error| error.is_eof(), |_| true)
}

fn no_ledger(line: u64) -> io::Error {
    let message = format!("line {line} is no entry of a ledger: name another file");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// There is no such thing elsewhere; renames are journaled there.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::LedgerState;
    use super::*;

    fn entry(key: &str, state: LedgerState) -> LedgerEntry {
        LedgerEntry::new(key, "1 1", state, format!("id-of-{key}"))
    }

    #[tokio::test]
    async fn the_last_note_of_a_key_counts_and_a_torn_line_never_did() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.jsonl");
        let ledger = FileLedger::open(&path).unwrap();
        ledger.note(entry("a", LedgerState::Announced)).await.unwrap();
        ledger.note(entry("a", LedgerState::Stored)).await.unwrap();
        ledger.note(entry("b", LedgerState::Announced)).await.unwrap();
        drop(ledger);
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let lines = whole[..cut].split(|byte| *byte == b'\n').count() - 1;
            let found = FileLedger::open(&path).unwrap().entries().await.unwrap();
            let expected: &[LedgerEntry] = match lines {
                0 => &[],
                1 => &[entry("a", LedgerState::Announced)],
                _ => &[entry("a", LedgerState::Stored)],
            };
            assert_eq!(found, expected, "cut after {cut} bytes");
        }
        // Opened again, there is one line for each key.
        fs::write(&path, &whole).unwrap();
        drop(FileLedger::open(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[tokio::test]
    async fn one_process_has_it_and_what_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.jsonl");
        let ledger = FileLedger::open(&path).unwrap();
        assert_eq!(FileLedger::open(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(ledger);
        for foreign in
            ["precious words\n", "precious words", "{\"key\":\"a\"}\n", &format!("{}\n", "x".repeat(70_000))]
        {
            fs::write(&path, foreign).unwrap();
            let error = FileLedger::open(&path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert_eq!(error.to_string(), "line 1 is no entry of a ledger: name another file");
            assert_eq!(fs::read_to_string(&path).unwrap(), foreign, "it is left as it was");
        }
    }

    /// What a full disk has left of a line goes, and the next note is where it belongs.
    #[test]
    fn a_note_that_failed_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.jsonl");
        let ledger = FileLedger::open(&path).unwrap();
        ledger.0.note(entry("a", LedgerState::Stored)).unwrap();
        {
            // As a disk does it that is full in the middle of a line.
            let mut sheet = ledger.0.sheet.lock().unwrap();
            let (length, half) = (sheet.length, b"{\"key\":\"half");
            sheet.file.write_all(half).unwrap();
            sheet.file.set_len(length).unwrap();
        }
        ledger.0.note(entry("b", LedgerState::Stored)).unwrap();
        drop(ledger);
        assert_eq!(FileLedger::open(&path).unwrap().0.entries().len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn another_spelling_is_the_same_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.jsonl");
        drop(FileLedger::open(&path).unwrap());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let ledger = FileLedger::open(&link).unwrap();
        assert_eq!(FileLedger::open(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        drop(ledger);
        // What is in the way of the new file is not ours to take.
        fs::write(folder.path().join("batch.jsonl.new"), "precious words").unwrap();
        assert_eq!(FileLedger::open(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(folder.path().join("batch.jsonl.new").exists());
    }

    #[tokio::test]
    async fn an_entry_without_end_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = FileLedger::open(folder.path().join("batch.jsonl")).unwrap();
        let error = ledger.note(entry(&"x".repeat(70_000), LedgerState::Stored)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(ledger.entries().await.unwrap(), []);
    }
}
