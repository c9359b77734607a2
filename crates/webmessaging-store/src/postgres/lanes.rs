//! Lanes in PostgreSQL: who may change one, and which of its items is the first.
//!
//! Whoever adds to a lane, or takes something out of it, has its lock until the commit: so that the numbers of its items grow in
//! the order of their commits, and exactly one item is its first. A claim needs no lock for the first items, which `SKIP LOCKED` keeps
//! apart; it tries the lock for those behind them, and does without them if it cannot have it.

use webmessaging_model::Timestamp;

use super::clock::Shift;
use super::pool::Work;
use crate::error::{Error, ErrorKind};

/// Takes the locks of lanes, in one order for everybody.
pub(super) async fn lock(work: &mut Work<'_>, targets: &[&str], lanes: &[&str]) -> Result<(), Error> {
    if lanes.is_empty() {
        return Ok(());
    }
    let sql = "select pg_advisory_xact_lock(key) from (
            select distinct hashtextextended(target || chr(31) || lane, 0) as key
            from unnest($1::text[], $2::text[]) as lanes (target, lane) order by key
        ) as keys";
    work.query(sql, &[&targets, &lanes]).await?;
    Ok(())
}

/// Takes the lock of a lane, if nobody has it.
pub(super) async fn try_lock(work: &mut Work<'_>, target: &str, lane: &str) -> Result<bool, Error> {
    let sql = "select pg_try_advisory_xact_lock(hashtextextended($1 || chr(31) || $2, 0))";
    let row = work.first(sql, &[&target, &lane]).await?.ok_or_else(|| Error::new(ErrorKind::Internal))?;
    Ok(row.try_get(0)?)
}

/// Takes the locks of the lanes of items.
pub(super) async fn lock_of(work: &mut Work<'_>, ids: &[i64]) -> Result<(), Error> {
    // What an item's lane is never changes.
    let sql = "select distinct target, lane from items where id = any($1) and lane is not null";
    let rows = work.query(sql, &[&ids]).await?;
    let lanes = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let (targets, lanes): (Vec<_>, Vec<_>) =
        lanes.collect::<Result<Vec<(&str, &str)>, Error>>()?.into_iter().unzip();
    lock(work, &targets, &lanes).await
}

/// Makes the next item of a lane its first one, after the one before has left.
pub(super) async fn free(work: &mut Work<'_>, target: &str, lane: &str) -> Result<(), Error> {
    let sql = "update items set head = true where id = (
            select min(id) from items
            where target = $1 and lane = $2 and lane is not null and state in (0, 1, 3)
        )";
    work.execute(sql, &[&target, &lane]).await?;
    Ok(())
}

/// Gives back the later items of a lane that are claimed: they may not go before this one, and have not been tried.
pub(super) async fn give_back(
    work: &mut Work<'_>,
    target: &str,
    lane: &str,
    after: i64,
    now: Timestamp,
    shift: Shift,
) -> Result<(), Error> {
    let sql = "update items set state = 0, due_at = $4, attempt = attempt - 1, changed_at = $5, worker = null
        where target = $1 and lane = $2 and lane is not null and state in (0, 1, 3) and state = 1 and id > $3";
    work.execute(sql, &[&target, &lane, &after, &shift.now(), &now.unix_millis()]).await?;
    Ok(())
}
