//! One channel: `GET` and `PATCH /api/v2/communications/channels/{channelId}`.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::{Refusal, json_response};
use crate::channels::Channel;
use crate::event::Event;
use crate::organization::Organization;
use crate::schema::{self, Detail, refuse_fractions};
use crate::serve::Call;
use crate::uploads::json_body;

/// The event that a channel was changed.
const CHANNEL_UPDATED: &str = "channel.updated";

/// The most that a configuration may have, in bytes of JSON.
const CONFIGURATION_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn get(call: &Call) -> Result<Response, Refusal> {
    let organization = call.shared.organization.capture();
    let channel = find(&organization, call.param("channelId"))?;
    Ok(json_response(StatusCode::OK, &json!(channel)))
}

pub(crate) async fn update(call: &mut Call) -> Result<Response, Refusal> {
    let body = json_body(call).await?;
    let mut details = schema::check_channel_update(&body);
    let id = call.param("channelId").to_owned();
    if details.is_empty() && body.get("id").and_then(Value::as_str) != Some(&*id) {
        details.push(Detail { error_code: "const".to_owned(), field_name: "id".to_owned() });
    }
    if !details.is_empty() {
        return Err(Refusal::constraints(details));
    }
    // Read, merged, checked and stored in one step, so that no change is lost between two.
    let (channel, is_changed) = call.shared.organization.change(|organization| {
        let mut channel = find(organization, &id)?.clone();
        let mut configuration = Value::Object(channel.configuration.clone());
        json_patch::merge(&mut configuration, body.get("configuration").unwrap_or(&Value::Null));
        check(&configuration)?;
        let Value::Object(configuration) = configuration else {
            return Err(Refusal::internal("channel configuration"));
        };
        let is_changed = configuration != channel.configuration;
        channel.configuration = configuration;
        organization.put_channel(channel.clone());
        Ok((channel, is_changed))
    })?;
    let answer = json!(channel);
    if is_changed {
        // What fits a request fits an event.
        if let Ok(event) = Event::new(CHANNEL_UPDATED, answer.clone(), &call.shared.clock) {
            call.shared.publish(&event);
        }
    }
    Ok(json_response(StatusCode::OK, &answer))
}

fn find<'a>(organization: &'a Organization, id: &str) -> Result<&'a Channel, Refusal> {
    organization.channels().iter().find(|channel| channel.id() == id).ok_or_else(Refusal::not_found)
}

fn check(configuration: &Value) -> Result<(), Refusal> {
    let whole = Value::Object(Map::from_iter([("configuration".to_owned(), configuration.clone())]));
    let mut details = schema::check_channel_configuration(&whole);
    // Small changes must not add up to what no answer can hold.
    if configuration.to_string().len() > CONFIGURATION_BYTES_MAX {
        let field_name = "configuration".to_owned();
        details.push(Detail { error_code: "maxLength".to_owned(), field_name });
    }
    if details.is_empty() {
        return refuse_fractions(&whole, &["/configuration/webchat/maxConcurrentSessions"]);
    }
    Err(Refusal::constraints(details))
}
