//! The access token in a store: one login for all that share it.

use std::sync::Arc;

use webmessaging::store::{SqliteOptions, SqliteStore, Store};
use webmessaging::{Client, Credentials, Source, StoreTokenCache, http};
use webmessaging_emulator::{EmulatedClient, Emulator, Fault, Route};

const CHANNEL: &str = "12345678-1234-1234-1234-123456789012";

async fn store(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    let options = SqliteOptions::new(folder.path().join("store.db"));
    Arc::new(SqliteStore::open(options).await.unwrap())
}

/// A client like that of another process: nothing in common but the store.
async fn client(folder: &tempfile::TempDir, emulator: &Emulator) -> Client {
    let http = http::Client::builder(Credentials::new("id", "secret"))
        .base_url(emulator.base_url())
        .token_cache(StoreTokenCache::new(store(folder).await))
        .build()
        .unwrap();
    Client::new(http)
}

async fn upload(client: &Client) {
    let source = Source::bytes("a.txt", "words");
    client.files().upload(source).channel(CHANNEL).message("message-1").await.unwrap();
}

async fn emulator() -> Emulator {
    Emulator::builder().client(EmulatedClient::new("id", "secret")).start().await.unwrap()
}

#[tokio::test]
async fn who_comes_later_takes_the_token_over() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator().await);
    for _ in 0..3 {
        upload(&client(&folder, &emulator).await).await;
    }
    assert_eq!(emulator.count(Route::Token), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_at_the_same_time_waits_for_one_login() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator().await);
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let client = client(&folder, &emulator).await;
        tasks.push(tokio::spawn(async move { upload(&client).await }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(emulator.count(Route::Token), 1);
}

#[tokio::test]
async fn a_token_that_the_platform_refuses_is_replaced_for_everybody() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator().await);
    upload(&client(&folder, &emulator).await).await;
    emulator.inject(Route::CreateUpload, Fault::status(401));
    upload(&client(&folder, &emulator).await).await;
    assert_eq!(emulator.count(Route::Token), 2);
    upload(&client(&folder, &emulator).await).await;
    assert_eq!(emulator.count(Route::Token), 2);
}
