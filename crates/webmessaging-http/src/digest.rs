//! The SHA-256 of what is uploaded: made in line, or by another thread that follows the one that reads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

/// A running digest, or none.
pub(crate) struct Hash(Option<Box<Sha256>>);

impl Hash {
    pub(crate) fn new(wanted: bool) -> Self {
        Self(wanted.then(Box::default))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.0 {
            hash.update(bytes);
        }
    }

    pub(crate) fn finish(&mut self) -> Option<[u8; 32]> {
        self.0.take().map(|hash| hash.finalize().into())
    }
}

/// The digest of a whole upload, where it is wanted: at hand, or soon.
#[derive(Debug, Clone)]
pub(crate) enum Digest {
    Known(Option<[u8; 32]>),
    Soon(watch::Receiver<Option<[u8; 32]>>),
}

impl Digest {
    /// Waits until the last bytes are hashed, which nothing but the processor can delay.
    pub(crate) async fn value(self) -> Option<[u8; 32]> {
        match self {
            Self::Known(value) => value,
            // It ends without a value only when the runtime is shutting down.
            Self::Soon(mut soon) => soon.wait_for(Option::is_some).await.ok().and_then(|value| *value),
        }
    }
}

/// A digest that is made a few pieces behind whoever reads.
///
/// Whoever has the state of the digest hashes until nothing is left, and puts it back. A thread waits for room only while another one
/// hashes; where none has begun, it hashes itself, so that a runtime with a single blocking thread is enough.
#[derive(Clone)]
pub(crate) struct Follower(Arc<Shared>);

struct Shared {
    work: Mutex<Work>,
    room: Condvar,
    behind: usize,
    digest: watch::Sender<Option<[u8; 32]>>,
}

struct Work {
    pieces: VecDeque<Bytes>,
    /// Away while somebody hashes.
    state: Option<Box<Sha256>>,
    is_called: bool,
    is_whole: bool,
}

impl Follower {
    /// Follows at most so many pieces behind.
    pub(crate) fn new(behind: usize) -> Self {
        let work =
            Work { pieces: VecDeque::new(), state: Some(Box::default()), is_called: false, is_whole: false };
        let (digest, _) = watch::channel(None);
        Self(Arc::new(Shared { work: Mutex::new(work), room: Condvar::new(), behind, digest }))
    }

    /// Hashes this piece next; waits while too many are before it.
    pub(crate) fn push(&self, piece: Bytes) {
        let mut work = self.work();
        while work.pieces.len() >= self.0.behind {
            work = if work.state.is_some() {
                drop(work);
                self.follow();
                self.work()
            } else {
                self.0.room.wait(work).unwrap_or_else(PoisonError::into_inner)
            };
        }
        work.pieces.push_back(piece);
        if work.state.is_some() && !work.is_called {
            work.is_called = true;
            drop(work);
            let this = self.clone();
            tokio::task::spawn_blocking(move || this.follow());
        }
    }

    /// The digest of all that will have been hashed in the end.
    pub(crate) fn digest(&self) -> Digest {
        Digest::Soon(self.0.digest.subscribe())
    }

    /// Nothing comes any more.
    pub(crate) fn finish(&self) {
        self.work().is_whole = true;
        self.follow();
    }

    /// Hashes what there is, unless somebody does.
    fn follow(&self) {
        let mut work = self.work();
        let Some(mut state) = work.state.take() else { return };
        work.is_called = false;
        while let Some(piece) = work.pieces.pop_front() {
            drop(work);
            self.0.room.notify_one();
            state.update(&piece);
            drop(piece);
            work = self.work();
        }
        if work.is_whole {
            self.0.digest.send_replace(Some(state.finalize().into()));
        } else {
            work.state = Some(state);
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of these pieces by a follower that is pushed from a blocking thread, as a reader does.
    fn followed(blocking_threads: usize, behind: usize, pieces: u8) -> Option<[u8; 32]> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(blocking_threads).build().unwrap();
        runtime.block_on(async {
            let follower = Follower::new(behind);
            let digest = follower.digest();
            let reading = tokio::task::spawn_blocking(move || {
                (0..pieces).for_each(|piece| follower.push(Bytes::from(vec![piece; 1_000])));
                follower.finish();
            });
            reading.await.unwrap();
            digest.value().await
        })
    }

    #[test]
    fn no_more_pieces_wait_than_may() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _entered = runtime.enter();
        let follower = Follower::new(2);
        // Somebody is called, and does not come.
        follower.work().is_called = true;
        for piece in 0..3 {
            follower.push(Bytes::from(vec![piece; 1_000]));
            assert!(follower.work().pieces.len() <= 2);
        }
    }

    #[test]
    fn the_pieces_are_hashed_in_their_order_whoever_has_a_thread() {
        for pieces in [0, 1, 2, 3, 100] {
            let all: Vec<u8> = (0..pieces).flat_map(|piece| vec![piece; 1_000]).collect();
            let expected = Some(Sha256::digest(&all).into());
            for (blocking_threads, behind) in [(1, 1), (1, 4), (2, 1), (8, 4)] {
                let case = format!("{pieces} pieces, {blocking_threads} threads, {behind} behind");
                assert_eq!(followed(blocking_threads, behind, pieces), expected, "{case}");
            }
        }
    }
}
