//! Channels as they were read a short while ago.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use webmessaging_model::ChannelId;

use crate::channel::Channel;

/// How many channels are kept; those that nobody has asked for the longest go first.
const CHANNELS_MAX: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();

/// How long a channel is taken for what it was.
const LIFE: Duration = Duration::from_secs(60);

/// Shared by a client and its clones.
#[derive(Clone)]
pub(crate) struct Cache {
    state: Arc<Mutex<State>>,
    life: Duration,
}

struct State {
    channels: LruCache<ChannelId, (Instant, Channel)>,
    /// Grows with every channel that is forgotten: what was asked before that and comes after it is old.
    forgotten: u64,
}

/// When a channel was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    at: Instant,
    forgotten: u64,
}

impl Cache {
    pub(crate) fn new(channels_max: NonZeroUsize, life: Duration) -> Self {
        let state = State { channels: LruCache::new(channels_max), forgotten: 0 };
        Self { state: Arc::new(Mutex::new(state)), life }
    }

    /// A channel that is not too old.
    pub(crate) fn get(&self, id: &ChannelId, now: Instant) -> Option<Channel> {
        let mut state = self.lock();
        let (at, channel) = state.channels.get(id)?;
        if now.saturating_duration_since(*at) < self.life {
            return Some(channel.clone());
        }
        state.channels.pop(id);
        None
    }

    pub(crate) fn ask(&self, now: Instant) -> Asked {
        Asked { at: now, forgotten: self.lock().forgotten }
    }

    /// Keeps what was answered, unless something was forgotten since it was asked for.
    pub(crate) fn put(&self, asked: Asked, channel: Channel) {
        let mut state = self.lock();
        if state.forgotten == asked.forgotten {
            state.channels.put(channel.id.clone(), (asked.at, channel));
        }
    }

    pub(crate) fn forget(&self, id: &ChannelId) {
        let mut state = self.lock();
        state.forgotten += 1;
        state.channels.pop(id);
    }

    /// Forgets the channel when the change of it is over, however that ends: a caller may give up.
    pub(crate) fn forget_after<'a>(&'a self, id: &'a ChannelId) -> ForgetAfter<'a> {
        ForgetAfter { cache: self, id }
    }

    /// Nothing is half-done under the lock, so a poisoned one holds good data.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct ForgetAfter<'a> {
    cache: &'a Cache,
    id: &'a ChannelId,
}

impl Drop for ForgetAfter<'_> {
    fn drop(&mut self) {
        self.cache.forget(self.id);
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new(CHANNELS_MAX, LIFE)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Cache")
            .field("channels", &state.channels.len())
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}
