//! A blocking reader that is read and hashed on other threads, some pieces ahead of whoever sends them.
//!
//! For one upload a thread reads and the client's own one hashes; for several, each has a thread that does both. A thread reads as long as
//! there is room for pieces, and goes when there is none: an upload whose network stands still holds no thread. Whoever sends calls the
//! next one, when half of the room is free, so that it comes for more than one piece.

use std::io::{self, Read};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webmessaging_model::{Actual, Code, Violation};

use crate::digest::{Digest, Follower, Hash, Hasher, Unhashed};
use crate::flow::{Filled, Flow, Pace};
use crate::source::unreadable;
use crate::upload_body::changed;

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
    flow: Arc<Flow>,
}

/// Who hashes.
enum Hashing {
    /// Whoever reads, before the piece is sent.
    InLine(Hash),
    Behind(Follower),
}

/// A reader with what was read of it.
pub(crate) struct Reader {
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
        let flow = Arc::new(Flow::new(pace));
        Reader { source, hash, read: 0, length, sender }.go(&flow);
        Self { pieces, flow }
    }

    /// The next piece; a violation when the source is not as it was said to be. Nothing comes after the last one.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Violation>> {
        let next = self.pieces.poll_recv(cx);
        let reader = if next.is_ready() { self.flow.taken() } else { self.flow.waits(cx.waker()) };
        if let Some(reader) = reader {
            reader.go(&self.flow);
        }
        next.map(|piece| piece.unwrap_or_else(|| Err(gone())))
    }
}

/// The reader has panicked, or the runtime is shutting down.
fn gone() -> Violation {
    Violation::new("source", Code::Unreadable, "source.readable")
}

impl Reader {
    #[cfg(test)]
    pub(crate) fn of_nothing() -> Self {
        let hash = Hashing::InLine(Hash::new(false));
        Self { source: Box::new(io::empty()), hash, read: 0, length: 0, sender: unbounded_channel().0 }
    }

    /// Reads on a thread that is called for it.
    fn go(self, flow: &Arc<Flow>) {
        let flow = Arc::clone(flow);
        tokio::task::spawn_blocking(move || self.read_on(&flow));
    }

    /// Reads until there is no room, or nothing more, or nobody wants it any more.
    fn read_on(self, flow: &Arc<Flow>) {
        let mut next = flow.begin(self);
        while let Some((mut reader, memory)) = next {
            let piece = reader.next(memory, flow);
            let is_last = !matches!(piece, Ok(Piece::Some(_)));
            let behind = match (&reader.hash, &piece) {
                (Hashing::Behind(follower), Ok(Piece::Some(bytes) | Piece::Last(bytes, _))) => {
                    Some((follower, Unhashed { bytes: bytes.clone(), done: Arc::clone(flow) as _ }))
                }
                _ => None,
            };
            flow.ready(behind.is_none());
            if reader.sender.send(piece).is_err() {
                return;
            }
            if let Some((follower, bytes)) = behind {
                follower.push(bytes, is_last);
            }
            next = if is_last { None } else { flow.begin(reader) };
        }
    }

    fn next(&mut self, mut piece: Vec<u8>, flow: &Arc<Flow>) -> Result<Piece, Violation> {
        let piece_bytes = flow.pace().piece_bytes;
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
        let piece = Bytes::from_owner(Filled::new(piece, flow));
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

    #[tokio::test]
    async fn nobody_reads_further_ahead_than_may_wait() {
        let hasher = Hasher::default();
        for pace in [Pace::ONE, Pace::ONE_PLAIN, Pace::FEW, Pace::MANY] {
            let read = Arc::new(AtomicUsize::new(0));
            let reader = Box::new(Counted(Arc::clone(&read)));
            let mut pieces = ReadAhead::new(reader, 100 * pace.piece_bytes, Some(&hasher), pace);
            let in_memory = |taken: usize| (taken + pace.ahead) * usize::try_from(pace.piece_bytes).unwrap();
            while !pieces.flow.is_resting() {
                assert!(read.load(Ordering::Relaxed) <= in_memory(0), "{pace:?}");
                tokio::task::yield_now().await;
            }
            assert_eq!(read.load(Ordering::Relaxed), in_memory(0), "{pace:?}");
            for taken in 1..=10 {
                assert!(matches!(poll_fn(|cx| pieces.poll_next(cx)).await, Ok(Piece::Some(_))));
                assert!(read.load(Ordering::Relaxed) <= in_memory(taken), "{pace:?}");
            }
        }
    }
}
