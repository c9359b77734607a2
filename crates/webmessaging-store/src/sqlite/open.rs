//! Opening the file: who may read it, whether it is ours, and how it is brought up to date.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::thread::TURN;
use crate::error::{Error, ErrorKind};

/// The steps that lead from an empty file to the schema of this version; the number of each is the version after it.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_inbox_outbox.sql"),
    include_str!("schema/0002_shared_state.sql"),
    include_str!("schema/0003_delivery_keys.sql"),
];

/// `WMST`, by which a store is told from other files of SQLite.
const APPLICATION_ID: i32 = 0x574d_5354;

/// Statements that a connection keeps ready; there are fewer than this.
const STATEMENTS: usize = 128;

/// The connection that writes, with the file made and up to date.
pub(super) fn writer(path: &Path, busy: Duration, bytes_max: Option<u64>) -> Result<Connection, Error> {
    make(path)?;
    patiently(busy, || connect(path, busy.min(TURN), bytes_max)).map_err(|error| match error.kind() {
        // The file is there: what keeps SQLite from opening it, or from making the files beside it, are rights.
        ErrorKind::Unavailable => {
            let message = "the store cannot be opened for writing: check the rights of its file and folder";
            Error::new(ErrorKind::ReadOnly).with_message(message).with_source(error)
        }
        _ => error,
    })
}

/// Who opens a file while another process makes it may be told that it is busy at once, whatever the timeout: asked in turns, it is
/// not for long.
#[expect(clippy::disallowed_methods, reason = "on the thread of the store, which has nothing else to do")]
fn patiently<T>(busy: Duration, attempt: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..busy.as_millis() / TURN.as_millis() {
        match attempt() {
            Err(error) if error.kind() == ErrorKind::Busy => std::thread::sleep(TURN),
            done => return done,
        }
    }
    attempt()
}

fn connect(path: &Path, turn: Duration, bytes_max: Option<u64>) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, turn)?;
    // Looked at before anything is changed: a newer version's file is left as it is. In one transaction: another process may just be
    // making it.
    let look = connection.transaction()?;
    check_version(&look, MIGRATIONS.len())?;
    drop(look);
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(misplaced(
            "the store's file system cannot share memory between processes: use a local disk",
        ));
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Fewer, larger checkpoints: pages that change again and again are written once.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    if let Some(bytes) = bytes_max {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        connection.pragma_update(None, "max_page_count", pages.max(1))?;
    }
    migrate(&mut connection, MIGRATIONS)?;
    Ok(connection)
}

/// A connection that reads.
pub(super) fn reader(path: &Path, busy: Duration) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, busy)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn prepare(connection: &Connection, busy: Duration) -> Result<(), Error> {
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Brings the schema up to date, one process at a time.
pub(super) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Again, now that nobody else can change it.
    let version = check_version(&transaction, migrations.len())?;
    if version < migrations.len() {
        for migration in migrations.iter().skip(version) {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(
            None,
            "user_version",
            i64::try_from(migrations.len()).unwrap_or(i64::MAX),
        )?;
    }
    Ok(transaction.commit()?)
}

/// The version of the schema; 0 for a file without anything.
fn check_version(connection: &Connection, known: usize) -> Result<usize, Error> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables > 0) {
        let message = "the file is a database of something else: name another file for the store";
        return Err(Error::new(ErrorKind::Corrupt).with_message(message));
    }
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(version),
        Ok(version) => Err(Error::new(ErrorKind::NewerSchema).with_message(format!(
            "the store has schema {version} and this version knows {known}: use the newer version, this one leaves it alone"
        ))),
        Err(_) => Err(Error::new(ErrorKind::Corrupt)),
    }
}

/// Makes folder and file if they are not there, for nobody else to read. SQLite gives the files beside it the same mode.
fn make(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => return check_private(&metadata),
        Ok(_) => return Err(misplaced("the store's path is not a file: name another one")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            let message = "the store's path cannot be looked at: check it and the rights of its folder";
            return Err(misplaced(message).with_source(error));
        }
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder).map_err(|error| io_failed("the folder of the store cannot be made", error))?;
    }
    match private().open(path) {
        // What is accepted must not be in a file whose name is lost with the power.
        Ok(_) => {
            flush_folder(path).map_err(|error| io_failed("the folder of the store cannot be flushed", error))
        }
        // Somebody else was a moment earlier.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io_failed("the file of the store cannot be made", error)),
    }
}

fn misplaced(message: &'static str) -> Error {
    Error::new(ErrorKind::Configuration).with_message(message)
}

fn io_failed(what: &str, error: std::io::Error) -> Error {
    use std::io::ErrorKind as Io;

    let (kind, advice) = match error.kind() {
        Io::ReadOnlyFilesystem | Io::PermissionDenied => {
            (ErrorKind::ReadOnly, "check the rights of its folder")
        }
        Io::StorageFull | Io::QuotaExceeded => (ErrorKind::Full, "make room"),
        _ => (ErrorKind::Configuration, "check the path"),
    };
    Error::new(kind).with_message(format!("{what}: {advice}")).with_source(error)
}

fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let made: Vec<_> = missing(folder).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // The name of each is lost with the power, too, and the file with it.
    made.into_iter().try_for_each(flush_folder)
}

/// The folders on the way that are not there, the innermost first.
fn missing(folder: &Path) -> impl Iterator<Item = &Path> {
    folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
}

/// Flushes the folder in which this is.
#[cfg(unix)]
fn flush_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn flush_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn check_private(metadata: &fs::Metadata) -> Result<(), Error> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    if mode & 0o077 != 0 {
        let message =
            format!("the store's file has mode {mode:03o}, others could read it: set its mode to 600");
        return Err(Error::new(ErrorKind::Configuration).with_message(message));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_on_the_disk_and_references_hold() {
        let folder = tempfile::tempdir().unwrap();
        let connection = writer(&folder.path().join("store.db"), Duration::ZERO, None).unwrap();
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        // 2 is FULL: the log is flushed with every commit.
        assert_eq!((number("synchronous"), number("foreign_keys")), (2, 1));
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn folders_that_are_missing_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let [outer, inner] = ["outer", "outer/inner"].map(|name| folder.path().join(name));
        assert_eq!(missing(&inner).collect::<Vec<_>>(), [&*inner, &*outer]);
        writer(&inner.join("store.db"), Duration::ZERO, None).unwrap();
        assert_eq!(missing(&inner).count(), 0);
        assert_eq!(missing(Path::new("")).count(), 0);
        // A path that begins nowhere begins in the folder of the process.
        let name = format!("missing-{}", std::process::id());
        assert_eq!(missing(Path::new(&name)).collect::<Vec<_>>(), [Path::new(&name)]);
    }
}
