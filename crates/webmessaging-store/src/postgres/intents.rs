//! Intents in PostgreSQL.

use tokio_postgres::Row;
use webmessaging_model::Timestamp;

use super::PostgresStore;
use super::pool::{Values, Work};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::ids::IntentId;
use crate::intents::{Begun, Intent, IntentOutcome, Intents, NewIntent};
use crate::limits::LIST_MAX;
use crate::store::Stored;

impl Intents for PostgresStore {
    fn begin_intent(&self, intent: NewIntent) -> Stored<'_, Begun> {
        Box::pin(async move {
            check::intent(&intent)?;
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            let begun = begin(&mut work, &intent).await?;
            work.commit().await?;
            Ok(begun)
        })
    }

    fn finish_intent<'a>(
        &'a self,
        id: IntentId,
        outcome: IntentOutcome,
        note: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql =
                "update intents set state = $2, note = $3, finished_at = $4 where id = $1 and state = 0";
            let values: Values<'_> = &[&id.get(), &outcome.number(), &check::cut(note), &now.unix_millis()];
            if connection.execute(sql, values).await? == 1 {
                return Ok(());
            }
            let found = connection.first("select state from intents where id = $1", &[&id.get()]).await?;
            match found.map(|row| row.try_get::<_, i64>(0)).transpose()? {
                None => Err(Error::new(ErrorKind::NotFound)),
                Some(state) if state == outcome.number() => Ok(()),
                Some(_) => Err(Error::finished_differently()),
            }
        })
    }

    fn open_intents(
        &self,
        older_than: Timestamp,
        after: Option<IntentId>,
        limit: u32,
    ) -> Stored<'_, Vec<Intent>> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = "select id, operation, key, details, begun_at, finished_at, note from intents
                where state = 0 and begun_at < $1 and id > $2 order by id limit $3";
            let after = after.map_or(i64::MIN, IntentId::get);
            let values: Values<'_> = &[&older_than.unix_millis(), &after, &i64::from(limit.min(LIST_MAX))];
            connection.query(sql, values).await?.iter().map(intent).collect()
        })
    }
}

async fn begin(work: &mut Work<'_>, new: &NewIntent) -> Result<Begun, Error> {
    // One at a time for a key: what is found stays as it is until the commit.
    let sql = "select pg_advisory_xact_lock(hashtextextended('intent' || chr(31) || $1 || chr(31) || $2, 0))";
    work.query(sql, &[&new.operation, &new.key]).await?;
    let sql = "select id, operation, key, details, begun_at, finished_at, note, state from intents
        where operation = $1 and key = $2 for update";
    if let Some(row) = work.first(sql, &[&new.operation, &new.key]).await? {
        let known = intent(&row)?;
        match row.try_get::<_, i64>(7)? {
            0 => return Ok(Begun::Open(known)),
            1 => return Ok(Begun::Done(known)),
            // Under a new id: who finishes the old one late does not finish the new one.
            _ => work.execute("delete from intents where id = $1", &[&known.id.get()]).await?,
        };
    }
    let sql = "insert into intents (operation, key, details, begun_at) values ($1, $2, $3, $4) returning id";
    let values: Values<'_> = &[&new.operation, &new.key, &new.details, &new.begun_at.unix_millis()];
    let row = work.first(sql, values).await?.ok_or_else(|| Error::new(ErrorKind::Internal))?;
    Ok(Begun::New(IntentId::new(row.try_get(0)?)))
}

fn intent(row: &Row) -> Result<Intent, Error> {
    Ok(Intent {
        id: IntentId::new(row.try_get(0)?),
        operation: row.try_get(1)?,
        key: row.try_get(2)?,
        details: row.try_get(3)?,
        begun_at: Timestamp::from_unix_millis(row.try_get(4)?),
        finished_at: row.try_get::<_, Option<i64>>(5)?.map(Timestamp::from_unix_millis),
        note: row.try_get(6)?,
    })
}
