//! Channels: found, a bad change refused whole, a good one planned and made beside that of a colleague, and a conflict.

use serde_json::{Map, Value};
use webmessaging::channels::{Channel, ChannelUpdate, ChannelsClient};
use webmessaging::model::{Browser, ChannelFeature};
use webmessaging::{Client, Error, ErrorKind};
use webmessaging_emulator::{Emulator, Fault, Route};

use crate::demo::Report;
use crate::demo::durable::Durable;
use crate::failure::Failure;

pub(crate) async fn show(emulator: &Emulator, client: &Client, durable: &Durable) -> Result<Report, Failure> {
    let channels = client.channels().journal(durable.journal());
    let mut found = Vec::new();
    let mut listed = channels.discover();
    while let Some(channel) = listed.next().await {
        found.push(channel?);
    }
    let Some(channel) = found.first() else {
        let none = Error::configuration("the embedded platform has no channel of web messaging");
        return Err(none.into());
    };
    let refused = refused(&channels, channel).await;
    let is_nothing_sent = emulator.count(Route::UpdateChannel) == 0;

    let update = ChannelUpdate::of(channel.clone()).max_concurrent_sessions(800);
    let planned: Vec<_> =
        channels.plan(&update).await?.changes.into_iter().map(|change| change.path).collect();
    // Meanwhile a colleague sends the conversations elsewhere, and the platform is busy.
    channels.update(&ChannelUpdate::of(channel.clone()).queue_id("queue-of-a-colleague")).await?;
    emulator.inject(Route::UpdateChannel, Fault::status(429).header("retry-after", "1"));
    let updated = channels.update(&update).await?;
    let (sessions, queue) = (updated.channel.max_concurrent_sessions(), updated.channel.queue_id());

    // What was read before that is old by now.
    let late = ChannelUpdate::of(channel.clone()).max_concurrent_sessions(900);
    let conflict = channels.update(&late).await.err().filter(|error| error.kind() == ErrorKind::Conflict);

    let ok = refused.len() == 3
        && is_nothing_sent
        && planned == ["/webchat/maxConcurrentSessions"]
        && (sessions, queue) == (Some(800), Some("queue-of-a-colleague"))
        && updated.facts.attempts == 2
        && conflict.is_some();
    let names: Vec<_> = found.iter().filter_map(|channel| channel.name.as_deref()).collect();
    let steps = [
        ("found", names.join(", ")),
        ("a bad change", format!("{}; nothing was sent", refused.join("; "))),
        ("a plan", format!("{} would change", planned.join(", "))),
        (
            "a 429, a colleague",
            format!("{} attempts, 800 sessions, and the queue is the colleague's", updated.facts.attempts),
        ),
        ("a late change", conflict.as_ref().map_or_else(|| "made".to_owned(), Error::to_string)),
    ];
    let figures: [(&str, Value); 5] = [
        ("found", found.len().into()),
        ("violations", refused.len().into()),
        ("changes", updated.changes.len().into()),
        ("attempts", updated.facts.attempts.into()),
        ("conflicts", u8::from(conflict.is_some()).into()),
    ];
    let figures: Map<_, _> = figures.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let steps = steps.map(|(step, outcome)| (step.to_owned(), outcome)).to_vec();
    Ok(Report { system: "channels", ok, figures, steps })
}

/// Every rule that a bad change breaks.
async fn refused(channels: &ChannelsClient, channel: &Channel) -> Vec<String> {
    let features = [ChannelFeature::CoBrowsing, ChannelFeature::from("telepathy")];
    let bad = ChannelUpdate::of(channel.clone()).max_concurrent_sessions(5_000).features(features);
    let Err(error) = channels.update(&bad.browsers([Browser::Safari])).await else { return Vec::new() };
    error.violations().into_iter().flatten().map(ToString::to_string).collect()
}
