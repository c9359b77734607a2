//! `webmessaging outbox enable` and `disable`: whether a target is delivered to.

use std::sync::Arc;

use serde_json::json;
use webmessaging::journal::clock::{Clock, SystemClock};
use webmessaging::sync::{Target, TargetSwitches};

use crate::args::outbox::SwitchArgs;
use crate::data_dir;
use crate::failure::{Exit, Failure, Local};
use crate::output::Output;
use crate::targets;

pub(super) async fn run(args: SwitchArgs, is_on: bool, output: Output) -> Result<Exit, Failure> {
    let store = data_dir::existing_store(&args.store).await?;
    let (name, now) = (&args.target, SystemClock.wall());
    let switches = TargetSwitches::new(Arc::clone(&store));
    let off_since = switches.off_since(name, now).await?;
    let known = targets::without_secrets(&args.targets, &args.store.data)?.unwrap_or_default();
    // A name that nobody knows would be switched without any effect, and without a word.
    let is_known = off_since.is_some()
        || known.iter().map(Target::name).any(|known| known == name)
        || store.targets().await?.iter().any(|known| known == name);
    if !is_known {
        let message = "no such target: neither the targets file nor the outbox has one of this name";
        return Err(Local::input("not_found", message).about(name.clone()).into());
    }
    let is_changed = off_since.is_none() != is_on;
    if is_changed && !args.dry_run {
        if is_on {
            switches.enable(name, now).await?;
        } else {
            switches.disable(name, now).await?;
        }
    }
    let state = if is_on { "enabled" } else { "disabled" };
    let report = json!({
        "ok": true, "action": state, "target": name, "changed": is_changed, "dryRun": args.dry_run,
    });
    output.result(&report, || match (is_changed, args.dry_run) {
        (false, _) => format!("{name} is {state} already"),
        (true, true) => format!("{name} would be {state}; nothing was changed"),
        (true, false) => format!("{name} is {state}, for whoever delivers as soon as they look"),
    })?;
    Ok(Exit::Success)
}
