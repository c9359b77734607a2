//! The state of an emulator as a document for people and programs: counts and states, no secrets.

mod files;
mod webhooks;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use uuid::Uuid;

use crate::announced::Announced;
use crate::clock::EmulatorClock;
use crate::files::{FileView, Files, StoredFile};
use crate::rate::Standing;
use crate::routes::ENDPOINTS;
use crate::state::Shared;

pub use self::files::{FileState, TransferState};
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
    /// File transfers, by id.
    pub transfers: Vec<TransferState>,
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
        let organization = shared.organization.capture();
        let (clients, tokens) = shared.rates.standings(now);
        let requests = ENDPOINTS
            .iter()
            .map(|endpoint| (endpoint.route.to_string(), shared.journal.count(endpoint.route)))
            .filter(|(_, count)| *count > 0);
        Self {
            clock: ClockState::of(&shared.clock),
            tokens: TokenState { valid, expired },
            files: of_all(&shared.files, now, FileState::of),
            transfers: of_all(&shared.transfers, now, TransferState::of),
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

impl ClientRate {
    fn of(client: String, standing: Standing) -> Self {
        let reset_seconds = standing.reset_seconds();
        Self { client, count: standing.count, allowed: standing.allowed, reset_seconds }
    }
}

/// All files of one kind as they are `now`, by id.
fn of_all<A: Announced, S>(
    files: &Files<A>,
    now: SystemTime,
    of: impl Fn(Uuid, &FileView<A>) -> S,
) -> Vec<S> {
    let by_id: BTreeMap<Uuid, StoredFile<A>> = files.capture().into_iter().collect();
    by_id.into_iter().map(|(id, file)| of(id, &file.view(now))).collect()
}

fn unix_seconds(moment: SystemTime) -> f64 {
    moment.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
