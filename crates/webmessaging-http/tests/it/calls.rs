//! One call: what is sent, what is sent again, and what the error says when it ends badly.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use webmessaging_http::clock::TokioClock;
use webmessaging_http::testing::MockTransport;
use webmessaging_http::transport::Failure;
use webmessaging_http::{
    BreakerPolicy, BreakerState, Client, Clock, Credentials, ErrorKind, RetryPolicy, Sent, Timeouts,
};
use webmessaging_model::RetryClass;

use crate::script::{Call, Done, Step, answer, client, client_with, done, status, token};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_call_logs_in_once_and_carries_its_ids() {
    let (client, script) = client([token("t-1", 86_400), done().header("x-request-id", "r-1"), done()]);
    let first = client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(first.value, Done { done: true });
    assert_eq!(first.facts.request_id.as_deref(), Some("r-1"));
    assert_eq!((first.facts.status, first.facts.attempts), (StatusCode::OK, 1));
    client.send(&Call(RetryClass::Once)).await.unwrap();

    let seen = script.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].uri, "https://login.mypurecloud.com/oauth/token");
    assert_eq!(seen[0].header("authorization"), Some("Basic dGhlLWlkOnRoZS1zZWNyZXQ="));
    assert_eq!(seen[0].body, "grant_type=client_credentials");
    assert_eq!(seen[1].uri, "https://api.mypurecloud.com/api/v2/things");
    assert_eq!(seen[1].header("authorization"), Some("Bearer t-1"));
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
    assert_eq!(seen[1].body, r#"{"text":"hello"}"#);
    assert_eq!(seen[1].header("x-correlation-id"), Some(&*first.facts.correlation_id));
}

#[tokio::test]
async fn all_attempts_of_a_call_share_its_correlation_id() {
    let (client, script) = client([token("t", 86_400), status(503), status(429), done()]);
    let answer = client.send(&Call(RetryClass::Repeatable)).await.unwrap();
    assert_eq!(answer.facts.attempts, 3);
    for seen in script.calls() {
        assert_eq!(seen.header("x-correlation-id"), Some(&*answer.facts.correlation_id));
    }
    // Half of 1 s and of 2 s: the randomness of these tests is always the middle. Then what is left of the 3 s, and
    // half a second, that a 429 without a `Retry-After` holds everybody.
    assert_eq!(script.clock.sleeps(), [SECOND / 2, SECOND, SECOND * 5 / 2]);
    assert_eq!(answer.facts.latency, SECOND * 4);
}

#[tokio::test]
async fn a_401_is_answered_with_one_fresh_login_and_one_replay() {
    let (client, script) = client([token("old", 86_400), status(401), token("new", 86_400), done()]);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    let bearers: Vec<_> =
        script.calls().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(bearers, ["Bearer old", "Bearer new"]);
    assert_eq!(script.logins(), 2);
    assert!(script.clock.sleeps().is_empty());
}

#[tokio::test]
async fn a_second_401_is_an_error_and_not_a_loop() {
    let refusal =
        || answer(401, &json!({"code": "bad.credentials", "message": "Invalid login credentials."}));
    let (client, script) = client([token("a", 86_400), refusal(), token("b", 86_400), refusal()]);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(error.attempts(), 2);
    assert_eq!(
        error.to_string(),
        "things.read: the platform refused a fresh access token, status 401, code `bad.credentials`, \
         the server says `Invalid login credentials.`, 2 attempts"
    );
    assert_eq!(script.seen().len(), 4);
}

#[tokio::test]
async fn a_wrong_secret_is_named_and_tried_once() {
    let (client, script) = client([answer(401, &json!({"error": "invalid_client"}))]);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(
        error.to_string(),
        "oauth.token: the login server refused the client id or client secret, status 401, code `invalid_client`"
    );
    assert_eq!(script.seen().len(), 1);
}

