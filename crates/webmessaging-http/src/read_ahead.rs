//! A blocking reader that is read and hashed on other threads, some pieces ahead of whoever sends them.
//!
//! For one upload a thread reads and the client's own one hashes; for several, each has a thread that does both. A thread reads as long as
//! there is room for pieces, and goes when there is none: an upload whose network stands still holds no thread. Whoever sends calls the
//! next one, when half of the room is free, so that it comes for more than one piece.

use std::io::{self, Read};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webmessaging_model::{Actual, Code, Violation};

use crate::digest::{Digest, Follower, Hash, Hashed, Hasher, Unhashed};
use crate::source::unreadable;
use crate::upload_body::changed;

/// How large pieces are, and how many of them may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) piece_bytes: u64,
    /// To be sent.
    pub(crate) ahead: usize,
    /// To be hashed by the client's thread; without, whoever reads hashes.
    pub(crate) behind: Option<usize>,
}

impl Pace {
    /// With a digest: one thread reads while another one hashes.
    pub(crate) const ONE: Self = Self { piece_bytes: 256 * 1024, ahead: 4, behind: Some(4) };
    /// Without: large pieces cost the fewest wake-ups.
    pub(crate) const ONE_PLAIN: Self = Self { piece_bytes: 512 * 1024, ahead: 1, behind: None };
    /// As large as the memory of a few allows.
    pub(crate) const FEW: Self = Self { piece_bytes: 256 * 1024, ahead: 3, behind: None };
    /// Of many uploads there is always one that can be sent, so none has to be far ahead. Small pieces cost speed, and keep the
    /// memory of many uploads small.
    pub(crate) const MANY: Self = Self { piece_bytes: 64 * 1024, ahead: 1, behind: None };

    /// What suits so many uploads at once.
    pub(crate) const fn of(uploads: usize, digest: bool) -> Self {
        match uploads {
            0 | 1 if digest => Self::ONE,
            0 | 1 => Self::ONE_PLAIN,
            2..=4 => Self::FEW,
            _ => Self::MANY,
        }
    }
}

/// What those who read, send and hash an upload share.
struct Desk {
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    unsent: usize,
    unhashed: usize,
    /// Away while a thread reads, and when all is read.
    resting: Option<Reader>,
    /// Whoever sends, while they wait for a piece.
    waiting: Option<Waker>,
    /// Memory that was sent and can be filled again: to ask the system for it anew, piece by piece, costs a good part of an upload.
    spare: Vec<Vec<u8>>,
}

impl State {
    fn has_room(&self, pace: Pace) -> bool {
        self.unsent < pace.ahead && pace.behind.is_none_or(|behind| self.unhashed < behind)
    }

    /// Whether a reader is worth its thread.
    fn has_much_room(&self, pace: Pace) -> bool {
        self.unsent * 2 <= pace.ahead && pace.behind.is_none_or(|behind| self.unhashed * 2 <= behind)
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reader and memory to fill; without room nothing, and it rests.
    fn begin(&self, reader: Reader) -> Option<(Reader, Vec<u8>)> {
        let mut state = self.state();
        if state.has_room(self.pace) {
            let spare = state.spare.pop().unwrap_or_default();
            return Some((reader, spare));
        }
        state.resting = Some(reader);
        None
    }

    /// A piece was read.
    fn ready(&self, is_hashed: bool) {
        let mut state = self.state();
        state.unsent += 1;
        state.unhashed += usize::from(!is_hashed);
    }

    /// A piece was taken, or is waited for; the reader, if it should go on.
    fn taken(&self, waiting: Option<&Waker>) -> Option<Reader> {
        let mut state = self.state();
        if waiting.is_none() {
            state.unsent = state.unsent.saturating_sub(1);
        }
        if state.has_much_room(self.pace) && state.resting.is_some() {
            return state.resting.take();
        }
        state.waiting = waiting.cloned();
        None
    }
}

impl Hashed for Desk {
    fn hashed(&self) {
        let mut state = self.state();
        state.unhashed = state.unhashed.saturating_sub(1);
        if state.has_much_room(self.pace)
            && state.resting.is_some()
            && let Some(waiting) = state.waiting.take()
        {
            drop(state);
            waiting.wake();
        }
    }
}

/// A piece on its way; its memory comes back when nobody needs it any more.
struct Filled {
    bytes: Vec<u8>,
    desk: Arc<Desk>,
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        bytes.clear();
        // No more of it than was on its way at once.
        self.desk.state().spare.push(bytes);
    }
}

/// What comes out of a reader.
pub(crate) enum Piece {
    /// Bytes, with more behind them.
    Some(Bytes),
    /// The last bytes, which can be none, and the digest of all where it is wanted.
    Last(Bytes, Digest),
}

/// The pieces of a reader, as they come.
pub(crate) struct ReadAhead {
    pieces: UnboundedReceiver<Result<Piece, Violation>>,
    desk: Arc<Desk>,
}

/// Who hashes.
enum Hashing {
    /// Whoever reads, before the piece is sent.
    InLine(Hash),
    Behind(Follower),
}

/// A reader with what was read of it.
struct Reader {
    source: Box<dyn Read + Send>,
    hash: Hashing,
    read: u64,
    length: u64,
    sender: UnboundedSender<Result<Piece, Violation>>,
}

impl ReadAhead {
    /// Begins to read; with a digest where there is somebody to make it.
    pub(crate) fn new(
        source: Box<dyn Read + Send>,
        length: u64,
        hasher: Option<&Hasher>,
        pace: Pace,
    ) -> Self {
        let (sender, pieces) = unbounded_channel();
        // With one piece there is nothing to overlap.
        let is_behind = pace.behind.is_some() && length > pace.piece_bytes;
        let hash = match hasher.filter(|_| is_behind).and_then(Hasher::follower) {
            Some(follower) => Hashing::Behind(follower),
            None => Hashing::InLine(Hash::new(hasher.is_some())),
        };
        let desk = Arc::new(Desk { pace, state: Mutex::default() });
        Reader { source, hash, read: 0, length, sender }.go(&desk);
        Self { pieces, desk }
    }

