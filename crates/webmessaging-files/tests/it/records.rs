//! What the journal is told of uploads, and what happens when it does not listen.

use std::error::Error as _;
use std::future::ready;

use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{ErrorKind, Sent, Source};
use webmessaging_journal::{self as journal, Event, EventKind, Journal, PrivateText, Recorded, Sink};
use webmessaging_model::MessageId;

use crate::setup::{CHANNEL, MESSAGE, Setup, told};

/// A disk that is full.
struct Full;

impl Sink for Full {
    fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
        Box::pin(ready(Err(journal::Error::new(journal::ErrorKind::Io, "the disk is full"))))
    }
}

fn hello() -> Source {
    Source::bytes("hello.txt", "hello world")
}

#[tokio::test]
async fn an_upload_is_recorded_with_the_facts_of_its_transfer() {
    let (setup, memory, _) = Setup::new().await.recorded();
    setup.emulator.inject(Route::PutUpload, Fault::status(503));
    let file = setup.files.upload(hello()).channel(CHANNEL).message(MESSAGE).await.unwrap();
    let [event] = &memory.events()[..] else { panic!("one event") };
    let EventKind::FileUploaded(kind) = &event.kind else { panic!("{:?}", event.kind) };
    assert_eq!((&kind.file_id, kind.name.expose(), kind.size), (&file.file_id, "hello.txt", 11));
    assert_eq!(kind.content_type.as_deref(), Some("text/plain"));
    assert_eq!(kind.channel_id.as_ref().map(AsRef::as_ref), Some(CHANNEL));
    assert_eq!(kind.message_id, Some(MessageId::new(MESSAGE)));
    let facts = &event.facts;
    assert_eq!(facts.operation.as_deref(), Some("files.upload.put"));
    assert_eq!((facts.status, facts.attempts), (Some(200), Some(2)));
    let digest = facts.payload_sha256.unwrap().map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(Some(digest), file.sha256);
}

#[tokio::test]
async fn every_failure_is_recorded_by_its_code() {
    let (setup, memory, _) = Setup::new().await.recorded();
    let upload = |source| setup.files.upload(source).channel(CHANNEL).message(MESSAGE);
    upload(Source::bytes("empty.txt", "")).await.unwrap_err();
    setup.emulator.inject(Route::CreateUpload, Fault::status(500));
    upload(hello()).await.unwrap_err();
    upload(hello()).cancel_on(ready(())).await.unwrap_err();
    setup.emulator.inject(Route::PutUpload, Fault::status(401));
    upload(hello()).await.unwrap_err();
    assert_eq!(
        told(&memory),
        ["invalid_input", "server", "canceled", "rejected"].map(|code| format!("file.upload_failed {code}"))
    );
    let events = memory.events();
    let EventKind::FileUploadFailed(kind) = &events[1].kind else { panic!("{:?}", events[1]) };
    assert_eq!(kind.name.as_ref().map(PrivateText::expose), Some("hello.txt"));
    assert_eq!((events[1].facts.status, events[1].facts.attempts), (Some(500), Some(1)));
}

#[tokio::test]
async fn a_file_that_cannot_be_recorded_is_an_error_that_keeps_it() {
    let setup = Setup::new().await;
    let journal = Journal::builder().durable("audit", Full).build().unwrap();
    let files = setup.files.clone().journal(journal);
    let error = files.upload(hello()).channel(CHANNEL).message(MESSAGE).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NotRecorded, Sent::Yes));
    assert!(error.source().unwrap().to_string().contains("the disk is full"), "{error:?}");

    let error = files.deliver(hello()).channel(CHANNEL).message(MESSAGE).await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::NotRecorded);
    let file = error.file().unwrap().file_id.clone();
    assert!(error.to_string().ends_with(&format!(", file {file}")), "{error}");
    assert!(error.source().unwrap().to_string().contains("the disk is full"));
    assert_eq!(setup.emulator.count(Route::GetAttachment), 0);
    // The platform has it, so that somebody can look after it.
    setup.files.attachment(MESSAGE, file).await.unwrap();

    // What fails anyway fails with what it failed with.
    let error = files.upload(Source::bytes("empty.txt", "")).channel(CHANNEL).message(MESSAGE).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// The bytes are there when somebody cancels: that they arrived is what goes on record, and the caller has the file.
#[tokio::test]
async fn whoever_cancels_while_the_upload_is_recorded_is_late() {
    /// Has the caller cancel before it has the record.
    struct Slow(std::sync::Mutex<Option<tokio::sync::oneshot::Sender<()>>>);

    impl Sink for Slow {
        fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
            drop(self.0.lock().unwrap().take());
            Box::pin(async {
                tokio::task::yield_now().await;
                Ok(())
            })
        }
    }

    let (setup, memory, _) = Setup::new().await.recorded();
    let (cancel, canceled) = tokio::sync::oneshot::channel();
    let slow = Slow(std::sync::Mutex::new(Some(cancel)));
    let journal = Journal::builder().durable("slow", slow).durable("memory", memory.clone()).build().unwrap();
    let files = setup.files.clone().journal(journal);
    let upload = files.upload(hello()).channel(CHANNEL).message(MESSAGE);
    let file = upload.cancel_on(async { drop(canceled.await) }).await.unwrap();
    assert!(!file.file_id.as_str().is_empty());
    assert_eq!(told(&memory), ["file.uploaded success"]);
}
