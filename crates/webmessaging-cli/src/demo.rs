//! `webmessaging demo`: every system at work on an embedded platform, with a report at the end.

mod bots;
mod channels;
mod durable;
mod guests;
mod other_system;
mod samples;
mod transfers;
mod uploads;

use serde_json::{Map, Value, json};
use webmessaging::{Client, Credentials, http};
use webmessaging_emulator::{EmulatedClient, Emulator};

use self::durable::Durable;
use crate::args::DemoArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, exit_if, table};

/// The credentials of the embedded platform, which nobody else can reach.
const CLIENT_ID: &str = "demo-client";
const CLIENT_SECRET: &str = "demo-secret";

const NEXT: &str =
    "Next: `webmessaging emulator` in one terminal and `webmessaging files upload --help` in another.";

/// What one system shows.
pub(crate) struct Report {
    /// The key of `systems` in the JSON report.
    pub(crate) system: &'static str,
    /// Everything went as it must.
    pub(crate) ok: bool,
    /// The figures, for programs.
    pub(crate) figures: Map<String, Value>,
    /// What happened, step by step, for people: what was tried, what came of it.
    pub(crate) steps: Vec<(String, String)>,
}

impl Report {
    fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("ok".to_owned(), self.ok.into());
        json.extend(self.figures.clone());
        Value::Object(json)
    }

    fn to_text(&self) -> String {
        let rows = self.steps.iter().map(|(step, outcome)| vec![step.clone(), outcome.clone()]);
        let end = if self.ok { "everything went as expected" } else { "something did NOT go as expected" };
        format!("{}\n{}: {end}\n", table(&[self.system, "what happened"], rows), self.system)
    }
}

pub(crate) async fn run(args: DemoArgs, output: Output) -> Result<Exit, Failure> {
    let emulator = Emulator::builder()
        .client(EmulatedClient::new(CLIENT_ID, CLIENT_SECRET))
        .webhook_token(durable::TOKEN)
        .start()
        .await
        .map_err(|error| Failure::internal("the embedded platform did not start", error))?;
    output.note(&format!(
        "An embedded platform listens on {}; nothing leaves this machine.\n",
        emulator.base_url()
    ))?;
    let http = http::Client::builder(Credentials::new(CLIENT_ID, CLIENT_SECRET))
        .base_url(emulator.base_url())
        .build()?;
    let client = Client::new(http);

    let durable = Durable::start(&emulator).await?;
    let (uploaded, uploads) = uploads::show(&emulator, &client, args.file, &durable).await?;
    let transfers = transfers::show(&emulator, &client, &durable).await?;
    let channels = channels::show(&emulator, &client, &durable).await?;
    let (told, guests) = guests::show(&emulator, &client, &durable).await?;
    let bots = bots::show(&emulator, &client, &durable).await?;
    let [webhooks, sync, audit] = durable.finish(&emulator, uploaded, told).await?;
    let reports = [uploads, transfers, channels, guests, bots, webhooks, sync, audit];
    emulator.shutdown().await;

    let ok = reports.iter().all(|report| report.ok);
    let systems: Map<_, _> =
        reports.iter().map(|report| (report.system.to_owned(), report.to_json())).collect();
    output.result(&json!({"ok": ok, "systems": systems}), || {
        let reports: Vec<_> = reports.iter().map(Report::to_text).collect();
        format!("{}\n{NEXT}", reports.join("\n"))
    })?;
    Ok(exit_if(ok))
}
