//! PostgreSQL keeps the promises.

use webmessaging_store::{PostgresOptions, PostgresStore, Store};

use crate::server::Server;
use crate::sqlite::runtime;
use crate::suite::{Run, promises};

fn run(promise: impl for<'a> FnOnce(&'a dyn Store) -> Run<'a>) {
    let Some(server) = Server::shared() else { return };
    runtime().block_on(async {
        let options = PostgresOptions::new(server.database().await).callers_clock().connections(2);
        let store = PostgresStore::open(options).await.unwrap();
        promise(&store).await;
    });
}

promises!(super::run);
