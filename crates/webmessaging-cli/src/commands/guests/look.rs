//! `webmessaging guests engagement` and `audit`: what the platform knows of a guest.

use serde_json::json;
use webmessaging::guests::{Engagement, ListAudits};

use super::read;
use crate::args::guests::{AuditsArgs, EngagementArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, table};
use crate::recording::Recording;

pub(super) async fn engagement(args: EngagementArgs, output: Output) -> Result<Exit, Failure> {
    let recording = Recording::begin(&args.audit, "command")?;
    let outcome = calculated(args, &recording, output).await;
    recording.end(outcome).await
}

async fn calculated(args: EngagementArgs, recording: &Recording, output: Output) -> Result<Exit, Failure> {
    let guests = args.connection.client()?.guests().journal(recording.journal());
    let guest = read(&guests, &args.guest).await?;
    let engagement = if args.push {
        let pushed = guests.push_engagement(&guest).await;
        pushed.map_err(|error| Failure::about(error, &*args.guest))?.0
    } else {
        Engagement::of(&guest.value)
    };
    let Engagement { duration, messages, mean_response, converted, .. } = engagement;
    let report = json!({
        "ok": true, "id": args.guest, "messages": messages, "converted": converted, "pushed": args.push,
        "durationMs": duration.map(|duration| duration.as_millis()),
        "meanResponseMs": mean_response.map(|mean| mean.as_millis()),
    });
    output.result(&report, || {
        let shown = |time: Option<std::time::Duration>| {
            time.map_or_else(|| "not known".to_owned(), |time| humantime::format_duration(time).to_string())
        };
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let rows = [
            row("duration", shown(duration)),
            row("messages", messages.to_string()),
            row("mean time of an answer", shown(mean_response)),
            row("converted", if converted { "yes" } else { "no" }.to_owned()),
        ];
        table(&["guest", &args.guest], rows)
    })?;
    Ok(Exit::Success)
}

pub(super) async fn audit(args: AuditsArgs, output: Output) -> Result<Exit, Failure> {
    let mut list = ListAudits::new(&*args.guest);
    if let Some(at) = args.since {
        list = list.from(at);
    }
    if let Some(at) = args.until {
        list = list.until(at);
    }
    let mut audits = args.connection.client()?.guests().audits(list);
    let mut entries = Vec::new();
    while entries.len() < args.limit
        && let Some(entry) = audits.next().await
    {
        entries.push(entry.map_err(|error| Failure::about(error, &*args.guest))?);
    }
    output.result(&json!({"ok": true, "entries": entries}), || {
        let rows = entries.iter().map(|entry| vec![entry.timestamp.to_string(), entry.action.clone()]);
        format!("{}\n{} entries", table(&["time", "what happened"], rows), entries.len())
    })?;
    Ok(Exit::Success)
}
