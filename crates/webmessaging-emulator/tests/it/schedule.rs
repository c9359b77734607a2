//! When deliveries are repeated: every step of the platform's schedule, on the emulator's clock.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use webmessaging_emulator::{AttemptResult, Delivery, DeliveryAttempt, DeliveryOutcome, Emulator};

use crate::client::start;
use crate::receiver::{
    PLATFORM_WEBHOOKS, Receiver, Reply, SCAN_COMPLETED, WEBHOOKS, attempted, ended, let_run,
    platform_webhook, register, send_update, until, webhook,
};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(5);

/// An emulator whose only webhook leads to a receiver with these replies, and an event under way to it.
async fn sent(replies: impl IntoIterator<Item = Reply>) -> (Emulator, Receiver) {
    let emulator = start().await;
    let receiver = Receiver::start(replies).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    send_update(&emulator, 1);
    (emulator, receiver)
}

fn results(delivery: &Delivery) -> Vec<AttemptResult> {
    delivery.attempts.iter().map(|attempt| attempt.result.unwrap()).collect()
}

/// The time between one attempt and the next, in pauses; real time, which passes as well, is rounded off.
fn gaps(delivery: &Delivery) -> Vec<u64> {
    let gap = |pair: &[DeliveryAttempt]| pair[1].at.duration_since(pair[0].at).unwrap();
    delivery.attempts.windows(2).map(|pair| gap(pair).as_secs() / PAUSE.as_secs()).collect()
}

#[tokio::test]
async fn six_answers_that_do_not_come_take_eighty_five_seconds() {
    let (emulator, receiver) = sent([Reply::Hang; 6]).await;
    for attempt in 1..=6 {
        receiver.nth(attempt).await;
        emulator.clock().advance(ANSWER_WITHIN);
        attempted(&emulator, attempt).await;
        emulator.clock().advance(PAUSE);
    }
    let delivery = ended(&emulator).await.remove(0);
    assert_eq!(results(&delivery), [AttemptResult::TimedOut; 6]);
    assert_eq!(gaps(&delivery), [3; 5]);
    assert_eq!(delivery.outcome, Some(DeliveryOutcome::Exhausted));

    emulator.clock().advance(Duration::from_secs(3_600));
    let_run().await;
    assert_eq!(receiver.count(), 6);
    let bodies: Vec<_> = receiver.received().iter().map(|event| event.body.clone()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test]
async fn an_answer_is_waited_for_ten_seconds_and_not_less() {
    let (emulator, receiver) = sent([Reply::Hang]).await;
    receiver.nth(1).await;
    emulator.clock().advance(Duration::from_secs(7));
    let_run().await;
    assert_eq!(emulator.deliveries()[0].attempts[0].result, None);
    emulator.clock().advance(Duration::from_secs(3));
    assert_eq!(results(&attempted(&emulator, 1).await), [AttemptResult::TimedOut]);
    until(|| receiver.closed() == 1).await;
}

#[tokio::test]
async fn a_retry_begins_five_seconds_after_a_failure_and_not_earlier() {
    for (reply, result) in [
        (Reply::Status(429), AttemptResult::Answered(429)),
        (Reply::Status(500), AttemptResult::Answered(500)),
        (Reply::Status(503), AttemptResult::Answered(503)),
        (Reply::Status(599), AttemptResult::Answered(599)),
        (Reply::Close, AttemptResult::ConnectionLost),
    ] {
        let (emulator, receiver) = sent([reply]).await;
        let delivery = attempted(&emulator, 1).await;
        assert_eq!((results(&delivery), delivery.outcome), (vec![result], None));
        emulator.clock().advance(Duration::from_secs(2));
        let_run().await;
        assert_eq!(receiver.count(), 1, "{reply:?}");
        emulator.clock().advance(Duration::from_secs(3));
        let delivery = ended(&emulator).await.remove(0);
        assert_eq!(results(&delivery), [result, AttemptResult::Answered(200)]);
        assert_eq!(gaps(&delivery), [1]);
        assert_eq!(delivery.outcome, Some(DeliveryOutcome::Delivered));
        let events = receiver.received();
        for header in ["x-genesys-event-id", "x-genesys-signature"] {
            assert_eq!(events[0].header(header), events[1].header(header), "{header}");
        }
    }
}

#[tokio::test]
async fn nobody_listening_is_a_failure_like_others_until_five_retries_are_used() {
    let emulator = start().await;
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&format!("http://{address}/"))).await;
    send_update(&emulator, 1);
    for attempt in 1..=6 {
        attempted(&emulator, attempt).await;
        emulator.clock().advance(PAUSE);
    }
    let delivery = ended(&emulator).await.remove(0);
    assert_eq!(results(&delivery), [AttemptResult::NotConnected; 6]);
    assert_eq!(gaps(&delivery), [1; 5]);
    assert_eq!(delivery.outcome, Some(DeliveryOutcome::Exhausted));
}

