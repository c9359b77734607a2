//! Tells the workers of this process that there is something to deliver, so that they do not have to wait for their next look.

use tokio::sync::watch;

/// Wakes workers. Clones wake the same ones; what is told while they are at work is not lost.
///
/// # Examples
/// ```
/// use webmessaging_sync::Wake;
///
/// let wake = Wake::new();
/// wake.wake();
/// ```
#[derive(Debug, Clone)]
pub struct Wake(watch::Sender<u64>);

impl Default for Wake {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Wake {
    /// Something that wakes nobody yet: give it to a worker.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that something was put into the outbox, and is durable.
    pub fn wake(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
