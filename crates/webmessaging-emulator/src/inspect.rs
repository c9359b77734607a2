//! The state of an emulator as a document for people and programs: counts and states, no secrets.

mod webhooks;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use uuid::Uuid;

use crate::attachments::status;
use crate::clock::EmulatorClock;
use crate::files::{FileView, Phase};
use crate::rate::Standing;
use crate::routes::ENDPOINTS;
use crate::state::Shared;

pub use self::webhooks::{DeliveryState, WebhookState};

/// What an emulator holds at one moment; it serializes as the control endpoint answers it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EmulatorState {
    /// The clock.
    pub clock: ClockState,
    /// Access tokens, which are counted and never shown.
    pub tokens: TokenState,
    /// Announced and uploaded files, by id.
    pub files: Vec<FileState>,
    /// What the organisation holds, counted.
    pub organization: OrganizationState,
    /// Registered webhooks, oldest first.
    pub webhooks: Vec<WebhookState>,
    /// Deliveries to webhooks.
    pub deliveries: DeliveryState,
    /// Rate counters.
    pub rates: RateState,
    /// Faults that wait for requests.
    pub faults: FaultState,
    /// Requests so far, by the name of their route; routes without any are left out.
    pub requests: BTreeMap<String, usize>,
    /// Ids of the snapshots that the control endpoint keeps.
    pub snapshots: Vec<String>,
}

/// The emulator's clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClockState {
    /// The present moment in seconds since 1970.
    pub unix_seconds: f64,
    /// How far the clock is ahead of real time, in seconds; negative behind it.
    pub ahead_seconds: f64,
}

/// Access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TokenState {
    /// Tokens that are accepted.
    pub valid: usize,
    /// Tokens that have expired and are not swept out yet.
    pub expired: usize,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileState {
    /// The file's id.
    pub id: String,
    /// The announced name.
    pub file_name: String,
    /// The announced content type.
    pub content_type: String,
    /// The announced size in bytes.
    pub file_size: u64,
    /// The message it is attached to.
    pub message_id: String,
    /// `pending`, `scanning`, `completed` or `failed`.
    pub status: String,
    /// `clean` or `malicious`, once the scan is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virus_scan_result: Option<String>,
    /// `passed` or `failed`, once the scan is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format_validation: Option<String>,
}

/// What the organisation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OrganizationState {
    /// Channels.
    pub channels: usize,
    /// Conversations.
    pub conversations: usize,
}

/// Rate counters of callers that have sent something in their window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RateState {
    /// Each OAuth client, by id.
    pub clients: Vec<ClientRate>,
    /// How many access tokens have a counter.
    pub tokens: usize,
    /// The highest count of an access token.
    pub highest_token_count: u32,
}

/// The rate counter of one OAuth client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClientRate {
    /// The client's id.
    pub client: String,
    /// Requests in the window.
    pub count: u32,
    /// Requests that the window has room for.
    pub allowed: u32,
    /// Seconds until the window ends, rounded up.
    pub reset_seconds: u64,
}

/// Faults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FaultState {
    /// Injected faults that wait, by the name of their route.
    pub queued: BTreeMap<String, usize>,
    /// How often each rule of the script has acted, in the order of the rules.
    pub acted: Vec<u64>,
}

impl EmulatorState {
    pub(crate) fn of(shared: &Shared) -> Self {
        let now = shared.clock.now();
        let (valid, expired) = shared.oauth.counts(now);
        let mut files: Vec<(Uuid, FileView)> =
            shared.files.capture().into_iter().map(|(id, file)| (id, file.view(now))).collect();
        files.sort_by_key(|(id, _)| *id);
        let organization = shared.organization.capture();
        let (clients, tokens) = shared.rates.standings(now);
        let requests = ENDPOINTS
            .iter()
            .map(|endpoint| (endpoint.route.to_string(), shared.journal.count(endpoint.route)))
            .filter(|(_, count)| *count > 0);
        Self {
            clock: ClockState::of(&shared.clock),
            tokens: TokenState { valid, expired },
            files: files.iter().map(|(id, file)| FileState::of(*id, file)).collect(),
            organization: OrganizationState {
                channels: organization.channels().len(),
                conversations: organization.conversations().len(),
            },
            webhooks: shared.subscriptions.capture().iter().map(|known| WebhookState::of(known)).collect(),
            deliveries: DeliveryState::of(&shared.sender),
            rates: RateState {
                clients: clients
                    .into_iter()
                    .map(|(client, standing)| ClientRate::of(client, standing))
                    .collect(),
                tokens: tokens.len(),
                highest_token_count: tokens.iter().map(|standing| standing.count).max().unwrap_or_default(),
            },
            faults: FaultState { queued: shared.faults.queued(), acted: shared.faults.acted() },
            requests: requests.collect(),
            snapshots: shared.snapshots.ids(),
        }
    }
}

impl ClockState {
    pub(crate) fn of(clock: &EmulatorClock) -> Self {
        Self { unix_seconds: unix_seconds(clock.now()), ahead_seconds: clock.ahead_seconds() }
    }
}

impl FileState {
    fn of(id: Uuid, file: &FileView) -> Self {
        let verdict = match &file.phase {
            Phase::Judged { verdict, .. } => Some(*verdict),
            Phase::Pending | Phase::Scanning => None,
        };
        Self {
            id: id.to_string(),
            file_name: file.request.file_name.clone(),
            content_type: file.request.content_type.clone(),
            file_size: file.request.file_size,
            message_id: file.request.message_id.clone(),
            status: status(&file.phase).to_owned(),
            virus_scan_result: verdict.map(|verdict| verdict.virus_scan_result().to_owned()),
            format_validation: verdict.map(|verdict| verdict.format_validation().to_owned()),
        }
    }
}

impl ClientRate {
    fn of(client: String, standing: Standing) -> Self {
        let reset_seconds = standing.reset_seconds();
        Self { client, count: standing.count, allowed: standing.allowed, reset_seconds }
    }
}

fn unix_seconds(moment: SystemTime) -> f64 {
    moment.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
