//! `webmessaging dead-letters edit`: another content, checked by what the target takes, or as it is.

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};
use webmessaging::journal::clock::{Clock, SystemClock};
use webmessaging::store::Origin;
use webmessaging::store::limits::BODY_BYTES_MAX;
use webmessaging::sync::{DeadLetterDesk, Targets};

use super::letter::Letter;
use super::{By, rehearsal, targets};
use crate::args::outbox::DeadLetterEditArgs;
use crate::failure::{Exit, Failure, Local};
use crate::input;
use crate::output::Output;

/// What a letter has become, or would.
struct Edited {
    by: By,
    key: String,
    bytes: usize,
}

pub(super) async fn run(args: DeadLetterEditArgs, output: Output) -> Result<Exit, Failure> {
    if args.id.origin != Origin::Outbox {
        let message = "a delivery stays what its sender has sent: retry it or drop it";
        return Err(Local::input("invalid_input", message).about(args.id.to_string()).into());
    }
    let targets = targets(args.id, &args.view, &args.store.data)?;
    let (letter, edited) = match targets {
        Some(targets) => by_targets(&args, targets).await?,
        None => by_store(&args).await?,
    };
    let Edited { by, key, bytes } = edited;
    let checked = match by {
        By::Targets => "checked by what its target takes",
        By::Store => "checked by nobody",
    };
    let next = format!(
        "with {bytes} bytes under the key {key}, {checked}; `webmessaging dead-letters retry {}` sends it",
        letter.id
    );
    let more = json!({"key": key, "payloadBytes": bytes, "by": by.code()});
    letter.report(output, args.dry_run, "edited", &next, &more)
}

async fn by_targets(args: &DeadLetterEditArgs, targets: Targets) -> Result<(Letter, Edited), Failure> {
    if args.key.is_some() {
        let message = "with a targets file the key comes from the content; --plain leaves it aside";
        return Err(Local::input("invalid_input", message).about("--key").into());
    }
    let payload = input::text(&args.payload_file, BODY_BYTES_MAX)?;
    let letter = Letter::find(args.id, &args.store).await?;
    letter.is_waiting()?;
    targets.get(&letter.content.letter.target).map_err(|error| {
        let error = Local::from(error).hint("--plain leaves the targets file aside");
        error.about(format!("{}: target `{}`", letter.id, letter.content.letter.target))
    })?;
    let now = SystemClock.wall();
    // The key is told by a rehearsal: once the letter is edited, somebody else can retry it before it is looked at.
    let becomes = rehearsal::edited(&letter, &targets, &payload, now).await?;
    letter.could_be_edited(&becomes.letter.key)?;
    if !args.dry_run {
        let desk = DeadLetterDesk::new(Arc::clone(&letter.store), targets);
        desk.edit(args.id, &payload, now).await.map_err(|error| letter.failed(error))?;
    }
    let edited = Edited { by: By::Targets, key: becomes.letter.key, bytes: becomes.payload.len() };
    Ok((letter, edited))
}

async fn by_store(args: &DeadLetterEditArgs) -> Result<(Letter, Edited), Failure> {
    let payload = input::bytes(&args.payload_file, BODY_BYTES_MAX)?;
    let of_content = || format!("sha256:{}", hex::encode(Sha256::digest(&payload)));
    let key = args.key.clone().unwrap_or_else(of_content);
    let (bytes, now) = (payload.len(), SystemClock.wall());
    let letter = Letter::find(args.id, &args.store).await?;
    if args.dry_run {
        letter.could_be_edited(&key)?;
    } else {
        let edited = letter.store.edit_dead_letter(args.id, payload.into(), &key, now).await;
        edited.map_err(|error| letter.failed(error))?;
    }
    Ok((letter, Edited { by: By::Store, key, bytes }))
}
