//! A file between browser and platform: on the disk, because a browser cannot be asked twice, and without a name there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use webmessaging::Source;
use webmessaging::http::SourceContent;

use super::log;
use super::problem::Problem;

/// A body that has come in whole.
#[derive(Debug)]
pub(super) struct Spooled {
    file: Arc<File>,
    bytes: u64,
}

impl Spooled {
    /// Reads a body that is to have this many bytes, and not one more.
    pub(super) async fn read(
        mut body: Body,
        bytes: u64,
        bytes_max: u64,
        folder: &Path,
    ) -> Result<Self, Problem> {
        let failed = |error: io::Error| {
            log::not_kept(&error);
            Problem::internal()
        };
        let mut file = create(folder.to_owned()).await.map_err(failed)?;
        let mut taken = 0_u64;
        while let Some(frame) = body.frame().await {
            // The browser has gone: nobody hears the answer.
            let Ok(frame) = frame else { return Err(Problem::other_length()) };
            let Ok(data) = frame.into_data() else { continue };
            taken = taken.saturating_add(data.len() as u64);
            if taken > bytes_max {
                return Err(Problem::too_large(bytes_max));
            }
            if taken > bytes {
                return Err(Problem::other_length());
            }
            file.write_all(&data).await.map_err(failed)?;
        }
        if taken < bytes {
            return Err(Problem::other_length());
        }
        file.flush().await.map_err(failed)?;
        Ok(Self { file: Arc::new(file.into_std().await), bytes })
    }

    /// The file as something to upload, as often as it takes.
    pub(super) fn into_source(self, name: String) -> Source {
        let Self { file, bytes } = self;
        Source::open_with(name, move || {
            let reader = FromStart { file: Arc::clone(&file), at: 0 };
            Ok(SourceContent::from_reader(bytes, reader))
        })
    }
}

async fn create(folder: std::path::PathBuf) -> io::Result<tokio::fs::File> {
    let created = tokio::task::spawn_blocking(move || {
        let file = tempfile::tempfile_in(folder)?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(file)
    });
    // A task that does not come back was caught in the end of the runtime.
    created.await.unwrap_or_else(|error| Err(io::Error::other(error))).map(tokio::fs::File::from_std)
}

/// Reads by position: all readers of a file share its cursor.
struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
