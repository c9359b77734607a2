//! What a client does with its settings.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use webmessaging_http::testing::{Halfway, MockTransport, SkippingClock};
use webmessaging_http::{ErrorKind, Settings};
use webmessaging_model::RetryClass;

use crate::script::{Call, IDEMPOTENT, Seen, Step, answer, done, status, token};
use crate::settings::home::Home;

/// Calls once with a client of these settings; gives the requests, the outcome and the waits.
pub(crate) async fn call(
    settings: &Settings,
    next: impl Fn(&Seen) -> Step + Send + Sync + 'static,
) -> (Vec<Seen>, Result<StatusCode, webmessaging_http::Error>, Vec<Duration>) {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let clock = SkippingClock::new();
    let mut transport = MockTransport::new();
    let list = std::sync::Arc::clone(&seen);
    transport.expect_send().returning(move |request| {
        let (parts, body) = request.into_parts();
        let body = body.into_full().unwrap_or_default();
        let request = Seen { uri: parts.uri.to_string(), headers: parts.headers, body };
        let step = next(&request);
        list.lock().unwrap().push(request);
        step.play()
    });
    let builder = settings.builder().unwrap().transport(transport).clock(clock.clone()).entropy(Halfway);
    let outcome = builder.build().unwrap().send(&Call(RetryClass::Idempotent)).await;
    let seen = seen.lock().unwrap().clone();
    (seen, outcome.map(|answer| answer.facts.status), clock.sleeps())
}

#[tokio::test]
async fn everything_in_a_file_arrives_at_the_client() {
    let home = Home::with(
        r#"
        [profiles.all]
        client_id = "the-id"
        client_secret_file = "secret"
        region = "eu-west-1"
        organization_id = "the-organisation"
        scopes = ["a:b", "c"]
        auth_style = "form"
        answer_bytes_max = 80

        [profiles.all.retry]
        max_retries = 5
        base = "8s"
        cap = "20s"

        [profiles.all.timeouts]
        connect = "1s"
        attempt = "2s"
        call = "5m"
        stall = "4s"

        [profiles.all.paths]
        "oauth.token" = "/v2/token"
        things.read = "/gateway/things"
        "#,
    );
    std::fs::write(home.path().with_file_name("secret"), "the-secret\n").unwrap();
    let settings = home.loader().profile("all").operations([&IDEMPOTENT]).load().unwrap();
    assert_eq!(settings.organization_id(), Some("the-organisation"));
    let builder = format!("{:?}", settings.builder().unwrap());
    for part in
        ["connect: 1s", "attempt: 2s", "call: 300s", "stall: 4s", "max_retries: 5", "base: 8s", "cap: 20s"]
    {
        assert!(builder.contains(part), "{part} is missing in {builder}");
    }

    let is_login = |seen: &Seen| seen.uri.ends_with("/v2/token");
    let (seen, outcome, waits) =
        call(&settings, move |seen| if is_login(seen) { token("t", 300) } else { status(503) }).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Server);
    assert_eq!(seen[0].uri, "https://login.mypurecloud.ie/v2/token");
    assert_eq!(
        seen[0].body,
        "grant_type=client_credentials&scope=a%3Ab+c&client_id=the-id&client_secret=the-secret"
    );
    assert_eq!(seen[1].uri, "https://api.mypurecloud.ie/gateway/things");
    // Half of 8, 16 and then 20 seconds.
    assert_eq!(waits, [4, 8, 10, 10, 10].map(Duration::from_secs));

    let large = json!({"done": true, "more": "x".repeat(80)});
    let (_, outcome, _) =
        call(&settings, move |seen| if is_login(seen) { token("t", 300) } else { answer(200, &large) }).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::UnexpectedAnswer, 1));
    assert!(error.to_string().contains("larger than 80 bytes"), "{error}");
}

#[tokio::test]
async fn without_a_file_the_variables_are_enough() {
    let home = Home::empty()
        .variable("GENESYSCLOUD_OAUTHCLIENT_ID", "the-id")
        .variable("GENESYSCLOUD_OAUTHCLIENT_SECRET", "the-secret")
        .variable("GENESYS_BASE_PATH", "http://127.0.0.1:8480");
    let next = |seen: &Seen| if seen.is_login() { token("t", 300) } else { done() };
    let (seen, outcome, _) = call(&home.load(), next).await;
    assert_eq!(outcome.unwrap(), StatusCode::OK);
    assert_eq!(seen[0].uri, "http://127.0.0.1:8480/oauth/token");
    assert_eq!(seen[0].header("authorization"), Some("Basic dGhlLWlkOnRoZS1zZWNyZXQ="));
}

#[test]
fn code_goes_on_where_settings_end() {
    let home = Home::with("[default]\nclient_id = 'i'\nclient_secret = 's'\nbase_url = 'http://example.com'");
    let builder = home.load().builder().unwrap();
    assert_eq!(
        builder.build().unwrap_err().to_string(),
        "the base url must be https; plain http is for this machine alone"
    );
    home.load().builder().unwrap().base_url("https://example.com").build().unwrap();
}
