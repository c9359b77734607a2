//! Observers: what they are told and when, what they can add, and that they break nothing.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use expect_test::{Expect, expect};
use futures_util::poll;
use serde_json::json;
use tempfile::TempDir;
use webmessaging_http::observe::{
    AttemptEnded, AttemptStarted, BreakerChanged, CallEnded, LoginEnded, WaitEnded, WaitStarted,
};
use webmessaging_http::transport::Failure;
use webmessaging_http::{
    BreakerPolicy, Client, ClientBuilder, Encoder, Endpoint, FileTokenCache, Observer,
    RateLimitPolicy, RetryPolicy,
};
use webmessaging_model::{Code, Method, Operation, RetryClass, Violation, Violations};

use crate::script::{Call, Script, Seen, Step, answer, client_that, client_with, done, status, token};
use crate::witness::Witness;

fn observed(
    steps: impl IntoIterator<Item = Step>,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Script, Witness) {
    let witness = Witness::default();
    let (client, script) = client_with(steps, |builder| set_up(builder).observer(witness.clone()));
    (client, script, witness)
}

fn well(seen: &Seen) -> Step {
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
    let mut text = String::new();
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
        text += &format!("{name}\n");
        for line in witness.lines().iter().filter(|line| line.contains(" ends: ")) {
            text += &format!("    {line}\n");
        }
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
            things.send ends: interrupted None, 1 attempts, 0ns, waited 0ns, 16 out, 0 in
    "#]].assert_eq(&text);
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

#[tokio::test]
async fn a_login_of_another_process_is_told_as_taken_over() {
    let (folder, witness) = (TempDir::new().unwrap(), Witness::default());
    let cache = || FileTokenCache::new(folder.path().join("tokens.json"));
    for _ in 0..2 {
        let (client, _) = client_that(well, |builder| builder.token_cache(cache()).observer(witness.clone()));
        client.send(&Call(RetryClass::Once)).await.unwrap();
    }
    let logins: Vec<_> = witness
        .lines()
        .iter()
        .filter(|line| line.starts_with("login: "))
        .map(|line| line.split(", ").take(2).collect::<Vec<_>>().join(", "))
        .collect();
    assert_eq!(logins, ["login: ok, taken over false", "login: ok, taken over true"]);
}

/// Adds a header, and keeps what became of others.
#[derive(Default)]
struct Adding {
    refused: Mutex<Vec<String>>,
    seen: Mutex<Vec<Option<String>>>,
}

impl Observer for Adding {
    fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
        // Whatever panics in here does not fail the test: it looks at what is kept.
        let number = format!("00-{}", attempt.attempt());
        attempt.add_header("traceparent", &number).unwrap();
        for (name, value) in [
            ("TraceParent", "another"),
            ("x-api-key", "another"),
            ("Authorization", "Bearer mine"),
            ("x-correlation-id", "mine"),
            ("content-length", "7"),
            ("not a name", "value"),
            ("x-two-lines", "a\r\nauthorization: mine"),
        ] {
            let error = attempt.add_header(name, value).unwrap_err();
            self.refused.lock().unwrap().push(format!("{:?}: {error}", error.kind()));
        }
        for name in ["authorization", "x-api-key", "traceparent", "Content-Type"] {
            self.seen.lock().unwrap().push(attempt.header(name).map(str::to_owned));
        }
    }
}

