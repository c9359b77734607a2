//! The bytes of one upload attempt: counted, hashed and held to the announced length while they stream.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use webmessaging_model::{Actual, Code, Limit, Unit, Violation};

use crate::digest::{Digest, Hash, Hasher};
use crate::flow::Pace;
use crate::read_ahead::{Piece, ReadAhead};
use crate::source::{SourceBytes, SourceContent, unreadable};
use crate::transport::BoxError;

/// The end of a body: its SHA-256 where that is wanted, or what was wrong with the source.
pub(crate) type Outcome = Result<Digest, Violation>;

/// What the attempt can be asked from outside while and after the body is sent.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    taken: AtomicU64,
    outcome: Mutex<Option<Outcome>>,
}

impl Watch {
    /// Bytes that the transport has taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// How the body ended, if it did.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends a body without bytes, which nobody reads.
    pub(crate) fn end_of_nothing(&self, digest: bool) {
        self.end(Ok(Digest::Known(Hash::new(digest).finish())));
    }

    fn end(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

/// Called with the number of bytes taken so far.
pub(crate) type OnTaken = Arc<dyn Fn(u64) + Send + Sync>;

/// The stream of an attempt. The last bytes are given out only when the source has ended behind them, so that a
/// source that grew or shrank never makes a complete body.
pub(crate) struct UploadBody {
    input: Input,
    length: u64,
    watch: Arc<Watch>,
    on_taken: Option<OnTaken>,
}

enum Input {
    /// Read and hashed on blocking threads while what was read before is sent.
    Reader(ReadAhead),
    Stream {
        stream: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
        hash: Hash,
        read: u64,
        held: Option<Bytes>,
    },
    Done,
}

impl UploadBody {
    /// A body whose digest is made where there is somebody to make it.
    pub(crate) fn new(
        content: SourceContent,
        hasher: Option<&Hasher>,
        pace: Pace,
        watch: Arc<Watch>,
        on_taken: Option<OnTaken>,
    ) -> Self {
        let length = content.length;
        let input = match content.bytes {
            SourceBytes::Reader(reader) => Input::Reader(ReadAhead::new(reader, length, hasher, pace)),
            SourceBytes::Stream(stream) => {
                let hash = Hash::new(hasher.is_some());
                Input::Stream { stream, hash, read: 0, held: None }
            }
        };
        Self { input, length, watch, on_taken }
    }

    fn give(&self, chunk: Bytes) -> Poll<Option<Result<Bytes, BoxError>>> {
        let taken = self.watch.taken.fetch_add(chunk.len() as u64, Ordering::Relaxed) + chunk.len() as u64;
        if let Some(on_taken) = &self.on_taken {
            on_taken(taken);
        }
        Poll::Ready(Some(Ok(chunk)))
    }

    fn fail(&mut self, violation: Violation) -> Poll<Option<Result<Bytes, BoxError>>> {
        self.input = Input::Done;
        let error = BoxError::from(violation.to_string());
        self.watch.end(Err(violation));
        Poll::Ready(Some(Err(error)))
    }

    fn poll_reader(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let Input::Reader(pieces) = &mut self.input else { return Poll::Ready(None) };
        match ready!(pieces.poll_next(cx)) {
            Err(violation) => self.fail(violation),
            Ok(Piece::Some(chunk)) => self.give(chunk),
            Ok(Piece::Last(chunk, digest)) => {
                self.watch.end(Ok(digest));
                self.input = Input::Done;
                // An empty chunk is the end of an empty source.
                if chunk.is_empty() { Poll::Ready(None) } else { self.give(chunk) }
            }
        }
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let length = self.length;
        loop {
            let Input::Stream { stream, hash, read, held } = &mut self.input else {
                return Poll::Ready(None);
            };
            match ready!(stream.as_mut().poll_next(cx)) {
                Some(Err(error)) => return self.fail(unreadable(&error)),
                Some(Ok(chunk)) if chunk.is_empty() => {
                    // A stream of nothing but empty chunks must not keep the thread to itself.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Ok(chunk)) => {
                    *read += chunk.len() as u64;
                    if *read > length {
                        let actual = Actual::AtLeast(*read);
                        return self.fail(changed(length, actual));
                    }
                    hash.update(&chunk);
                    if *read < length {
                        return self.give(chunk);
                    }
                    *held = Some(chunk);
                }
                None if *read < length => {
                    let actual = Actual::Count(*read);
                    return self.fail(changed(length, actual));
                }
                None => {
                    let (last, digest) = (held.take(), Digest::Known(hash.finish()));
                    self.watch.end(Ok(digest));
                    self.input = Input::Done;
                    return last.map_or(Poll::Ready(None), |chunk| self.give(chunk));
                }
            }
        }
    }
}

impl Stream for UploadBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        match this.input {
            Input::Reader(_) => this.poll_reader(cx),
            Input::Stream { .. } => this.poll_stream(cx),
            Input::Done => Poll::Ready(None),
        }
    }
}