/// What it would say of the thing that is asked for, it does not say.
#[tokio::test]
async fn a_login_that_is_none_says_nothing_of_the_thing() {
    for status in [404, 409, 410, 412] {
        let (client, _) = client([answer(status, &json!({}))]);
        let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::UnexpectedAnswer, Sent::Yes));
        assert!(error.is_of_login() && !error.may_have_acted());
        assert_eq!(
            error.to_string(),
            format!("oauth.token: the login server gave an answer that is none to a login, status {status}")
        );
    }
}

#[tokio::test]
async fn a_403_names_the_scopes_of_the_operation() {
    let (client, script) = client([token("t", 86_400), answer(403, &json!({"code": "missing.permissions"}))]);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert_eq!(
        error.to_string(),
        "things.read: a permission is missing, status 403, code `missing.permissions`, \
         needs scope `things:write things:read`"
    );
    assert_eq!(script.calls().len(), 1);
}

#[tokio::test]
async fn a_429_waits_as_long_as_the_server_says_in_either_form() {
    let date = [("retry-after", "Fri, 20 Nov 2026 10:00:09 GMT"), ("date", "Fri, 20 Nov 2026 10:00:00 GMT")];
    let (client, script) = client([
        token("t", 86_400),
        status(429).header("retry-after", "7"),
        status(429).header(date[0].0, date[0].1).header(date[1].0, date[1].1),
        done(),
    ]);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    // With half a second on top, so that callers do not come back together.
    assert_eq!(script.clock.sleeps(), [SECOND * 15 / 2, SECOND * 19 / 2]);
}

#[tokio::test]
async fn a_wait_that_does_not_fit_the_deadline_is_not_begun() {
    let (client, script) = client([token("t", 86_400), status(429).header("retry-after", "180")]);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1));
    assert_eq!(error.retry_after(), Some(SECOND * 180));
    assert!(script.clock.sleeps().is_empty());
    assert_eq!(error.to_string(), "things.read: too many requests, status 429, retry after 180 s");
}

#[tokio::test]
async fn waits_add_up_against_the_deadline() {
    let busy = || status(429).header("retry-after", "50");
    let (client, script) = client([token("t", 86_400), busy(), busy(), busy()]);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!(error.attempts(), 3);
    assert_eq!(script.clock.sleeps(), [SECOND * 101 / 2; 2]);
}

#[tokio::test]
async fn three_retries_and_no_more() {
    let (client, script) = client([token("t", 86_400), status(502), status(503), status(504), status(502)]);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.sent()), (ErrorKind::Server, 4, Sent::Yes));
    assert_eq!(script.calls().len(), 4);
}

#[tokio::test]
async fn a_500_and_other_refusals_fail_at_once() {
    for (code, kind) in [
        (400, ErrorKind::Rejected),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Conflict),
        (412, ErrorKind::Conflict),
        (413, ErrorKind::Rejected),
        (500, ErrorKind::Server),
        (501, ErrorKind::Server),
        (301, ErrorKind::UnexpectedAnswer),
        (204, ErrorKind::UnexpectedAnswer),
    ] {
        let (client, script) = client([token("t", 86_400), status(code)]);
        let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, 1), "{code}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(code));
        assert_eq!(script.calls().len(), 1);
    }
}

#[tokio::test]
async fn what_was_not_sent_is_sent_again_and_what_may_have_been_is_not() {
    let cut = || Step::Fail(Failure::Interrupted);
    let (refused, script) = client([token("t", 86_400), Step::Fail(Failure::Connect), done()]);
    refused.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(script.calls().len(), 2);

    let (once, script) = client([token("t", 86_400), cut()]);
    let error = once.send(&Call(RetryClass::Once)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Interrupted, Sent::Maybe, 1));
    assert_eq!(script.calls().len(), 1);

    let (again, script) = client([token("t", 86_400), cut(), cut(), done()]);
    again.send(&Call(RetryClass::Repeatable)).await.unwrap();
    assert_eq!(script.calls().len(), 3);
}

