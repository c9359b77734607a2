//! Every operation of the toolkit against the emulator, in good weather and in bad. What has to come of a fault follows
//! from the operation itself: may it be sent again, does its answer say anything.

mod cases;
mod profiles;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use webmessaging::Client;
use webmessaging::http::testing::{Halfway, SkippingClock};
use webmessaging::http::{Client as HttpClient, Credentials, Encoder, Endpoint, Error};
use webmessaging::model::{Contract, Method, Operation};
use webmessaging::reference::operations;
use webmessaging_emulator::{Emulator, SeededFile, StateSeed};

use self::cases::{CASES, Case};
use self::profiles::{Expected, PROFILES, Profile};

const SECRET: &str = "demo-secret";
pub(crate) const MESSAGE: &str = "87654321-4321-4321-4321-210987654321";
pub(crate) const ATTACHMENT: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e8f7a6b5c4d";

/// An emulator with one file, and a client whose waits let the emulator's time pass too.
pub(crate) struct Setup {
    pub(crate) emulator: Emulator,
    pub(crate) client: Client,
}

impl Setup {
    async fn new() -> Self {
        let file = SeededFile::new("seeded.txt", "text/plain", MESSAGE).id(ATTACHMENT).content("hello");
        let seed = StateSeed::new().files([file]);
        let emulator = Emulator::builder().seed(seed).start().await.unwrap();
        let theirs = emulator.clock().clone();
        let clock = SkippingClock::with_hook(move |slept: Duration| theirs.advance(slept));
        let http = HttpClient::builder(Credentials::new("demo-client", SECRET))
            .base_url(emulator.base_url())
            .clock(clock)
            .entropy(Halfway)
            .build()
            .unwrap();
        Self { emulator, client: Client::new(http) }
    }
}

#[test]
fn every_operation_has_a_case_and_every_case_an_operation() {
    let known: BTreeSet<_> = operations().map(|operation| operation.name).collect();
    let covered: BTreeSet<_> = CASES.iter().map(|case| case.operation.name).collect();
    assert_eq!(known, covered);
    assert_eq!(covered.len(), CASES.len(), "a case is there twice");
}

#[tokio::test]
async fn every_operation_stands_every_fault() {
    // All of it, so that one run shows every operation that falls short.
    let mut wrong = Vec::new();
    for case in CASES {
        for profile in PROFILES {
            wrong.extend(check(case, profile).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn check(case: &Case, profile: &Profile) -> Option<String> {
    let setup = Setup::new().await;
    for fault in (profile.faults)() {
        setup.emulator.inject(case.route, fault);
    }
    let outcome = (case.run)(&setup).await;
    let requests = setup.emulator.count(case.route);
    let expected = (profile.expected)(case);
    let what = format!("{} with {}", case.operation.name, profile.name);
    if let Err(error) = &outcome {
        check_error(case, error, &what);
    }
    let found = match outcome {
        Ok(()) => Expected::Done(requests),
        Err(error) => Expected::Failed(error.kind(), requests),
    };
    (found != expected).then(|| format!("{what}: {found:?}, expected {expected:?}"))
}

/// What holds for any error of any operation.
fn check_error(case: &Case, error: &Error, what: &str) {
    assert_eq!(error.operation().map(|operation| operation.name), Some(case.operation.name), "{what}");
    assert!(error.correlation_id().is_some(), "{what}");
    assert_eq!(error.request_id().is_some(), error.status().is_some(), "{what}");
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let said = chain.map(|error| format!("{error} {error:?}")).collect::<Vec<_>>().join(" ");
    for secret in [SECRET, "Bearer", "signature="] {
        assert!(!said.contains(secret), "{what} says {secret}");
    }
    assert!(!error.to_string().contains('\n'), "{what}");
}

/// Reads the emulator's own word on what it does.
struct GetCapabilities;

const GET_CAPABILITIES: Operation =
    Operation::new("emulator.capabilities", Method::Get, "/__emulator/capabilities");

impl Endpoint for GetCapabilities {
    type Answer = Value;

    fn operation(&self) -> &'static Operation {
        &GET_CAPABILITIES
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request
    }
}

#[tokio::test]
async fn the_emulator_has_every_operation_at_its_path_with_its_scopes() {
    let setup = Setup::new().await;
    let capabilities = setup.client.http().send(&GetCapabilities).await.unwrap().value;
    let endpoints = capabilities["endpoints"].as_array().unwrap();
    for operation in operations().filter(|operation| !operation.path.is_empty()) {
        let endpoint = endpoints.iter().find(|endpoint| {
            endpoint["method"] == operation.method.as_str() && endpoint["path"] == operation.path
        });
        let endpoint = endpoint.unwrap_or_else(|| panic!("{} is not emulated", operation.name));
        let scopes: Vec<_> =
            endpoint["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
        assert_eq!(scopes, operation.scopes, "{}", operation.name);
        let contract = if operation.contract == Contract::Design { "design" } else { "platform" };
        assert_eq!(endpoint["contract"], contract, "{}", operation.name);
    }
}
