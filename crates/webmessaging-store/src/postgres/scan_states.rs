//! Scan states in PostgreSQL.

use tokio_postgres::Row;
use webmessaging_model::Timestamp;

use super::PostgresStore;
use super::pool::{Values, Work};
use crate::check;
use crate::error::{Error, ErrorKind};
use crate::scan_states::{NewScan, ScanAdvance, ScanState, ScanStates};
use crate::store::Stored;

impl ScanStates for PostgresStore {
    fn advance_scan(&self, scan: NewScan) -> Stored<'_, ScanAdvance> {
        Box::pin(async move {
            check::scan(&scan)?;
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            let advance = advance(&mut work, &scan).await?;
            work.commit().await?;
            Ok(advance)
        })
    }

    fn scan_state<'a>(&'a self, subject: &'a str) -> Stored<'a, Option<ScanState>> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql = "select rank, state, at from scans where subject = $1";
            connection.first(sql, &[&subject]).await?.as_ref().map(state).transpose()
        })
    }
}

pub(super) async fn advance(work: &mut Work<'_>, scan: &NewScan) -> Result<ScanAdvance, Error> {
    let rank = i64::from(scan.rank);
    let values: Values<'_> = &[&scan.subject, &rank, &scan.state, &scan.at.unix_millis()];
    let sql = "insert into scans (subject, rank, state, at) values ($1, $2, $3, $4)
        on conflict (subject) do nothing";
    if work.execute(sql, values).await? == 1 {
        return Ok(ScanAdvance::of(None, scan));
    }
    // Locked: what is compared is what is replaced.
    let sql = "select rank, state, at from scans where subject = $1 for update";
    let Some(row) = work.first(sql, &[&scan.subject]).await? else {
        // Forgotten between the two statements, which takes a state that did not move for a month.
        return Err(Error::new(ErrorKind::Busy));
    };
    let advance = ScanAdvance::of(Some(state(&row)?), scan);
    if advance.has_moved() {
        let sql = "update scans set rank = $2, state = $3, at = $4 where subject = $1";
        work.execute(sql, values).await?;
    }
    Ok(advance)
}

fn state(row: &Row) -> Result<ScanState, Error> {
    Ok(ScanState {
        rank: u16::try_from(row.try_get::<_, i64>(0)?).unwrap_or(u16::MAX),
        state: row.try_get(1)?,
        at: Timestamp::from_unix_millis(row.try_get(2)?),
    })
}