#[tokio::test]
async fn something_that_is_no_http_is_a_lost_connection() {
    let emulator = start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&url)).await;
    send_update(&emulator, 1);
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(b"220 mail.example\r\n").await.unwrap();
    assert_eq!(results(&attempted(&emulator, 1).await), [AttemptResult::ConnectionLost]);
}

#[tokio::test]
async fn any_other_answer_is_final() {
    for (status, outcome) in [
        (200, DeliveryOutcome::Delivered),
        (204, DeliveryOutcome::Delivered),
        (302, DeliveryOutcome::Refused),
        (400, DeliveryOutcome::Refused),
        (401, DeliveryOutcome::Refused),
        (410, DeliveryOutcome::Refused),
    ] {
        let (emulator, receiver) = sent([Reply::Status(status)]).await;
        let delivery = ended(&emulator).await.remove(0);
        assert_eq!(delivery.outcome, Some(outcome), "{status}");
        assert_eq!(results(&delivery), [AttemptResult::Answered(status)]);
        emulator.clock().advance(PAUSE);
        let_run().await;
        assert_eq!(receiver.count(), 1, "{status}");
    }
}

#[tokio::test]
async fn nothing_is_sent_when_the_eighty_five_seconds_are_over() {
    let (emulator, receiver) = sent([Reply::Status(503)]).await;
    attempted(&emulator, 1).await;
    emulator.clock().advance(Duration::from_secs(86));
    let delivery = ended(&emulator).await.remove(0);
    assert_eq!(delivery.outcome, Some(DeliveryOutcome::Expired));
    assert_eq!((delivery.attempts.len(), receiver.count()), (1, 1));
}

#[tokio::test]
async fn an_event_that_is_repeated_is_overtaken_by_later_ones() {
    let (emulator, receiver) = sent([Reply::Status(503)]).await;
    send_update(&emulator, 2);
    receiver.nth(2).await;
    emulator.clock().advance(PAUSE);
    receiver.nth(3).await;
    let numbers: Vec<_> =
        receiver.received().iter().map(|event| event.json()["data"]["number"].clone()).collect();
    assert_eq!(numbers, [1, 2, 1]);
}

#[tokio::test]
async fn a_retry_policy_can_ask_for_fewer_retries() {
    for (policy, attempts) in [
        (json!({ "enabled": false, "maxRetries": 3 }), 1),
        (json!({ "enabled": true, "maxRetries": 0 }), 1),
        (json!({ "enabled": true, "maxRetries": 3 }), 4),
        (json!({ "enabled": true }), 6),
    ] {
        let emulator = start().await;
        let receiver = Receiver::start([Reply::Status(500); 7]).await;
        let mut body = webhook(&receiver.url());
        body["retryPolicy"] = policy.clone();
        register(&emulator, WEBHOOKS, &body).await;
        emulator.send_event(SCAN_COMPLETED, json!({})).unwrap();
        for attempt in 1..=attempts {
            attempted(&emulator, attempt).await;
            emulator.clock().advance(PAUSE);
        }
        let delivery = ended(&emulator).await.remove(0);
        assert_eq!(delivery.outcome, Some(DeliveryOutcome::Exhausted), "{policy}");
        assert_eq!(delivery.attempts.len(), attempts, "{policy}");
    }
}
