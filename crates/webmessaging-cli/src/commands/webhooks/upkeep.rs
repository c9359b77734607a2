//! The upkeep of the store while a receiver runs: what is done is forgotten in its time, so that the store does not grow for ever.

use std::sync::Arc;
use std::time::Duration;

use webmessaging::journal::clock::Clock;
use webmessaging::store::{DedupPolicy, Retention, SenderSchedule, Store};

const EVERY: Duration = Duration::from_secs(300);

/// Forgets what is past its time, now and then, until it is dropped.
pub(super) async fn keep_up(store: Arc<dyn Store>, clock: impl Clock) {
    let retention = Retention::new(DedupPolicy::for_sender(&SenderSchedule::genesys()));
    loop {
        // A store that fails says so with every delivery; what was not forgotten is forgotten the next time.
        let purged = store.purge(&retention, clock.wall()).await;
        if !purged.is_ok_and(|purged| purged.has_more) {
            clock.watchdog(EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
    use webmessaging::journal::clock::{SystemClock, Wait};
    use webmessaging::model::Timestamp;
    use webmessaging::store::{Effects, Inbox, NewDelivery, SqliteOptions, SqliteStore};

    use super::*;

    /// A clock that stands still, and tells of every wait.
    #[derive(Debug)]
    struct Still(Timestamp, UnboundedSender<Duration>);

    impl Clock for Still {
        fn now(&self) -> Instant {
            SystemClock.now()
        }

        fn wall(&self) -> Timestamp {
            self.0
        }

        fn watchdog(&self, duration: Duration) -> Wait {
            self.1.send(duration).unwrap();
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn a_delivery_that_is_done_is_forgotten_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Arc::new(SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).await.unwrap());
        let at = Timestamp::UNIX_EPOCH;
        for key in ["one", "two"] {
            store.accept(NewDelivery::new("genesys", key, "a", at)).await.unwrap();
        }
        for delivery in store.claim_deliveries("test", 2, Duration::from_secs(60), at).await.unwrap() {
            store.finish_delivery(&delivery.claim, Effects::none(), at).await.unwrap();
        }
        // The newest one is never forgotten.
        for (hours, remembered) in [(23, 2), (25, 1)] {
            let (waits, mut waited) = unbounded_channel();
            let clock = Still(at + Duration::from_secs(hours * 3_600), waits);
            let upkeep = tokio::spawn(keep_up(Arc::clone(&store) as Arc<dyn Store>, clock));
            assert_eq!(waited.recv().await, Some(EVERY));
            upkeep.abort();
            assert_eq!(store.inbox_stats(at).await.unwrap().remembered, remembered, "{hours} hours");
        }
    }
}
