//! The rate limiter: against servers with the platform's quota, under more load than that, and one rule at a time.
//! `cargo xtask bench limiter` prints the figures of the first part.

use std::sync::Arc;
use std::time::Duration;

use webmessaging_http::clock::{Clock, TokioClock};
use webmessaging_http::testing::{Halfway, MockTransport};
use webmessaging_http::transport::Failure;
use webmessaging_http::{
    Client, Credentials, ErrorKind, LimitStatus, RateLimitPolicy, RetryPolicy, Sent, Timeouts, WaitReason,
};
use webmessaging_model::{LimitClass, RetryClass};

use crate::quota::{Load, Outcome, QUOTA, WINDOW, Window, run};
use crate::script::{Call, Step, client_that, client_with, done, status, token};

const SECOND: Duration = Duration::from_secs(1);

async fn both(load: impl Fn(Window) -> Load, check: impl Fn(Window, &Outcome)) {
    for window in [Window::Fixed, Window::Sliding] {
        let outcome = run(load(window), |builder| builder).await;
        assert_eq!(outcome.lost, 0, "{window:?}");
        check(window, &outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn one_process_uses_the_whole_quota_and_is_never_refused() {
    both(
        |window| Load::new(window, 1),
        |window, outcome| {
            assert!(outcome.used(WINDOW) >= 0.99, "{window:?}: {}", outcome.used(WINDOW));
            assert!(outcome.refused.is_empty(), "{window:?}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn four_processes_share_the_quota_without_a_word() {
    both(
        |window| Load::new(window, 4),
        |window, outcome| {
            assert!(outcome.used(WINDOW) >= 0.95, "{window:?}: {}", outcome.used(WINDOW));
            assert!(outcome.refused_share() < 0.01, "{window:?}: {}", outcome.refused_share());
            assert!(outcome.least(4, WINDOW) >= 0.9, "{window:?}: {}", outcome.least(4, WINDOW));
        },
    )
    .await;
}

/// News from a server that takes up to three seconds are old when they come.
#[tokio::test(start_paused = true)]
async fn a_slow_server_is_shared_as_well() {
    both(
        |window| Load { latency: SECOND * 3, ..Load::new(window, 4) },
        |window, outcome| {
            assert!(outcome.used(WINDOW) >= 0.9, "{window:?}: {}", outcome.used(WINDOW));
            assert!(outcome.refused_share() < 0.01, "{window:?}: {}", outcome.refused_share());
        },
    )
    .await;
}

/// All at once, before any of them knows of the others.
#[tokio::test(start_paused = true)]
async fn many_callers_who_start_together_do_not_run_into_the_limit() {
    for window in [Window::Fixed, Window::Sliding] {
        let load = Load { callers: 64, windows: 3, ..Load::new(window, 4) };
        let outcome = run(load, |builder| builder.timeouts(Timeouts::default().call(SECOND * 600))).await;
        assert!(outcome.refused_share() < 0.02, "{window:?}: {}", outcome.refused_share());
        assert_eq!(outcome.lost, 0, "{window:?}");
    }
}

/// The quota is used up when the second one comes, and so on; a server as quick as this one leaves no gap by chance. With
/// the first two seeds a process once took a window that ends for one that slides, or never let the second one in.
#[tokio::test(start_paused = true)]
async fn whoever_comes_late_gets_a_share() {
    let stagger = SECOND * 90;
    let latency = Duration::from_millis(3);
    for seed in [53, 198, 1] {
        both(
            |window| Load { stagger, latency, windows: 30, seed, ..Load::new(window, 4) },
            |window, outcome| {
                let all_there = stagger * 3 + WINDOW * 2;
                let least = outcome.least(4, all_there);
                assert!(least >= 0.9, "{window:?}, {seed}: {least}");
                assert!(outcome.refused_share() < 0.01, "{window:?}, {seed}: {}", outcome.refused_share());
            },
        )
        .await;
    }
}

/// A proxy can take the headers away. Alone we know what we have sent.
#[tokio::test(start_paused = true)]
async fn one_process_needs_no_counts() {
    both(
        |window| Load { tells_counts: false, ..Load::new(window, 1) },
        |window, outcome| {
            assert!(outcome.used(WINDOW) >= 0.99, "{window:?}: {}", outcome.used(WINDOW));
            assert!(outcome.refused.is_empty(), "{window:?}");
        },
    )
    .await;
}

fn platform(client: &Client) -> LimitStatus {
    client.limits().into_iter().find(|limit| limit.class == LimitClass::Platform).unwrap()
}

fn told(count: u32, allowed: u32, reset: u32) -> Step {
    done()
        .header("inin-ratelimit-count", &count.to_string())
        .header("inin-ratelimit-allowed", &allowed.to_string())
        .header("inin-ratelimit-reset", &reset.to_string())
}

/// A client on the paused time of tokio, whose calls are answered by the closure after a second.
fn paused(policy: RateLimitPolicy, answer: impl Fn() -> Step + Send + Sync + 'static) -> Client {
    let answer = Arc::new(answer);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        if request.uri().path() == "/oauth/token" {
            return token("t", 86_400).play();
        }
        let answer = Arc::clone(&answer);
        Box::pin(async move {
            TokioClock.sleep(SECOND).await;
            answer().play().await
        })
    });
    let builder = Client::builder(Credentials::new("id", "secret")).transport(transport).entropy(Halfway);
    builder.rate_limit(policy).retry(RetryPolicy::never()).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_caller_can_see_how_long_it_would_wait_and_why() {
    let client = paused(RateLimitPolicy::default().requests(4).burst(4), done);
    assert_eq!((platform(&client).wait, platform(&client).reason), (Duration::ZERO, None));
    for _ in 0..4 {
        client.send(&Call(RetryClass::Once)).await.unwrap();
    }
    let status = platform(&client);
    assert_eq!((status.quota, status.used, status.used_by_all), (Some(4), 4, None));
    // The first of the four was answered after one second, three seconds ago.
    assert_eq!((status.wait, status.reason), (SECOND * 57, Some(WaitReason::Quota)));

    let started = TokioClock.now();
    client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!((TokioClock.now() - started).as_secs(), 58);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_fit_is_not_begun() {
    let client = paused(RateLimitPolicy::default().requests(2).burst(2), done);
    for _ in 0..2 {
        client.send(&Call(RetryClass::Once)).await.unwrap();
    }
    let started = TokioClock.now();
    let error = client.send_within(&Call(RetryClass::Once), SECOND * 30).await.unwrap_err();
    assert_eq!(TokioClock.now(), started);
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::RateLimited, Sent::No, 0));
    assert_eq!(error.retry_after(), Some(SECOND * 59));
    assert!(error.to_string().contains("our own requests use up the quota"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn half_of_the_quota_goes_out_at_once_and_the_rest_evenly() {
    let client = paused(RateLimitPolicy::default().requests(60).window(SECOND * 60), done);
    // Answers say that the way is free, then the burst of half the quota.
    let started = TokioClock.now();
    let calls = (0..40).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            client.send(&Call(RetryClass::Once)).await.unwrap();
            TokioClock.now()
        })
    });
    let mut ended = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        ended.push((call.await.unwrap() - started).as_secs());
    }
    ended.sort_unstable();
    // Four before the first answer, twice as many with each round trip, thirty at most; then one a second.
    assert_eq!(ended[..30].iter().filter(|at| **at <= 5).count(), 30, "{ended:?}");
    let steps: Vec<_> = ended[32..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(steps, [1; 7], "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn callers_get_their_turn_in_the_order_they_came() {
    let client = paused(RateLimitPolicy::default().requests(60).burst(1), done);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut calls = Vec::new();
    for number in 0..10 {
        let (client, order) = (client.clone(), Arc::clone(&order));
        calls.push(tokio::spawn(async move {
            client.send(&Call(RetryClass::Once)).await.unwrap();
            order.lock().unwrap().push(number);
        }));
        tokio::task::yield_now().await;
    }
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_429_pauses_everybody_in_its_class() {
    let refused = status(429).header("retry-after", "17");
    let steps = [token("t", 86_400), refused, done()];
    let (client, script) = client_with(steps, |builder| builder.retry(RetryPolicy::never()));
    let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(script.clock.sleeps().is_empty());
    let limit = platform(&client);
    assert_eq!((limit.reason, limit.wait), (Some(WaitReason::Refused), SECOND * 35 / 2));
    // Another call, which nobody refused, waits for the first one's `Retry-After` and half a second.
    client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(script.clock.sleeps(), [SECOND * 35 / 2]);
}

#[tokio::test]
async fn a_pause_has_an_end() {
    let refused = status(429).header("retry-after", "99999999999");
    let steps = [token("t", 86_400), refused, done()];
    let (client, script) = client_with(steps, |builder| {
        builder.retry(RetryPolicy::never()).timeouts(Timeouts::default().call(SECOND * 3_600))
    });
    client.send(&Call(RetryClass::Once)).await.unwrap_err();
    client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(script.clock.sleeps(), [SECOND * 361 / 2]);
}

#[tokio::test]
async fn a_limit_that_the_server_names_goes_before_ours() {
    let (client, _) = client_with([token("t", 86_400), told(7, 180, 61)], |builder| builder);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    let limit = platform(&client);
    assert_eq!((limit.quota, limit.used, limit.used_by_all), (Some(180), 1, Some(7)));
}

/// A request that nobody waits for any more was sent all the same.
#[tokio::test(start_paused = true)]
async fn a_canceled_call_counts_and_one_that_was_not_sent_does_not() {
    let client = paused(RateLimitPolicy::default(), done);
    let call = Call(RetryClass::Once);
    let canceled = client.send(&call);
    tokio::select! {
        _ = canceled => panic!("it takes a second"),
        () = TokioClock.sleep(SECOND / 2) => {}
    }
    assert_eq!(platform(&client).used, 1);

    let (client, _) = client_that(
        |seen| if seen.is_login() { token("t", 86_400) } else { Step::Fail(Failure::Connect) },
        |builder| builder.retry(RetryPolicy::never()),
    );
    let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(platform(&client).used, 0);
}

#[tokio::test]
async fn without_a_quota_nobody_waits_but_for_a_429() {
    let (client, script) = client_that(
        |seen| if seen.is_login() { token("t", 86_400) } else { done() },
        |builder| builder.rate_limit(RateLimitPolicy::unlimited()),
    );
    for _ in 0..QUOTA * 2 {
        client.send(&Call(RetryClass::Once)).await.unwrap();
    }
    assert!(script.clock.sleeps().is_empty());
    assert_eq!(platform(&client).quota, None);
}

/// Places are there for all of them, and those before each one are quick.
#[tokio::test(start_paused = true)]
async fn nobody_is_turned_away_for_a_wait_that_is_only_feared() {
    let client = paused(RateLimitPolicy::default(), done);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    let calls = (0..140).map(|_| {
        let client = client.clone();
        tokio::spawn(
            async move { client.send_within(&Call(RetryClass::Once), SECOND * 12).await.map(|_| ()) },
        )
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_left_alone_takes_no_places() {
    let mut transport = MockTransport::new();
    transport.expect_send().returning(|request| match request.uri().path() {
        "/oauth/token" => token("t", 86_400).play(),
        _ => status(503).play(),
    });
    let builder = Client::builder(Credentials::new("id", "secret")).transport(transport);
    let client = builder.retry(RetryPolicy::never()).build().unwrap();
    for _ in 0..400 {
        let error = client.send_within(&Call(RetryClass::Once), SECOND).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Server | ErrorKind::CircuitOpen), "{error}");
    }
    assert_eq!((platform(&client).used, platform(&client).wait), (10, Duration::ZERO));
}

/// Answers at once, with what the closure says of the limit.
fn telling(policy: RateLimitPolicy, answer: impl Fn(usize) -> Step + Send + Sync + 'static) -> Client {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| match request.uri().path() {
        "/oauth/token" => token("t", 86_400).play(),
        _ => answer(asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst)).play(),
    });
    let builder = Client::builder(Credentials::new("id", "secret")).transport(transport);
    builder.rate_limit(policy).retry(RetryPolicy::never()).build().unwrap()
}

async fn take(client: &Client, calls: usize) -> Duration {
    let started = TokioClock.now();
    for _ in 0..calls {
        client.send_within(&Call(RetryClass::Once), SECOND * 3_600).await.unwrap();
    }
    TokioClock.now() - started
}

#[tokio::test(start_paused = true)]
async fn no_burst_and_no_limit_is_too_large_for_the_arithmetic() {
    let greedy = RateLimitPolicy::default().burst(u32::MAX);
    take(&telling(greedy.clone(), |_| told(1, 1, 60)), 3).await;
    take(&telling(greedy.requests(10).window(SECOND * 86_400), |_| done()), 3).await;
    take(&telling(RateLimitPolicy::default().requests(u32::MAX), |_| done()), 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_changes_back_and_forth_gives_no_burst_each_time() {
    let swaying = |number: usize| told(1, if number.is_multiple_of(2) { 300 } else { 200 }, 60);
    let took = take(&telling(RateLimitPolicy::default(), swaying), 290).await;
    assert!(took > SECOND * 20, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_named_once_is_not_held_on_to() {
    let once = |number: usize| if number == 0 { told(1, 1, 60) } else { done() };
    let client = telling(RateLimitPolicy::default(), once);
    let took = take(&client, 100).await;
    assert!(took < SECOND * 200, "{took:?}");
    assert_eq!(platform(&client).quota, Some(300));
}

/// Who has no time left after its wait does not send: nobody could tell what came of it.
#[tokio::test(start_paused = true)]
async fn a_wait_as_long_as_the_time_that_is_left_is_not_begun() {
    let client = paused(RateLimitPolicy::default().requests(1).burst(1), done);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    let error = client.send_within(&Call(RetryClass::Once), platform(&client).wait).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::RateLimited, Sent::No));
}

#[tokio::test(start_paused = true)]
async fn the_wait_behind_the_burst_can_be_seen() {
    let client = telling(RateLimitPolicy::default().requests(60).burst(2), |_| done());
    take(&client, 1).await;
    assert_eq!(platform(&client).reason, None);
    take(&client, 1).await;
    let limit = platform(&client);
    assert_eq!((limit.reason, limit.wait), (Some(WaitReason::Smoothing), SECOND));
    // Ten in the queue are ten seconds more, for one that comes now.
    let callers = (0..11).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.send(&Call(RetryClass::Once)).await.map(|_| ()) })
    });
    let callers: Vec<_> = callers.collect();
    tokio::task::yield_now().await;
    let limit = platform(&client);
    assert_eq!((limit.reason, limit.waiting, limit.wait), (Some(WaitReason::Smoothing), 10, SECOND * 11));
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
}
