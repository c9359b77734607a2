//! The schema: made and brought up to date when a store is opened, by one process at a time.

use super::pool::{Pool, Work};
use crate::error::{Error, ErrorKind};

/// The steps that lead from an empty database to the schema of this version; the number of each is the version after it.
pub(super) const MIGRATIONS: &[&str] =
    &[include_str!("schema/0001_inbox_outbox.sql"), include_str!("schema/0002_shared_state.sql")];

/// `WMST`, as the number of a lock.
const LOCK: &str = "select pg_advisory_xact_lock(1464685396)";

pub(super) async fn migrate(pool: &Pool, migrations: &[&str]) -> Result<(), Error> {
    let mut connection = pool.get().await?;
    let mut work = connection.begin().await?;
    work.batch(LOCK).await?;
    let version = version(&mut work).await?;
    if version > migrations.len() {
        let known = migrations.len();
        return Err(Error::new(ErrorKind::NewerSchema).with_message(format!(
            "the store has schema {version} and this version knows {known}: use the newer version, this one leaves it alone"
        )));
    }
    if version < migrations.len() {
        // Asked for only where it is missing: to make one takes a right that a user of it need not have.
        if !holds(&mut work, "select to_regnamespace('webmessaging') is not null").await? {
            work.batch("create schema webmessaging").await?;
        }
        // What is large takes its time.
        work.batch("set local statement_timeout = 0").await?;
        for migration in migrations.iter().skip(version) {
            work.batch(migration).await?;
        }
        work.batch(
            "create table if not exists schema_version (id int primary key check (id = 1), version int not null)",
        )
        .await?;
        // A number of ours, not a value of anybody.
        let known = migrations.len();
        work.batch(&format!(
            "insert into schema_version values (1, {known}) on conflict (id) do update set version = {known}"
        ))
        .await?;
    }
    work.commit().await
}

async fn holds(work: &mut Work<'_>, question: &'static str) -> Result<bool, Error> {
    let answer = work.first(question, &[]).await?.ok_or_else(|| Error::new(ErrorKind::Internal))?;
    Ok(answer.try_get(0)?)
}

/// The version of the schema; 0 where there is none.
async fn version(work: &mut Work<'_>) -> Result<usize, Error> {
    let sql = "select to_regclass('webmessaging.schema_version') is not null";
    if !holds(work, sql).await? {
        return Ok(0);
    }
    let row = work.first("select version from webmessaging.schema_version", &[]).await?;
    let version = row.map_or(Ok(0), |row| row.try_get::<_, i32>(0))?;
    usize::try_from(version).map_err(|_| Error::new(ErrorKind::Corrupt))
}
