//! Observers: what they can add to an attempt, and that nothing they do breaks a call.

use std::sync::{Arc, Mutex, OnceLock};

use expect_test::expect;
use webmessaging_http::observe::{
    AttemptEnded, AttemptStarted, BreakerChanged, CallEnded, LoginEnded, WaitEnded, WaitStarted,
};
use webmessaging_http::{BreakerPolicy, Client, ClientBuilder, Observer};
use webmessaging_model::RetryClass;

use crate::observe::{observed, well};
use crate::script::{Call, client_that, client_with, done, status, token};

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
