//! What can go wrong between us and a target, one thing at a time.

use std::time::Duration;

use webmessaging_http::BreakerPolicy;
use webmessaging_store::DeadLetterFilter;
use webmessaging_sync::{Round, ShapeName, TargetConfig, TargetState};

use crate::judge::{Judge, Reply, take};
use crate::setup::{Bench, config, message, targets};

const LONG: Duration = Duration::from_secs(86_400);

/// Sends one message to a judge that answers so at first, and takes everything later.
struct Once {
    bench: Bench,
    judge: Judge,
    worker: webmessaging_sync::SyncWorker,
    first: Round,
}

impl Once {
    async fn new(reply: Reply) -> Self {
        Self::with(reply, |config| config).await
    }

    async fn with(reply: Reply, set_up: impl FnOnce(TargetConfig) -> TargetConfig) -> Self {
        let (bench, judge) = (Bench::new().await, Judge::start(move |_| reply.clone()).await);
        let targets = targets([set_up(config(&judge, ShapeName::CrmMessages))]);
        bench.enqueue(&targets, &[message("c", 1)]).await;
        let worker = bench.worker(&targets);
        let first = worker.deliver_due().await.unwrap();
        judge.now(|_| take());
        Self { bench, judge, worker, first }
    }

    async fn failure(&self) -> (&'static str, Option<u16>) {
        let failure = self.worker.status().await.unwrap().remove(0).last_failure.unwrap();
        (failure.cause, failure.status)
    }

    /// It failed for now, and arrives later with the same key.
    async fn arrives_later(self, cause: &'static str, status: Option<u16>) {
        assert_eq!((self.first.retried, self.first.buried, self.first.delivered), (1, 0, 0), "{cause}");
        assert_eq!(self.failure().await, (cause, status));
        self.bench.advance(LONG);
        assert_eq!(self.worker.deliver_due().await.unwrap().delivered, 1, "{cause}");
        assert_eq!(self.judge.ids(), ["c-1"]);
        let keys: std::collections::BTreeSet<_> =
            self.judge.seen().iter().map(|seen| seen.key().to_owned()).collect();
        assert_eq!(keys.len(), 1, "{cause}");
    }

    async fn reason(&self) -> String {
        let page = self.bench.store.dead_letters(&DeadLetterFilter::default(), None, 10).await.unwrap();
        page.letters.into_iter().next().unwrap().reason
    }
}

#[tokio::test]
async fn a_target_that_is_not_there_is_asked_again() {
    let judge = Judge::start(|_| take()).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bench = Bench::new().await;
    let url = format!("http://127.0.0.1:{closed}/in");
    let gone = TargetConfig::new("judge", url, ShapeName::CrmMessages).allow_private(["127.0.0.1"]);
    let there = targets([config(&judge, ShapeName::CrmMessages)]);
    bench.enqueue(&there, &[message("c", 1)]).await;
    let worker = bench.worker(&targets([gone]));
    assert_eq!(worker.deliver_due().await.unwrap().retried, 1);
    let failure = worker.status().await.unwrap().remove(0).last_failure.unwrap();
    assert_eq!((failure.cause, failure.status), ("connect", None));
    bench.advance(LONG);
    assert_eq!(bench.worker(&there).deliver_due().await.unwrap().delivered, 1);
}

#[tokio::test]
async fn whatever_can_pass_is_asked_again_with_the_same_key() {
    for (reply, cause, status) in [
        (Reply::HangUp, "interrupted", None),
        (Reply::TakeAndHangUp, "interrupted", None),
        (Reply::Raw(b"not http at all\r\n\r\n".to_vec()), "interrupted", None),
        (Reply::Refuse(500, ""), "server", Some(500)),
        (Reply::Refuse(503, ""), "server", Some(503)),
        (Reply::Refuse(429, ""), "rate_limited", Some(429)),
        (Reply::Refuse(408, ""), "rejected", Some(408)),
        (Reply::Refuse(425, ""), "rejected", Some(425)),
        // A key that was withdrawn and a URL that is wrong are no fault of the item.
        (Reply::Refuse(401, ""), "authentication", Some(401)),
        (Reply::Refuse(403, ""), "permission", Some(403)),
        (Reply::Refuse(404, ""), "not_found", Some(404)),
        (Reply::Refuse(307, "location: /b\r\n"), "unexpected_answer", Some(307)),
        (Reply::Take("<!doctype html><title>Log in</title>".to_owned()), "web_page", Some(200)),
    ] {
        Once::new(reply).await.arrives_later(cause, status).await;
    }
}

#[tokio::test]
async fn a_target_that_hangs_is_left_after_its_time() {
    let once = Once::with(Reply::Hang, |config| config.timeout(Duration::from_millis(100))).await;
    once.arrives_later("timeout", None).await;
}

