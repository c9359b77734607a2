//! A look at a ledger that somebody else may be working with.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::LedgerEntry;

/// A line that is longer is none of a ledger, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Reads the entries of a [`FileLedger`](super::FileLedger) by their keys, and changes nothing: another process can have it at the
/// same time. A last line that is not whole yet is left out.
///
/// # Errors
/// [`NotFound`](io::ErrorKind::NotFound), [`InvalidData`](io::ErrorKind::InvalidData) for a file that is no ledger, and what the disk
/// says.
///
/// # Examples
/// ```
/// use webmessaging_files::ledger::{self, FileLedger, Ledger, LedgerEntry, LedgerState};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("batch.jsonl");
/// let at_work = FileLedger::open(&path)?;
/// at_work.note(LedgerEntry::new("a.pdf", "4096 1", LedgerState::Stored, "file-1")).await?;
/// assert_eq!(ledger::read(&path)?[0].id, "file-1");
/// # Ok(())
/// # }
/// ```
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<LedgerEntry>> {
    let mut lines = BufReader::new(File::open(path)?);
    let (mut entries, mut line) = (BTreeMap::new(), Vec::new());
    for number in 1_u64.. {
        line.clear();
        io::Read::take(&mut lines, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        let no_ledger = |_| {
            let message = format!("line {number} is no entry of a ledger: name another file");
            io::Error::new(io::ErrorKind::InvalidData, message)
        };
        let is_whole = line.ends_with(b"\n");
        if !is_whole && (line.len() as u64) < LINE_BYTES_MAX {
            break;
        }
        let entry: LedgerEntry = serde_json::from_slice(&line).map_err(no_ledger)?;
        entries.insert(entry.key.clone(), entry);
    }
    Ok(entries.into_values().collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{FileLedger, Ledger, LedgerState};
    use super::*;

    #[tokio::test]
    async fn it_is_read_while_another_process_has_it_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.jsonl");
        let ledger = FileLedger::open(&path).unwrap();
        let entry = |key: &str, state| LedgerEntry::new(key, "1", state, "id");
        for noted in [entry("b", LedgerState::Stored), entry("a", LedgerState::Announced)] {
            ledger.note(noted).await.unwrap();
        }
        ledger.note(entry("a", LedgerState::Stored)).await.unwrap();
        let mut before = fs::read(&path).unwrap();
        before.extend(b"{\"key\":\"c");
        fs::write(&path, &before).unwrap();
        assert_eq!(read(&path).unwrap(), [entry("a", LedgerState::Stored), entry("b", LedgerState::Stored)]);
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.jsonl");
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        for foreign in ["precious words\n", &"x".repeat(70_000)] {
            fs::write(&path, foreign).unwrap();
            let error = read(&path).unwrap_err();
            assert_eq!(error.to_string(), "line 1 is no entry of a ledger: name another file");
        }
    }
}
