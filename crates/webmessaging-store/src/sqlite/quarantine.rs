//! The quarantine in SQLite.

use rusqlite::{Connection, OptionalExtension, Row, params};
use webmessaging_model::Timestamp;

use super::SqliteStore;
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::limits::LIST_MAX;
use crate::quarantine::{NewQuarantine, Quarantine, QuarantineEntry, QuarantineState};
use crate::store::Stored;

impl Quarantine for SqliteStore {
    fn quarantine(&self, entry: NewQuarantine) -> Stored<'_, bool> {
        Box::pin(async move {
            check::file(&entry)?;
            self.write(move |connection| put(connection, &entry)).await
        })
    }

    fn quarantine_entry<'a>(&'a self, file_id: &'a str) -> Stored<'a, Option<QuarantineEntry>> {
        let file_id = file_id.to_owned();
        Box::pin(self.read(move |connection| {
            let sql = "select file_id, reason, details, quarantined_at, state, changed_at, note
                from quarantine where file_id = ?1";
            Ok(connection.prepare_cached(sql)?.query_row([file_id], entry).optional()?)
        }))
    }

    fn quarantined<'a>(&'a self, after: Option<&'a str>, limit: u32) -> Stored<'a, Vec<QuarantineEntry>> {
        // No id is empty.
        let after = after.unwrap_or_default().to_owned();
        Box::pin(self.read(move |connection| {
            let sql = "select file_id, reason, details, quarantined_at, state, changed_at, note
                from quarantine where state = 0 and file_id > ?1 order by file_id limit ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![after, limit.min(LIST_MAX)], entry)?;
            Ok(rows.collect::<Result<_, _>>()?)
        }))
    }

    fn release_quarantined<'a>(&'a self, file_id: &'a str, note: &'a str, now: Timestamp) -> Stored<'a, ()> {
        self.decide(1, file_id, note, now)
    }

    fn delete_quarantined<'a>(&'a self, file_id: &'a str, note: &'a str, now: Timestamp) -> Stored<'a, ()> {
        self.decide(2, file_id, note, now)
    }
}

impl SqliteStore {
    fn decide(&self, state: i64, file_id: &str, note: &str, now: Timestamp) -> Stored<'_, ()> {
        let (file_id, note) = (file_id.to_owned(), check::cut(note));
        Box::pin(self.write(move |connection| {
            let sql = "update quarantine set state = ?2, note = ?3, changed_at = ?4
                where file_id = ?1 and state = 0";
            let values = params![file_id, state, note, now.unix_millis()];
            match connection.prepare_cached(sql)?.execute(values)? {
                1 => Ok(()),
                _ => Err(Error::new(ErrorKind::NotFound)),
            }
        }))
    }
}

/// Puts a file into quarantine, unless it is there; tells whether it was not.
pub(super) fn put(connection: &Connection, entry: &NewQuarantine) -> Result<bool, Error> {
    let sql = "insert into quarantine (file_id, reason, details, quarantined_at, changed_at)
        values (?1, ?2, ?3, ?4, ?4)
        on conflict (file_id) do update set
            reason = excluded.reason, details = excluded.details, quarantined_at = excluded.quarantined_at,
            changed_at = excluded.changed_at, state = 0, note = null
        where quarantine.state <> 0";
    let values = params![entry.file_id, entry.reason, entry.details, entry.at.unix_millis()];
    Ok(connection.prepare_cached(sql)?.execute(values)? == 1)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<QuarantineEntry> {
    let at = Timestamp::from_unix_millis(row.get(5)?);
    let note = row.get::<_, Option<String>>(6)?.unwrap_or_default();
    Ok(QuarantineEntry {
        file_id: row.get(0)?,
        reason: row.get(1)?,
        details: row.get(2)?,
        quarantined_at: Timestamp::from_unix_millis(row.get(3)?),
        state: QuarantineState::of(row.get(4)?, at, note),
    })
}
