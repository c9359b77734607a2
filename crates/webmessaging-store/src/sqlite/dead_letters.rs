//! Dead letters in SQLite: states of the rows of inbox and outbox, so that an item keeps its place.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use webmessaging_model::Timestamp;

use super::SqliteStore;
use super::outbox::{Lane, free_lane};
use crate::check;
use crate::dead_letters::{
    DeadLetter, DeadLetterContent, DeadLetterCursor, DeadLetterFilter, DeadLetterId, DeadLetterPage,
    DeadLetters, Dropped, Edit, Origin,
};
use crate::error::{Error, ErrorKind};
use crate::limits::{EDITS_MAX, LIST_MAX};
use crate::state::{DEAD, DROPPED, origin_number, origin_of, place};
use crate::store::Stored;

impl DeadLetters for SqliteStore {
    fn dead_letters<'a>(
        &'a self,
        filter: &'a DeadLetterFilter,
        after: Option<DeadLetterCursor>,
        limit: u32,
    ) -> Stored<'a, DeadLetterPage> {
        let filter = filter.clone();
        Box::pin(self.read(move |connection| list(connection, &filter, after, limit.min(LIST_MAX))))
    }

    fn dead_letter(&self, id: DeadLetterId) -> Stored<'_, DeadLetterContent> {
        Box::pin(self.read(move |connection| show(connection, id)))
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
            let key = idempotency_key.to_owned();
            self.write(move |connection| edit(connection, id, &payload, &key, now)).await
        })
    }

    fn retry_dead_letter(&self, id: DeadLetterId, now: Timestamp) -> Stored<'_, ()> {
        Box::pin(self.write(move |connection| {
            let sql = match id.origin {
                Origin::Inbox => {
                    "update deliveries
                    set state = 0, due_at = ?2, changed_at = ?2, attempt = 0, buried_at = null
                    where id = ?1 and state = 3"
                }
                Origin::Outbox => {
                    "update items set state = 0, due_at = ?2, changed_at = ?2, attempt = 0, buried_at = null
                    where id = ?1 and state = 3"
                }
            };
            found(connection.prepare_cached(sql)?.execute([id.number, now.unix_millis()])?)
        }))
    }

    fn drop_dead_letter<'a>(&'a self, id: DeadLetterId, note: &'a str, now: Timestamp) -> Stored<'a, ()> {
        let note = check::cut(note);
        Box::pin(self.write(move |connection| drop_letter(connection, id, &note, now)))
    }
}

fn found(changed: usize) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(Error::new(ErrorKind::NotFound)) }
}

/// Both tables as one list, in the order of the columns that [`letter`] reads; `{}` is one state or both.
const LETTERS: &str = "
    select 0 as origin, id, source as target, null as lane, event_type as kind, content_key as key, attempt,
        reason, received_at as created_at, buried_at, state, changed_at, note, body as payload
    from deliveries where state >= 3
    union all
    select 1, id, target, lane, kind, idempotency_key, attempt, reason, enqueued_at, buried_at, state,
        changed_at, note, payload
    from items where state >= 3";

fn list(
    connection: &Connection,
    filter: &DeadLetterFilter,
    after: Option<DeadLetterCursor>,
    limit: u32,
) -> Result<DeadLetterPage, Error> {
    let sql = format!(
        "select * from ({LETTERS}) where state = ?1
            and (?2 is null or origin = ?2) and (?3 is null or target = ?3) and (?4 is null or lane = ?4)
            and (buried_at, origin, id) > (?5, ?6, ?7)
        order by buried_at, origin, id limit ?8"
    );
    let (at, origin, number) = place(after);
    let state = if filter.dropped { DROPPED } else { DEAD };
    let values = params![
        state,
        filter.origin.map(origin_number),
        filter.target,
        filter.lane,
        at,
        origin,
        number,
        limit.saturating_add(1),
    ];
    let mut statement = connection.prepare_cached(&sql)?;
    let letters = statement.query_map(values, letter)?.collect::<Result<Vec<_>, _>>()?;
    Ok(DeadLetterPage::of(letters, limit))
}

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let state: i64 = row.get(10)?;
    let dropped = if state == DROPPED {
        let note = row.get::<_, Option<String>>(12)?.unwrap_or_default();
        Some(Dropped { at: Timestamp::from_unix_millis(row.get(11)?), note })
    } else {
        None
    };
    Ok(DeadLetter {
        id: DeadLetterId { origin: origin_of(row.get(0)?), number: row.get(1)? },
        target: row.get(2)?,
        lane: row.get(3)?,
        kind: row.get(4)?,
        key: row.get(5)?,
        attempts: row.get(6)?,
        reason: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
        created_at: Timestamp::from_unix_millis(row.get(8)?),
        buried_at: Timestamp::from_unix_millis(row.get(9)?),
        dropped,
    })
}

