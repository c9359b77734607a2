//! `webmessaging channels`: which channels there are, how they are set up, and how they should be.

mod apply;
mod export;
mod plan;
mod watch;

use serde_json::{Value, json};
use webmessaging::channels::Channel;

use crate::args::channels::{ChannelsArgs, ChannelsCommand, ListArgs, ShowArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, printable, table};

pub(crate) async fn run(args: ChannelsArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        ChannelsCommand::List(args) => list(*args, output).await,
        ChannelsCommand::Show(args) => show(*args, output).await,
        ChannelsCommand::Plan(args) => plan::plan(*args, output).await,
        ChannelsCommand::Apply(args) => apply::run(*args, output).await,
        ChannelsCommand::Validate(args) => plan::validate(&args, output),
        ChannelsCommand::Export(args) => export::run(*args, output).await,
        ChannelsCommand::Watch(args) => watch::run(*args, output).await,
    }
}

async fn list(args: ListArgs, output: Output) -> Result<Exit, Failure> {
    let mut found = args.connection.client()?.channels().discover();
    if args.all {
        found = found.of_every_type();
    }
    let mut channels = Vec::new();
    while let Some(channel) = found.next().await {
        channels.push(channel?);
    }
    output.result(&json!({"ok": true, "channels": channels}), || {
        let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
        let rows = channels.iter().map(|channel| {
            let sessions =
                channel.max_concurrent_sessions().map_or_else(|| "-".to_owned(), |max| max.to_string());
            vec![
                channel.id.to_string(),
                text(channel.name.as_deref()),
                text(channel.channel_type.as_deref()),
                sessions,
                text(channel.queue_id()),
            ]
        });
        let listed = table(&["channel", "name", "type", "sessions", "queue"], rows);
        format!("{listed}\n{} channels", channels.len())
    })?;
    Ok(Exit::Success)
}

async fn show(args: ShowArgs, output: Output) -> Result<Exit, Failure> {
    let channel = args.connection.client()?.channels().channel(&*args.channel).await;
    let channel = channel.map_err(|error| Failure::about(error, args.channel))?;
    let mut report = json!(channel);
    if let Value::Object(fields) = &mut report {
        fields.insert("ok".to_owned(), true.into());
    }
    output.result(&report, || {
        let row = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
        let rows = [
            row("name", channel.name.as_deref().unwrap_or("-")),
            row("type", channel.channel_type.as_deref().unwrap_or("-")),
            row("features", &features(&channel)),
        ];
        // What somebody has set up can be anything, so all of it is shown as it is.
        let configuration = printable(&format!("{:#}", json!(channel.configuration)));
        format!("{}\n{configuration}", table(&["channel", channel.id.as_str()], rows))
    })?;
    Ok(Exit::Success)
}

fn features(channel: &Channel) -> String {
    let names: Vec<_> = channel.features().map(|feature| feature.to_string()).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}
