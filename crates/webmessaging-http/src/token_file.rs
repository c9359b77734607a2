//! Access tokens in a file that only its owner can read.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Sent};
use crate::log;
use crate::token_cache::{Cached, CachedToken, LoginLock, TokenCache, TokenKey};

/// A file larger than this is not one of ours.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// So many OAuth clients share one file; above it, the token that ends first makes room.
const ENTRIES_MAX: usize = 64;

/// Tokens in a file, for processes of one user on one machine.
///
/// The file is plain text, made with mode 0600 and replaced as a whole; one that others can read is refused. Beside it lies
/// an empty file of the same name and `.lock`, which the one that logs in has locked. The folder has to be one's own: whoever can
/// write there can put a token of theirs in place of ours. Tokens of different OAuth clients do not
/// get mixed up. For Unix only; elsewhere every use is a [`Configuration`](ErrorKind::Configuration) error.
///
/// # Examples
/// ```
/// use webmessaging_http::{Client, Credentials, FileTokenCache};
///
/// let client = Client::builder(Credentials::new("id", "secret"))
///     .token_cache(FileTokenCache::new("/run/user/1000/webmessaging/tokens.json"))
///     .build()?;
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileTokenCache {
    path: PathBuf,
}

impl FileTokenCache {
    /// Tokens in this file. Neither it nor its folder has to exist; folders are made with mode 0700.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, Error> + Send + 'static,
    ) -> Cached<'_, T> {
        let path = self.path.clone();
        Box::pin(async move {
            let work = log::as_here(move || work(&path));
            let done = tokio::task::spawn_blocking(work).await;
            done.unwrap_or_else(|error| Err(trouble("the work on the token file was given up", error)))
        })
    }
}

impl TokenCache for FileTokenCache {
    fn load<'a>(&'a self, key: &'a TokenKey) -> Cached<'a, Option<CachedToken>> {
        let key = key.as_str().to_owned();
        self.work(move |path| {
            let Some(entry) = read(path)?.tokens.remove(&key) else { return Ok(None) };
            let Some(expires_at) = UNIX_EPOCH.checked_add(Duration::from_secs(entry.expires_at)) else {
                return Ok(None);
            };
            Ok(Some(CachedToken::new(entry.access_token, expires_at)))
        })
    }

    fn try_lock<'a>(&'a self, _: &'a TokenKey) -> Cached<'a, Option<LoginLock>> {
        self.work(|path| {
            let failed = |error| trouble("the lock of the token file cannot be had", error);
            make_folder(path)?;
            let lock = private().create(true).truncate(false).open(beside(path, "lock")).map_err(failed)?;
            match lock.try_lock() {
                Ok(()) => Ok(Some(Box::new(lock) as LoginLock)),
                Err(fs::TryLockError::WouldBlock) => Ok(None),
                Err(fs::TryLockError::Error(error)) => Err(failed(error)),
            }
        })
    }

    fn store<'a>(&'a self, key: &'a TokenKey, token: &'a CachedToken) -> Cached<'a, ()> {
        let (key, token) = (key.as_str().to_owned(), token.clone());
        self.work(move |path| {
            let mut kept = read(path)?;
            kept.tokens.insert(key, Entry::of(&token));
            while kept.tokens.len() > ENTRIES_MAX {
                let first = kept.tokens.iter().min_by_key(|(_, entry)| entry.expires_at);
                let Some(first) = first.map(|(key, _)| key.clone()) else { break };
                kept.tokens.remove(&first);
            }
            replace(path, &kept)
        })
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// By key. A file that says something else besides, or in place of it, is not ours.
    tokens: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(serialize_with = "exposed")]
    access_token: SecretString,
    /// Seconds since 1970.
    expires_at: u64,
}

impl Entry {
    fn of(token: &CachedToken) -> Self {
        let since = token.expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { access_token: token.value.clone(), expires_at: since.as_secs() }
    }
}

fn exposed<S: serde::Serializer>(value: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.expose_secret())
}

/// The tokens of a file; none where there is no file, or what is in it cannot be read.
fn read(path: &Path) -> Result<Kept, Error> {
    let failed = |error| trouble("the token file cannot be read", error);
    // Looked at before it is opened: a pipe would keep us until somebody writes to it.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(Error::configuration("the token file is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
        Err(error) => return Err(failed(error)),
    }
    let file = File::open(path).map_err(failed)?;
    check_private(&file)?;
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
    Ok(serde_json::from_slice(&text).unwrap_or_else(|_| {
        log::token_file_damaged(text.len());
        Kept::default()
    }))
}

/// Writes beside the file and moves it into place, so that nobody ever reads half of it.
fn replace(path: &Path, kept: &Kept) -> Result<(), Error> {
    let failed = |error| trouble("the token file cannot be written", error);
    make_folder(path)?;
    let beside = beside(path, &format!("{}.tmp", uuid::Uuid::new_v4().simple()));
    let text = serde_json::to_vec(kept).map_err(|_| failed(io::ErrorKind::InvalidData.into()))?;
    let written = private()
        .create_new(true)
        .open(&beside)
        .and_then(|mut file| file.write_all(&text))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // Nothing with a token in it is left lying about; that there is nothing to remove is as good.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

/// A file of the same name with something behind it.
fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(more);
    name.into()
}

fn trouble(message: &'static str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Source, Sent::No).with_message(message).with_source(error)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(unix)]
fn make_folder(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;

    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| trouble("the folder of the token file cannot be made", error))
}

#[cfg(unix)]
fn check_private(file: &File) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = file.metadata().map_err(|error| trouble("the token file cannot be read", error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::configuration(format!(
            "the token file has mode {mode:03o}, others could read it: remove it or set its mode to 600"
        )));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

#[cfg(not(unix))]
fn make_folder(_: &Path) -> Result<(), Error> {
    Err(Error::configuration("a token file is for Unix only: here nobody could see who may read it"))
}

#[cfg(not(unix))]
fn check_private(_: &File) -> Result<(), Error> {
    make_folder(Path::new(""))
}
