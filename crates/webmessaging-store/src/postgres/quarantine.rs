//! The quarantine in PostgreSQL.

use tokio_postgres::Row;
use webmessaging_model::Timestamp;

use super::PostgresStore;
use super::pool::{Values, Work};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::limits::LIST_MAX;
use crate::quarantine::{NewQuarantine, Quarantine, QuarantineEntry, QuarantineState};
use crate::store::Stored;

impl Quarantine for PostgresStore {
    fn quarantine(&self, entry: NewQuarantine) -> Stored<'_, bool> {
        Box::pin(async move {
            check::file(&entry)?;
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            let is_new = put(&mut work, &entry).await?;
            work.commit().await?;
            Ok(is_new)
        })
    }

    fn quarantine_entry<'a>(&'a self, file_id: &'a str) -> Stored<'a, Option<QuarantineEntry>> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = "select file_id, reason, details, quarantined_at, state, changed_at, note
                from quarantine where file_id = $1";
            connection.first(sql, &[&file_id]).await?.as_ref().map(entry).transpose()
        })
    }

    fn quarantined<'a>(&'a self, after: Option<&'a str>, limit: u32) -> Stored<'a, Vec<QuarantineEntry>> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = "select file_id, reason, details, quarantined_at, state, changed_at, note
                from quarantine where state = 0 and file_id > $1 order by file_id limit $2";
            // No id is empty.
            let values: Values<'_> = &[&after.unwrap_or_default(), &i64::from(limit.min(LIST_MAX))];
            connection.query(sql, values).await?.iter().map(entry).collect()
        })
    }

    fn release_quarantined<'a>(&'a self, file_id: &'a str, note: &'a str, now: Timestamp) -> Stored<'a, ()> {
        self.decide(1, file_id, note, now)
    }

    fn delete_quarantined<'a>(&'a self, file_id: &'a str, note: &'a str, now: Timestamp) -> Stored<'a, ()> {
        self.decide(2, file_id, note, now)
    }
}

impl PostgresStore {
    fn decide<'a>(&'a self, state: i64, file_id: &'a str, note: &'a str, now: Timestamp) -> Stored<'a, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = "update quarantine set state = $2, note = $3, changed_at = $4
                where file_id = $1 and state = 0";
            let values: Values<'_> = &[&file_id, &state, &check::cut(note), &now.unix_millis()];
            match connection.execute(sql, values).await? {
                1 => Ok(()),
                _ => Err(Error::new(ErrorKind::NotFound)),
            }
        })
    }
}

/// Puts a file into quarantine, unless it is there; tells whether it was not.
pub(super) async fn put(work: &mut Work<'_>, entry: &NewQuarantine) -> Result<bool, Error> {
    let sql = "insert into quarantine (file_id, reason, details, quarantined_at, changed_at)
        values ($1, $2, $3, $4, $4)
        on conflict (file_id) do update set
            reason = excluded.reason, details = excluded.details, quarantined_at = excluded.quarantined_at,
            changed_at = excluded.changed_at, state = 0, note = null
        where quarantine.state <> 0";
    let values: Values<'_> = &[&entry.file_id, &entry.reason, &entry.details, &entry.at.unix_millis()];
    Ok(work.execute(sql, values).await? == 1)
}

fn entry(row: &Row) -> Result<QuarantineEntry, Error> {
    let at = Timestamp::from_unix_millis(row.try_get(5)?);
    let note = row.try_get::<_, Option<String>>(6)?.unwrap_or_default();
    Ok(QuarantineEntry {
        file_id: row.try_get(0)?,
        reason: row.try_get(1)?,
        details: row.try_get(2)?,
        quarantined_at: Timestamp::from_unix_millis(row.try_get(3)?),
        state: QuarantineState::of(row.try_get(4)?, at, note),
    })
}