/// A client whose login is answered at once and whose calls never are, on tokio's clock.
fn silent(timeouts: Timeouts, login_answers: bool) -> Client {
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        let login = request.uri().path() == "/oauth/token";
        if login && login_answers { token("t", 86_400).play() } else { Box::pin(std::future::pending()) }
    });
    Client::builder(Credentials::new("id", "secret"))
        .transport(transport)
        .retry(RetryPolicy::default().max_retries(1).base(Duration::ZERO))
        .timeouts(timeouts)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_never_ends_times_out() {
    let started = TokioClock.now();
    let client = silent(Timeouts::default().attempt(SECOND * 4), true);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Timeout, Sent::Maybe, 2));
    assert_eq!(TokioClock.now() - started, SECOND * 8);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_an_attempt_and_a_login() {
    let started = TokioClock.now();
    let client = silent(Timeouts::default().call(SECOND * 5), true);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Timeout, Sent::Maybe, 1));
    assert_eq!(TokioClock.now() - started, SECOND * 5);

    let started = TokioClock.now();
    let client = silent(Timeouts::default(), false);
    let error = client.send_within(&Call(RetryClass::Idempotent), SECOND * 3).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Timeout, Sent::No, 0));
    assert_eq!(error.to_string(), "things.read: the login took too long");
    assert_eq!(TokioClock.now() - started, SECOND * 3);
}

#[tokio::test]
async fn an_error_speaks_of_all_attempts() {
    let refused = || Step::Fail(Failure::Connect);
    let cut = || Step::Fail(Failure::Interrupted);
    let (client, _) = client([token("t", 86_400), cut(), refused(), refused(), refused()]);
    let error = client.send(&Call(RetryClass::Repeatable)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Connect, Sent::Maybe, 4));
    assert!(error.can_repeat(), "the operation allows it");

    // Turned away is not let in.
    let (client, _) =
        crate::script::client([token("t", 86_400), status(429), refused(), refused(), refused()]);
    let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.can_repeat()), (ErrorKind::Connect, Sent::No, true));

    let (client, _) = crate::script::client([token("t", 86_400), cut()]);
    let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
    assert_eq!((error.is_transient(), error.can_repeat()), (true, false));
}

#[tokio::test]
async fn a_login_that_fails_between_attempts_is_told_as_such() {
    let (client, script) = client_with(
        [token("t", 300), Step::Fail(Failure::Interrupted), answer(401, &json!({"error": "invalid_client"}))],
        |builder| {
            builder
                .retry(RetryPolicy::default().base(SECOND * 1000).cap(SECOND * 1000))
                .timeouts(Timeouts::default().call(SECOND * 4000))
        },
    );
    // The wait between the attempts outlives the token.
    let error = client.send(&Call(RetryClass::Repeatable)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Authentication, Sent::Maybe, 1));
    assert_eq!(error.correlation_id(), script.calls()[0].header("x-correlation-id"));
    assert_eq!(
        error.to_string(),
        "things.announce: the login that another attempt needed failed, status 401"
    );
    // What the login was answered says nothing of the attempt before it.
    assert!(error.is_of_login() && error.may_have_acted());
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("oauth.token: the login server refused"), "{cause}");
}

#[tokio::test]
async fn a_refusal_is_classified_even_when_its_body_breaks_off() {
    let cut = |status| Step::Cut(status, vec![]);
    let (client, script) =
        client([token("a", 300), cut(401), token("b", 300), cut(429).header("retry-after", "2"), done()]);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(script.clock.sleeps(), [SECOND * 5 / 2]);

    for (code, kind) in [(400, ErrorKind::Rejected), (403, ErrorKind::Permission), (500, ErrorKind::Server)] {
        let (client, script) = crate::script::client([token("t", 300), cut(code)]);
        let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (kind, Sent::Yes));
        assert_eq!(script.calls().len(), 1);
    }
    // A success that breaks off is no success.
    let (client, script) = crate::script::client([token("t", 300), cut(200), done()]);
    client.send(&Call(RetryClass::Idempotent)).await.unwrap();
    assert_eq!(script.calls().len(), 2);
}

