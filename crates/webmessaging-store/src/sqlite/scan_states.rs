//! Scan states in SQLite.

use rusqlite::{Connection, OptionalExtension, params};
use webmessaging_model::Timestamp;

use super::SqliteStore;
use crate::check;
use crate::error::Error;
use crate::scan_states::{NewScan, ScanAdvance, ScanState, ScanStates};
use crate::store::Stored;

impl ScanStates for SqliteStore {
    fn advance_scan(&self, scan: NewScan) -> Stored<'_, ScanAdvance> {
        Box::pin(async move {
            check::scan(&scan)?;
            self.write(move |connection| advance(connection, &scan)).await
        })
    }

    fn scan_state<'a>(&'a self, subject: &'a str) -> Stored<'a, Option<ScanState>> {
        let subject = subject.to_owned();
        Box::pin(self.read(move |connection| state(connection, &subject)))
    }
}

pub(super) fn advance(connection: &Connection, scan: &NewScan) -> Result<ScanAdvance, Error> {
    let previous = state(connection, &scan.subject)?;
    let sql = "insert into scans (subject, rank, state, at) values (?1, ?2, ?3, ?4)
        on conflict (subject) do update set rank = excluded.rank, state = excluded.state, at = excluded.at
        where excluded.rank > scans.rank";
    let values = params![scan.subject, scan.rank, scan.state, scan.at.unix_millis()];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(ScanAdvance::of(previous, scan))
}

fn state(connection: &Connection, subject: &str) -> Result<Option<ScanState>, Error> {
    let sql = "select rank, state, at from scans where subject = ?1";
    let state = connection.prepare_cached(sql)?.query_row([subject], |row| {
        Ok(ScanState { rank: row.get(0)?, state: row.get(1)?, at: Timestamp::from_unix_millis(row.get(2)?) })
    });
    Ok(state.optional()?)
}
