//! What a webhook says of a channel reaches whoever keeps it in this process.

use std::net::TcpListener;
use std::sync::Arc;

use webmessaging::channels::{ChannelUpdate, CreateWebhook};
use webmessaging::http::{Client as HttpClient, Credentials};
use webmessaging::store::{SqliteOptions, SqliteStore, Store};
use webmessaging::webhooks::receiver::{PlatformEvents, Receiver};
use webmessaging::webhooks::{Secret, Verifier};
use webmessaging::{ChannelNews, Client};
use webmessaging_emulator::{Emulator, Route};

const SECRET: &str = "a secret of sufficient length";
const CHANNEL: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

#[tokio::test]
async fn a_change_by_somebody_else_is_seen_by_the_next_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).await.unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let emulator = Emulator::builder().start().await.unwrap();
    let http = HttpClient::builder(Credentials::new("demo-client", "demo-secret"));
    let client = Client::new(http.base_url(emulator.base_url()).build().unwrap());
    let (channels, somebody) = (client.channels(), client.channels());

    let work = ChannelNews::new(PlatformEvents::new(Arc::clone(&store)), &channels);
    let verifier = Verifier::new(Secret::new("test", SECRET).unwrap());
    let receiver = Receiver::builder(store, verifier).handler(work).build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhooks/genesys", listener.local_addr().unwrap());
    let serving = receiver.clone();
    tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
    channels.register_webhook(CreateWebhook::new(url, SECRET)).await.unwrap();

    assert_eq!(channels.cached_channel(CHANNEL).await.unwrap().max_concurrent_sessions(), Some(500));
    let update = ChannelUpdate::of(somebody.channel(CHANNEL).await.unwrap()).max_concurrent_sessions(800);
    somebody.update(&update).await.unwrap();
    while receiver.status().handled == 0 {
        tokio::task::yield_now().await;
    }
    let reads = emulator.count(Route::GetChannel);
    assert_eq!(channels.cached_channel(CHANNEL).await.unwrap().max_concurrent_sessions(), Some(800));
    assert_eq!(emulator.count(Route::GetChannel), reads + 1);
}