/// The source is not as long as was announced.
pub(crate) fn changed(announced: u64, actual: Actual) -> Violation {
    Violation::new("fileSize", Code::Changed, "source.constant")
        .limit(Limit::Exactly(announced), Unit::Bytes)
        .actual(actual)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use futures_util::{StreamExt, stream};
    use sha2::Digest as _;

    use super::*;

    const CHUNK: usize = 256 * 1024;

    /// What came out of a source that claims `claimed` bytes and has `real`, as a reader and as a stream.
    async fn check(claimed: u64, real: usize, expected: Result<(), Violation>) {
        let data: Vec<u8> = (0..=255).cycle().take(real).collect();
        let reader = || SourceContent::from_reader(claimed, io::Cursor::new(data.clone()));
        let pieces: Vec<_> = data.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let streamed = SourceContent::from_stream(claimed, stream::iter(pieces));
        let contents =
            [(reader(), Pace::ONE), (reader(), Pace::FEW), (reader(), Pace::MANY), (streamed, Pace::FEW)];
        for (content, pace) in contents {
            let watch = Arc::new(Watch::default());
            let chunks: Vec<_> =
                UploadBody::new(content, Some(&Hasher::default()), pace, Arc::clone(&watch), None)
                    .collect()
                    .await;
            let sent: Vec<u8> = chunks.iter().flatten().flatten().copied().collect();
            assert_eq!(watch.taken(), sent.len() as u64);
            match &expected {
                Ok(()) => {
                    assert!(sent == data, "the bytes sent are not those of the source");
                    let digest = watch.outcome().unwrap().unwrap();
                    assert_eq!(digest.value().await, Some(sha2::Sha256::digest(&data).into()));
                }
                Err(violation) => {
                    assert!((sent.len() as u64) < claimed, "a complete body was made of a changed source");
                    assert_eq!(
                        watch.outcome().map(|outcome| outcome.unwrap_err().code),
                        Some(violation.code)
                    );
                    assert!(chunks.last().unwrap().is_err());
                }
            }
        }
    }

    #[tokio::test]
    async fn every_length_around_a_chunk_arrives_whole() {
        let around = |length: usize| [length - 1, length, length + 1];
        let short = [0, 1, 999, 1000, CHUNK / 4];
        let lengths = [CHUNK, 2 * CHUNK, 4 * CHUNK, 20 * CHUNK].into_iter().flat_map(around);
        for real in short.into_iter().chain(lengths) {
            check(real as u64, real, Ok(())).await;
        }
    }

    #[tokio::test]
    async fn a_source_that_changed_never_makes_a_complete_body() {
        let gone = |claimed: usize, real: usize| (claimed as u64, real);
        for (claimed, real) in [
            gone(10, 9),
            gone(10, 11),
            gone(1, 0),
            gone(CHUNK, CHUNK - 1),
            gone(CHUNK, CHUNK + 1),
            gone(CHUNK + 1, CHUNK),
            gone(2 * CHUNK, 5 * CHUNK),
            gone(5 * CHUNK, 2 * CHUNK),
        ] {
            check(claimed, real, Err(changed(claimed, Actual::Count(real as u64)))).await;
        }
    }

    #[tokio::test]
    async fn a_digest_can_be_left_out() {
        let watch = Arc::new(Watch::default());
        let content = SourceContent::from_reader(3, io::Cursor::new("abc"));
        let body = UploadBody::new(content, None, Pace::FEW, Arc::clone(&watch), None);
        assert_eq!(body.collect::<Vec<_>>().await.len(), 1);
        assert_eq!(watch.outcome().unwrap().unwrap().value().await, None);
    }

    #[tokio::test]
    async fn a_stream_of_empty_chunks_lets_others_work() {
        let endless = stream::iter(std::iter::repeat_with(|| Ok(Bytes::new())));
        let body = UploadBody::new(
            SourceContent::from_stream(5, endless),
            Some(&Hasher::default()),
            Pace::FEW,
            Arc::default(),
            None,
        );
        let spinning = tokio::spawn(body.collect::<Vec<_>>());
        tokio::task::yield_now().await;
        // On this single thread, this line is reached only when the body yields.
        spinning.abort();
        assert!(spinning.await.unwrap_err().is_cancelled());
    }

    /// Zeros, and then nothing that can be read.
    struct Broken {
        left: u64,
        panics: bool,
    }

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = io::repeat(0).take(self.left).read(buffer)?;
            self.left -= read as u64;
            assert!(read > 0 || !self.panics, "the reader panics");
            if read > 0 { Ok(read) } else { Err(io::Error::other("the disk is gone")) }
        }
    }

    #[tokio::test]
    async fn a_reader_that_breaks_ends_the_body() {
        const LENGTH: u64 = 10 * CHUNK as u64;
        for (left, panics) in
            [(0, false), (0, true), (LENGTH / 2, false), (LENGTH / 2, true), (LENGTH - 1, false)]
        {
            for pace in [Pace::ONE, Pace::FEW, Pace::MANY] {
                let watch = Arc::new(Watch::default());
                let content = SourceContent::from_reader(LENGTH, Broken { left, panics });
                let body = UploadBody::new(content, Some(&Hasher::default()), pace, Arc::clone(&watch), None);
                let pieces = body.collect::<Vec<_>>().await;
                assert_eq!(pieces.iter().filter(|piece| piece.is_err()).count(), 1);
                assert!(pieces.last().unwrap().is_err() && watch.taken() <= left);
                assert_eq!(watch.outcome().unwrap().unwrap_err().code, Code::Unreadable);
            }
        }
    }

    /// Whoever gives up leaves nobody behind who waits: the runtime ends.
    #[test]
    fn a_body_that_is_dropped_holds_nobody() {
        for taken in 0..8 {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let content =
                    SourceContent::from_reader(20 * CHUNK as u64, io::repeat(0).take(20 * CHUNK as u64));
                let body =
                    UploadBody::new(content, Some(&Hasher::default()), Pace::ONE, Arc::default(), None);
                body.take(taken).for_each(|piece| async { drop(piece.unwrap()) }).await;
            });
        }
    }
}
