//! Upkeep in PostgreSQL.

use webmessaging_model::Timestamp;

use super::PostgresStore;
use crate::retention::{Purged, Retention, Upkeep};
use crate::store::Stored;

impl Upkeep for PostgresStore {
    fn purge<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> Stored<'a, Purged> {
        Box::pin(async move {
            let batch = i64::from(retention.batch);
            let decided = (now - retention.decided).unix_millis();
            let delivered = (now - retention.delivered).unix_millis();
            let horizon = (now - retention.deliveries.horizon()).unix_millis();
            let scans = (now - retention.scans).unix_millis();
            let mut connection = self.pool.get().await?;
            let mut work = connection.begin().await?;
            let mut purged = Purged {
                deliveries: work
                    .execute(
                        "delete from deliveries where id in (
                            select id from deliveries
                            where state in (2, 4) and received_at < $1 and (state = 2 or changed_at < $2)
                            limit $3 for update skip locked
                        )",
                        &[&horizon, &decided, &batch],
                    )
                    .await?,
                items: work
                    .execute(
                        "delete from items where id in (
                            select id from items
                            where state in (2, 4)
                                and (state = 2 and changed_at < $1 or state = 4 and changed_at < $2)
                            limit $3 for update skip locked
                        )",
                        &[&delivered, &decided, &batch],
                    )
                    .await?,
                intents: work
                    .execute(
                        "delete from intents where id in (
                            select id from intents where state <> 0 and finished_at < $1
                            limit $2 for update skip locked
                        )",
                        &[&decided, &batch],
                    )
                    .await?,
                files: work
                    .execute(
                        "delete from quarantine where file_id in (
                            select file_id from quarantine where state <> 0 and changed_at < $1
                            limit $2 for update skip locked
                        )",
                        &[&decided, &batch],
                    )
                    .await?,
                scans: work
                    .execute(
                        "delete from scans where subject in (
                            select subject from scans where at < $1 limit $2 for update skip locked
                        )",
                        &[&scans, &batch],
                    )
                    .await?,
                // The row stays with its token: who was overtaken stays overtaken.
                values: work
                    .execute(
                        "update shared_values set value = null where key in (
                            select key from shared_values where value is not null and expires_at <= $1
                            limit $2 for update skip locked
                        )",
                        &[&now.unix_millis(), &batch],
                    )
                    .await?,
                has_more: false,
            };
            work.commit().await?;
            purged.has_more = purged.is_full(u64::from(retention.batch));
            Ok(purged)
        })
    }

    fn probe(&self, now: Timestamp) -> Stored<'_, ()> {
        Box::pin(async move {
            let mut connection = self.pool.get().await?;
            let sql =
                "insert into probes (id, at) values (1, $1) on conflict (id) do update set at = excluded.at";
            connection.execute(sql, &[&now.unix_millis()]).await?;
            Ok(())
        })
    }
}
