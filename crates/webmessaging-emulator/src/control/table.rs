//! The table of the control endpoints.

use http::Method;
use serde_json::{Value, json};

use crate::fault::kinds;

/// What a control endpoint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Capabilities,
    GetFaults,
    PutFaults,
    DeleteFaults,
    GetClock,
    AdvanceClock,
    GetRequests,
    DeleteRequests,
    GetDeliveries,
    Tamper,
    SendEvent,
    FailScans,
    Rejudge,
    GetState,
    PutState,
    TakeSnapshot,
    RestoreSnapshot,
    DeleteSnapshot,
    Reset,
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) action: Action,
    pub(super) method: Method,
    path: &'static str,
    summary: &'static str,
}

/// Every control endpoint; those of one path stand together.
static CONTROLS: [Control; 19] = [
    Control {
        action: Action::Capabilities,
        method: Method::GET,
        path: "/__emulator/capabilities",
        summary: "what is emulated, and what is not",
    },
    Control {
        action: Action::GetFaults,
        method: Method::GET,
        path: "/__emulator/faults",
        summary: "the fault script",
    },
    Control {
        action: Action::PutFaults,
        method: Method::PUT,
        path: "/__emulator/faults",
        summary: "replaces the fault script, and counts requests anew",
    },
    Control {
        action: Action::DeleteFaults,
        method: Method::DELETE,
        path: "/__emulator/faults",
        summary: "removes the fault script",
    },
    Control {
        action: Action::GetClock,
        method: Method::GET,
        path: "/__emulator/clock",
        summary: "the clock",
    },
    Control {
        action: Action::AdvanceClock,
        method: Method::POST,
        path: "/__emulator/clock/advance",
        summary: "moves the clock forward: `{\"seconds\": 300}`",
    },
    Control {
        action: Action::GetRequests,
        method: Method::GET,
        path: "/__emulator/requests",
        summary: "recorded requests, without queries and secrets; query `route`, `after`, `limit`",
    },
    Control {
        action: Action::DeleteRequests,
        method: Method::DELETE,
        path: "/__emulator/requests",
        summary: "forgets the recorded requests",
    },
    Control {
        action: Action::GetDeliveries,
        method: Method::GET,
        path: "/__emulator/deliveries",
        summary: "deliveries to webhooks and their attempts; query `eventId`, `after`, `limit`",
    },
    Control {
        action: Action::Tamper,
        method: Method::POST,
        path: "/__emulator/tamper",
        summary: "lets the deliveries of the next event go wrong: `{\"next\": \"duplicate\"}`",
    },
    Control {
        action: Action::SendEvent,
        method: Method::POST,
        path: "/__emulator/events",
        summary: "sends an event to its webhooks and answers its id: `{\"eventType\": \"a.b\", \"data\": {}}`",
    },
    Control {
        action: Action::FailScans,
        method: Method::POST,
        path: "/__emulator/scans/fail",
        summary: "lets the next scans fail, of uploads and transfers alike: `{\"count\": 2}`",
    },
    Control {
        action: Action::Rejudge,
        method: Method::PUT,
        path: "/__emulator/verdicts/{id}",
        summary: "changes what the virus scan of a file or transfer came to, and tells the webhooks: `{\"malicious\": true}`",
    },
    Control {
        action: Action::GetState,
        method: Method::GET,
        path: "/__emulator/state",
        summary: "tokens (counted), files, transfers, webhooks (no secrets), deliveries, organisation, rates, faults, snapshots",
    },
    Control {
        action: Action::PutState,
        method: Method::PUT,
        path: "/__emulator/state",
        summary: "takes a seed: files, organisation, webhooks",
    },
    Control {
        action: Action::TakeSnapshot,
        method: Method::POST,
        path: "/__emulator/snapshots",
        summary: "takes a snapshot and answers its `id`; up to 16 are kept",
    },
    Control {
        action: Action::DeleteSnapshot,
        method: Method::DELETE,
        path: "/__emulator/snapshots/{id}",
        summary: "forgets a snapshot",
    },
    Control {
        action: Action::RestoreSnapshot,
        method: Method::POST,
        path: "/__emulator/snapshots/{id}/restore",
        summary: "goes back to a snapshot; open deliveries end",
    },
    Control {
        action: Action::Reset,
        method: Method::POST,
        path: "/__emulator/reset",
        summary: "state, clock and faults as at the start; forgets requests, deliveries and tampers",
    },
];

/// The path of every control endpoint, each once.
pub(crate) fn paths() -> Vec<&'static str> {
    let mut paths: Vec<_> = CONTROLS.iter().map(|control| control.path).collect();
    paths.dedup();
    paths
}

/// The control endpoints of a matched path template: one for each method.
pub(super) fn at(template: &str) -> impl Iterator<Item = &'static Control> {
    CONTROLS.iter().filter(move |control| control.path == template)
}

/// The control endpoints and the faults, for the capabilities document.
pub(crate) fn described() -> (Vec<Value>, Vec<Value>) {
    let controls = CONTROLS.iter().map(|control| {
        json!({ "method": control.method.as_str(), "path": control.path, "summary": control.summary })
    });
    let faults =
        kinds().iter().map(|kind| json!({ "name": kind.name, "keys": kind.keys, "summary": kind.summary }));
    (controls.collect(), faults.collect())
}
