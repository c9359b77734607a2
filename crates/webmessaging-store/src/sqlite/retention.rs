//! Upkeep in SQLite.

use rusqlite::{ToSql, params};
use webmessaging_model::Timestamp;

use super::SqliteStore;
use super::keys::Pair;
use super::session::Session;
use crate::error::Error;
use crate::retention::{Purged, Retention, Upkeep};
use crate::store::Stored;

impl Upkeep for SqliteStore {
    fn purge<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> Stored<'a, Purged> {
        let retention = retention.clone();
        Box::pin(self.write(move |session| purge(session, &retention, now)))
    }

    fn probe(&self, now: Timestamp) -> Stored<'_, ()> {
        Box::pin(self.write(move |connection| {
            let sql =
                "insert into probes (id, at) values (1, ?1) on conflict (id) do update set at = excluded.at";
            connection.prepare_cached(sql)?.execute([now.unix_millis()])?;
            Ok(())
        }))
    }
}

/// The newest row always stays: the number of a row is never used again, so that an old claim does not meet a new row.
fn purge(session: &Session, retention: &Retention, now: Timestamp) -> Result<Purged, Error> {
    let batch = retention.batch;
    let decided = (now - retention.decided).unix_millis();
    let delivered = (now - retention.delivered).unix_millis();
    let horizon = (now - retention.deliveries.horizon()).unix_millis();
    let scans = (now - retention.scans).unix_millis();
    let forget = |sql, values: &[&dyn ToSql]| -> Result<u64, Error> {
        let gone = session.prepare_cached(sql)?.execute(values)?;
        Ok(u64::try_from(gone).unwrap_or(u64::MAX))
    };
    let mut purged = Purged {
        deliveries: forget_deliveries(session, params![horizon, decided, batch])?,
        items: forget(
            // Apart, so that the index leads to what is past its time, and to nothing else.
            "delete from items where id in (
                select id from (
                    select id from items where state in (2, 4) and state = 2 and changed_at < ?1
                    union all
                    select id from items where state in (2, 4) and state = 4 and changed_at < ?2
                ) where id < (select max(id) from items) limit ?3
            )",
            params![delivered, decided, batch],
        )?,
        intents: forget(
            "delete from intents where id in (
                select id from intents where state <> 0 and finished_at < ?1 limit ?2
            )",
            params![decided, batch],
        )?,
        files: forget(
            "delete from quarantine where file_id in (
                select file_id from quarantine where state <> 0 and changed_at < ?1 limit ?2
            )",
            params![decided, batch],
        )?,
        scans: forget(
            "delete from scans where subject in (select subject from scans where at < ?1 limit ?2)",
            params![scans, batch],
        )?,
        // The row stays with its token: who was overtaken stays overtaken.
        values: forget(
            "update shared_values set value = null where key in (
                select key from shared_values where value is not null and expires_at <= ?1 limit ?2
            )",
            params![now.unix_millis(), batch],
        )?,
        has_more: false,
    };
    purged.has_more = purged.is_full(u64::from(batch));
    Ok(purged)
}

fn forget_deliveries(session: &Session, values: &[&dyn ToSql]) -> Result<u64, Error> {
    let sql = "delete from deliveries where id in (
            select id from deliveries
            where state in (2, 4) and received_at < ?1 and (state = 2 or changed_at < ?2)
                and id < (select max(id) from deliveries) limit ?3
        )
        returning id, source, content_key, delivery_id";
    let mut statement = session.prepare_cached(sql)?;
    let gone = statement.query_map(values, |row| {
        let (source, content_key): (String, String) = (row.get(1)?, row.get(2)?);
        let delivery_id: Option<String> = row.get(3)?;
        Ok((row.get(0)?, Pair::new(&source, &content_key, delivery_id.as_deref())))
    })?;
    let gone: Vec<(i64, Pair)> = gone.collect::<Result<_, _>>()?;
    if let Some(newest) = gone.iter().map(|(row, _)| *row).max() {
        session.keys().settle_row(session, newest)?;
    }
    for (row, keys) in &gone {
        keys.remove(session, *row)?;
    }
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}
