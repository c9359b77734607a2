//! Webhooks in seeds: what is taken, what is refused, and what becomes of it.

use serde_json::{Value, json};
use webmessaging_emulator::{
    DeliveryOutcome, Emulator, Organization, SeedError, SeededFile, SeededWebhook, StateSeed,
};

use crate::client::{SCAN, builder, request, start};
use crate::control::call;
use crate::receiver::{
    PLATFORM_WEBHOOKS, Receiver, Reply, SCAN_COMPLETED, WEBHOOKS, let_run, platform_webhook, register,
    send_update, until, webhook,
};
use crate::snapshots::ID;

/// The registration of a webhook as a seed writes it.
fn seeded(collection: &str, registration: &Value, changes: &Value) -> Value {
    let mut entry = json!({ "collection": collection });
    let fields = entry.as_object_mut().unwrap();
    for more in [registration, changes] {
        fields.extend(more.as_object().unwrap().clone());
    }
    fields.retain(|_, value| !value.is_null());
    entry
}

#[tokio::test]
async fn seeded_webhooks_are_like_registered_ones() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    let entry = seeded("webhooks", &webhook(&receiver.url()), &json!({ "id": ID }));
    let seed = json!({ "webhooks": [
        entry,
        seeded("platform-webhooks", &platform_webhook(&receiver.url()), &json!({})),
    ] });
    assert_eq!(call(&emulator, "PUT", "state", Some(&seed)).await.status, 204);
    let shown = request(&emulator, "GET", WEBHOOKS, None).await.json()["entities"][0].take();
    emulator.seed(StateSeed::new().webhooks([])).await.unwrap();
    let mut registered = register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    assert_eq!(shown["id"], ID);
    for (field, value) in [("id", json!(ID)), ("selfUri", json!(format!("{WEBHOOKS}/{ID}")))] {
        registered[field] = value;
    }
    assert_eq!(shown, registered);

    assert_eq!(call(&emulator, "PUT", "state", Some(&seed)).await.status, 204);
    emulator.send_event(SCAN_COMPLETED, json!({})).unwrap();
    assert_eq!(receiver.nth(1).await.header("authorization"), "Bearer demo-webhook-token");
    send_update(&emulator, 1);
    receiver.nth(2).await;
    // Their names are taken.
    for (path, body) in
        [(WEBHOOKS, webhook(&receiver.url())), (PLATFORM_WEBHOOKS, platform_webhook(&receiver.url()))]
    {
        assert_eq!(request(&emulator, "POST", path, Some(&body)).await.refusal(), (409, "request.conflict"));
    }
}

