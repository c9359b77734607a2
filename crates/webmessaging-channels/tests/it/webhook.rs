//! The webhook for changes: its shape, its rules, and that it is registered once.

use http::Method;
use serde_json::{Value, json};
use webmessaging_channels::{ChannelUpdate, CreateWebhook};
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{Endpoint, ErrorKind};
use webmessaging_journal::sinks::InMemory;
use webmessaging_journal::{EventKind, Journal};

use crate::setup::Setup;

const URI: &str = "https://receiver.example/webhooks/genesys";
const SECRET: &str = "swordfish-swordfish";

#[test]
fn the_request_is_that_of_the_document() {
    let request = CreateWebhook::new(URI, SECRET).to_request().unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "/api/v2/platform/webhooks");
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let expected = json!({
        "name": "Web Messaging Config Sync",
        "description": "Syncs channel capability updates to external monitoring",
        "callbackUrl": URI,
        "eventFilters": [{"resource": "channel", "action": "updated", "condition": "channelType == \"webchat\""}],
        "enabled": true,
        "httpHeaders": {"content-type": "application/json"},
        "secret": SECRET,
    });
    assert_eq!(body, expected);
    let all = CreateWebhook::new(URI, SECRET).of_every_type().to_request().unwrap();
    let all: Value = serde_json::from_slice(all.body()).unwrap();
    assert_eq!(all["eventFilters"], json!([{"resource": "channel", "action": "updated"}]));
}

#[test]
fn every_broken_rule_is_told_and_no_secret() {
    let webhook = CreateWebhook::new("http://receiver.example/?key=swordfish", "swordfish")
        .name("")
        .header("no name", "swordfish\n");
    let violations = webhook.validate().unwrap_err();
    let rules: Vec<_> = violations.iter().map(|violation| (&*violation.path, violation.rule)).collect();
    let expected = [
        ("name", "webhook.name.required"),
        ("callbackUrl", "webhook.uri.scheme"),
        ("httpHeaders[1].name", "webhook.header.name"),
        ("httpHeaders[1].value", "webhook.header.value"),
        ("secret", "webhook.secret.min"),
    ];
    assert_eq!(rules, expected);
    assert!(!format!("{webhook:?} {violations} {violations:?}").contains("swordfish"));
    assert!(CreateWebhook::new(URI, "s".repeat(15)).validate().is_err());
    assert!(CreateWebhook::new(URI, "s".repeat(16)).validate().is_ok());
}

#[tokio::test]
async fn a_second_registration_and_a_lost_answer_are_success() {
    let setup = Setup::new().await;
    let memory = InMemory::new();
    let journal = Journal::builder().durable("memory", memory.clone()).build().unwrap();
    let channels = setup.channels.clone().journal(journal);
    let first = channels.register_webhook(CreateWebhook::new(URI, SECRET)).await.unwrap();
    assert!(first.id.is_some() && !first.existed);
    let second = channels.register_webhook(CreateWebhook::new(URI, SECRET)).await.unwrap();
    assert!(second.id.is_none() && second.existed);
    setup.emulator.inject(Route::CreatePlatformWebhook, Fault::drop_after());
    let third = channels.register_webhook(CreateWebhook::new(URI, SECRET).name("another")).await.unwrap();
    assert!(third.existed);
    let existed: Vec<_> = memory
        .events()
        .iter()
        .map(|event| match &event.kind {
            EventKind::WebhookRegistered(kind) => (kind.existed, kind.event_type.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let event_type = Some("channel.updated".to_owned());
    assert_eq!(existed, [false, true, true].map(|existed| (existed, event_type.clone())));
}

#[tokio::test]
async fn a_change_is_told_to_it() {
    let setup = Setup::new().await;
    // Nobody listens there; that a delivery was begun is all that is asked.
    setup.channels.register_webhook(CreateWebhook::new("http://127.0.0.1:9/hooks", SECRET)).await.unwrap();
    let update = ChannelUpdate::of(setup.channel().await).max_concurrent_sessions(800);
    setup.channels.update(&update).await.unwrap();
    let deliveries = setup.emulator.deliveries();
    assert_eq!((deliveries.len(), &*deliveries[0].webhook_name), (1, "Web Messaging Config Sync"));
}

#[tokio::test]
async fn a_conflict_of_the_login_is_no_webhook() {
    let setup = Setup::new().await;
    setup.emulator.inject(Route::Token, Fault::status(409));
    let error = setup.channels.register_webhook(CreateWebhook::new(URI, SECRET)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    assert_eq!(setup.emulator.count(Route::CreatePlatformWebhook), 0);
}

#[tokio::test]
async fn a_bad_registration_is_not_sent() {
    let setup = Setup::new().await;
    let error = setup.channels.register_webhook(CreateWebhook::new(URI, "")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(setup.emulator.count(Route::CreatePlatformWebhook), 0);
}
