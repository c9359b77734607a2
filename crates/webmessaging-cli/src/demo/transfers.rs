//! A transfer: announced, its URL refused as expired and renewed, its bytes sent, its verdict waited for.

use serde_json::{Map, Value};
use webmessaging::files::FinishedTransfer;
use webmessaging::model::{AccessPolicyDirectives, EncryptionStandard, ScanVerdict, TransferPayload};
use webmessaging::{Client, Source};
use webmessaging_emulator::{Emulator, Fault, Route};

use crate::demo::Report;
use crate::demo::durable::Durable;
use crate::demo::samples;
use crate::failure::Failure;

const ORGANIZATION: &str = "demo-organization";
const BUCKET: &str = "7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10";
const NAME: &str = "contract.pdf";

/// As an object store says it.
const EXPIRED: &str = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";

pub(crate) async fn show(emulator: &Emulator, client: &Client, durable: &Durable) -> Result<Report, Failure> {
    let document = samples::document();
    let policy = AccessPolicyDirectives::new(30, EncryptionStandard::Aes256, true);
    let payload =
        TransferPayload::new(NAME, u64::try_from(document.len()).unwrap_or(u64::MAX), BUCKET, policy);
    emulator.inject(Route::PutTransfer, Fault::status(403).body(EXPIRED));
    let transfers = client.transfers(ORGANIZATION).journal(durable.journal());
    let finished = transfers.transfer(payload, Source::bytes(NAME, document)).await?;
    Ok(report(emulator, &finished))
}

fn report(emulator: &Emulator, finished: &FinishedTransfer) -> Report {
    let requests = emulator.requests();
    let statuses = |route| {
        let of_route = requests.iter().filter(|request| request.route == Some(route));
        let statuses: Vec<_> = of_route.filter_map(|request| Some(request.status?.to_string())).collect();
        statuses.join(", ")
    };
    let (verdict, uploaded) = (finished.verdict(), finished.uploaded.as_ref());
    let sha256 = uploaded.and_then(|uploaded| uploaded.sha256.clone()).unwrap_or_default();
    let renewals = emulator.count(Route::RenewTransfer);
    let is_what_was_sent = finished.state.sha256.as_ref() == Some(&sha256);
    let ok = verdict == ScanVerdict::Clean && renewals == 1 && is_what_was_sent;
    let steps = [
        ("a contract", format!("{NAME}, kept for 30 days: {}", verdict.as_str())),
        ("  announced", format!("POST .../file-transfers: {}", statuses(Route::CreateTransfer))),
        ("  sent", format!("PUT to the presigned URL: {} (the 403 is staged)", statuses(Route::PutTransfer))),
        ("  renewed", format!("POST .../renew: {}", statuses(Route::RenewTransfer))),
        ("  scanned", format!("GET .../file-transfers/...: {}", statuses(Route::GetTransfer))),
        (
            "  compared",
            format!("sha-256 {}...: the platform has what was sent", sha256.get(..12).unwrap_or_default()),
        ),
    ];
    let figures: [(&str, Value); 4] = [
        ("transferId", finished.transfer_id.as_str().into()),
        ("verdict", verdict.as_str().into()),
        ("renewals", renewals.into()),
        ("sha256", sha256.into()),
    ];
    let figures: Map<_, _> = figures.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let steps = steps.map(|(step, outcome)| (step.to_owned(), outcome)).to_vec();
    Report { system: "transfers", ok, figures, steps }
}
