//! The webhook for scans: its shape, its rules, and that it is registered once.

use http::Method;
use serde_json::{Value, json};
use webmessaging_emulator::{EmulatedClient, Fault, Route};
use webmessaging_files::CreateWebhook;
use webmessaging_http::{Client, Credentials, Endpoint, Error, ErrorKind, Sent};
use webmessaging_journal::EventKind;

use crate::setup::{Setup, told};

const URI: &str = "https://receiver.example/webhooks/genesys";

#[test]
fn the_request_is_that_of_the_document() {
    let request = CreateWebhook::new(URI).to_request().unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "/api/v2/platform/webhooks/webhooks");
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let expected = json!({
        "name": "File Upload Scanner Listener",
        "uri": URI,
        "method": "POST",
        "eventFilter": "eventType = \"genesys.cloud.messaging.file.upload.completed\"",
        "contentType": "application/json",
        "retryPolicy": {"enabled": true, "maxRetries": 3, "backoff": "exponential"},
        "headers": {"authorization": "Bearer {{platform:webhook:token}}"}
    });
    assert_eq!(body, expected);

    let webhook = CreateWebhook::new(URI).name("mine").retries(0).header("X-Key", "a").header("x-key", "b");
    let request = webhook.header("AUTHORIZATION", "c").to_request().unwrap();
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!((&body["name"], &body["retryPolicy"]["enabled"]), (&json!("mine"), &json!(false)));
    assert_eq!(body["headers"], json!({"x-key": "b", "AUTHORIZATION": "c"}));
    let request = CreateWebhook::new(URI).without_headers().to_request().unwrap();
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body["headers"], json!({}));
}

#[test]
fn secrets_are_in_the_request_alone() {
    let webhook = CreateWebhook::new("https://receiver.example/hook-swordfish?key=swordfish");
    let webhook = webhook.header("x-key", "swordfish");
    let printed = format!("{webhook:?} {webhook:#?}");
    assert!(printed.contains("receiver.example") && printed.contains("x-key"), "{printed}");
    assert!(!printed.contains("swordfish"), "{printed}");
}

#[tokio::test]
async fn every_broken_rule_is_named_and_nothing_is_sent() {
    let setup = Setup::new().await;
    let webhook = CreateWebhook::new("http://receiver.example").name("a\nb");
    let webhook = webhook.without_headers().header("a b", "fine").header("x-key", "two\nlines");
    let error = setup.files.register_scan_webhook(webhook).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::InvalidInput, Sent::No));
    assert_eq!(
        error.violations().unwrap().to_string(),
        "name has a forbidden character; uri is not allowed: allowed are https, http to this machine; \
         headers[0].name has a forbidden character; headers[1].value has a forbidden character"
    );
    let error = setup.files.register_scan_webhook(CreateWebhook::new("").name("")).await.unwrap_err();
    assert_eq!(error.violations().unwrap().to_string(), "name is required; uri is required");
    let error = setup.files.register_scan_webhook(CreateWebhook::new("https://a:b@c.example")).await;
    assert_eq!(error.unwrap_err().violations().unwrap().as_slice()[0].rule, "webhook.uri.user");
    assert_eq!(setup.emulator.count(Route::CreateWebhook), 0);
}

#[tokio::test]
async fn plain_http_is_for_a_platform_on_this_machine() {
    let setup = Setup::new().await;
    for (number, host) in ["127.0.0.1:1", "localhost:1", "[::1]:1"].into_iter().enumerate() {
        let webhook = CreateWebhook::new(format!("http://{host}/hook")).name(format!("webhook-{number}"));
        assert!(!setup.files.register_scan_webhook(webhook).await.unwrap().existed);
    }
    let http = Client::builder(Credentials::new("id", "secret")).build().unwrap();
    let files = webmessaging_files::FilesClient::new(http);
    for uri in ["http://127.0.0.1:1/hook", "ftp://receiver.example", "nonsense", "https://"] {
        let error = files.register_scan_webhook(CreateWebhook::new(uri)).await.unwrap_err();
        let found = error.violations().unwrap().to_string();
        assert_eq!(found, "uri is not allowed: allowed is https", "{uri}");
    }
}

#[tokio::test]
async fn a_webhook_is_registered_once_and_both_times_on_record() {
    let (setup, memory, _) = Setup::new().await.recorded();
    let first = setup.files.register_scan_webhook(CreateWebhook::new(URI)).await.unwrap();
    assert!(!first.existed && first.id.is_some());
    let again = setup.files.register_scan_webhook(CreateWebhook::new(URI)).await.unwrap();
    assert_eq!((again.existed, again.id), (true, None));
    assert_eq!(told(&memory), ["webhook.registered success", "webhook.registered success"]);
    let [first, again] = &memory.events()[..] else { panic!("two events") };
    let existed = |event: &webmessaging_journal::Event| match &event.kind {
        EventKind::WebhookRegistered(kind) => (kind.existed, kind.event_type.clone()),
        other => panic!("{other:?}"),
    };
    let event_type = Some("genesys.cloud.messaging.file.upload.completed".to_owned());
    assert_eq!((existed(first), existed(again)), ((false, event_type.clone()), (true, event_type)));
    assert_eq!((first.facts.status, again.facts.status), (Some(200), Some(409)));
}

#[tokio::test]
async fn a_lost_answer_is_no_second_webhook() {
    let setup = Setup::new().await;
    setup.emulator.inject(Route::CreateWebhook, Fault::drop_after());
    let registered = setup.files.register_scan_webhook(CreateWebhook::new(URI)).await.unwrap();
    assert!(registered.existed);
    assert_eq!(setup.emulator.count(Route::CreateWebhook), 2);
}

#[tokio::test]
async fn a_refusal_is_not_taken_for_a_webhook_that_exists() {
    let refused = async |fault: Fault| -> Error {
        let (setup, memory, _) = Setup::new().await.recorded();
        setup.emulator.inject(Route::CreateWebhook, fault);
        let error = setup.files.register_scan_webhook(CreateWebhook::new(URI)).await.unwrap_err();
        assert!(memory.events().is_empty());
        error
    };
    for (status, kind) in [(400, ErrorKind::Rejected), (412, ErrorKind::Conflict), (500, ErrorKind::Server)] {
        assert_eq!(refused(Fault::status(status)).await.kind(), kind);
    }
    assert_eq!(refused(Fault::status(200).html("<html>")).await.kind(), ErrorKind::UnexpectedAnswer);

    let reader = EmulatedClient::new("demo-client", "demo-secret").scopes(["conversations:read"]);
    let setup = Setup::with(|emulator| emulator.client(reader), |client| client).await;
    let error = setup.files.register_scan_webhook(CreateWebhook::new(URI)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.to_string().contains("needs scope `webhooks:write`"), "{error}");
}
