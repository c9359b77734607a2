//! Intents in SQLite.

use rusqlite::{Connection, OptionalExtension, Row, params};
use webmessaging_model::Timestamp;

use super::SqliteStore;
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::IntentId;
use crate::intents::{Begun, Intent, IntentOutcome, Intents, NewIntent};
use crate::limits::LIST_MAX;
use crate::store::Stored;

impl Intents for SqliteStore {
    fn begin_intent(&self, intent: NewIntent) -> Stored<'_, Begun> {
        Box::pin(async move {
            check::intent(&intent)?;
            self.write(move |connection| begin(connection, &intent)).await
        })
    }

    fn finish_intent<'a>(
        &'a self,
        id: IntentId,
        outcome: IntentOutcome,
        note: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        let note = check::cut(note);
        Box::pin(self.write(move |connection| finish(connection, id, outcome, &note, now)))
    }

    fn open_intents(
        &self,
        older_than: Timestamp,
        after: Option<IntentId>,
        limit: u32,
    ) -> Stored<'_, Vec<Intent>> {
        Box::pin(self.read(move |connection| {
            let sql = "select id, operation, key, details, begun_at, finished_at, note, state from intents
                where state = 0 and begun_at < ?1 and id > ?2 order by id limit ?3";
            let after = after.map_or(i64::MIN, IntentId::get);
            let values = params![older_than.unix_millis(), after, limit.min(LIST_MAX)];
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(values, intent)?;
            Ok(rows.collect::<Result<_, _>>()?)
        }))
    }
}

fn begin(connection: &Connection, new: &NewIntent) -> Result<Begun, Error> {
    let sql = "select id, operation, key, details, begun_at, finished_at, note, state from intents
        where operation = ?1 and key = ?2";
    let known = connection
        .prepare_cached(sql)?
        .query_row([&new.operation, &new.key], |row| Ok((intent(row)?, row.get::<_, i64>(7)?)))
        .optional()?;
    match known {
        Some((intent, 0)) => return Ok(Begun::Open(intent)),
        Some((intent, 1)) => return Ok(Begun::Done(intent)),
        Some((intent, _)) => {
            // Under a new id: who finishes the old one late does not finish the new one.
            connection.prepare_cached("delete from intents where id = ?1")?.execute([intent.id.get()])?;
        }
        None => {}
    }
    let sql = "insert into intents (operation, key, details, begun_at) values (?1, ?2, ?3, ?4)";
    let values = params![new.operation, new.key, new.details, new.begun_at.unix_millis()];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(Begun::New(IntentId::new(connection.last_insert_rowid())))
}

fn finish(
    connection: &Connection,
    id: IntentId,
    outcome: IntentOutcome,
    note: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "update intents set state = ?2, note = ?3, finished_at = ?4 where id = ?1 and state = 0";
    let values = params![id.get(), outcome.number(), note, now.unix_millis()];
    if connection.prepare_cached(sql)?.execute(values)? == 1 {
        return Ok(());
    }
    let sql = "select state from intents where id = ?1";
    match connection.prepare_cached(sql)?.query_row([id.get()], |row| row.get::<_, i64>(0)).optional()? {
        None => Err(Error::new(ErrorKind::NotFound)),
        Some(state) if state == outcome.number() => Ok(()),
        Some(_) => Err(Error::finished_differently()),
    }
}

fn intent(row: &Row<'_>) -> rusqlite::Result<Intent> {
    Ok(Intent {
        id: IntentId::new(row.get(0)?),
        operation: row.get(1)?,
        key: row.get(2)?,
        details: row.get(3)?,
        begun_at: Timestamp::from_unix_millis(row.get(4)?),
        finished_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_unix_millis),
        note: row.get(6)?,
    })
}
