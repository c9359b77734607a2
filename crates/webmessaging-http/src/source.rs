//! Something to upload: it can be opened again for every attempt, and each time it starts at its first byte.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use sha2::{Digest, Sha256};
use webmessaging_model::{Code, Violation};

/// A source of bytes with a name: a path, bytes at hand, or a closure that opens anything else.
///
/// Cloning is cheap. Nothing is read before the upload starts, and nothing is kept in memory but a few chunks.
///
/// # Examples
/// ```
/// use webmessaging_http::{Source, SourceContent};
///
/// let from_disk = Source::path("reports/2026.pdf");
/// assert_eq!(from_disk.name(), "2026.pdf");
///
/// let from_memory = Source::bytes("note.txt", "hello");
///
/// // A closure is asked again for every attempt, so that a retry starts at the first byte.
/// let generated = Source::open_with("zeros.txt", || {
///     Ok(SourceContent::from_reader(1 << 20, std::io::Read::take(std::io::repeat(b'0'), 1 << 20)))
/// });
/// ```
#[derive(Clone)]
pub struct Source {
    name: Arc<str>,
    open: Arc<dyn Fn() -> Opening + Send + Sync>,
}

type Opening = Pin<Box<dyn Future<Output = Result<SourceContent, Violation>> + Send>>;

/// An opened source: its exact length and its bytes from the first on.
pub struct SourceContent {
    pub(crate) length: u64,
    pub(crate) bytes: SourceBytes,
}

pub(crate) enum SourceBytes {
    Reader(Box<dyn Read + Send>),
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

impl SourceContent {
    /// Bytes from a blocking reader, read on the runtime's blocking threads. `length` is in bytes and must be exact:
    /// a source that turns out shorter or longer fails the upload.
    pub fn from_reader(length: u64, reader: impl Read + Send + 'static) -> Self {
        Self { length, bytes: SourceBytes::Reader(Box::new(reader)) }
    }

    /// Bytes from an asynchronous stream. `length` is in bytes and must be exact.
    pub fn from_stream(length: u64, stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self { length, bytes: SourceBytes::Stream(Box::pin(stream)) }
    }

    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl fmt::Debug for SourceContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceContent({} bytes)", self.length)
    }
}

impl Source {
    /// A file on disk, named after the last part of its path.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path: Arc<Path> = path.into().into();
        // Whatever is not Unicode turns into a character that no file name rule allows.
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::with_opening(name, move || {
            let path = Arc::clone(&path);
            Box::pin(blocking(move || open_file(&path)))
        })
    }

    /// Bytes at hand.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::with_opening(name.into(), move || {
            let content = SourceContent::from_stream(bytes.len() as u64, Slices(bytes.clone()));
            Box::pin(async { Ok(content) })
        })
    }

    /// Anything that a closure can open. It is called for every attempt, on a blocking thread.
    pub fn open_with(
        name: impl Into<String>,
        open: impl Fn() -> io::Result<SourceContent> + Send + Sync + 'static,
    ) -> Self {
        let open = Arc::new(open);
        Self::with_opening(name.into(), move || {
            let open = Arc::clone(&open);
            Box::pin(blocking(move || open().map_err(|error| unreadable(&error))))
        })
    }

    fn with_opening(name: String, open: impl Fn() -> Opening + Send + Sync + 'static) -> Self {
        Self { name: name.into(), open: Arc::new(open) }
    }

    /// Gives it another name than its own.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into().into();
        self
    }

    /// The name, without folders.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens it at its first byte.
    ///
    /// # Errors
    /// A violation of `source`: not found, not a regular file, or unreadable.
    pub async fn open(&self) -> Result<SourceContent, Violation> {
        (self.open)().await
    }

    /// Opens it and reads up to `max` bytes of its start: its length, and what they are.
    ///
    /// # Errors
    /// A violation of `source`: not found, not a regular file, or unreadable.
    pub async fn head(&self, max: usize) -> Result<(u64, Bytes), Violation> {
        let content = self.open().await?;
        let length = content.length;
        match content.bytes {
            SourceBytes::Reader(reader) => {
                blocking(move || {
                    let mut head = Vec::new();
                    reader.take(max as u64).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
                    Ok((length, Bytes::from(head)))
                })
                .await
            }
            SourceBytes::Stream(mut stream) => {
                let mut head = Vec::new();
                while head.len() < max {
                    let next = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await;
                    let Some(chunk) = next else { break };
                    let chunk = chunk.map_err(|error| unreadable(&error))?;
                    if chunk.is_empty() {
                        tokio::task::yield_now().await;
                    }
                    head.extend(chunk.iter().take(max - head.len()));
                }
                Ok((length, Bytes::from(head)))
            }
        }
    }
}

impl Source {
    /// Opens it and reads all of it for its SHA-256, a piece at a time.
    ///
    /// # Errors
    /// A violation of `source`: not found, not a regular file, or unreadable.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), webmessaging_model::Violation> {
    /// let digest = webmessaging_http::Source::bytes("a.txt", "hello world").sha256().await?;
    /// assert!(digest.starts_with(&[0xb9, 0x4d, 0x27]));
    /// # Ok(()) }
    /// ```
    pub async fn sha256(&self) -> Result<[u8; 32], Violation> {
        match self.open().await?.bytes {
            SourceBytes::Reader(mut reader) => {
                let hash = move || {
                    let mut hash = Hashing(Sha256::new());
                    io::copy(&mut reader, &mut hash).map_err(|error| unreadable(&error))?;
                    Ok(hash.0.finalize().into())
                };
                blocking(hash).await
            }
            SourceBytes::Stream(mut stream) => {
                let mut hash = Sha256::new();
                while let Some(chunk) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
                    hash.update(chunk.map_err(|error| unreadable(&error))?);
                    // Bytes at hand are always ready, and others want to run as well.
                    tokio::task::yield_now().await;
                }
                Ok(hash.finalize().into())
            }
        }
    }
}

/// Takes bytes for their hash alone.
struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Bytes at hand, in pieces that keep progress and hashing smooth; nothing is copied.
struct Slices(Bytes);

impl Stream for Slices {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        const PIECE_BYTES: usize = 64 * 1024;
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let piece = PIECE_BYTES.min(self.0.len());
        Poll::Ready(Some(Ok(self.0.split_to(piece))))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Violation> + Send + 'static,
) -> Result<T, Violation> {
    // A task that does not come back has panicked in the caller's closure, or the runtime is shutting down.
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Violation::new("source", Code::Unreadable, "source.readable")))
}

fn open_file(path: &Path) -> Result<SourceContent, Violation> {
    // The kind is looked at before opening: to open a pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(Violation::new("source", Code::NotAFile, "source.regular_file"));
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    // What was opened counts, in case the path has come to mean something else.
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(Violation::new("source", Code::NotAFile, "source.regular_file"));
    }
    Ok(SourceContent::from_reader(metadata.len(), file))
}

/// What the system's error means for the caller; the path itself stays out of it.
pub(crate) fn unreadable(error: &io::Error) -> Violation {
    match error.kind() {
        io::ErrorKind::NotFound => Violation::new("source", Code::NotFound, "source.exists"),
        _ => Violation::new("source", Code::Unreadable, "source.readable"),
    }
}
