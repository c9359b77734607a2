//! Payloads of all kinds.

use proptest::prelude::*;
use serde_json::{Value, json};
use webmessaging_guests::{
    Attributes, CampaignId, Consent, DeviceFingerprint, GuestPayload, IdentityHash, OriginPage,
};

/// Anything that the types let through.
pub(crate) fn payload() -> impl Strategy<Value = GuestPayload> {
    let hash = || prop::option::of("[a-fA-F0-9]{64}");
    (
        (any::<bool>(), any::<bool>()),
        (hash(), hash(), prop::option::of("\\PC{0,128}")),
        (
            prop::option::of("https://[a-z]{1,20}\\.example/[a-z0-9/]{0,40}(\\?[a-z]=[a-z%20]{0,5})?"),
            prop::option::of("[A-Z0-9_-]{1,128}"),
        ),
        prop::collection::btree_map("[A-Za-z0-9_.-]{1,64}", "\\PC{0,200}", 0..8),
    )
        .prop_map(|((marketing, processing), (email, phone, device), (page, campaign), attributes)| {
            let mut payload = GuestPayload::new(Consent::new(marketing, processing));
            payload.identity_attributes.email_hash = email.map(|hash| IdentityHash::from_hex(hash).unwrap());
            payload.identity_attributes.phone_hash = phone.map(|hash| IdentityHash::from_hex(hash).unwrap());
            payload.identity_attributes.device_fingerprint =
                device.and_then(|text| DeviceFingerprint::new(text).ok());
            payload.channel_context.origin_page = page.and_then(|page| OriginPage::new(page).ok());
            payload.channel_context.campaign_id = campaign.and_then(|id| CampaignId::new(id).ok());
            payload.attributes =
                attributes.into_iter().fold(Attributes::new(), |attributes, (name, value)| {
                    attributes.clone().with(name, value).unwrap_or(attributes)
                });
            payload
        })
}

/// A payload with everything in it.
pub(crate) fn full() -> Value {
    json!({
        "channel": "webmessaging",
        "consent": {"marketing": false, "dataProcessing": true},
        "identityAttributes": {"emailHash": "a".repeat(64), "phoneHash": "B".repeat(64), "deviceFingerprint": "device"},
        "channelContext": {"originPage": "https://shop.example/cart", "campaignId": "WINTER-2026"},
        "attributes": {"source": "website"},
    })
}

/// One thing that is wrong, at the place where it is said to be.
pub(crate) fn mutations() -> Vec<(&'static str, Value)> {
    let long = |count| Value::from("a".repeat(count));
    let many: serde_json::Map<_, _> = (0..51).map(|n| (format!("a{n}"), json!("x"))).collect();
    vec![
        ("/channel", json!("webchat")),
        ("/channel", Value::Null),
        ("/consent", json!(true)),
        ("/consent/marketing", json!("yes")),
        ("/consent/dataProcessing", json!(1)),
        ("/consent/newsletter", json!(true)),
        ("/identityAttributes/emailHash", long(63)),
        ("/identityAttributes/emailHash", long(65)),
        ("/identityAttributes/phoneHash", json!("g".repeat(64))),
        ("/identityAttributes/phoneHash", json!(format!("{}\n", "a".repeat(64)))),
        ("/identityAttributes/deviceFingerprint", long(129)),
        ("/identityAttributes/email", json!("nobody")),
        ("/channelContext/originPage", json!("no uri")),
        ("/channelContext/originPage", json!("/cart")),
        ("/channelContext/originPage", json!(format!("https://shop.example/{}", "a".repeat(2048)))),
        ("/channelContext/campaignId", json!("")),
        ("/channelContext/campaignId", json!("winter")),
        ("/channelContext/campaignId", json!("A".repeat(129))),
        ("/channelContext/referrer", json!("x")),
        ("/attributes", json!([])),
        ("/attributes", Value::Object(many)),
        ("/attributes/source", json!(7)),
        ("/attributes/source", Value::Null),
        ("/attributes/source", long(1025)),
        ("/attributes/so urce", json!("x")),
        ("/email", json!("nobody")),
        // What a lenient reader would take for something else.
        ("/channel", json!({"webmessaging": null})),
        ("/consent", json!([false, true])),
        ("/identityAttributes", json!([])),
        ("/identityAttributes", Value::Null),
        ("/identityAttributes/emailHash", Value::Null),
        ("/identityAttributes/deviceFingerprint", Value::Null),
        ("/channelContext/originPage", Value::Null),
        ("/attributes", Value::Null),
    ]
}

/// The full payload with this in it.
pub(crate) fn mutated(pointer: &str, value: &Value) -> Value {
    let mut payload = full();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    payload.pointer_mut(parent).unwrap()[name] = value.clone();
    payload
}
