//! The small sinks: what they keep, write and log.

use webmessaging_journal::kind::{BotMessageFailed, FileUploaded, TransferFinished};
use webmessaging_journal::sinks::{InMemory, JsonLines, Traced};
use webmessaging_journal::{ErrorKind, Journal, Sink};

use crate::events::Shared;
use crate::samples::{event, facts, message};

#[tokio::test]
async fn memory_keeps_the_last_ones() {
    let kept = InMemory::new().capacity(2);
    for number in 0..3 {
        kept.record(&message(number)).await.unwrap();
    }
    let ids: Vec<_> = kept.events().iter().map(|event| event.subject().id.to_owned()).collect();
    assert_eq!(ids, ["c1", "c2"]);
    kept.clear();
    assert!(kept.events().is_empty());
}

#[tokio::test]
async fn a_line_is_the_form_of_the_audit_log_without_its_chain() {
    let shared = Shared::default();
    let sink = JsonLines::new(shared.clone());
    sink.record(
        &event(1, FileUploaded::new("f1", "jane.pdf", 10).content_type("application/pdf")).facts(facts()),
    )
    .await
    .unwrap();
    let record: serde_json::Value = serde_json::from_str(&shared.text()).unwrap();
    assert!(record["id"].as_str().is_some_and(|id| id.len() == 36));
    let mut rest = record.clone();
    rest.as_object_mut().unwrap().remove("id");
    assert_eq!(
        rest,
        serde_json::json!({
            "time": "2026-11-25T08:30:01.000Z",
            "actor": "tester",
            "action": "file.uploaded",
            "subject": {"type": "file", "id": "f1"},
            "outcome": {"result": "success", "cause": null},
            "operation": "files.upload",
            "status": 200,
            "attempts": 2,
            "latencyMs": 41,
            "requestId": "req-1",
            "correlationId": "corr-1",
            "payloadSha256": "07".repeat(32),
            "details": {"size": 10, "contentType": "application/pdf"},
        })
    );
}

struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_writer_that_fails_is_an_error_of_its_sink() {
    let journal = Journal::builder().durable("lines", JsonLines::new(Full)).build().unwrap();
    let error = journal.append(message(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(error.to_string(), "sink lines: the line cannot be written: no storage space");
}

#[tokio::test]
async fn the_log_gets_one_line_each_and_no_private_text() {
    let shared = Shared::default();
    let writer = shared.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    let _here = tracing::subscriber::set_default(subscriber);
    let traced = Traced::new();
    let finished = TransferFinished::new("t1", "jane.pdf").storage_location("https://b.example/?sig=s3cret");
    let first = event(1, finished).facts(facts());
    let second = event(2, BotMessageFailed::new("not an id", "rate_limited"));
    traced.record(&first).await.unwrap();
    traced.record(&second).await.unwrap();
    let expected = format!(
        " INFO webmessaging_journal: recorded action=\"transfer.finished\" outcome=\"success\" subject=\"transfer\" \
         subject_id=\"t1\" event_id={} status=200 latency_ms=41 request_id=\"req-1\" correlation_id=\"corr-1\"\n \
         WARN webmessaging_journal: recorded action=\"bot_message.failed\" outcome=\"failure\" cause=\"rate_limited\" \
         subject=\"conversation\" subject_id=\"[redacted]\" event_id={}\n",
        first.id, second.id
    );
    assert_eq!(shared.text(), expected);
}
