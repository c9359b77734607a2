//! How it stands with the outbox in SQLite.

use rusqlite::{Connection, Row, params};
use webmessaging_model::Timestamp;

use crate::error::Error;
use crate::limits::LIST_MAX;
use crate::outbox_stats::{BlockedBy, BlockedLane, OutboxStats};

pub(super) fn stats(
    connection: &Connection,
    target: Option<&str>,
    now: Timestamp,
) -> Result<OutboxStats, Error> {
    let sql = "select
            count(*) filter (where head = 1 and due_at <= ?2),
            count(*) filter (where state = 1 and due_at > ?2),
            count(*),
            min(enqueued_at)
        from items where state < 2 and (?1 is null or target = ?1)";
    let mut stats = connection.prepare_cached(sql)?.query_row(params![target, now.unix_millis()], |row| {
        let (due, leased, open): (u64, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(OutboxStats {
            due,
            leased,
            waiting: open.saturating_sub(due).saturating_sub(leased),
            oldest_open_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_unix_millis),
            ..OutboxStats::default()
        })
    })?;
    let count = |sql| -> Result<u64, Error> {
        Ok(connection.prepare_cached(sql)?.query_row([target], |row| row.get(0))?)
    };
    stats.dead =
        count("select count(*) from items where state >= 3 and state = 3 and (?1 is null or target = ?1)")?;
    stats.delivered = count(
        "select count(*) from items where state in (2, 4) and state = 2 and (?1 is null or target = ?1)",
    )?;
    stats.dropped = count(
        "select count(*) from items where state in (2, 4) and state = 4 and (?1 is null or target = ?1)",
    )?;
    blocked(connection, target, now, &mut stats)?;
    Ok(stats)
}

/// Jumps from name to name in the index of the keys, however many items each has.
pub(super) fn targets(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "with recursive names (name) as (
            select min(target) from items
            union all
            select (select min(target) from items where target > name) from names where name is not null
        ) select name from names where name is not null limit ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let names = statement.query_map([LIST_MAX], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

fn blocked(
    connection: &Connection,
    target: Option<&str>,
    now: Timestamp,
    stats: &mut OutboxStats,
) -> Result<(), Error> {
    let sql = "select target, lane, state, due_at, failing_since, reason, count(*) over () from (
            select * from items
            where state >= 3 and state = 3 and head = 1 and lane is not null and (?1 is null or target = ?1)
            union all
            select * from items
            where state < 2 and state = 0 and head = 1 and due_at > ?2 and attempt > 0 and lane is not null
                and failing_since is not null and (?1 is null or target = ?1)
        ) order by failing_since, id limit ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![target, now.unix_millis(), LIST_MAX])?;
    while let Some(row) = rows.next()? {
        stats.blocked_lanes_total = row.get(6)?;
        stats.blocked_lanes.push(lane(row)?);
    }
    Ok(())
}

fn lane(row: &Row<'_>) -> rusqlite::Result<BlockedLane> {
    let by = match row.get(2)? {
        3_i64 => BlockedBy::DeadLetter,
        _ => BlockedBy::Retry { at: Timestamp::from_unix_millis(row.get(3)?) },
    };
    Ok(BlockedLane {
        target: row.get(0)?,
        lane: row.get(1)?,
        by,
        since: Timestamp::from_unix_millis(row.get(4)?),
        reason: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
    })
}
