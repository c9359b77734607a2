//! `webmessaging webhooks verify`: whether a recorded delivery is taken, and what it says.

use serde_json::{Value, json};
use webmessaging::webhooks::{Delivery, Scheme};

use super::delivery::Recorded;
use crate::args::webhooks::DeliveryArgs;
use crate::failure::{Exit, Failure, Local};
use crate::output::{Output, table};

pub(super) fn run(args: &DeliveryArgs, output: Output) -> Result<Exit, Failure> {
    let Recorded { body, headers, now, verifier } = Recorded::read(args)?;
    let shown = args.body.display().to_string();
    let delivery = verifier.verify(body, &headers, now).map_err(|error| Local::from(error).about(shown))?;
    output.result(&to_json(&delivery), || to_table(&delivery))?;
    Ok(Exit::Success)
}

fn to_json(delivery: &Delivery) -> Value {
    let event = delivery.event();
    json!({
        "ok": true,
        "eventType": event.event_type(),
        "subject": event.subject(),
        "eventId": event.event_id(),
        "deliveryId": delivery.delivery_id(),
        "deliveryIdSigned": delivery.is_delivery_id_signed(),
        "contentKey": delivery.content_key().to_string(),
        "occurredAt": event.occurred_at(),
        "secret": delivery.secret_label(),
        "scheme": match delivery.scheme() {
            Scheme::Body { header, .. } => json!({"name": "body", "header": header.as_str()}),
            Scheme::Timestamped { at, .. } => json!({"name": "timestamped", "at": at}),
            _ => json!({"name": "other"}),
        },
    })
}

fn to_table(delivery: &Delivery) -> String {
    let event = delivery.event();
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let or_none = |value: Option<&str>| value.unwrap_or("none").to_owned();
    let id = match (delivery.delivery_id(), delivery.is_delivery_id_signed()) {
        (Some(id), false) => format!("{id} (not signed)"),
        (id, _) => or_none(id),
    };
    let scheme = match delivery.scheme() {
        Scheme::Body { header, .. } => format!("body, in {header}"),
        Scheme::Timestamped { at, .. } => format!("timestamped, at {at}"),
        _ => "another one".to_owned(),
    };
    table(
        &["delivery", "valid"],
        [
            row("event type", event.event_type().to_owned()),
            row("subject", or_none(event.subject())),
            row("event id", or_none(event.event_id())),
            row("delivery id", id),
            row("content key", delivery.content_key().to_string()),
            row(
                "occurred at",
                event.occurred_at().map_or_else(|| "not told".to_owned(), |at| at.to_string()),
            ),
            row("secret", delivery.secret_label().to_owned()),
            row("scheme", scheme),
        ],
    )
}