#[tokio::test]
async fn a_success_is_one_however_large_or_short_its_answer_is() {
    let large = "x".repeat(1_000_000);
    let too_large = "x".repeat(2_000_000);
    let broken = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".to_vec();
    for reply in [Reply::Take(large), Reply::Take(too_large), Reply::Raw(broken.clone())] {
        let hang_up = matches!(reply, Reply::Raw(_));
        let once = Once::with(reply, |config| config.timeout(Duration::from_millis(500))).await;
        assert_eq!((once.first.delivered, once.judge.requests()), (1, 1), "{hang_up}");
    }
}

#[tokio::test]
async fn a_success_that_says_what_became_of_each_record_has_to_be_read() {
    let (bench, judge) = (
        Bench::new().await,
        Judge::start(|_| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"results\":".to_vec()))
            .await,
    );
    let config = config(&judge, ShapeName::CrmGuests).timeout(Duration::from_millis(200));
    let targets = targets([config]);
    bench.enqueue(&targets, &[crate::setup::guest(1)]).await;
    assert_eq!(bench.worker(&targets).deliver_due().await.unwrap().retried, 1);
}

#[tokio::test]
async fn what_is_refused_is_a_dead_letter_with_a_reason_and_nothing_else() {
    for (status, reason) in [
        (400, "rejected, status 400"),
        (412, "conflict, status 412"),
        (413, "rejected, status 413"),
        (422, "rejected, status 422"),
    ] {
        let once = Once::new(Reply::Refuse(status, "")).await;
        assert_eq!((once.first.buried, once.first.retried), (1, 0), "{status}");
        assert_eq!(once.reason().await, reason);
    }
}

#[tokio::test]
async fn a_conflict_says_that_it_is_there_already() {
    let once = Once::new(Reply::Refuse(409, "")).await;
    assert_eq!((once.first.delivered, once.judge.requests()), (1, 1));
    let strict = Once::with(Reply::Refuse(409, ""), |config| config.conflict_is_done(false)).await;
    assert_eq!((strict.first.buried, strict.reason().await.as_str()), (1, "conflict, status 409"));
}

#[tokio::test]
async fn a_wait_that_is_asked_for_holds_for_the_whole_target() {
    for (headers, wait) in [
        ("retry-after: 7\r\n", 7),
        ("retry-after: Fri, 20 Nov 2026 10:00:07 GMT\r\ndate: Fri, 20 Nov 2026 10:00:00 GMT\r\n", 7),
        // Nobody waits for longer than a day, or not at all.
        ("retry-after: 9999999\r\n", 86_400),
        ("retry-after: 0\r\n", 1),
    ] {
        // The schedule's own waits are shorter.
        let soon = [Duration::from_millis(1); 3];
        let once = Once::with(Reply::Refuse(429, headers), |config| config.schedule(soon)).await;
        assert_eq!(once.first.retried, 1, "{headers}");
        let targets = targets([config(&once.judge, ShapeName::CrmMessages)]);
        once.bench.enqueue(&targets, &[message("other", 1)]).await;
        once.bench.advance(Duration::from_millis(wait * 1_000 - 500));
        assert_eq!(once.worker.deliver_due().await.unwrap(), Round::default(), "{headers}");
        once.bench.advance(Duration::from_millis(600));
        once.worker.deliver_due().await.unwrap();
        // The one that was turned away has up to a second on top.
        once.bench.advance(Duration::from_secs(1));
        once.worker.deliver_due().await.unwrap();
        assert_eq!(once.judge.ids().len(), 2, "{headers}");
    }
}

