//! Deliveries, tampers and events from outside.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::{Refusal, json_response};
use crate::control::Failure;
use crate::control::page::Page;
use crate::delivery::Delivery;
use crate::document::{DocumentError, Fields, Place, from_json};
use crate::event::{EventError, event_type_rule, is_event_type};
use crate::sender::Sender;
use crate::state::Shared;
use crate::tamper::Tamper;

/// As many tampers wait for events at once when they come from outside.
const TAMPERS_MAX: usize = 1_000;

/// `GET /__emulator/deliveries`: the log of deliveries, a page at a time.
pub(super) fn deliveries(sender: &Sender, query: Option<&str>) -> Result<Response, Refusal> {
    let page = Page::parse(query, "eventId")?;
    let entries = sender.log().page(page.own.as_deref(), page.after, page.sought());
    Ok(page.answer("deliveries", &entries, described))
}

fn described(number: u64, delivery: &Delivery) -> Value {
    let mut described = json!(delivery);
    if let Value::Object(fields) = &mut described {
        fields.insert("number".to_owned(), number.into());
    }
    described
}

/// `POST /__emulator/tamper`: lets the deliveries of one coming event go wrong.
pub(super) fn tamper(sender: &Sender, text: &[u8]) -> Result<(), Failure> {
    let tamper = from_json(text, |value, problems| {
        let mut fields = Fields::new(value, Place::default(), problems)?;
        let name = fields.required().one_of("next", &Tamper::ALL.map(Tamper::name));
        fields.finish();
        Tamper::ALL.into_iter().find(|tamper| Some(tamper.name()) == name)
    })?;
    let Some(tamper) = tamper else { return Err(Refusal::internal("tamper").into()) };
    if !sender.tamper_within(TAMPERS_MAX, tamper) {
        let message = format!("no more than {TAMPERS_MAX} tampers wait for events at once");
        return Err(Refusal::new(StatusCode::CONFLICT, "emulator.tampers.too.many", message).into());
    }
    Ok(())
}

/// `POST /__emulator/events`: sends an event to everybody who wants it.
pub(super) fn event(shared: &Shared, text: &[u8]) -> Result<Response, Failure> {
    let event = from_json(text, |value, problems| {
        let mut fields = Fields::new(value, Place::default(), problems)?;
        let is_known = |text: &&str| is_event_type(text);
        let kind = fields
            .required()
            .read("eventType", event_type_rule(), |value| value.as_str().filter(is_known).map(str::to_owned));
        let data = fields
            .required()
            .read("data", "a table of keys and values", |value| value.is_object().then(|| value.clone()));
        fields.finish();
        Some((kind?, data?))
    })?;
    let Some((kind, data)) = event else { return Err(Refusal::internal("event").into()) };
    match shared.send_event(&kind, data) {
        Ok(id) => Ok(json_response(StatusCode::ACCEPTED, &json!({ "eventId": id }))),
        Err(EventError::TooLong { bytes, bytes_max }) => {
            let message = format!("makes the event {bytes} bytes long, more than {bytes_max}");
            Err(DocumentError::of_field("data", message).into())
        }
        Err(error) => Err(DocumentError::of_field("eventType", error.to_string()).into()),
    }
}
