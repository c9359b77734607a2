//! What deliveries cost: items a second from a store in a file to a server of this machine, each claimed, sent and written down.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench that fails says so, and prints what it found"
)]

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use webmessaging_http::clock::TokioClock;
use webmessaging_http::{Clock, Proxy};
use webmessaging_journal::clock::SystemEntropy;
use webmessaging_journal::kind::{BotMessageSent, FileScanned};
use webmessaging_journal::{Event, EventId, EventKind, Stamp};
use webmessaging_model::{ScanVerdict, Timestamp};
use webmessaging_store::{SqliteOptions, SqliteStore, Store};
use webmessaging_sync::{Secrets, ShapeName, SyncWorker, TargetConfig, Targets};

const ITEMS: usize = 5_000;

fn main() {
    println!("| shape | requests at a time | items in a request | items/s |\n|---|--:|--:|--:|");
    for (shape, at_once, batch) in [
        (ShapeName::CrmMessages, 1, 1),
        (ShapeName::CrmMessages, 4, 1),
        (ShapeName::CrmMessages, 16, 1),
        (ShapeName::Documents, 1, 50),
        (ShapeName::Documents, 4, 50),
    ] {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let rate = runtime.block_on(run(shape, at_once, batch));
        println!("| `{shape}` | {at_once} | {batch} | {rate:.0} |");
    }
}

async fn run(shape: ShapeName, at_once: usize, batch: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("store.db"));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options).await.unwrap());
    let config = TargetConfig::new("bench", server().await, shape)
        .allow_private(["127.0.0.1"])
        .at_once(at_once)
        .batch_max(batch);
    let targets = Targets::new([config.build(&Secrets::none()).unwrap()]).unwrap();
    let now = TokioClock.wall().into();
    let items: Vec<_> = (0..ITEMS).flat_map(|number| targets.items_for(&event(shape, number), now)).collect();
    for items in items.chunks(1_000) {
        store.enqueue(items.to_vec(), now).await.unwrap();
    }
    let worker =
        SyncWorker::builder(store, targets).client(|_, client| client.proxy(Proxy::none())).build().unwrap();
    let started = TokioClock.now();
    let mut delivered = 0;
    while delivered < ITEMS as u64 {
        delivered += worker.deliver_due().await.unwrap().delivered;
    }
    ITEMS as f64 / TokioClock.now().duration_since(started).as_secs_f64()
}

fn event(shape: ShapeName, number: usize) -> Event {
    let kind: EventKind = match shape {
        ShapeName::Documents => {
            FileScanned::new(format!("file-{number}"), ScanVerdict::Clean).name("a.pdf").size(7).into()
        }
        _ => BotMessageSent::new(format!("conversation-{}", number % 100))
            .message_id(format!("message-{number}"))
            .into(),
    };
    let at = Timestamp::UNIX_EPOCH;
    Stamp::new(EventId::new(at, &SystemEntropy), at, "bench").event(kind)
}

/// Takes everything at once.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let (mut stream, mut body) = (BufReader::new(stream), Vec::new());
                loop {
                    let mut length = 0;
                    loop {
                        let mut line = String::new();
                        if stream.read_line(&mut line).await? == 0 {
                            return std::io::Result::Ok(());
                        }
                        let line = line.trim_end().to_ascii_lowercase();
                        if line.is_empty() {
                            break;
                        }
                        if let Some(found) = line.strip_prefix("content-length: ") {
                            length = found.parse().unwrap();
                        }
                    }
                    body.resize(length, 0);
                    stream.read_exact(&mut body).await?;
                    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
                    stream.flush().await?;
                }
            });
        }
    });
    url
}