#[tokio::test]
async fn the_schedule_ends_in_a_dead_letter() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(503, "")).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    bench.enqueue(&targets, &[message("c", 1)]).await;
    let off = |_: &_, client: webmessaging_http::ExternalClientBuilder| {
        client.breaker(BreakerPolicy::off()).proxy(webmessaging_http::Proxy::none())
    };
    let worker = bench.builder(&targets).client(off).build().unwrap();
    let begun = bench.now();
    let last = bench.until_settled(&worker).await;
    assert_eq!((last.buried, judge.requests()), (1, 13));
    // Halfway: half of 76 hours 42 minutes.
    let days = bench.now().since(begun).as_secs_f64() / 86_400.0;
    assert!((1.5..2.5).contains(&days), "{days}");
    let page = bench.store.dead_letters(&DeadLetterFilter::default(), None, 10).await.unwrap();
    assert_eq!(page.letters[0].reason, "server, status 503, 13 attempts");
    let keys: std::collections::BTreeSet<_> = judge.seen().iter().map(|seen| seen.key().to_owned()).collect();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn an_open_breaker_is_waited_for_without_an_attempt() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(503, "")).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    let quick = |_: &_, client: webmessaging_http::ExternalClientBuilder| {
        let policy = BreakerPolicy::default().failures(1).open_for(Duration::from_secs(60));
        client.breaker(policy).proxy(webmessaging_http::Proxy::none())
    };
    let worker = bench.builder(&targets).client(quick).build().unwrap();
    bench.enqueue(&targets, &[message("c", 1)]).await;
    assert_eq!(worker.deliver_due().await.unwrap().retried, 1);
    bench.enqueue(&targets, &[message("d", 1)]).await;
    for _ in 0..5 {
        bench.advance(Duration::from_secs(10));
        assert_eq!(worker.deliver_due().await.unwrap(), Round::default());
    }
    assert!(matches!(worker.status().await.unwrap()[0].state, TargetState::Paused { .. }));
    assert_eq!(judge.requests(), 1);
    // Half open: one request to see, although two are due.
    bench.advance(Duration::from_secs(11));
    assert_eq!(worker.deliver_due().await.unwrap().claimed, 1);
    assert_eq!(judge.requests(), 2);
    judge.now(|_| take());
    bench.until_settled(&worker).await;
    assert_eq!(judge.ids().len(), 2);
}

#[tokio::test]
async fn what_a_breaker_stops_in_the_middle_is_not_given_up() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(503, "")).await);
    // Two attempts; at the second failure the breaker opens.
    let config = config(&judge, ShapeName::Documents).at_once(1).schedule([Duration::from_secs(1)]);
    let targets = targets([config]);
    let strict = |_: &_, client: webmessaging_http::ExternalClientBuilder| {
        client.breaker(BreakerPolicy::default().failures(2)).proxy(webmessaging_http::Proxy::none())
    };
    let worker = bench.builder(&targets).client(strict).build().unwrap();
    bench.enqueue(&targets, &[crate::setup::file(1)]).await;
    worker.deliver_due().await.unwrap();
    bench.advance(Duration::from_secs(1));
    bench.enqueue(&targets, &[crate::setup::file(2)]).await;
    let round = worker.deliver_due().await.unwrap();
    assert_eq!((round.claimed, round.buried, round.retried, judge.requests()), (2, 1, 1, 2));
    let failure = worker.status().await.unwrap().remove(0).last_failure.unwrap();
    assert_eq!(failure.cause, "circuit_open");
    // What was not sent has both of its attempts: the first failure is not the end of it.
    bench.advance(LONG);
    let round = worker.deliver_due().await.unwrap();
    assert_eq!((round.claimed, round.buried, round.retried, judge.requests()), (1, 0, 1, 3));
    judge.now(|_| take());
    bench.until_settled(&worker).await;
    assert_eq!(judge.ids(), ["file-2"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_costs_a_repetition_and_nothing_else() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    bench.enqueue(&targets, &[message("c", 1), message("c", 2)]).await;
    // Another process has the file while the answer is to be written down.
    let other = std::sync::Arc::new(std::sync::Mutex::new(bench.connection()));
    let lock = std::sync::Arc::clone(&other);
    judge.now(move |_| {
        lock.lock().unwrap().execute_batch("begin immediate").unwrap();
        take()
    });
    let worker = bench.worker(&targets);
    let error = worker.deliver_due().await.unwrap_err();
    assert_eq!(error.kind(), webmessaging_sync::ErrorKind::Store);
    assert_eq!(judge.ids(), ["c-1"], "nothing more of the lane goes out");
    other.lock().unwrap().execute_batch("rollback").unwrap();
    judge.now(|_| take());
    bench.until_settled(&worker).await;
    let keys: Vec<_> = judge.seen().iter().map(|seen| seen.key().to_owned()).collect();
    assert_eq!((keys.len(), keys[0] == keys[1]), (3, true));
    assert_eq!(judge.ids(), ["c-1", "c-2"]);
}

#[tokio::test]
async fn a_payload_that_is_none_holds_up_its_lane_alone() {
    use webmessaging_store::NewItem;

    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    bench.enqueue(&targets, &[message("c", 1)]).await;
    let item = NewItem::new("judge", "foreign, key", "x", bench.now()).lane("conversation:c").payload("{");
    bench.store.enqueue(vec![item], bench.now()).await.unwrap();
    bench.enqueue(&targets, &[message("c", 2), message("d", 1)]).await;
    let worker = bench.worker(&targets);
    let round = worker.deliver_due().await.unwrap();
    assert_eq!((round.delivered, round.buried), (2, 1));
    let status = worker.status().await.unwrap().remove(0);
    assert_eq!((status.pending, status.dead, status.blocked_lanes_total), (1, 1, 1));
}
