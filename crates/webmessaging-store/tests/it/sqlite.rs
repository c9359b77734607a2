//! SQLite keeps the promises.

use webmessaging_store::{SqliteOptions, SqliteStore, Store};

use crate::suite::{Run, promises};

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn run(promise: impl for<'a> FnOnce(&'a dyn Store) -> Run<'a>) {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let options = SqliteOptions::new(folder.path().join("store.db"));
        let store = SqliteStore::open(options).await.unwrap();
        promise(&store).await;
    });
}

promises!(super::run);
