//! How it stands with a target: late, paused, gone.

use std::time::Duration;

use webmessaging_sync::status::prometheus;
use webmessaging_sync::{ErrorKind, Round, ShapeName, TargetState};

use crate::judge::{Judge, Reply, take};
use crate::setup::{Bench, config, message, targets};

#[tokio::test]
async fn a_target_that_is_gone_is_left_alone_until_somebody_switches_it_on() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(410, "")).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages).at_once(2)]);
    bench.enqueue(&targets, &[message("c", 1), message("d", 1), message("d", 2)]).await;
    let worker = bench.worker(&targets);
    let since = bench.now();
    let round = worker.deliver_due().await.unwrap();
    assert_eq!((round.retried, round.buried, judge.requests()), (2, 0, 2));
    judge.now(|_| take());

    // Nobody asks: not later, not another process.
    bench.advance(Duration::from_secs(86_400));
    assert_eq!(worker.deliver_due().await.unwrap(), Round::default());
    let other = bench.worker(&targets);
    assert_eq!(other.deliver_due().await.unwrap(), Round::default());
    let status = other.status().await.unwrap().remove(0);
    let TargetState::Disabled { since: found } = status.state else { panic!("{status:?}") };
    assert!(found.since(since) < Duration::from_secs(60));
    assert_eq!((status.state.code(), status.pending, status.is_late), ("disabled", 3, true));

    other.enable("judge").await.unwrap();
    bench.until_settled(&worker).await;
    assert_eq!(judge.ids().len(), 3);
    assert_eq!(worker.status().await.unwrap()[0].state, TargetState::Ready);
}

#[tokio::test]
async fn a_target_can_be_switched_off_and_on_by_hand_as_often_as_one_likes() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([config(&judge, ShapeName::CrmMessages)]);
    bench.enqueue(&targets, &[message("c", 1)]).await;
    let worker = bench.worker(&targets);
    for _ in 0..3 {
        worker.disable("judge").await.unwrap();
        assert_eq!(worker.deliver_due().await.unwrap(), Round::default());
        worker.enable("judge").await.unwrap();
    }
    assert_eq!(worker.deliver_due().await.unwrap().delivered, 1);
    assert_eq!(worker.enable("other").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn age_makes_a_target_late() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(503, "")).await);
    let minute = Duration::from_secs(60);
    let targets = targets([config(&judge, ShapeName::CrmMessages).late_after(minute)]);
    let worker = bench.worker(&targets);
    let status = worker.status().await.unwrap().remove(0);
    assert_eq!((status.oldest_age, status.is_late, status.last_failure), (None, false, None));
    bench.enqueue(&targets, &[message("c", 1)]).await;
    assert!(!worker.status().await.unwrap()[0].is_late);
    bench.advance(minute * 2);
    worker.deliver_due().await.unwrap();
    let status = worker.status().await.unwrap().remove(0);
    assert!(status.is_late && status.oldest_age.unwrap() >= minute * 2);
    let shown = prometheus(std::slice::from_ref(&status));
    for line in [
        "webmessaging_sync_pending{target=\"judge\"} 1",
        "webmessaging_sync_late{target=\"judge\"} 1",
        "webmessaging_sync_state{target=\"judge\",state=\"ready\"} 1",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
    }
    let failure = status.last_failure.unwrap();
    assert_eq!((failure.cause, failure.status, status.last_success), ("server", Some(503), None));
    judge.now(|_| take());
    bench.until_settled(&worker).await;
    let status = worker.status().await.unwrap().remove(0);
    assert!(!status.is_late && status.last_success.is_some());
    assert!(prometheus(&[status]).contains("webmessaging_sync_late{target=\"judge\"} 0\n"));
}

#[tokio::test]
async fn nothing_that_a_status_shows_has_a_key_or_a_body() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| Reply::Refuse(422, "")).await);
    let url = format!("{}?key=s3cret", judge.url());
    let config = webmessaging_sync::TargetConfig::new("judge", url, ShapeName::CrmMessages)
        .auth(webmessaging_sync::Auth::Bearer("s3cret".into()))
        .allow_private(["127.0.0.1"]);
    let targets = targets([config]);
    bench.enqueue(&targets, &[message("c", 1)]).await;
    let worker = bench.worker(&targets);
    worker.deliver_due().await.unwrap();
    let shown = format!("{:?} {worker:?} {targets:?}", worker.status().await.unwrap());
    assert!(!shown.contains("s3cret") && !shown.contains("jane"), "{shown}");
}

#[tokio::test]
async fn what_is_for_a_target_that_was_taken_out_waits_and_is_counted() {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let before = targets([config(&judge, ShapeName::CrmMessages)]);
    bench.enqueue(&before, &[message("c", 1), message("c", 2)]).await;
    let worker = bench.worker(&targets([]));
    assert_eq!(worker.deliver_due().await.unwrap(), Round::default());
    assert_eq!(worker.unserved().await.unwrap(), 2);
    assert_eq!(bench.worker(&before).unserved().await.unwrap(), 0);
}
