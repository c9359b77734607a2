//! A limit for work whose time is somebody else's.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use webmessaging_journal::clock::Clock;

/// What came of the work, or nothing when it took too long.
pub(super) async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    let mut watchdog = None;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        // Most work is done at once, and then no timer is made.
        Poll::Pending => {
            let watchdog = watchdog.get_or_insert_with(|| clock.watchdog(limit));
            watchdog.as_mut().poll(context).map(|()| None)
        }
    })
    .await
}
