//! Guests: known by a hash, refused with a plain address, changed beside somebody else, and a conflict about consent.

use serde_json::{Map, Value};
use webmessaging::guests::{
    CampaignId, Consent, GuestPayload, GuestUpdate, IdentityHash, IdentityHasher, OriginPage, check_payload,
};
use webmessaging::{Client, Error, ErrorKind};
use webmessaging_emulator::{Emulator, Route};

use crate::demo::Report;
use crate::demo::durable::Durable;
use crate::failure::Failure;

const EMAIL: &str = "Jane.Doe@example.com";

/// What happened to guests, and how many changes of them a CRM has to be told of.
pub(crate) async fn show(
    emulator: &Emulator,
    client: &Client,
    durable: &Durable,
) -> Result<(usize, Report), Failure> {
    let guests = client.guests().journal(durable.told_journal());
    // Another salt each time: nobody outside this process could use the hashes.
    let salt = format!("{}{}", client.http().new_id(), client.http().new_id());
    let hasher = IdentityHasher::hmac_sha256(salt).map_err(invalid)?;
    let identity = hasher.resolve(Some(EMAIL), None).map_err(invalid)?;
    let payload = GuestPayload::new(Consent::new(true, true))
        .identity(&identity)
        .origin_page(OriginPage::new("https://shop.example/cart").map_err(invalid)?)
        .campaign_id(CampaignId::new("WINTER-2026").map_err(invalid)?);

    let mut plain = serde_json::json!(payload);
    if let Value::Object(fields) = &mut plain {
        fields.insert("email".to_owned(), EMAIL.into());
    }
    let refused = check_payload(&plain).err().map(|violations| violations.to_string()).unwrap_or_default();
    let silent = GuestPayload::new(Consent::new(false, false));
    let without_consent = guests.create(&silent).await.err();
    let is_nothing_sent = emulator.count(Route::CreateGuest) == 0;

    let guest = guests.create(&payload).await?.guest;
    // An agent is faster.
    guests.update(&GuestUpdate::of(&guest).attribute("agent", "kim").map_err(invalid)?).await?;
    let update = GuestUpdate::of(&guest).attribute("plan", "gold").map_err(invalid)?;
    let updated = guests.update(&update).await?;
    let of = |name: &str| updated.guest.value.attribute(name);

    // Two decisions about consent are never made one.
    guests.update(&GuestUpdate::of(&updated.guest).consent(Consent::new(false, true))).await?;
    let late = GuestUpdate::of(&updated.guest).consent(Consent::new(true, false));
    let conflict = guests.update(&late).await.err().filter(|error| error.kind() == ErrorKind::Conflict);

    let is_hashed = updated.guest.value.email_hash() == identity.email_hash().map(IdentityHash::as_str);
    let ok = is_nothing_sent
        && !refused.is_empty()
        && !refused.contains("Jane")
        && without_consent.is_some()
        && is_hashed
        && updated.rounds == 2
        && (of("agent"), of("plan")) == (Some("kim"), Some("gold"))
        && conflict.is_some();
    let steps = [
        ("a plain address", format!("{refused}; nothing was sent")),
        ("without consent", without_consent.as_ref().map_or_else(|| "created".to_owned(), Error::to_string)),
        ("a guest", format!("known by the hash of the {}", identity.method().as_str())),
        ("an agent was faster", format!("{} rounds, both changes are there", updated.rounds)),
        ("consent, twice", conflict.as_ref().map_or_else(|| "merged".to_owned(), Error::to_string)),
    ];
    let figures: [(&str, Value); 3] = [
        ("rounds", updated.rounds.into()),
        ("conflicts", u8::from(conflict.is_some()).into()),
        ("hashed", is_hashed.into()),
    ];
    let figures: Map<_, _> = figures.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let steps = steps.map(|(step, outcome)| (step.to_owned(), outcome)).to_vec();
    // One creation and three changes: the CRM is told of each.
    Ok((4, Report { system: "guests", ok, figures, steps }))
}

fn invalid(violation: webmessaging::model::Violation) -> Failure {
    Error::from(webmessaging::model::Violations::from(violation)).into()
}
