//! Where the durable things are: `store.db`, `audit/` and `targets.toml` in the data directory, or the store in a database.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use webmessaging::SecretString;
use webmessaging::store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store};

use crate::args::data::{DataArgs, StoreArgs};
use crate::failure::{Failure, Local};
use crate::input;

const DATA_DIR: &str = "WEBMESSAGING_DATA_DIR";
const STORE_URL: &str = "WEBMESSAGING_STORE_URL";

/// The data directory.
#[derive(Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// The one that the arguments name, or the environment, or the usual one.
    pub(crate) fn of(args: &DataArgs) -> Result<Self, Failure> {
        let path_in = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = || args.data_dir.clone().or_else(|| path_in(DATA_DIR));
        // A relative path there is to be ignored, by the specification of these variables.
        let in_data_home = || path_in("XDG_DATA_HOME").filter(|path| path.is_absolute());
        let in_home = || Some(std::env::home_dir().filter(|path| path.is_absolute())?.join(".local/share"));
        let path = named().or_else(|| Some(in_data_home().or_else(in_home)?.join("webmessaging")));
        let nowhere = "there is no place for data: give --data-dir, or set WEBMESSAGING_DATA_DIR";
        path.map(Self).ok_or_else(|| Local::input("configuration", nowhere).into())
    }

    /// The file of the store.
    fn store(&self) -> PathBuf {
        self.0.join("store.db")
    }

    /// The file of the targets, where no other one is named.
    pub(crate) fn targets(&self) -> PathBuf {
        self.0.join("targets.toml")
    }

    /// The file in which it is kept how far transfers came, where no other one is named.
    pub(crate) fn transfers(&self) -> PathBuf {
        self.0.join("transfers.jsonl")
    }

    /// What whoever sends a list of messages holds, so that nobody else does.
    pub(crate) fn bulk_lock(&self) -> Result<File, Failure> {
        let path = self.0.join("bulk.lock");
        let opened = std::fs::create_dir_all(&self.0).and_then(|()| File::create(&path));
        let shown = || path.display().to_string();
        let file = opened
            .map_err(|error| Local::input("output", "cannot be made").about(shown()).caused_by(error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                let why = "another process sends a list with this data directory";
                Err(Local::input("conflict", why)
                    .about(shown())
                    .hint("wait for it, or name another --data-dir")
                    .into())
            }
            Err(TryLockError::Error(error)) => {
                Err(Local::input("output", "cannot be locked").about(shown()).caused_by(error).into())
            }
        }
    }

    /// The folder of the audit log.
    pub(crate) fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }
}

/// The store; where there is none, it is made.
pub(crate) async fn store(args: &StoreArgs) -> Result<Arc<dyn Store>, Failure> {
    match url(args)? {
        Some(url) => database(url).await,
        None => file(DataDir::of(&args.data)?.store()).await,
    }
}

/// The store that is there. To look at one that is not would only hide that the path is wrong.
pub(crate) async fn existing_store(args: &StoreArgs) -> Result<Arc<dyn Store>, Failure> {
    if let Some(url) = url(args)? {
        return database(url).await;
    }
    let path = DataDir::of(&args.data)?.store();
    if !path.exists() {
        return Err(missing(&path, "there is no store").into());
    }
    file(path).await
}

/// Something that should be in the data directory is not there.
pub(crate) fn missing(path: &Path, what: &'static str) -> Local {
    Local::input("not_found", what).about(path.display().to_string()).hint(
        "`webmessaging webhooks serve` makes it; --data-dir or WEBMESSAGING_DATA_DIR names another place",
    )
}

fn url(args: &StoreArgs) -> Result<Option<SecretString>, Failure> {
    match &args.store_url {
        Some(url) => Ok(Some(url.clone())),
        None => Ok(input::variable(STORE_URL)?.map(SecretString::from)),
    }
}

async fn file(path: PathBuf) -> Result<Arc<dyn Store>, Failure> {
    let store = SqliteStore::open(SqliteOptions::new(&path)).await;
    Ok(Arc::new(store.map_err(|error| Local::from(error).about(path.display().to_string()))?))
}

/// The URL has a password: errors call it by what it is.
async fn database(url: SecretString) -> Result<Arc<dyn Store>, Failure> {
    let store = PostgresStore::open(PostgresOptions::new(url)).await;
    Ok(Arc::new(store.map_err(|error| Local::from(error).about("the store's database"))?))
}
