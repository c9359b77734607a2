//! The token: one login for many callers, renewed early, kept when the login server is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use webmessaging_http::clock::{Clock, TokioClock};
use webmessaging_http::testing::{Halfway, MockTransport, SkippingClock};
use webmessaging_http::{AuthStyle, Client, Credentials, Error, ErrorKind, RateLimitPolicy};
use webmessaging_model::RetryClass;

use crate::script::{Call, Step, answer, client, client_of, client_that, client_with, done, status, token};

/// A client whose login waits for the gate to open and is then answered by `login`.
fn gated(login: impl Fn() -> Step + Send + 'static) -> (Client, Arc<Notify>, Arc<AtomicUsize>) {
    let (gate, logins) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (opening, counted) = (Arc::clone(&gate), Arc::clone(&logins));
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        if request.uri().path() != "/oauth/token" {
            return done().play();
        }
        counted.fetch_add(1, Ordering::SeqCst);
        let (gate, answer) = (Arc::clone(&opening), login().play());
        Box::pin(async move {
            gate.notified().await;
            answer.await
        })
    });
    let client = Client::builder(Credentials::new("id", "secret")).transport(transport).build().unwrap();
    (client, gate, logins)
}

/// Fifty callers who all wait before the gate opens: on this single thread each runs up to its wait first.
async fn fifty(client: &Client, gate: &Notify) -> Vec<Result<(), Error>> {
    let call = || {
        let client = client.clone();
        tokio::spawn(async move { client.send(&Call(RetryClass::Once)).await.map(|_| ()) })
    };
    let calls: Vec<_> = (0..50).map(|_| call()).collect();
    tokio::task::yield_now().await;
    gate.notify_one();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn fifty_callers_share_one_login() {
    let (client, gate, logins) = gated(|| token("t", 86_400));
    assert!(fifty(&client, &gate).await.iter().all(Result::is_ok));
    assert_eq!(logins.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn fifty_callers_share_one_refused_login() {
    let (client, gate, logins) = gated(|| answer(401, &json!({"error": "invalid_client"})));
    for outcome in fifty(&client, &gate).await {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Authentication);
    }
    assert_eq!(logins.load(Ordering::SeqCst), 1);
}

/// All callers are in flight with the old token when it is refused.
#[tokio::test]
async fn fifty_refusals_of_one_token_share_one_login() {
    let gate = Arc::new(tokio::sync::Barrier::new(50));
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        if request.uri().path() == "/oauth/token" {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            return Box::pin(async move {
                tokio::task::yield_now().await;
                token(&format!("t-{number}"), 86_400).play().await
            });
        }
        let old = request.headers()["authorization"] == "Bearer t-0";
        let gate = Arc::clone(&gate);
        Box::pin(async move {
            if old {
                gate.wait().await;
                return status(401).play().await;
            }
            done().play().await
        })
    });
    // Without a limit: all fifty have to be out before one of them is answered.
    let builder = Client::builder(Credentials::new("id", "secret")).transport(transport);
    let client = builder.rate_limit(RateLimitPolicy::unlimited()).build().unwrap();
    let calls = (0..50).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.send(&Call(RetryClass::Once)).await.map(|_| ()) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(logins.load(Ordering::SeqCst), 2);
}

/// Token life, time spent, and whether a second login must have happened by then. The randomness is the middle: a
/// token of a day is renewed 90 s before its end, one of 300 s 45 s before.
#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end() {
    for (lifetime, spent, logins) in [
        (86_400, 86_400 - 91, 1),
        (86_400, 86_400 - 89, 2),
        (300, 254, 1),
        (300, 256, 2),
        (300, 301, 2),
        (1, 2, 2),
        // Nobody's token lives for ever, and no number of seconds is too large.
        (u64::MAX, 86_400, 1),
    ] {
        let (client, script) =
            client_that(move |seen| if seen.is_login() { token("t", lifetime) } else { done() }, |b| b);
        client.send(&Call(RetryClass::Once)).await.unwrap();
        script.clock.advance(Duration::from_secs(spent));
        client.send(&Call(RetryClass::Once)).await.unwrap();
        // An early renewal goes on beside the call; here it has nothing to wait for.
        tokio::task::yield_now().await;
        assert_eq!(script.logins(), logins, "{lifetime} s, after {spent} s");
    }
}

/// Whoever has a good token waits for nobody, however long the login server takes.
#[tokio::test]
async fn an_early_renewal_delays_nobody() {
    let clock = SkippingClock::new();
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        if request.uri().path() != "/oauth/token" {
            assert_eq!(request.headers()["authorization"], "Bearer first");
            return done().play();
        }
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => token("first", 300).play(),
            _ => Box::pin(std::future::pending()),
        }
    });
    let builder = Client::builder(Credentials::new("id", "secret")).transport(transport).entropy(Halfway);
    let client = builder.clock(clock.clone()).build().unwrap();
    client.send(&Call(RetryClass::Once)).await.unwrap();
    clock.advance(Duration::from_secs(260));
    for _ in 0..3 {
        client.send(&Call(RetryClass::Once)).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(logins.load(Ordering::SeqCst), 2, "one renewal is under way");
}

#[tokio::test]
async fn a_token_that_is_still_good_outlives_a_failed_renewal() {
    let (client, script) =
        client([token("old", 300), done(), done(), status(500), done(), done(), token("new", 300), done()]);
    let call = || async {
        client.send(&Call(RetryClass::Once)).await.unwrap();
        tokio::task::yield_now().await;
    };
    call().await;
    script.clock.advance(Duration::from_secs(260));
    call().await;
    assert_eq!(script.logins(), 2);
    // The next call does not try the login server again at once.
    call().await;
    assert_eq!(script.logins(), 2);
    script.clock.advance(Duration::from_secs(30));
    call().await;
    call().await;
    let bearers: Vec<_> =
        script.calls().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(bearers, ["Bearer old", "Bearer old", "Bearer old", "Bearer old", "Bearer new"]);
}

