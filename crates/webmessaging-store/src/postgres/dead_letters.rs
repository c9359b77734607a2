//! Dead letters in PostgreSQL: states of the rows of inbox and outbox, so that an item keeps its place.

use bytes::Bytes;
use tokio_postgres::Row;
use webmessaging_model::Timestamp;

use super::pool::{Values, Work};
use super::{PostgresStore, lanes};
use crate::check;
use crate::dead_letters::{
    DeadLetter, DeadLetterContent, DeadLetterCursor, DeadLetterFilter, DeadLetterId, DeadLetterPage,
    DeadLetters, Dropped, Edit, Origin,
};
use crate::error::{Error, ErrorKind};
use crate::limits::{EDITS_MAX, LIST_MAX};
use crate::state::{DEAD, DROPPED, attempts, origin_number, origin_of, place};
use crate::store::Stored;

/// Both tables as one list, in the order of the columns that [`letter`] reads.
macro_rules! letters {
    ($rest:literal) => {
        concat!(
            "select * from (
                select 0::bigint as origin, id, source as target, null::text as lane, event_type as kind,
                    content_key as key, attempt, reason, received_at as created_at, buried_at, state,
                    changed_at, note, body as payload
                from deliveries where state >= 3
                union all
                select 1, id, target, lane, kind, idempotency_key, attempt, reason, enqueued_at, buried_at,
                    state, changed_at, note, payload
                from items where state >= 3
            ) as letters ",
            $rest
        )
    };
}

impl DeadLetters for PostgresStore {
    fn dead_letters<'a>(
        &'a self,
        filter: &'a DeadLetterFilter,
        after: Option<DeadLetterCursor>,
        limit: u32,
    ) -> Stored<'a, DeadLetterPage> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = letters!(
                "where state = $1 and ($2::bigint is null or origin = $2)
                    and ($3::text is null or target = $3) and ($4::text is null or lane = $4)
                    and (buried_at, origin, id) > ($5, $6, $7)
                order by buried_at, origin, id limit $8"
            );
            let (at, origin, number) = place(after);
            let limit = limit.min(LIST_MAX);
            let values: Values<'_> = &[
                if filter.dropped { &DROPPED } else { &DEAD },
                &filter.origin.map(origin_number),
                &filter.target,
                &filter.lane,
                &at,
                &origin,
                &number,
                &i64::from(limit.saturating_add(1)),
            ];
            let rows = connection.query(sql, values).await?;
            Ok(DeadLetterPage::of(rows.iter().map(letter).collect::<Result<_, _>>()?, limit))
        })
    }

    fn dead_letter(&self, id: DeadLetterId) -> Stored<'_, DeadLetterContent> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = letters!("where origin = $1 and id = $2");
            let found = connection.first(sql, &[&origin_number(id.origin), &id.number]).await?;
            let Some(row) = found else { return Err(Error::new(ErrorKind::NotFound)) };
            let (letter, payload) = (letter(&row)?, row.try_get::<_, Vec<u8>>(13)?.into());
            let mut history = Vec::new();
            if id.origin == Origin::Outbox {
                let sql = "select replaced_at, idempotency_key, payload from item_edits
                    where item_id = $1 order by id";
                for row in connection.query(sql, &[&id.number]).await? {
                    history.push(Edit {
                        replaced_at: Timestamp::from_unix_millis(row.try_get(0)?),
                        idempotency_key: row.try_get(1)?,
                        payload: row.try_get::<_, Vec<u8>>(2)?.into(),
                    });
                }
            }
            Ok(DeadLetterContent { letter, payload, history })
        })
    }

    fn edit_dead_letter<'a>(
        &'a self,
        id: DeadLetterId,
        payload: Bytes,
        idempotency_key: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()> {
        Box::pin(async move {
            check::edit(&payload, idempotency_key)?;
            if id.origin != Origin::Outbox {
                return Err(Error::new(ErrorKind::NotFound));
            }
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            // Whoever enqueues the old key into the lane meanwhile waits, and then finds the edit.
            lanes::lock_of(&mut work, &[id.number]).await?;
            edit(&mut work, id.number, &payload, idempotency_key, now).await?;
            work.commit().await
        })
    }

    fn retry_dead_letter(&self, id: DeadLetterId, now: Timestamp) -> Stored<'_, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let shift = self.clock.shift_alone(&mut connection, now).await?;
            let sql = match id.origin {
                Origin::Inbox => {
                    "update deliveries
                    set state = 0, due_at = $2, changed_at = $3, attempt = 0, buried_at = null
                    where id = $1 and state = 3"
                }
                Origin::Outbox => {
                    "update items set state = 0, due_at = $2, changed_at = $3, attempt = 0, buried_at = null
                    where id = $1 and state = 3"
                }
            };
            found(connection.execute(sql, &[&id.number, &shift.now(), &now.unix_millis()]).await?)
        })
    }

    fn drop_dead_letter<'a>(&'a self, id: DeadLetterId, note: &'a str, now: Timestamp) -> Stored<'a, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let note = check::cut(note);
            let now = now.unix_millis();
            let values: Values<'_> = &[&id.number, &note, &now];
            if id.origin == Origin::Inbox {
                let sql = "update deliveries set state = 4, note = $2, changed_at = $3
                    where id = $1 and state = 3";
                return found(connection.execute(sql, values).await?);
            }
            let mut work = connection.begin().await?;
            lanes::lock_of(&mut work, &[id.number]).await?;
            let sql = "update items set state = 4, note = $2, changed_at = $3 where id = $1 and state = 3
                returning target, lane, head";
            let row = work.first(sql, values).await?.ok_or_else(|| Error::new(ErrorKind::NotFound))?;
            if let (Some(lane), true) = (row.try_get(1)?, row.try_get(2)?) {
                lanes::free(&mut work, row.try_get(0)?, lane).await?;
            }
            work.commit().await
        })
    }
}

