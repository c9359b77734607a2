//! `webmessaging channels export`: channels as they are, as a manifest.

use std::collections::HashSet;
use std::io::{self, IsTerminal};

use serde_json::json;
use webmessaging::channels::{Channel, ChannelsClient, Manifest};

use crate::args::channels::ExportArgs;
use crate::failure::{Exit, Failure};
use crate::manifests;
use crate::output::{Output, printable};

pub(super) async fn run(args: ExportArgs, output: Output) -> Result<Exit, Failure> {
    let channels = read(&args.connection.client()?.channels(), args.channels).await?;
    let exported = Manifest::export(&channels);
    let text = manifests::exported(&channels, &exported)?;
    let left_out: Vec<_> =
        exported.left_out.iter().map(|(id, path)| json!({"channel": id, "path": path})).collect();
    let mut report = json!({"ok": true, "manifest": exported.manifest, "leftOut": left_out});
    match args.to {
        None => output.result(&report, || {
            let text = text.trim_end();
            // In a file every character has to be what it is.
            if io::stdout().is_terminal() { printable(text) } else { text.to_owned() }
        })?,
        Some(path) => {
            manifests::write_new(&text, &exported.manifest, &path)?;
            let shown = path.display().to_string();
            if let Some(fields) = report.as_object_mut() {
                fields.insert("file".to_owned(), shown.clone().into());
            }
            output.result(&report, || {
                let left_out =
                    if left_out.is_empty() { "" } else { "; what cannot be said there is in its comments" };
                format!("{} channels are in {shown}{left_out}", channels.len())
            })?;
        }
    }
    Ok(Exit::Success)
}

async fn read(client: &ChannelsClient, ids: Vec<String>) -> Result<Vec<Channel>, Failure> {
    let mut channels = Vec::new();
    if ids.is_empty() {
        let mut found = client.discover();
        while let Some(channel) = found.next().await {
            channels.push(channel?);
        }
    }
    for id in ids {
        let channel = client.channel(&*id).await;
        channels.push(channel.map_err(|error| Failure::about(error, id))?);
    }
    // The list can have one twice when it changes while it is read, and so can whoever names them.
    let mut seen = HashSet::new();
    channels.retain(|channel| seen.insert(channel.id.clone()));
    Ok(channels)
}
