//! Two things at once: whichever is over first, and the signal that cancels.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

/// What was over first.
pub(crate) enum First<A, B> {
    Left(A),
    Right(B),
}

/// Waits for one of two, the left one where both are over; the other one is dropped.
pub(crate) async fn first<A, B>(
    left: impl Future<Output = A>,
    right: impl Future<Output = B>,
) -> First<A, B> {
    let (mut left, mut right) = (pin!(left), pin!(right));
    poll_fn(|cx| {
        if let Poll::Ready(value) = left.as_mut().poll(cx) {
            return Poll::Ready(First::Left(value));
        }
        right.as_mut().poll(cx).map(First::Right)
    })
    .await
}

/// A signal to give up, if there is one.
#[derive(Default)]
pub(crate) struct Cancel(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Cancel {
    pub(crate) fn on(signal: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(Box::pin(signal)))
    }

    /// Does the work, unless the signal comes first. Work that is done when the signal comes was done.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let Some(signal) = &mut self.0 else { return Some(work.await) };
        // Nothing is begun after the signal.
        if poll_fn(|cx| Poll::Ready(signal.as_mut().poll(cx).is_ready())).await {
            *signal = Box::pin(std::future::ready(()));
            return None;
        }
        match first(work, signal.as_mut()).await {
            First::Left(value) => Some(value),
            First::Right(()) => {
                // A signal that has come is not asked again; everything after it is canceled too.
                *signal = Box::pin(std::future::ready(()));
                None
            }
        }
    }
}