#[tokio::test]
async fn a_seed_without_webhooks_registers_none_and_leaves_those_there_are() {
    let emulator = start().await;
    assert!(emulator.state().webhooks.is_empty());
    let receiver = Receiver::start([Reply::Hang]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    send_update(&emulator, 1);
    receiver.nth(1).await;
    let before = emulator.state();
    emulator.seed(StateSeed::new().files([]).organization(Organization::empty())).await.unwrap();
    assert_eq!(
        (emulator.state().webhooks, emulator.state().deliveries),
        (before.webhooks, before.deliveries)
    );
    // Mentioning webhooks replaces them, and their deliveries end.
    emulator.seed(StateSeed::new().webhooks([])).await.unwrap();
    assert!(emulator.state().webhooks.is_empty());
    assert_eq!(emulator.deliveries()[0].outcome, Some(DeliveryOutcome::Canceled));
    until(|| receiver.closed() == 1).await;
}

#[tokio::test]
async fn the_end_of_a_seeded_scan_is_told_and_a_scan_that_was_over_is_not() {
    let receiver = Receiver::start([]).await;
    let file = || SeededFile::new("a.txt", "text/plain", "message-1").content("hello");
    let seed = StateSeed::new()
        .files([file(), file().id(ID).scanning()])
        .webhooks([SeededWebhook::webhook(webhook(&receiver.url()))]);
    let emulator = builder().seed(seed.clone()).start().await.unwrap();
    emulator.clock().advance(SCAN / 2);
    // What was there before is not waited for any more.
    emulator.seed(seed).await.unwrap();
    emulator.clock().advance(SCAN / 2);
    let_run().await;
    assert_eq!(receiver.count(), 0);
    emulator.clock().advance(SCAN / 2);
    assert_eq!(receiver.nth(1).await.json()["data"]["fileId"], ID);
    let_run().await;
    assert_eq!(receiver.count(), 1);
}

pub(crate) async fn told(emulator: &Emulator, seed: &Value) -> String {
    let answer = call(emulator, "PUT", "state", Some(seed)).await;
    assert_eq!(answer.refusal(), (400, "emulator.document.invalid"), "{seed}");
    answer.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_mistake_in_a_webhook_is_told_by_the_rule_of_a_registration() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    let before = emulator.state().webhooks;
    let url = "http://127.0.0.1:9/";
    let upload = |changes: Value| seeded("webhooks", &webhook(url), &changes);
    let channel = |changes: Value| seeded("platform-webhooks", &platform_webhook(url), &changes);
    let collections = "collection: must be one of webhooks, platform-webhooks";
    for (entry, expected) in [
        (channel(json!({ "collection": "platform" })), format!("{collections} (did you mean `platform-webhooks`?)")),
        (channel(json!({ "collection": null })), "collection: is missing; must be one of webhooks, platform-webhooks".to_owned()),
        (channel(json!({ "id": "1" })), "id: must be a UUID".to_owned()),
        (channel(json!({ "id": ID })), "id: is the id of an earlier webhook as well".to_owned()),
        (upload(json!({})), "name: is the name of an earlier webhook of this collection as well".to_owned()),
        (
            channel(json!({ "uri": url })),
            "uri: unknown key; allowed here: id, collection, name, description, callbackUrl, eventFilters, enabled, \
             httpHeaders, secret"
                .to_owned(),
        ),
        (
            upload(json!({ "eventFiltr": "" })),
            "eventFiltr: unknown key (did you mean `eventFilter`?); allowed here: id, collection, name, uri, method, \
             eventFilter, contentType, retryPolicy, headers"
                .to_owned(),
        ),
        (channel(json!({ "secret": null })), "secret: breaks the rule required of a registration".to_owned()),
        (channel(json!({ "secret": "too-short" })), "secret: breaks the rule minLength of a registration".to_owned()),
        (
            channel(json!({ "callbackUrl": "http://192.0.2.1/" })),
            "callbackUrl: breaks the rule format of a registration".to_owned(),
        ),
        (
            channel(json!({ "httpHeaders": { "Host": "a" } })),
            "httpHeaders: breaks the rule propertyNames of a registration".to_owned(),
        ),
        (
            upload(json!({ "name": "other", "retryPolicy": { "enabled": true, "maxRetries": 9 } })),
            "retryPolicy/maxRetries: breaks the rule maximum of a registration".to_owned(),
        ),
        (
            channel(json!({ "eventFilters": [{ "resource": "a", "action": "b c" }] })),
            "eventFilters/0/action: breaks the rule pattern of a registration".to_owned(),
        ),
    ] {
        let seed = json!({ "webhooks": [upload(json!({ "id": ID })), entry] });
        assert_eq!(told(&emulator, &seed).await, format!("webhook 2: {expected}"));
    }
    let many: Vec<Value> =
        (0..101).map(|number| channel(json!({ "name": format!("webhook {number}") }))).collect();
    let limit = "webhooks: must be a list of at most 100 tables";
    assert_eq!(told(&emulator, &json!({ "webhooks": many })).await, limit);
    let of_code: Vec<_> = many.iter().map(SeededWebhook::platform_webhook).collect();
    let error = emulator.seed(StateSeed::new().webhooks(of_code)).await.unwrap_err();
    assert_eq!(error.to_string(), limit);
    assert_eq!(emulator.state().webhooks, before);
}

#[tokio::test]
async fn a_webhook_of_code_is_held_to_the_same_rules() {
    let emulator = start().await;
    let url = "http://127.0.0.1:9/";
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    let mut bad = platform_webhook(url);
    bad["secret"] = json!("swordfish");
    bad["more"] = json!(1);
    let seed = StateSeed::new().webhooks([
        SeededWebhook::webhook(webhook(url)).id(ID),
        SeededWebhook::webhook(webhook(url)).id(ID),
        SeededWebhook::platform_webhook(bad),
        SeededWebhook::webhook(map),
        SeededWebhook::webhook("text"),
    ]);
    assert!(!format!("{seed:?}").contains("swordfish"), "{seed:?}");
    let error = emulator.seed(seed).await.unwrap_err();
    assert!(matches!(&error, SeedError::Invalid(error) if error.problems().len() == 5));
    let mut told: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "webhook 2: id: is the id of an earlier webhook as well",
            "webhook 3: more: breaks the rule additionalProperties of a registration",
            "webhook 3: secret: breaks the rule minLength of a registration",
            "webhook 4: cannot be written as JSON",
            "webhook 5: breaks the rule type of a registration",
        ]
    );
    assert!(emulator.state().webhooks.is_empty());
}

#[cfg(feature = "toml")]
#[test]
fn in_toml_every_mistake_has_its_line() {
    let text = "[[organization.channels]]
id = \"1\"
name = \"\"
channelType = \"webchat\"

[[organization.conversations]]
id = \"c\"
participants = [{ id = \"p\" }]

[[webhooks]]
collection = \"platform-webhooks\"
name = \"channels\"
callbackUrl = \"http://127.0.0.1:9/\"
secret = \"short\"
eventFilters = [
    { resource = \"channel\", action = \"b c\" },
]
";
    let error = StateSeed::from_toml(text).unwrap_err();
    let expected = [
        "line 3: organization: channel 1: name: must be a text of 1 to 255 characters without control characters",
        "line 8: organization: conversation 1: participant 1: purpose: is missing; must be a word of letters, digits, \
         hyphens and underscores, 64 at most",
        "line 16: webhook 1: eventFilters/0/action: breaks the rule pattern of a registration",
        "line 14: webhook 1: secret: breaks the rule minLength of a registration",
    ];
    let mut told: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
    told.sort();
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(told, expected);
}