fn found(changed: u64) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(Error::new(ErrorKind::NotFound)) }
}

fn letter(row: &Row) -> Result<DeadLetter, Error> {
    let dropped = if row.try_get::<_, i64>(10)? == DROPPED {
        let note = row.try_get::<_, Option<String>>(12)?.unwrap_or_default();
        Some(Dropped { at: Timestamp::from_unix_millis(row.try_get(11)?), note })
    } else {
        None
    };
    Ok(DeadLetter {
        id: DeadLetterId { origin: origin_of(row.try_get(0)?), number: row.try_get(1)? },
        target: row.try_get(2)?,
        lane: row.try_get(3)?,
        kind: row.try_get(4)?,
        key: row.try_get(5)?,
        attempts: attempts(row.try_get(6)?),
        reason: row.try_get::<_, Option<String>>(7)?.unwrap_or_default(),
        created_at: Timestamp::from_unix_millis(row.try_get(8)?),
        buried_at: Timestamp::from_unix_millis(row.try_get(9)?),
        dropped,
    })
}

async fn edit(work: &mut Work<'_>, id: i64, payload: &[u8], key: &str, now: Timestamp) -> Result<(), Error> {
    let sql = "select target from items where id = $1 and state = 3 for update";
    let row = work.first(sql, &[&id]).await?.ok_or_else(|| Error::new(ErrorKind::NotFound))?;
    let target: String = row.try_get(0)?;
    let sql = "select
            (select count(*) from item_edits where item_id = $1),
            exists (select 1 from items where target = $2 and idempotency_key = $3)
                or exists (select 1 from item_edits where target = $2 and idempotency_key = $3)";
    let row = work.first(sql, &[&id, &target, &key]).await?;
    let row = row.ok_or_else(|| Error::new(ErrorKind::Internal))?;
    if row.try_get::<_, i64>(0)? >= i64::from(EDITS_MAX) {
        return Err(Error::too_many_edits());
    }
    if row.try_get(1)? {
        return Err(Error::new(ErrorKind::Conflict));
    }
    let sql = "insert into item_edits (item_id, target, idempotency_key, payload, replaced_at)
        select id, target, idempotency_key, payload, $2 from items where id = $1";
    work.execute(sql, &[&id, &now.unix_millis()]).await?;
    let sql = "update items set payload = $2, idempotency_key = $3 where id = $1";
    work.execute(sql, &[&id, &payload, &key]).await?;
    Ok(())
}