    /// The next piece; a violation when the source is not as it was said to be. Nothing comes after the last one.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Violation>> {
        let next = self.pieces.poll_recv(cx);
        if let Some(reader) = self.desk.taken(next.is_pending().then(|| cx.waker())) {
            reader.go(&self.desk);
        }
        next.map(|piece| piece.unwrap_or_else(|| Err(gone())))
    }
}

/// The reader has panicked, or the runtime is shutting down.
fn gone() -> Violation {
    Violation::new("source", Code::Unreadable, "source.readable")
}

impl Reader {
    /// Reads on a thread that is called for it.
    fn go(self, desk: &Arc<Desk>) {
        let desk = Arc::clone(desk);
        tokio::task::spawn_blocking(move || self.read_on(&desk));
    }

    /// Reads until there is no room, or nothing more, or nobody wants it any more.
    fn read_on(self, desk: &Arc<Desk>) {
        let mut next = desk.begin(self);
        while let Some((mut reader, memory)) = next {
            let piece = reader.next(memory, desk);
            let is_last = !matches!(piece, Ok(Piece::Some(_)));
            let behind = match (&reader.hash, &piece) {
                (Hashing::Behind(follower), Ok(Piece::Some(bytes) | Piece::Last(bytes, _))) => {
                    Some((follower, Unhashed { bytes: bytes.clone(), done: Arc::clone(desk) as _ }))
                }
                _ => None,
            };
            desk.ready(behind.is_none());
            if reader.sender.send(piece).is_err() {
                return;
            }
            if let Some((follower, bytes)) = behind {
                follower.push(bytes, is_last);
            }
            next = if is_last { None } else { desk.begin(reader) };
        }
    }

    fn next(&mut self, mut piece: Vec<u8>, desk: &Arc<Desk>) -> Result<Piece, Violation> {
        let piece_bytes = desk.pace.piece_bytes;
        let left = self.length - self.read;
        // With the last piece comes a byte too many, if there is one.
        let want = if left <= piece_bytes { left + 1 } else { piece_bytes };
        let capacity = piece_bytes.min(self.length) + 1;
        piece.reserve_exact(usize::try_from(capacity).unwrap_or_default());
        let read = self.source.by_ref().take(want).read_to_end(&mut piece);
        let got = read.map_err(|error: io::Error| unreadable(&error))? as u64;
        self.read += got;
        if got > left {
            return Err(changed(self.length, Actual::AtLeast(self.read)));
        }
        if got < want && got < left {
            return Err(changed(self.length, Actual::Count(self.read)));
        }
        if let Hashing::InLine(hash) = &mut self.hash {
            hash.update(&piece);
        }
        let piece = Bytes::from_owner(Filled { bytes: piece, desk: Arc::clone(desk) });
        if self.read < self.length {
            return Ok(Piece::Some(piece));
        }
        let digest = match &mut self.hash {
            Hashing::InLine(hash) => Digest::Known(hash.finish()),
            Hashing::Behind(follower) => follower.digest(),
        };
        Ok(Piece::Last(piece, digest))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    /// Zeros, and how many of them were read.
    struct Counted(Arc<AtomicUsize>);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.fetch_add(buffer.len(), Ordering::Relaxed);
            buffer.fill(0);
            Ok(buffer.len())
        }
    }

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn until_it_rests(pieces: &ReadAhead) {
        while pieces.desk.state().resting.is_none() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn nobody_reads_further_ahead_than_may_wait() {
        let hasher = Hasher::default();
        for pace in [Pace::ONE, Pace::ONE_PLAIN, Pace::FEW, Pace::MANY] {
            let read = Arc::new(AtomicUsize::new(0));
            let reader = Box::new(Counted(Arc::clone(&read)));
            let mut pieces = ReadAhead::new(reader, 100 * pace.piece_bytes, Some(&hasher), pace);
            let in_memory = |taken: usize| (taken + pace.ahead) * usize::try_from(pace.piece_bytes).unwrap();
            until_it_rests(&pieces).await;
            assert_eq!(read.load(Ordering::Relaxed), in_memory(0), "{pace:?}");
            for taken in 1..=10 {
                assert!(matches!(poll_fn(|cx| pieces.poll_next(cx)).await, Ok(Piece::Some(_))));
                assert!(read.load(Ordering::Relaxed) <= in_memory(taken), "{pace:?}");
            }
        }
    }

    #[test]
    fn whoever_sends_is_called_when_half_of_what_waited_is_hashed() {
        let desk = Desk { pace: Pace::ONE, state: Mutex::default() };
        let (sender, _pieces) = unbounded_channel();
        let hash = Hashing::InLine(Hash::new(false));
        let mut reader = Reader { source: Box::new(io::empty()), hash, read: 0, length: 0, sender };
        for _ in 0..4 {
            (reader, _) = desk.begin(reader).unwrap();
            desk.ready(false);
            assert!(desk.taken(None).is_none());
        }
        assert!(desk.begin(reader).is_none(), "a fifth piece is read");
        let calls = Arc::new(Calls::default());
        assert!(desk.taken(Some(&Waker::from(Arc::clone(&calls)))).is_none());
        desk.hashed();
        assert_eq!(calls.0.load(Ordering::Relaxed), 0);
        desk.hashed();
        assert_eq!(calls.0.load(Ordering::Relaxed), 1);
        assert!(desk.taken(Some(Waker::noop())).is_some());
    }
}