#[tokio::test]
async fn a_login_is_retried_like_any_other_call() {
    let (client, script) =
        client([status(503), status(429).header("retry-after", "3"), token("t", 86_400), done()]);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(script.clock.sleeps(), [Duration::from_millis(500), Duration::from_millis(3_500)]);
}

#[tokio::test]
async fn credentials_can_travel_in_the_form_and_scopes_are_asked_for() {
    let granted = answer(
        200,
        &json!({"access_token": "t", "token_type": "bearer", "expires_in": 300, "scope": "a:read b:write"}),
    );
    let (client, script) = client_with([granted, done()], |builder| {
        builder.auth_style(AuthStyle::Form).scopes(["a:read", "b:write"])
    });
    client.send(&Call(RetryClass::Once)).await.unwrap();
    let login = &script.seen()[0];
    assert_eq!(login.header("authorization"), None);
    assert_eq!(
        login.body,
        "grant_type=client_credentials&scope=a%3Aread+b%3Awrite&client_id=the-id&client_secret=the-secret"
    );
}

#[tokio::test]
async fn a_token_without_the_scopes_asked_for_is_refused() {
    let granted = answer(
        200,
        &json!({"access_token": "t", "token_type": "bearer", "expires_in": 300, "scope": "a:read"}),
    );
    let (client, script) = client_with([granted], |builder| builder.scopes(["a:read", "b:write"]));
    let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert_eq!(
        error.to_string(),
        "the oauth client lacks the scope `b:write`".replace("the oauth", "oauth.token: the oauth")
    );
    assert!(script.calls().is_empty());
}

#[tokio::test]
async fn a_strange_login_answer_is_refused() {
    for body in [
        json!({"access_token": "t", "token_type": "mac", "expires_in": 300}),
        json!({"token_type": "bearer", "expires_in": 300}),
        json!({"access_token": "t", "expires_in": "soon"}),
    ] {
        let (client, _) = client([answer(200, &body)]);
        let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    }
}

/// A login server that is down hears from one caller, less and less often, whatever the others want.
#[tokio::test(start_paused = true)]
async fn a_login_server_that_is_down_is_asked_less_and_less_often() {
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        status(500).play()
    });
    let client = Client::builder(Credentials::new("id", "secret"))
        .transport(transport)
        .entropy(Halfway)
        .build()
        .unwrap();
    let mut last = None;
    // Fifty callers try again every tenth of a second, for a minute.
    for _ in 0..600 {
        for _ in 0..50 {
            last = Some(client.send(&Call(RetryClass::Once)).await.unwrap_err());
        }
        TokioClock.sleep(Duration::from_millis(100)).await;
    }
    let last = last.unwrap();
    assert_eq!((last.kind(), last.operation().map(|o| o.name)), (ErrorKind::Server, Some("oauth.token")));
    assert!(last.retry_after().is_some_and(|wait| wait > Duration::ZERO));
    // After 0, 0.75, 2.25, 5.25, 11.25, 23.25 and 47.25 seconds.
    assert_eq!(logins.load(Ordering::SeqCst), 7);
}

#[tokio::test]
async fn a_token_that_was_given_is_used_until_it_is_refused() {
    let steps = [done(), done(), status(401)];
    let (client, script) = client_of(Credentials::access_token("given"), steps, |builder| builder);
    for _ in 0..2 {
        client.send(&Call(RetryClass::Once)).await.unwrap();
        script.clock.advance(Duration::from_secs(200_000));
    }
    for _ in 0..2 {
        let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        let said = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let said: Vec<_> = said.map(ToString::to_string).collect();
        assert!(said.iter().any(|line| line.contains("cannot be renewed")), "{said:?}");
    }
    // Nobody logged in, and nothing was sent with a token that is known to be refused.
    assert_eq!((script.logins(), script.calls().len()), (0, 3));
    let bearer = |seen: &crate::script::Seen| seen.header("authorization").unwrap().to_owned();
    assert!(script.calls().iter().all(|seen| bearer(seen) == "Bearer given"));
}

#[tokio::test]
async fn an_empty_or_impossible_token_is_refused_at_once() {
    for token in ["", "two\nlines"] {
        let error = Client::builder(Credentials::access_token(token)).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

/// The login goes on when the caller who began it has lost patience, and the next ones find its token.
#[tokio::test(start_paused = true)]
async fn a_login_slower_than_its_callers_succeeds_once() {
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        if request.uri().path() != "/oauth/token" {
            return done().play();
        }
        counted.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            TokioClock.sleep(Duration::from_secs(6)).await;
            token("t", 86_400).play().await
        })
    });
    let client = Client::builder(Credentials::new("id", "secret")).transport(transport).build().unwrap();
    let mut callers = Vec::new();
    for _ in 0..100 {
        let client = client.clone();
        callers.push(tokio::spawn(async move {
            client.send_within(&Call(RetryClass::Once), Duration::from_secs(5)).await.map(|_| ())
        }));
        TokioClock.sleep(Duration::from_millis(100)).await;
    }
    let mut kinds = Vec::new();
    for caller in callers {
        kinds.push(caller.await.unwrap().map_err(|error| error.kind()));
    }
    // Those of the first second gave up before the token came.
    assert!(kinds[..9].iter().all(|kind| *kind == Err(ErrorKind::Timeout)), "{kinds:?}");
    assert!(kinds[11..].iter().all(Result::is_ok), "{kinds:?}");
    assert_eq!(logins.load(Ordering::SeqCst), 1);
}
