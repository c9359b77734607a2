//! The token: one login for many callers, renewed early, kept when the login server is down.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use webmessaging_http::testing::MockTransport;
use webmessaging_http::{AuthStyle, Client, Credentials, ErrorKind};
use webmessaging_model::RetryClass;

use crate::script::{Call, answer, client, client_that, client_with, done, status, token};

#[tokio::test]
async fn fifty_callers_share_one_login() {
    let (client, script) =
        client_that(|seen| if seen.is_login() { token("t", 86_400) } else { done() }, |builder| builder);
    let calls = (0..50).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.send(&Call(RetryClass::Once)).await.map(|_| ()) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!((script.logins(), script.calls().len()), (1, 50));
}

/// All callers are in flight with the old token when it is refused.
#[tokio::test]
async fn fifty_refusals_of_one_token_share_one_login() {
    let gate = Arc::new(tokio::sync::Barrier::new(50));
    let logins = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        if request.uri().path() == "/oauth/token" {
            let number = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
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
    let client = Client::builder(Credentials::new("id", "secret")).transport(transport).build().unwrap();
    let calls = (0..50).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.send(&Call(RetryClass::Once)).await.map(|_| ()) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(logins.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn fifty_callers_share_one_refused_login() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let open = Arc::clone(&gate);
    let mut transport = MockTransport::new();
    transport.expect_send().times(1).returning(move |_| {
        let gate = Arc::clone(&gate);
        Box::pin(async move {
            gate.notified().await;
            answer(401, &json!({"error": "invalid_client"})).play().await
        })
    });
    let client = Client::builder(Credentials::new("id", "secret")).transport(transport).build().unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(&Call(RetryClass::Once)).await.map(|_| ()) })
        })
        .collect();
    // On this single thread every caller runs up to its wait before this task goes on.
    tokio::task::yield_now().await;
    open.notify_one();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Authentication);
    }
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
    ] {
        let (client, script) =
            client_that(move |seen| if seen.is_login() { token("t", lifetime) } else { done() }, |b| b);
        client.send(&Call(RetryClass::Once)).await.unwrap();
        script.clock.advance(Duration::from_secs(spent));
        client.send(&Call(RetryClass::Once)).await.unwrap();
        assert_eq!(script.logins(), logins, "{lifetime} s, after {spent} s");
    }
}

#[tokio::test]
async fn a_token_that_is_still_good_outlives_a_failed_renewal() {
    let (client, script) =
        client([token("old", 300), done(), status(500), done(), done(), token("new", 300), done()]);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    script.clock.advance(Duration::from_secs(260));
    client.send(&Call(RetryClass::Once)).await.unwrap();
    // The next call does not try the login server again at once.
    client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(script.logins(), 2);
    script.clock.advance(Duration::from_secs(30));
    client.send(&Call(RetryClass::Once)).await.unwrap();
    let bearers: Vec<_> =
        script.calls().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(bearers, ["Bearer old", "Bearer old", "Bearer old", "Bearer new"]);
}

#[tokio::test]
async fn a_login_is_retried_like_any_other_call() {
    let (client, script) =
        client([status(503), status(429).header("retry-after", "3"), token("t", 86_400), done()]);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(script.clock.sleeps(), [Duration::from_millis(500), Duration::from_secs(3)]);
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