#[tokio::test]
async fn an_error_page_of_any_size_is_classified() {
    let page = Step::Answer(503, vec![], Bytes::from(vec![b'x'; 1 << 20]));
    let (client, script) = client([token("t", 300), page, done()]);
    client.send(&Call(RetryClass::Idempotent)).await.unwrap();
    assert_eq!(script.calls().len(), 2);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let large = || Step::Answer(200, vec![], Bytes::from(vec![b' '; 1001]));
    let (client, _) = client_with([token("t", 86_400), large()], |builder| builder.answer_bytes_max(1000));
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    assert_eq!(error.to_string(), "things.read: the answer is larger than 1000 bytes, status 200");
}

#[tokio::test]
async fn a_page_where_json_belongs_is_not_retried_and_not_repeated() {
    let page = Step::Answer(200, vec![], Bytes::from("<html>secret page</html>"));
    let (client, script) = client([token("t", 86_400), page]);
    let error = client.send(&Call(RetryClass::Idempotent)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    assert!(!format!("{error} {error:?}").contains("secret page"));
    assert_eq!(script.calls().len(), 1);
}

#[tokio::test]
async fn a_host_that_keeps_failing_is_left_alone_and_then_asked_once() {
    let down = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let switch = std::sync::Arc::clone(&down);
    let (client, script) = crate::script::client_that(
        move |seen| match seen.is_login() {
            true => token("t", 86_400),
            false if switch.load(std::sync::atomic::Ordering::SeqCst) => status(503),
            false => done(),
        },
        |builder| builder.retry(RetryPolicy::never()),
    );
    let call = || client.send(&Call(RetryClass::Once));
    for _ in 0..10 {
        assert_eq!(call().await.unwrap_err().kind(), ErrorKind::Server);
    }
    for _ in 0..50 {
        let error = call().await.unwrap_err();
        assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::CircuitOpen, Sent::No, 0));
        assert_eq!(error.retry_after(), Some(SECOND * 5));
    }
    assert_eq!(script.calls().len(), 10, "the host was not left alone");
    // The login server is another host, and well.
    let states: Vec<_> = client.breakers().iter().map(|s| (s.host.clone(), s.state.to_string())).collect();
    let expected = [("api.mypurecloud.com", "open"), ("login.mypurecloud.com", "closed")];
    assert_eq!(states, expected.map(|(host, state)| (host.to_owned(), state.to_owned())));

    script.clock.advance(SECOND * 5);
    down.store(false, std::sync::atomic::Ordering::SeqCst);
    call().await.unwrap();
    call().await.unwrap();
}

/// Impatience is no proof against a host.
#[tokio::test(start_paused = true)]
async fn a_caller_whose_time_is_up_opens_no_breaker() {
    let client = silent(Timeouts::default(), true);
    for _ in 0..12 {
        let error = client.send_within(&Call(RetryClass::Once), SECOND).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    assert!(client.breakers().iter().all(|status| status.failures == 0));
    // An attempt that had its full time is another matter.
    for _ in 0..10 {
        let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    assert_eq!((client.breakers()[0].state, client.breakers()[0].failures), (BreakerState::Open, 10));
}

/// One bucket for all: when a server is down, callers do not add their retries up.
#[tokio::test]
async fn retries_are_paid_from_one_budget() {
    let (client, script) = crate::script::client_that(
        |seen| if seen.is_login() { token("t", 86_400) } else { status(503) },
        |builder| builder.breaker(BreakerPolicy::off()),
    );
    for _ in 0..100 {
        assert_eq!(client.send(&Call(RetryClass::Idempotent)).await.unwrap_err().kind(), ErrorKind::Server);
    }
    // 500 tokens and one from the login pay for 35 retries of 14; without a budget there would be 300.
    assert_eq!(script.calls().len(), 100 + 35);
}

/// A patient caller waits for the breaker like for any other wait that the server asks for.
#[tokio::test]
async fn a_call_that_may_wait_outlasts_an_open_breaker() {
    let mut steps: Vec<_> = std::iter::once(token("t", 86_400)).chain((0..10).map(|_| status(503))).collect();
    steps.push(done());
    let (client, script) =
        client_with(steps, |builder| builder.retry(RetryPolicy::default().max_retries(10)));
    client.send(&Call(RetryClass::Idempotent)).await.unwrap();
    assert_eq!(script.calls().len(), 11);
}
