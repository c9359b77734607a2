//! How it stands with the outbox in PostgreSQL.

use tokio_postgres::Row;
use webmessaging_model::Timestamp;

use super::clock::Shift;
use super::pool::Lent;
use crate::error::Error;
use crate::limits::LIST_MAX;
use crate::outbox_stats::{BlockedBy, BlockedLane, OutboxStats};
use crate::state::{DEAD, count};

pub(super) async fn stats(
    connection: &mut Lent<'_>,
    target: Option<&str>,
    shift: Shift,
) -> Result<OutboxStats, Error> {
    // Each part has an index of its own.
    let sql = "select
            count(*) filter (where head and due_at <= $2),
            count(*) filter (where state = 1 and due_at > $2),
            count(*),
            (select count(*) from items
                where state >= 3 and state = 3 and ($1::text is null or target = $1)),
            (select count(*) from items
                where state in (2, 4) and state = 2 and ($1::text is null or target = $1)),
            (select count(*) from items
                where state in (2, 4) and state = 4 and ($1::text is null or target = $1)),
            min(enqueued_at)
        from items where state < 2 and ($1::text is null or target = $1)";
    let Some(row) = connection.first(sql, &[&target, &shift.now()]).await? else {
        return Ok(OutboxStats::default());
    };
    let (due, leased) = (count(row.try_get(0)?), count(row.try_get(1)?));
    let mut stats = OutboxStats {
        due,
        leased,
        waiting: count(row.try_get(2)?).saturating_sub(due).saturating_sub(leased),
        dead: count(row.try_get(3)?),
        delivered: count(row.try_get(4)?),
        dropped: count(row.try_get(5)?),
        oldest_open_at: row.try_get::<_, Option<i64>>(6)?.map(Timestamp::from_unix_millis),
        ..OutboxStats::default()
    };
    let sql = "select target, lane, state, due_at, failing_since, reason, count(*) over () from (
            select id, target, lane, state, due_at, failing_since, reason from items
            where state >= 3 and state = 3 and head and lane is not null and ($1::text is null or target = $1)
            union all
            select id, target, lane, state, due_at, failing_since, reason from items
            where state < 2 and state = 0 and head and due_at > $2 and attempt > 0 and lane is not null
                and failing_since is not null and ($1::text is null or target = $1)
        ) as held order by failing_since, id limit $3";
    let rows = connection.query(sql, &[&target, &shift.now(), &i64::from(LIST_MAX)]).await?;
    for row in rows {
        stats.blocked_lanes_total = count(row.try_get(6)?);
        stats.blocked_lanes.push(lane(&row, shift)?);
    }
    Ok(stats)
}

/// Jumps from name to name in the index of the keys, however many items each has.
pub(super) async fn targets(connection: &mut Lent<'_>) -> Result<Vec<String>, Error> {
    let sql = "with recursive names (name) as (
            select min(target) from items
            union all
            select (select min(target) from items where target > name) from names where name is not null
        ) select name from names where name is not null limit $1";
    let rows = connection.query(sql, &[&i64::from(LIST_MAX)]).await?;
    let mut names = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    // The database sorts by its own language.
    names.sort_unstable();
    Ok(names)
}

fn lane(row: &Row, shift: Shift) -> Result<BlockedLane, Error> {
    let by = match row.try_get(2)? {
        DEAD => BlockedBy::DeadLetter,
        _ => BlockedBy::Retry { at: shift.told(row.try_get(3)?) },
    };
    Ok(BlockedLane {
        target: row.try_get(0)?,
        lane: row.try_get(1)?,
        by,
        since: Timestamp::from_unix_millis(row.try_get::<_, Option<i64>>(4)?.unwrap_or_default()),
        reason: row.try_get::<_, Option<String>>(5)?.unwrap_or_default(),
    })
}
