//! Events in memory, for tests.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::Event;
use crate::sink::{Recorded, Sink};

/// Keeps the last events; clones share them.
///
/// # Examples
/// ```
/// use webmessaging_journal::sinks::InMemory;
///
/// let kept = InMemory::new().capacity(100);
/// assert!(kept.events().is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct InMemory {
    capacity: usize,
    events: Arc<Mutex<VecDeque<Event>>>,
}

impl Default for InMemory {
    fn default() -> Self {
        Self { capacity: 10_000, events: Arc::default() }
    }
}

impl InMemory {
    /// A sink that keeps the last 10,000 events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many events are kept; 10,000 by default.
    #[must_use]
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// The events that are kept, in the order they came.
    pub fn events(&self) -> Vec<Event> {
        self.kept().iter().cloned().collect()
    }

    /// Forgets them.
    pub fn clear(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for InMemory {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        let mut kept = self.kept();
        kept.push_back(event.clone());
        while kept.len() > self.capacity {
            kept.pop_front();
        }
        drop(kept);
        Box::pin(ready(Ok(())))
    }
}
