//! A blocking reader that is read and hashed on other threads, some pieces ahead of whoever sends them.
//!
//! For one upload a thread reads and another one hashes; for several, each has a thread that does both. A thread reads as long as there is room for pieces, and goes when there is none: an upload whose network stands still holds no
//! thread, and one whose network is fast has a thread that never waits to be called.

use std::io::{self, Read};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webmessaging_model::{Actual, Code, Violation};

use crate::digest::{Digest, Follower, Hash};
use crate::source::unreadable;
use crate::upload_body::changed;

/// How large pieces are, and how many of them may wait to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) piece_bytes: u64,
    pub(crate) ahead: usize,
    /// How far behind another thread may hash; without, whoever reads does.
    pub(crate) behind: Option<usize>,
}

impl Pace {
    /// Large pieces cost the fewest wake-ups, and one thread reads while another one hashes.
    pub(crate) const ONE: Self = Self { piece_bytes: 512 * 1024, ahead: 1, behind: Some(1) };
    /// As large as the memory of a few allows.
    pub(crate) const FEW: Self = Self { piece_bytes: 256 * 1024, ahead: 3, behind: None };
    /// Of many uploads there is always one that can be sent, so none has to be far ahead. Small pieces cost speed, and keep the
    /// memory of many uploads small.
    pub(crate) const MANY: Self = Self { piece_bytes: 64 * 1024, ahead: 1, behind: None };

    /// What suits so many uploads at once.
    pub(crate) const fn of(uploads: usize) -> Self {
        match uploads {
            0 | 1 => Self::ONE,
            2..=4 => Self::FEW,
            _ => Self::MANY,
        }
    }
}

/// Memory that was sent and can be filled again: to ask the system for it anew, piece by piece, costs a good part of an upload.
#[derive(Default)]
struct Spare(Mutex<Vec<Vec<u8>>>);

/// A piece on its way; its memory comes back when it has been sent.
struct Filled {
    bytes: Vec<u8>,
    spare: Arc<Spare>,
}

impl Spare {
    fn take(&self, capacity: usize) -> Vec<u8> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Vec::with_capacity(capacity))
    }
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
        self.spare.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
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
    waiting: Arc<AtomicUsize>,
    room: usize,
    resting: Resting,
}

/// The reader while no thread reads; nothing while one does, and when all is read.
type Resting = Arc<Mutex<Option<Reader>>>;

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
    pace: Pace,
    sender: UnboundedSender<Result<Piece, Violation>>,
    waiting: Arc<AtomicUsize>,
    spare: Arc<Spare>,
    is_over: bool,
}

impl ReadAhead {
    /// Begins to read.
    pub(crate) fn new(source: Box<dyn Read + Send>, length: u64, digest: bool, pace: Pace) -> Self {
        let (sender, pieces) = unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let hash = match pace.behind {
            // With one piece there is nothing to overlap.
            Some(behind) if digest && length > pace.piece_bytes => Hashing::Behind(Follower::new(behind)),
            _ => Hashing::InLine(Hash::new(digest)),
        };
        let (read, spare) = (0, Arc::default());
        let told = Arc::clone(&waiting);
        let reader =
            Reader { source, hash, read, length, pace, sender, waiting: told, spare, is_over: false };
        let this = Self { pieces, waiting, room: pace.ahead, resting: Resting::default() };
        reader.go(Arc::clone(&this.resting));
        this
    }

    /// The next piece; a violation when the source is not as it was said to be. Nothing comes after the last one.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Violation>> {
        let Some(piece) = ready!(self.pieces.poll_recv(cx)) else { return Poll::Ready(Err(gone())) };
        // Half of the room has to be free, so that a thread is called for more than one piece.
        if self.waiting.fetch_sub(1, Ordering::AcqRel) <= 1 + self.room / 2
            && let Some(reader) = locked(&self.resting).take()
        {
            reader.go(Arc::clone(&self.resting));
        }
        Poll::Ready(piece)
    }
}

fn locked(resting: &Resting) -> MutexGuard<'_, Option<Reader>> {
    resting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reader has panicked, or the runtime is shutting down.
fn gone() -> Violation {
    Violation::new("source", Code::Unreadable, "source.readable")
}

impl Reader {
    /// Reads on a thread that is called for it.
    fn go(self, resting: Resting) {
        tokio::task::spawn_blocking(move || {
            let waiting = Arc::clone(&self.waiting);
            let mut reader = Some(self);
            while let Some(ready) = reader.take() {
                let ahead = ready.pace.ahead;
                let rested = ready.read_on();
                if rested.is_over {
                    return;
                }
                *locked(&resting) = Some(rested);
                // Whoever has taken a piece in between has found nobody here.
                if waiting.load(Ordering::Acquire) < ahead {
                    reader = locked(&resting).take();
                }
            }
        });
    }

    /// Reads until there is no room, or nothing more.
    fn read_on(mut self) -> Self {
        while !self.is_over && self.waiting.load(Ordering::Acquire) < self.pace.ahead {
            let piece = self.next();
            let behind = match (&self.hash, &piece) {
                (Hashing::Behind(follower), Ok(Piece::Some(bytes) | Piece::Last(bytes, _))) => {
                    Some((follower, bytes.clone()))
                }
                _ => None,
            };
            self.is_over = !matches!(piece, Ok(Piece::Some(_)));
            self.waiting.fetch_add(1, Ordering::AcqRel);
            if self.sender.send(piece).is_err() {
                // Nobody wants it any more.
                self.is_over = true;
            } else if let Some((follower, bytes)) = behind {
                follower.push(bytes);
                if self.is_over {
                    follower.finish();
                }
            }
        }
        self
    }

    fn next(&mut self) -> Result<Piece, Violation> {
        let left = self.length - self.read;
        // With the last piece comes a byte too many, if there is one.
        let want = if left <= self.pace.piece_bytes { left + 1 } else { self.pace.piece_bytes };
        let capacity = self.pace.piece_bytes.min(self.length) + 1;
        let mut piece = self.spare.take(usize::try_from(capacity).unwrap_or_default());
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
        let piece = Bytes::from_owner(Filled { bytes: piece, spare: Arc::clone(&self.spare) });
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
