//! How far the reader, the sender and whoever hashes may be apart.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::digest::Hashed;
use crate::read_ahead::Reader;

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

/// What the reader, the sender and whoever hashes know of each other.
pub(crate) struct Flow {
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    unsent: usize,
    unhashed: usize,
    /// Away while a thread reads, and when all is read.
    resting: Option<Reader>,
    /// Whoever sends, once they have waited for a piece.
    waiting: Option<Waker>,
    /// Memory that was sent and can be filled again: to ask the system for it anew, piece by piece, costs a good part of an upload.
    spare: Vec<Vec<u8>>,
}

impl State {
    fn has_room(&self, pace: Pace) -> bool {
        self.unsent < pace.ahead && pace.behind.is_none_or(|behind| self.unhashed < behind)
    }

    /// Whether there is a reader, and so much room that it is worth a thread.
    fn should_go_on(&self, pace: Pace) -> bool {
        self.resting.is_some()
            && self.unsent * 2 <= pace.ahead
            && pace.behind.is_none_or(|behind| self.unhashed * 2 <= behind)
    }

    fn called(&mut self, pace: Pace) -> Option<Reader> {
        if self.should_go_on(pace) { self.resting.take() } else { None }
    }
}

impl Flow {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, state: Mutex::default() }
    }

    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reader and memory to fill; without room nothing, and it rests.
    pub(crate) fn begin(&self, reader: Reader) -> Option<(Reader, Vec<u8>)> {
        let mut state = self.state();
        if state.has_room(self.pace) {
            let spare = state.spare.pop().unwrap_or_default();
            return Some((reader, spare));
        }
        state.resting = Some(reader);
        None
    }

    /// A piece was read.
    pub(crate) fn ready(&self, is_hashed: bool) {
        let mut state = self.state();
        state.unsent += 1;
        state.unhashed += usize::from(!is_hashed);
    }

    /// A piece was taken to be sent; the reader, if it should go on.
    pub(crate) fn taken(&self) -> Option<Reader> {
        let mut state = self.state();
        state.unsent = state.unsent.saturating_sub(1);
        state.called(self.pace)
    }

    /// Whoever sends waits for a piece; the reader, if it should go on. If not, they are called when it should.
    pub(crate) fn waits(&self, sender: &Waker) -> Option<Reader> {
        let mut state = self.state();
        state.waiting = Some(sender.clone());
        state.called(self.pace)
    }
}

impl Hashed for Flow {
    fn hashed(&self) {
        let mut state = self.state();
        state.unhashed = state.unhashed.saturating_sub(1);
        let sender = if state.should_go_on(self.pace) { state.waiting.take() } else { None };
        drop(state);
        if let Some(sender) = sender {
            sender.wake();
        }
    }
}

/// A piece on its way; its memory comes back when nobody needs it any more.
pub(crate) struct Filled {
    bytes: Vec<u8>,
    flow: Arc<Flow>,
}

impl Filled {
    pub(crate) fn new(bytes: Vec<u8>, flow: &Arc<Flow>) -> Self {
        Self { bytes, flow: Arc::clone(flow) }
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
        self.flow.state().spare.push(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    impl Flow {
        pub(crate) fn is_resting(&self) -> bool {
            self.state().resting.is_some()
        }
    }

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_sends_is_called_when_half_of_what_waited_is_hashed() {
        let flow = Flow::new(Pace::ONE);
        let mut reader = Reader::of_nothing();
        for _ in 0..4 {
            (reader, _) = flow.begin(reader).unwrap();
            flow.ready(false);
            assert!(flow.taken().is_none());
        }
        assert!(flow.begin(reader).is_none(), "a fifth piece is read");
        let calls = Arc::new(Calls::default());
        assert!(flow.waits(&Waker::from(Arc::clone(&calls))).is_none());
        flow.hashed();
        assert_eq!(calls.0.load(Ordering::Relaxed), 0);
        flow.hashed();
        assert_eq!(calls.0.load(Ordering::Relaxed), 1);
        assert!(flow.waits(Waker::noop()).is_some());
    }
}
