//! `webmessaging guests`: guests created, shown and changed, and identities hashed.

mod hash;
mod import;
mod lines;
mod look;
mod salt;

use serde_json::{Value, json};
use webmessaging::Error;
use webmessaging::guests::{Consent, ETagged, Guest, GuestPayload, GuestUpdate, GuestsClient};
use webmessaging::model::Violations;

use crate::args::guests::{CreateArgs, GetArgs, GuestsArgs, GuestsCommand, UpdateArgs, YesOrNo};
use crate::failure::{Exit, Failure};
use crate::input;
use crate::output::{Output, printable, table};
use crate::recording::Recording;

/// More than the platform takes of a request.
const PAYLOAD_BYTES_MAX: usize = 512_000;

pub(crate) async fn run(args: GuestsArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        GuestsCommand::Create(args) => {
            let recording = Recording::begin(&args.audit, "command")?;
            let outcome = create(*args, &recording, output).await;
            recording.end(outcome).await
        }
        GuestsCommand::Get(args) => get(*args, output).await,
        GuestsCommand::Update(args) => {
            let recording = Recording::begin(&args.audit, "command")?;
            let outcome = update(*args, &recording, output).await;
            recording.end(outcome).await
        }
        GuestsCommand::Engagement(args) => look::engagement(*args, output).await,
        GuestsCommand::Audit(args) => look::audit(*args, output).await,
        GuestsCommand::Import(args) => import::run(*args, output).await,
        GuestsCommand::Hash(args) => hash::run(&args, output),
    }
}

async fn create(args: CreateArgs, recording: &Recording, output: Output) -> Result<Exit, Failure> {
    let shown = args.payload.display().to_string();
    let json = input::bytes(&args.payload, PAYLOAD_BYTES_MAX)?;
    let payload = GuestPayload::from_json(&json).map_err(|violations| about(violations, shown))?;
    let guests = args.connection.client()?.guests().journal(recording.journal());
    let created = if args.without_consent {
        guests.create_without_consent(&payload).await?
    } else {
        guests.create(&payload).await?
    };
    report(&created.guest, &[], output)?;
    Ok(Exit::Success)
}

async fn get(args: GetArgs, output: Output) -> Result<Exit, Failure> {
    let guest = read(&args.connection.client()?.guests(), &args.guest).await?;
    report(&guest, &[], output)?;
    Ok(Exit::Success)
}

async fn update(args: UpdateArgs, recording: &Recording, output: Output) -> Result<Exit, Failure> {
    let guests = args.connection.client()?.guests().journal(recording.journal());
    let guest = read(&guests, &args.guest).await?;
    let mut update = GuestUpdate::of(&guest);
    for (name, value) in &args.set {
        update = update.attribute(name, value).map_err(|violation| about(violation, &*args.guest))?;
    }
    for name in &args.remove {
        update = update.remove_attribute(name);
    }
    if args.marketing.is_some() || args.data_processing.is_some() {
        let now = guest.value.consent().unwrap_or(Consent::new(false, false));
        let chosen = |answer: Option<YesOrNo>, now| answer.map_or(now, |answer| answer == YesOrNo::Yes);
        let marketing = chosen(args.marketing, now.marketing);
        update = update.consent(Consent::new(marketing, chosen(args.data_processing, now.data_processing)));
    }
    if args.without_consent {
        update = update.without_consent();
    }
    let updated = guests.update(&update).await.map_err(|error| Failure::about(error, args.guest))?;
    let places: Vec<_> = updated.changes.iter().map(|change| change.path.clone()).collect();
    report(&updated.guest, &places, output)?;
    Ok(Exit::Success)
}

async fn read(guests: &GuestsClient, id: &str) -> Result<ETagged<Guest>, Failure> {
    guests.get(id).await.map_err(|error| Failure::about(error, id))
}

/// A guest as it is, and the places that were changed.
fn report(guest: &ETagged<Guest>, changed: &[String], output: Output) -> Result<(), Failure> {
    let mut report = json!(guest.value);
    if let Value::Object(fields) = &mut report {
        fields.insert("ok".to_owned(), true.into());
        fields.insert("etag".to_owned(), guest.etag().into());
        fields.insert("changed".to_owned(), changed.into());
    }
    output.result(&report, || {
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let changed = if changed.is_empty() { "-".to_owned() } else { changed.join(", ") };
        let rows = [row("version", guest.etag().to_owned()), row("changed", changed)];
        let rest = printable(&format!("{:#}", json!(guest.value.rest)));
        format!("{}\n{rest}", table(&["guest", guest.value.id.as_str()], rows))
    })
}

/// What is wrong, told about what the user named.
fn about(violations: impl Into<Violations>, subject: impl Into<String>) -> Failure {
    Failure::about(Error::from(violations.into()), subject)
}
