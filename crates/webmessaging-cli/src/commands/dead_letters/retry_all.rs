//! `webmessaging dead-letters retry --all`: one more chance for everything, or for everything of a target.

use serde_json::json;
use webmessaging::journal::clock::{Clock, SystemClock};
use webmessaging::store::DeadLetterFilter;
use webmessaging::sync::{DeadLetterDesk, Targets};

use crate::args::outbox::DeadLetterRetryArgs;
use crate::data_dir;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(super) async fn run(args: DeadLetterRetryArgs, output: Output) -> Result<Exit, Failure> {
    // To try again, nobody has to know what a target takes.
    let desk = DeadLetterDesk::new(data_dir::existing_store(&args.store).await?, Targets::default());
    let mut filter = DeadLetterFilter::default();
    filter.target = args.target;
    let count = if args.dry_run {
        count(&desk, &filter, args.limit).await?
    } else {
        desk.retry_all(filter, args.limit, SystemClock.wall()).await?
    };
    let report = json!({
        "ok": true, "action": "retried", "dryRun": args.dry_run, "retried": count, "limit": args.limit,
    });
    output.result(&report, || to_text(count, args.limit, args.dry_run))?;
    Ok(Exit::Success)
}

/// How many there are, up to the limit.
async fn count(desk: &DeadLetterDesk, filter: &DeadLetterFilter, limit: u32) -> Result<u32, Failure> {
    let (mut count, mut after) = (0_u32, None);
    while count < limit {
        let page = desk.list(filter.clone(), after, limit.saturating_sub(count)).await?;
        count = count.saturating_add(u32::try_from(page.letters.len()).unwrap_or(u32::MAX));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(count)
}

fn to_text(count: u32, limit: u32, dry_run: bool) -> String {
    let text = match (count, dry_run) {
        (0, _) => return "there are none".to_owned(),
        (1, true) => "1 dead letter would be retried; nothing was changed".to_owned(),
        (_, true) => format!("{count} dead letters would be retried; nothing was changed"),
        (1, false) => "1 dead letter is retried as soon as somebody works on it".to_owned(),
        (_, false) => format!("{count} dead letters are retried as soon as somebody works on them"),
    };
    if count == limit { format!("{text}\nthere can be more: that was the --limit") } else { text }
}
