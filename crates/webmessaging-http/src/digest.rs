//! The SHA-256 of what is uploaded: made in line, or by a thread that follows the one that reads.

use std::collections::VecDeque;
use std::mem;
use std::sync::mpsc::{SendError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

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
            // It ends without a value only when the runtime is shutting down, or somebody has panicked.
            Self::Soon(mut soon) => soon.wait_for(Option::is_some).await.ok().and_then(|value| *value),
        }
    }
}

/// The thread of a client that hashes, begun when there is something to hash, and gone with the client.
///
/// It is always the same one, so that it keeps the core that it has: of a pool, another thread would come each time, and would run on the
/// core on which it last was, be it the sender's.
#[derive(Default)]
pub(crate) struct Hasher(OnceLock<Option<Sender<Call>>>);

/// A digest that has pieces to hash, and its state so far.
type Call = (Follower, Box<Sha256>);

impl Hasher {
    /// Begins a digest; none when the system has no thread to give.
    pub(crate) fn follower(&self) -> Option<Follower> {
        let calls = self.0.get_or_init(|| {
            let (calls, called) = channel::<Call>();
            let hash = move || called.iter().for_each(|(follower, state)| follower.follow(state));
            thread::Builder::new().name("upload-digest".into()).spawn(hash).ok().map(|_| calls)
        });
        calls.clone().map(Follower::new)
    }
}

/// Bytes to hash, and who is told when that is done.
pub(crate) struct Unhashed {
    pub(crate) bytes: Bytes,
    pub(crate) done: Arc<dyn Hashed>,
}

/// Is told of each piece that is hashed, or given up.
pub(crate) trait Hashed: Send + Sync {
    fn hashed(&self);
}

impl Drop for Unhashed {
    fn drop(&mut self) {
        // Whoever is told can fill its memory again.
        drop(mem::take(&mut self.bytes));
        self.done.hashed();
    }
}

/// A digest that is made behind whoever reads; how far, is up to them.
#[derive(Clone)]
pub(crate) struct Follower(Arc<Shared>);

struct Shared {
    work: Mutex<Work>,
    calls: Sender<Call>,
    digest: watch::Sender<Option<[u8; 32]>>,
}

struct Work {
    pieces: VecDeque<Unhashed>,
    /// Away while somebody hashes.
    state: Option<Box<Sha256>>,
    is_whole: bool,
}

impl Follower {
    fn new(calls: Sender<Call>) -> Self {
        let work = Work { pieces: VecDeque::new(), state: Some(Box::default()), is_whole: false };
        Self(Arc::new(Shared { work: Mutex::new(work), calls, digest: watch::channel(None).0 }))
    }

    /// Hashes this piece next, and nothing behind the last one.
    pub(crate) fn push(&self, piece: Unhashed, is_last: bool) {
        let mut work = self.work();
        work.pieces.push_back(piece);
        work.is_whole |= is_last;
        let Some(state) = work.state.take() else { return };
        drop(work);
        if let Err(SendError((this, state))) = self.0.calls.send((self.clone(), state)) {
            // The thread has gone, which nothing is known to make it do.
            this.follow(state);
        }
    }

    /// The digest of all that will have been hashed in the end.
    pub(crate) fn digest(&self) -> Digest {
        Digest::Soon(self.0.digest.subscribe())
    }

    /// Hashes what there is.
    fn follow(&self, mut state: Box<Sha256>) {
        let mut work = self.work();
        while let Some(piece) = work.pieces.pop_front() {
            drop(work);
            state.update(&piece.bytes);
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

    struct Nobody;

    impl Hashed for Nobody {
        fn hashed(&self) {}
    }

    fn piece(byte: u8) -> Unhashed {
        Unhashed { bytes: Bytes::from(vec![byte; 1_000]), done: Arc::new(Nobody) }
    }

    /// The digest of so many pieces, and the one it should be.
    async fn check(follower: Follower, pieces: u8) {
        let all: Vec<u8> = (0..pieces).flat_map(|piece| vec![piece; 1_000]).collect();
        let digest = follower.digest();
        (0..pieces).for_each(|byte| follower.push(piece(byte), byte + 1 == pieces));
        assert_eq!(digest.value().await, Some(Sha256::digest(&all).into()), "{pieces} pieces");
    }

    #[tokio::test]
    async fn the_pieces_are_hashed_in_their_order() {
        let hasher = Hasher::default();
        for pieces in [1, 2, 3, 100] {
            check(hasher.follower().unwrap(), pieces).await;
        }
    }

    #[tokio::test]
    async fn digests_that_are_made_at_once_do_not_mix() {
        let hasher = Hasher::default();
        let [one, other] = [hasher.follower().unwrap(), hasher.follower().unwrap()];
        let digests = [one.digest(), other.digest()];
        for number in 0..50 {
            one.push(piece(1), number == 49);
            other.push(piece(2), number == 49);
        }
        for (digest, byte) in digests.into_iter().zip([1, 2]) {
            assert_eq!(digest.value().await, Some(Sha256::digest(vec![byte; 50_000]).into()));
        }
    }

    #[tokio::test]
    async fn without_the_thread_whoever_pushes_hashes() {
        let (calls, called) = channel();
        drop(called);
        check(Follower::new(calls), 3).await;
    }

    #[tokio::test]
    async fn a_digest_that_is_given_up_has_no_value() {
        let follower = Hasher::default().follower().unwrap();
        let digest = follower.digest();
        follower.push(piece(1), false);
        drop(follower);
        assert_eq!(digest.value().await, None);
    }
}