#[tokio::test]
async fn headers_can_be_added_and_none_replaced() {
    let observer = Arc::new(Adding::default());
    let (client, script) = client_with([token("t", 300), status(503), done()], |builder| {
        builder.default_header("x-api-key", "the-key").observer(Arc::clone(&observer))
    });
    client.send(&Call(RetryClass::Repeatable)).await.unwrap();
    let added: Vec<_> =
        script.seen().iter().map(|seen| seen.header("traceparent").unwrap().to_owned()).collect();
    assert_eq!(added, ["00-1", "00-1", "00-2"], "the login has it, too, and each attempt its own");
    for call in script.calls() {
        assert_eq!(call.header("authorization"), Some("Bearer t"));
        assert_eq!(call.header("x-api-key"), Some("the-key"));
        assert!(call.header("x-two-lines").is_none());
    }
    let refused = observer.refused.lock().unwrap().clone();
    expect![[r#"
        Configuration: the header `x-two-lines` has a value that no header can hold
        Configuration: the header `traceparent` is there already
        Configuration: the header `x-api-key` is there already
        Configuration: the header `authorization` is not one to add
        Configuration: the header `x-correlation-id` is not one to add
        Configuration: the header `content-length` is not one to add
        Configuration: an added header has a name that no header can have"#]]
    .assert_eq(&refused[7..14].join("\n"));
    let seen = observer.seen.lock().unwrap().clone();
    assert_eq!(seen[4..8], [None, None, None, Some("application/json".to_owned())]);
}

#[tokio::test]
async fn an_attempt_takes_so_many_headers_and_no_more() {
    #[derive(Default)]
    struct Greedy(Mutex<Vec<String>>);

    impl Observer for Greedy {
        fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
            let added = (0..40).map(|number| attempt.add_header(&format!("x-{number}"), "v"));
            *self.0.lock().unwrap() = added.filter_map(Result::err).map(|error| error.to_string()).collect();
        }
    }

    let greedy = Arc::new(Greedy::default());
    let (client, script) = client_that(well, |builder| builder.observer(Arc::clone(&greedy)));
    client.send(&Call(RetryClass::Once)).await.unwrap();
    assert_eq!(*greedy.0.lock().unwrap(), vec!["an attempt takes no more than 32 added headers"; 8]);
    let names = script.calls()[0].headers.keys().filter(|name| name.as_str().starts_with("x-")).count();
    assert_eq!(names, 32 + 1, "with the correlation id");
}

/// Panics whatever it is told.
struct Panicking;

#[rustfmt::skip]
impl Observer for Panicking {
    fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
        attempt.add_header("x-added", "before").unwrap();
        panic!("attempt_started");
    }
    fn attempt_ended(&self, _: &AttemptEnded<'_>) { panic!("attempt_ended"); }
    fn wait_started(&self, _: &WaitStarted<'_>) { panic!("wait_started"); }
    fn wait_ended(&self, _: &WaitEnded<'_>) { panic!("wait_ended"); }
    fn call_ended(&self, _: &CallEnded<'_>) { panic!("call_ended"); }
    fn login_ended(&self, _: &LoginEnded) { panic!("login_ended"); }
    fn breaker_changed(&self, _: &BreakerChanged<'_>) { panic!("breaker_changed"); }
}

#[tokio::test]
async fn a_panic_takes_no_call_down_and_poisons_nothing() {
    let steps = || [token("t", 300), status(503), status(503), done(), done()];
    let breaker = || BreakerPolicy::default().failures(2);
    let run = async |panics: bool| {
        let set_up = |builder: ClientBuilder| if panics { builder.observer(Panicking) } else { builder };
        let (client, script, witness) = observed(steps(), |builder| set_up(builder.breaker(breaker())));
        for _ in 0..2 {
            client.send(&Call(RetryClass::Idempotent)).await.unwrap();
        }
        let added = script.calls().iter().filter(|seen| seen.header("x-added").is_some()).count();
        assert_eq!(added, if panics { script.calls().len() } else { 0 });
        witness.text()
    };
    let alone = run(false).await;
    assert_eq!(alone, run(true).await);
    for what in ["attempt 3", "waited: retry", "breaker of", "login: ok", "ends: ok"] {
        assert!(alone.contains(what), "{what}: {alone}");
    }
}

/// Asks its own client whatever can be asked, from within every callback.
#[derive(Clone, Default)]
struct Curious {
    client: Arc<OnceLock<Client>>,
    asked: Arc<Mutex<usize>>,
}

impl Curious {
    fn ask(&self) {
        let client = self.client.get().unwrap();
        let (breakers, limits) = (client.breakers(), client.limits());
        assert!(!limits.is_empty() && breakers.len() <= 2);
        *self.asked.lock().unwrap() += 1;
    }
}

#[rustfmt::skip]
impl Observer for Curious {
    fn attempt_started(&self, _: &mut AttemptStarted<'_>) { self.ask(); }
    fn attempt_ended(&self, _: &AttemptEnded<'_>) { self.ask(); }
    fn wait_started(&self, _: &WaitStarted<'_>) { self.ask(); }
    fn wait_ended(&self, _: &WaitEnded<'_>) { self.ask(); }
    fn call_ended(&self, _: &CallEnded<'_>) { self.ask(); }
    fn login_ended(&self, _: &LoginEnded) { self.ask(); }
    fn breaker_changed(&self, _: &BreakerChanged<'_>) { self.ask(); }
}

/// With a lock held it would wait for itself for ever.
#[tokio::test]
async fn an_observer_can_ask_its_client() {
    let curious = Curious::default();
    let steps = [token("t", 300), status(429), status(503), done()];
    let (client, _, witness) = observed(steps, |builder| {
        builder.breaker(BreakerPolicy::default().failures(1)).observer(curious.clone())
    });
    curious.client.set(client.clone()).unwrap();
    client.send(&Call(RetryClass::Idempotent)).await.unwrap();
    assert_eq!(*curious.asked.lock().unwrap(), witness.lines().len());
    assert!(witness.text().contains("half open to closed"));
}
