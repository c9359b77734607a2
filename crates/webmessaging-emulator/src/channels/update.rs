//! `PATCH /api/v2/communications/channels/{channelId}`: changes what it names of a channel's configuration.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::{Refusal, json_response};
use crate::channels::{Channel, find};
use crate::event::Event;
use crate::schema::{Detail, check_channel_configuration, check_channel_update};
use crate::serve::Call;
use crate::uploads::json_body;

/// A channel was changed.
const CHANNEL_UPDATED: &str = "channel.updated";

pub(crate) async fn update(call: &mut Call) -> Result<Response, Refusal> {
    let body = json_body(call).await?;
    let shared = &call.shared;
    // Held to the end: nothing changes the channel in between, and events come in the order of the changes.
    let _turn = shared.turn();
    let former = find(&shared.organization.capture(), call.param("channelId"))?.clone();
    let channel = changed(&former, &body).map_err(Refusal::constraints)?;
    let answer = json!(channel);
    if channel != former {
        // Made first: a configuration that has grown too long for its event is not stored.
        let event = Event::new(CHANNEL_UPDATED, answer.clone(), &shared.clock).map_err(|error| {
            tracing::debug!(%error, "change not stored");
            Refusal::constraints(vec![detail("maxLength", "configuration")])
        })?;
        shared.organization.replace_channel(channel);
        shared.publish(&event);
    }
    Ok(json_response(StatusCode::OK, &answer))
}

/// What the body makes of a channel, or every rule that is broken by the body or by what would come out.
fn changed(former: &Channel, body: &Value) -> Result<Channel, Vec<Detail>> {
    let mut details = check_channel_update(body);
    if body.get("id").and_then(Value::as_str).is_some_and(|id| id != former.id) {
        details.push(detail("const", "id"));
    }
    let mut channel = former.clone();
    if let Some(patch) = body.get("configuration").filter(|patch| patch.is_object()) {
        let mut configuration = Value::Object(std::mem::take(&mut channel.configuration));
        json_patch::merge(&mut configuration, patch);
        if let Value::Object(configuration) = configuration {
            channel.configuration = configuration;
        }
        details.extend(check_channel_configuration(&channel.configuration));
    }
    if details.is_empty() { Ok(channel) } else { Err(details) }
}

fn detail(error_code: &str, field_name: &str) -> Detail {
    Detail { error_code: error_code.to_owned(), field_name: field_name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Channel {
        Channel::new("1", "One", "webchat").webchat(500, ["rich-media"]).routing("queue-1", "longest-idle")
    }

    fn violations(body: &Value) -> Vec<(String, String)> {
        let details = changed(&channel(), body).err().unwrap_or_default();
        details.into_iter().map(|detail| (detail.error_code, detail.field_name)).collect()
    }

    #[test]
    fn only_the_configuration_changes() {
        let body = json!({ "id": "1", "configuration": { "webchat": { "maxConcurrentSessions": 5 } } });
        let expected =
            Channel::new("1", "One", "webchat").webchat(5, ["rich-media"]).routing("queue-1", "longest-idle");
        assert_eq!(changed(&channel(), &body).unwrap(), expected);
    }

    #[test]
    fn the_body_names_the_channel_and_has_a_configuration() {
        for (body, code, field) in [
            (json!({ "id": "2", "configuration": {} }), "const", "id"),
            (json!({ "id": 1, "configuration": {} }), "type", "id"),
            (json!({ "configuration": {} }), "required", "id"),
            (json!({ "id": "1" }), "required", "configuration"),
            (json!({ "id": "1", "configuration": null }), "type", "configuration"),
            (json!({ "id": "1", "configuration": [] }), "type", "configuration"),
            (json!({ "id": "1", "configuration": {}, "name": "Two" }), "additionalProperties", "name"),
            (json!([]), "type", ""),
        ] {
            assert_eq!(violations(&body), [(code.to_owned(), field.to_owned())], "{body}");
        }
    }

    #[test]
    fn violations_of_body_and_configuration_are_listed_together() {
        let body = json!({ "id": "2", "configuration": { "webchat": null, "routing": { "queueId": ".." } } });
        let expected = [("const", "id"), ("not", "/configuration/routing/queueId")];
        assert_eq!(violations(&body), expected.map(|(code, field)| (code.to_owned(), field.to_owned())));
    }
}
