//! No presigned query and no header of a webhook in any text, whatever goes wrong: errors, `Debug`, logs, records.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;
use webmessaging_emulator::{Fault, Route};
use webmessaging_files::{CreateWebhook, ExpiryPolicy, ScanGate};
use webmessaging_http::{RetryPolicy, Source};

use crate::setup::{MESSAGE, Setup};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs work on this thread with every line caught that this side logs.
fn logged<T>(work: impl Future<Output = T>) -> (T, String) {
    // With one subscriber alone, an event that another thread reaches first is off for good (tokio-rs/tracing#3611).
    static KEPT: OnceLock<[Dispatch; 2]> = OnceLock::new();
    KEPT.get_or_init(|| [Dispatch::new(Registry::default()), Dispatch::new(Registry::default())]);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = dispatcher::with_default(&Dispatch::new(subscriber), || runtime.block_on(work));
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // The emulator is the other side, and runs on the same thread here.
    let ours = text.lines().filter(|line| !line.contains(r#""target":"webmessaging_emulator"#));
    (result, ours.collect::<Vec<_>>().join("\n"))
}

/// An error and its causes, in all forms.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source())
        .map(|error| format!("{error} {error:?} {error:#?}"))
        .collect()
}

fn texts<T: std::fmt::Debug, E: std::error::Error>(outcome: Result<T, E>) -> Vec<String> {
    match outcome {
        Ok(value) => vec![format!("{value:?} {value:#?}")],
        Err(error) => chain(&error),
    }
}

/// A fault of any kind, among them answers that repeat the secret where it has no business.
fn fault(number: u8, secret: &str) -> Fault {
    let url = format!("https://store.example/f?signature={secret}");
    match number % 14 {
        0 => Fault::status(500).json(json!({"message": "failed", "text": url})),
        1 => Fault::status(503).html(format!("<html>{url}</html>")),
        2 => Fault::status(403).body(format!("<Error><Code>AccessDenied</Code><Key>{url}</Key></Error>")),
        3 => Fault::status(410),
        4 => Fault::status(429).header("retry-after", "1"),
        5 => Fault::status(200).html(format!("<html>{url}</html>")),
        6 => Fault::status(200)
            .json(json!({"uploadUrl": {"url": url}, "downloadUrl": [url], "id": {"a": url}})),
        7 => Fault::status(200)
            .json(json!({"uploadUrl": format!("ftp:{url}"), "fileId": "f\n", "downloadUrl": url})),
        8 => Fault::drop_before(),
        9 => Fault::drop_after(),
        10 => Fault::truncate_answer(20),
        11 => Fault::drop_body_after(3),
        12 => Fault::status(302).header("location", &url),
        _ => Fault::status(409).header("set-cookie", secret),
    }
}

async fn everything(secret: &str, faults: &[(u8, u8)]) -> Vec<String> {
    let (setup, memory, kept) =
        Setup::with(|emulator| emulator, |client| client.retry(RetryPolicy::default().max_retries(1)))
            .await
            .recorded();
    let routes = [Route::CreateUpload, Route::PutUpload, Route::GetAttachment, Route::CreateWebhook];
    let mut texts_of_all = Vec::new();
    // The last time nothing goes wrong.
    for chunk in faults.chunks(3).chain([[].as_slice()]) {
        // Past what a 429 and an open breaker hold up.
        setup.clock.advance(Duration::from_secs(300));
        // Faults that nothing has met.
        setup.emulator.reset();
        for &(route, number) in chunk {
            setup.emulator.inject(routes[usize::from(route) % routes.len()], fault(number, secret));
        }
        let base = setup.emulator.base_url();
        let ticket =
            json!({"uploadUrl": format!("{base}/storage/uploads/f?signature={secret}"), "fileId": "f"});
        setup.emulator.inject(Route::CreateUpload, Fault::status(200).json(ticket));
        for _ in 0..2 {
            setup.emulator.inject(Route::PutUpload, Fault::status(200));
        }
        let clean = json!({"id": "f", "status": "completed", "virusScanResult": "clean",
            "downloadUrl": format!("https://store.example/f?signature={secret}")});
        for _ in 0..4 {
            setup.emulator.inject(Route::GetAttachment, Fault::status(200).json(&clean));
        }
        let gate = ScanGate::new();
        let delivery = setup.deliver(Source::bytes("a.txt", "words")).gate(&gate);
        texts_of_all.push(format!("{delivery:?} {gate:?}"));
        texts_of_all.extend(texts(delivery.await));
        texts_of_all.extend(texts(setup.deliver(Source::bytes("a.txt", "words")).await));
        let ask = setup.files.download_url(MESSAGE, "f").expiry(ExpiryPolicy::default().local_only());
        texts_of_all.push(format!("{ask:?}"));
        texts_of_all.extend(texts(ask.await));
        let signed = setup.files.signed_download(MESSAGE, "f");
        texts_of_all.extend(texts(signed.url().await));
        texts_of_all.push(format!("{signed:?} {:?} {kept:?}", setup.files, kept = kept.files));
        let webhook = CreateWebhook::new(format!("https://receiver.example/{secret}?key={secret}"));
        let webhook = webhook.header("x-key", secret);
        texts_of_all.push(format!("{webhook:?} {webhook:#?}"));
        texts_of_all.extend(texts(setup.files.register_scan_webhook(webhook.clone()).await));
        let wrong = webhook.header("x-key", format!("{secret}\n"));
        texts_of_all.extend(texts(setup.files.register_scan_webhook(wrong).await));
    }
    let events = memory.events();
    assert!(!events.is_empty(), "nothing was recorded");
    for event in events {
        texts_of_all.push(format!("{event:?} {}", serde_json::to_string(&event).unwrap()));
    }
    texts_of_all
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_secret_reaches_a_text(
        secret in "[A-Za-z0-9]{20}",
        faults in prop::collection::vec((any::<u8>(), any::<u8>()), 1..12),
    ) {
        let (texts, log) = logged(everything(&secret, &faults));
        prop_assert!(log.contains("files.upload.create"), "nothing was logged: {}", log);
        for marker in ["Delivered {", "DownloadUrl {", "Registered {", "CreateWebhook {", "DownloadUrlIssued"] {
            prop_assert!(texts.iter().any(|text| text.contains(marker)), "no {marker}");
        }
        for text in texts.iter().chain([&log]) {
            let leak = text.find(&secret).map(|at| text.chars().skip(at.saturating_sub(80)).take(120).collect::<String>());
            prop_assert!(leak.is_none(), "{:?}", leak);
        }
    }
}
