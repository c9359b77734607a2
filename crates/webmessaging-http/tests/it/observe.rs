//! Observers: what they are told, and when.

use std::time::Duration;

use expect_test::{Expect, expect};
use futures_util::poll;
use serde_json::json;
use webmessaging_http::transport::Failure;
use webmessaging_http::{Client, ClientBuilder, Encoder, Endpoint, RateLimitPolicy, RetryPolicy};
use webmessaging_model::{Code, Method, Operation, RetryClass, Violation, Violations};

use crate::script::{Call, Script, Seen, Step, answer, client_that, client_with, done, status, token};
use crate::witness::Witness;

pub(crate) fn observed(
    steps: impl IntoIterator<Item = Step>,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Script, Witness) {
    let witness = Witness::default();
    let (client, script) = client_with(steps, |builder| set_up(builder).observer(witness.clone()));
    (client, script, witness)
}

pub(crate) fn well(seen: &Seen) -> Step {
    if seen.is_login() { token("t", 300) } else { done() }
}

#[track_caller]
fn check(witness: &Witness, expected: &Expect) {
    expected.assert_eq(&witness.text());
}

#[tokio::test]
async fn a_call_is_told_from_its_login_to_its_end() {
    let steps = [
        token("t", 300),
        status(503).header("x-request-id", "r-1"),
        status(429).header("retry-after", "2"),
        done(),
    ];
    let (client, _, witness) = observed(steps, |builder| builder);
    client.send(&Call(RetryClass::Repeatable)).await.unwrap();
    check(
        &witness,
        &expect![[r#"
        oauth.token attempt 1 starts: POST login.mypurecloud.com `/oauth/token` Some(29) bytes, accept content-type user-agent x-correlation-id
        oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 59 in, request None, retry None
        oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 59 in
        login: ok, taken over false, Some(300s), 0ns
        things.announce attempt 1 starts: POST api.mypurecloud.com `/api/v2/things` Some(16) bytes, accept content-type user-agent x-correlation-id
        things.announce attempt 1 ends: server Some(503) sent yes, 0ns, 16 out, 0 in, request Some("r-1"), retry Some(500ms)
        things.announce waits: retry, Some(500ms)
        things.announce waited: retry, 500ms
        things.announce attempt 2 starts: POST api.mypurecloud.com `/api/v2/things` Some(16) bytes, accept content-type user-agent x-correlation-id
        things.announce attempt 2 ends: rate_limited Some(429) sent yes, 0ns, 16 out, 0 in, request None, retry Some(2.5s)
        things.announce waits: retry, Some(2.5s)
        things.announce waited: retry, 2.5s
        things.announce attempt 3 starts: POST api.mypurecloud.com `/api/v2/things` Some(16) bytes, accept content-type user-agent x-correlation-id
        things.announce attempt 3 ends: ok Some(200) sent yes, 0ns, 16 out, 13 in, request None, retry None
        things.announce ends: ok Some(200), 3 attempts, 3s, waited 3s, 48 out, 13 in
    "#]],
    );
}

#[tokio::test]
async fn a_withdrawn_token_is_told_as_a_retry_without_a_pause() {
    let steps = [token("old", 300), status(401), token("new", 300), done()];
    let (client, _, witness) = observed(steps, |builder| builder);
    client.send(&Call(RetryClass::Once)).await.unwrap();
    check(
        &witness,
        &expect![[r#"
        oauth.token attempt 1 starts: POST login.mypurecloud.com `/oauth/token` Some(29) bytes, accept content-type user-agent x-correlation-id
        oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 61 in, request None, retry None
        oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 61 in
        login: ok, taken over false, Some(300s), 0ns
        things.send attempt 1 starts: POST api.mypurecloud.com `/api/v2/things` Some(16) bytes, accept content-type user-agent x-correlation-id
        things.send attempt 1 ends: authentication Some(401) sent yes, 0ns, 16 out, 0 in, request None, retry Some(0ns)
        oauth.token attempt 1 starts: POST login.mypurecloud.com `/oauth/token` Some(29) bytes, accept content-type user-agent x-correlation-id
        oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 61 in, request None, retry None
        oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 61 in
        login: ok, taken over false, Some(300s), 0ns
        things.send attempt 2 starts: POST api.mypurecloud.com `/api/v2/things` Some(16) bytes, accept content-type user-agent x-correlation-id
        things.send attempt 2 ends: ok Some(200) sent yes, 0ns, 16 out, 13 in, request None, retry None
        things.send ends: ok Some(200), 2 attempts, 0ns, waited 0ns, 32 out, 13 in
    "#]],
    );
}

#[tokio::test]
async fn the_end_of_a_call_is_told_once_however_it_ends() {
    let mut text = Vec::new();
    for (name, steps) in [
        ("refused", vec![token("t", 300), status(400)]),
        ("no login", vec![answer(401, &json!({"error": "invalid_client"}))]),
        ("another shape", vec![token("t", 300), answer(200, &json!({"done": 7}))]),
        ("cut", vec![token("t", 300), Step::Cut(200, vec![])]),
        ("not sent", vec![token("t", 300), Step::Fail(Failure::Connect)]),
        ("not answered", vec![token("t", 300), Step::Fail(Failure::Interrupted)]),
    ] {
        let (client, _, witness) = observed(steps, |builder| builder.retry(RetryPolicy::never()));
        client.send(&Call(RetryClass::Once)).await.unwrap_err();
        text.push(name.to_owned());
        let lines = witness.lines().into_iter().filter(|line| line.contains(" ends: "));
        text.extend(lines.map(|line| format!("    {line}")));
    }
    expect![[r#"
        refused
            oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 59 in, request None, retry None
            oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 59 in
            things.send attempt 1 ends: rejected Some(400) sent yes, 0ns, 16 out, 0 in, request None, retry None
            things.send ends: rejected Some(400), 1 attempts, 0ns, waited 0ns, 16 out, 0 in
        no login
            oauth.token attempt 1 ends: authentication Some(401) sent yes, 0ns, 29 out, 26 in, request None, retry None
            oauth.token ends: authentication Some(401), 1 attempts, 0ns, waited 0ns, 29 out, 26 in
            things.send ends: authentication Some(401), 0 attempts, 0ns, waited 0ns, 0 out, 0 in
        another shape
            oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 59 in, request None, retry None
            oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 59 in
            things.send attempt 1 ends: ok Some(200) sent yes, 0ns, 16 out, 10 in, request None, retry None
            things.send ends: unexpected_answer Some(200), 1 attempts, 0ns, waited 0ns, 16 out, 10 in
        cut
            oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 59 in, request None, retry None
            oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 59 in
            things.send attempt 1 ends: interrupted Some(200) sent yes, 0ns, 16 out, 4 in, request None, retry None
            things.send ends: interrupted Some(200), 1 attempts, 0ns, waited 0ns, 16 out, 4 in
        not sent
            oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 59 in, request None, retry None
            oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 59 in
            things.send attempt 1 ends: connect None sent no, 0ns, 0 out, 0 in, request None, retry None
            things.send ends: connect None, 1 attempts, 0ns, waited 0ns, 0 out, 0 in
        not answered
            oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 59 in, request None, retry None
            oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 59 in
            things.send attempt 1 ends: interrupted None sent maybe, 0ns, 16 out, 0 in, request None, retry None
            things.send ends: interrupted None, 1 attempts, 0ns, waited 0ns, 16 out, 0 in"#]].assert_eq(&text.join("\n"));
}

/// Breaks a rule, or leaves a variable out.
struct Wrong {
    is_input: bool,
}

const WRONG: Operation = Operation::new("things.wrong", Method::Get, "/api/v2/things/{thingId}");

impl Endpoint for Wrong {
    type Answer = ();

    fn operation(&self) -> &'static Operation {
        &WRONG
    }

    fn validate(&self) -> Result<(), Violations> {
        let violation = self.is_input.then(|| Violation::new("name", Code::Required, "name.required"));
        Violations::check(violation.into_iter().collect())
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request
    }
}

#[tokio::test]
async fn a_call_that_is_refused_before_it_begins_ends_too() {
    let (client, _, witness) = observed([], |builder| builder);
    for is_input in [true, false] {
        client.send(&Wrong { is_input }).await.unwrap_err();
    }
    check(
        &witness,
        &expect![[r#"
        things.wrong ends: invalid_input None, 0 attempts, 0ns, waited 0ns, 0 out, 0 in
        things.wrong ends: configuration None, 0 attempts, 0ns, waited 0ns, 0 out, 0 in
    "#]],
    );
}

#[tokio::test]
async fn a_call_whose_caller_goes_away_is_canceled() {
    let (client, _, witness) = observed([token("t", 300), status(503), Step::Hang], |builder| builder);
    let request = Call(RetryClass::Repeatable);
    let mut call = Box::pin(client.send(&request));
    // The login goes on by itself, so that it takes two turns to come to the request.
    for _ in 0..2 {
        assert!(poll!(&mut call).is_pending());
        tokio::task::yield_now().await;
    }
    assert!(poll!(&mut call).is_pending());
    drop(call);
    check(
        &witness,
        &expect![[r#"
        oauth.token attempt 1 starts: POST login.mypurecloud.com `/oauth/token` Some(29) bytes, accept content-type user-agent x-correlation-id
        oauth.token attempt 1 ends: ok Some(200) sent yes, 0ns, 29 out, 59 in, request None, retry None
        oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 59 in
        login: ok, taken over false, Some(300s), 0ns
        things.announce attempt 1 starts: POST api.mypurecloud.com `/api/v2/things` Some(16) bytes, accept content-type user-agent x-correlation-id
        things.announce attempt 1 ends: server Some(503) sent yes, 0ns, 16 out, 0 in, request None, retry Some(500ms)
        things.announce waits: retry, Some(500ms)
        things.announce waited: retry, 500ms
        things.announce attempt 2 starts: POST api.mypurecloud.com `/api/v2/things` Some(16) bytes, accept content-type user-agent x-correlation-id
        things.announce attempt 2 ends: canceled None sent maybe, 0ns, 16 out, 0 in, request None, retry None
        things.announce ends: canceled None, 2 attempts, 500ms, waited 500ms, 32 out, 0 in
    "#]],
    );
}

#[tokio::test]
async fn waits_for_the_limit_have_a_cause_and_a_length() {
    let witness = Witness::default();
    let rare = RateLimitPolicy::default().requests(2).window(Duration::from_secs(60));
    let (client, _) = client_that(well, |builder| builder.rate_limit(rare).observer(witness.clone()));
    for _ in 0..3 {
        client.send(&Call(RetryClass::Once)).await.unwrap();
    }
    let waits: Vec<_> = witness.lines().into_iter().filter(|line| line.contains(" wait")).collect();
    expect![[r#"
        oauth.token ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 29 out, 59 in
        things.send ends: ok Some(200), 1 attempts, 0ns, waited 0ns, 16 out, 13 in
        things.send waits: platform limit, requests beyond the burst go out evenly, Some(30s)
        things.send waited: platform limit, requests beyond the burst go out evenly, 30s
        things.send ends: ok Some(200), 1 attempts, 30s, waited 30s, 16 out, 13 in
        things.send waits: platform limit, our own requests use up the quota, Some(30s)
        things.send waited: platform limit, our own requests use up the quota, 30s
        things.send ends: ok Some(200), 1 attempts, 30s, waited 30s, 16 out, 13 in"#]]
    .assert_eq(&waits.join("\n"));
}

/// On a clock that does not skip: one has its turn and waits, the other one queues.
#[tokio::test(start_paused = true)]
async fn waits_that_are_given_up_end() {
    let witness = Witness::default();
    let rare = RateLimitPolicy::default().requests(1).window(Duration::from_secs(60));
    let (client, _) = client_that(well, |builder| {
        builder.rate_limit(rare).observer(witness.clone()).clock(webmessaging_http::clock::TokioClock)
    });
    client.send(&Call(RetryClass::Once)).await.unwrap();
    witness.text();
    let request = Call(RetryClass::Once);
    let (mut first, mut second) = (Box::pin(client.send(&request)), Box::pin(client.send(&request)));
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    tokio::time::advance(Duration::from_secs(7)).await;
    drop((second, first));
    check(
        &witness,
        &expect![[r#"
            things.send waits: platform limit, our own requests use up the quota, Some(60s)
            things.send waits: platform queue, None
            things.send waited: platform queue, 7s
            things.send ends: canceled None, 0 attempts, 7s, waited 7s, 0 out, 0 in
            things.send waited: platform limit, our own requests use up the quota, 7s
            things.send ends: canceled None, 0 attempts, 7s, waited 7s, 0 out, 0 in
        "#]],
    );
}
