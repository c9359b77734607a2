//! The receiver as a server, with the emulator as the platform that sends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use webmessaging_emulator::{DeliveryOutcome, Emulator, SeededWebhook, StateSeed, Tamper};
use webmessaging_journal::Journal;
use webmessaging_journal::sinks::InMemory;
use webmessaging_webhooks::receiver::Receiver;
use webmessaging_webhooks::{Secret, Verifier};

use super::setup::open;

const SECRET: &str = "a secret for webhooks";

struct Served {
    receiver: Receiver,
    journal: InMemory,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    end: JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Served {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, journal) = (open(&folder, None).await, InMemory::new());
        let verifier = Verifier::new(Secret::new("only", SECRET).unwrap());
        let receiver = Receiver::builder(store, verifier)
            .journal(Journal::builder().durable("memory", journal.clone()).build().unwrap())
            .build();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let end = tokio::spawn({
            let receiver = receiver.clone();
            async move {
                receiver
                    .serve(listener, async {
                        let _ = stopped.await;
                    })
                    .await
            }
        });
        Self { receiver, journal, address, stop, end, _folder: folder }
    }

    async fn until(&self, is_done: impl Fn(&Receiver) -> bool) {
        while !is_done(&self.receiver) {
            tokio::task::yield_now().await;
        }
    }

    async fn stop(self) -> InMemory {
        self.stop.send(()).unwrap();
        self.end.await.unwrap().unwrap();
        self.journal
    }
}

async fn emulator(served: &Served) -> Emulator {
    let url = format!("http://{}/webhooks/genesys", served.address);
    let webhook = SeededWebhook::platform_webhook(json!({
        "name": "channels",
        "callbackUrl": url,
        "eventFilters": [{ "resource": "channel", "action": "updated" }],
        "secret": SECRET,
    }));
    Emulator::builder().seed(StateSeed::new().webhooks([webhook])).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_platform_sends_twice_or_out_of_order_has_one_effect() {
    let served = Served::start().await;
    let emulator = emulator(&served).await;
    for number in 0..20 {
        match number % 4 {
            0 => emulator.tamper(Tamper::Duplicate),
            1 => emulator.tamper(Tamper::OutOfOrder),
            _ => {}
        }
        let data = json!({ "id": format!("channel-{number}"), "channelType": "webchat" });
        emulator.send_event("channel.updated", data).unwrap();
    }
    served.until(|receiver| receiver.status().handled == 20 && receiver.status().duplicates == 5).await;
    emulator.shutdown().await;
    let journal = served.stop().await;
    let mut channels: Vec<_> = journal.events().iter().map(|event| event.subject().id.to_owned()).collect();
    channels.sort_unstable();
    let mut expected: Vec<_> = (0..20).map(|number| format!("channel-{number}")).collect();
    expected.sort_unstable();
    assert_eq!(channels, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_signed_right_is_refused_and_not_sent_again() {
    let served = Served::start().await;
    let emulator = emulator(&served).await;
    for tamper in [Tamper::WrongSignature, Tamper::Unsigned] {
        emulator.tamper(tamper);
        emulator.send_event("channel.updated", json!({ "id": "channel-1" })).unwrap();
    }
    let refused =
        |receiver: &Receiver| receiver.status().refused.iter().map(|(_, count)| count).sum::<u64>() == 2;
    served.until(refused).await;
    while emulator.deliveries().iter().any(|delivery| delivery.outcome.is_none()) {
        tokio::task::yield_now().await;
    }
    for delivery in emulator.deliveries() {
        assert_eq!((delivery.outcome, delivery.attempts.len()), (Some(DeliveryOutcome::Refused), 1));
    }
    emulator.shutdown().await;
    assert!(served.stop().await.events().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_answers_what_is_under_way_and_ends() {
    let served = Served::start().await;
    let address = served.address;
    // Half of a request is under way when the stop comes.
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(b"POST /webhooks/genesys HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{").unwrap();
    served.until(|receiver| receiver.status().under_way == 1).await;
    let stopping = tokio::spawn(served.stop());
    while TcpStream::connect(address).is_ok() {
        tokio::task::yield_now().await;
    }
    half.write_all(b"}").unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    stopping.await.unwrap();
}
