//! Channels: `GET /api/v2/communications/channels` lists them page by page, `GET .../{channelId}` shows one.

mod update;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::{Refusal, json_response};
use crate::organization::Organization;
use crate::page::page;
use crate::serve::Call;

pub(crate) use self::update::update;

/// A channel, with the configuration that the design documents give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "channelType")]
    pub(crate) kind: String,
    pub(crate) configuration: Map<String, Value>,
}

impl Channel {
    /// A channel without any configuration.
    pub fn new(id: impl Into<String>, name: impl Into<String>, channel_type: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), kind: channel_type.into(), configuration: Map::new() }
    }

    /// Sets `configuration.webchat`: how many sessions at once, and which features.
    pub fn webchat<'a>(
        mut self,
        max_concurrent_sessions: u32,
        features: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let features: Vec<&str> = features.into_iter().collect();
        let webchat = json!({ "maxConcurrentSessions": max_concurrent_sessions, "features": features });
        self.configuration.insert("webchat".to_owned(), webchat);
        self
    }

    /// Sets `configuration.routing`: the queue, and how it is worked off.
    pub fn routing(mut self, queue_id: &str, assignment_mode: &str) -> Self {
        let routing = json!({ "queueId": queue_id, "assignmentMode": assignment_mode });
        self.configuration.insert("routing".to_owned(), routing);
        self
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name that people see.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type, such as `webchat`.
    pub fn channel_type(&self) -> &str {
        &self.kind
    }
}

pub(crate) fn list(call: &Call) -> Result<Response, Refusal> {
    let organization = call.shared.organization.capture();
    let channels = organization.channels();
    let answer = page(call.endpoint.path, call.query.as_deref(), channels, |channel| json!(channel))?;
    Ok(json_response(StatusCode::OK, &answer))
}

pub(crate) fn get(call: &Call) -> Result<Response, Refusal> {
    let organization = call.shared.organization.capture();
    let channel = find(&organization, call.param("channelId"))?;
    Ok(json_response(StatusCode::OK, &json!(channel)))
}

fn find<'a>(organization: &'a Organization, id: &str) -> Result<&'a Channel, Refusal> {
    organization.channels().iter().find(|channel| channel.id() == id).ok_or_else(Refusal::not_found)
}