fn show(connection: &Connection, id: DeadLetterId) -> Result<DeadLetterContent, Error> {
    let sql = format!("select * from ({LETTERS}) where origin = ?1 and id = ?2");
    let found = connection
        .prepare_cached(&sql)?
        .query_row([origin_number(id.origin), id.number], |row| {
            Ok((letter(row)?, row.get::<_, Vec<u8>>(13)?))
        })
        .optional()?;
    let Some((letter, payload)) = found else { return Err(Error::new(ErrorKind::NotFound)) };
    let mut history = Vec::new();
    if id.origin == Origin::Outbox {
        let sql =
            "select replaced_at, idempotency_key, payload from item_edits where item_id = ?1 order by id";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([id.number])?;
        while let Some(row) = rows.next()? {
            history.push(Edit {
                replaced_at: Timestamp::from_unix_millis(row.get(0)?),
                idempotency_key: row.get(1)?,
                payload: row.get::<_, Vec<u8>>(2)?.into(),
            });
        }
    }
    Ok(DeadLetterContent { letter, payload: payload.into(), history })
}

fn edit(
    connection: &Connection,
    id: DeadLetterId,
    payload: &[u8],
    key: &str,
    now: Timestamp,
) -> Result<(), Error> {
    if id.origin != Origin::Outbox {
        return Err(Error::new(ErrorKind::NotFound));
    }
    let sql = "select target, (select count(*) from item_edits where item_id = ?1)
        from items where id = ?1 and state = 3";
    let found = connection
        .prepare_cached(sql)?
        .query_row([id.number], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((target, edits)): Option<(String, u32)> = found else {
        return Err(Error::new(ErrorKind::NotFound));
    };
    if edits >= EDITS_MAX {
        return Err(Error::too_many_edits());
    }
    let sql = "select exists (select 1 from items where target = ?1 and idempotency_key = ?2)
        or exists (select 1 from item_edits where target = ?1 and idempotency_key = ?2)";
    if connection.prepare_cached(sql)?.query_row([&*target, key], |row| row.get(0))? {
        return Err(Error::new(ErrorKind::Conflict));
    }
    let sql = "insert into item_edits (item_id, target, idempotency_key, payload, replaced_at)
        select id, target, idempotency_key, payload, ?2 from items where id = ?1";
    connection.prepare_cached(sql)?.execute([id.number, now.unix_millis()])?;
    let sql = "update items set payload = ?2, idempotency_key = ?3 where id = ?1";
    connection.prepare_cached(sql)?.execute(params![id.number, payload, key])?;
    Ok(())
}

fn drop_letter(connection: &Connection, id: DeadLetterId, note: &str, now: Timestamp) -> Result<(), Error> {
    let values = params![id.number, note, now.unix_millis()];
    if id.origin == Origin::Inbox {
        let sql = "update deliveries set state = 4, note = ?2, changed_at = ?3 where id = ?1 and state = 3";
        return found(connection.prepare_cached(sql)?.execute(values)?);
    }
    let sql = "update items set state = 4, note = ?2, changed_at = ?3 where id = ?1 and state = 3
        returning target, lane, head";
    let place = connection
        .prepare_cached(sql)?
        .query_row(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match place {
        None => Err(Error::new(ErrorKind::NotFound)),
        Some((target, Some(lane), true)) => free_lane(connection, &Lane { target, lane }),
        Some(_) => Ok(()),
    }
}
