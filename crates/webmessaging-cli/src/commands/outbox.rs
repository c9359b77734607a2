//! `webmessaging outbox`: how much waits for its delivery, since when, and what is held up; targets switched off and on.

mod switch;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use webmessaging::journal::clock::{Clock, SystemClock};
use webmessaging::model::Timestamp;
use webmessaging::store::{BlockedBy, BlockedLane, OutboxStats};
use webmessaging::sync::TargetSwitches;

use crate::args::outbox::{OutboxArgs, OutboxCommand, OutboxListArgs};
use crate::data_dir;
use crate::failure::{Exit, Failure};
use crate::output::{Output, table};

pub(crate) async fn run(args: OutboxArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        OutboxCommand::List(args) => list(args, output).await,
        OutboxCommand::Enable(args) => switch::run(args, true, output).await,
        OutboxCommand::Disable(args) => switch::run(args, false, output).await,
    }
}

/// How it stands with one target, or with all of them.
struct Standing {
    target: Option<String>,
    off_since: Option<Timestamp>,
    stats: OutboxStats,
}

async fn list(args: OutboxListArgs, output: Output) -> Result<Exit, Failure> {
    let store = data_dir::existing_store(&args.store).await?;
    let now = SystemClock.wall();
    let is_asked = !args.target.is_empty();
    let targets = if is_asked { args.target } else { store.targets().await? };
    let all = (!is_asked).then_some(None);
    let targets = targets.into_iter().map(Some).chain(all);
    let switches = TargetSwitches::new(Arc::clone(&store));
    let mut standings = Vec::new();
    for target in targets {
        let stats = store.outbox_stats(target.as_deref(), now).await?;
        let off_since = match &target {
            Some(target) => switches.off_since(target, now).await?,
            None => None,
        };
        standings.push(Standing { target, off_since, stats });
    }
    let json: Vec<_> = standings.iter().map(|standing| standing.to_json(now)).collect();
    output.result(&json!({"ok": true, "targets": json}), || to_text(&standings, now))?;
    Ok(Exit::Success)
}

impl Standing {
    fn to_json(&self, now: Timestamp) -> Value {
        let stats = &self.stats;
        json!({
            "target": self.target,
            "offSince": self.off_since,
            "due": stats.due,
            "waiting": stats.waiting,
            "leased": stats.leased,
            "dead": stats.dead,
            "delivered": stats.delivered,
            "dropped": stats.dropped,
            "oldestOpenAt": stats.oldest_open_at,
            "oldestAgeSeconds": stats.oldest_open_at.map(|at| now.since(at).as_secs()),
            "blockedLanes": stats.blocked_lanes.iter().map(lane_to_json).collect::<Vec<_>>(),
            "blockedLanesTotal": stats.blocked_lanes_total,
        })
    }

    fn to_row(&self, now: Timestamp) -> Vec<String> {
        let stats = &self.stats;
        let counts = [stats.due, stats.waiting, stats.leased, stats.dead, stats.delivered, stats.dropped];
        let name = self.target.as_deref().unwrap_or("(all)");
        let mut row = vec![if self.off_since.is_some() { format!("{name} (off)") } else { name.to_owned() }];
        row.extend(counts.map(|count| count.to_string()));
        row.push(stats.oldest_open_at.map_or_else(|| "-".to_owned(), |at| age(now.since(at))));
        row
    }
}

fn lane_to_json(lane: &BlockedLane) -> Value {
    let (by, again_at) = match lane.by {
        BlockedBy::Retry { at } => ("retry", Some(at)),
        BlockedBy::DeadLetter => ("dead_letter", None),
        _ => ("other", None),
    };
    json!({
        "target": lane.target,
        "lane": lane.lane,
        "by": by,
        "againAt": again_at,
        "since": lane.since,
        "reason": lane.reason,
    })
}

fn lane_to_row(lane: &BlockedLane, now: Timestamp) -> Vec<String> {
    let by = match lane.by {
        BlockedBy::Retry { at } => format!("a retry at {at}"),
        BlockedBy::DeadLetter => "a dead letter".to_owned(),
        _ => "something else".to_owned(),
    };
    vec![lane.target.clone(), lane.lane.clone(), by, age(now.since(lane.since)), lane.reason.clone()]
}

fn to_text(standings: &[Standing], now: Timestamp) -> String {
    let header = ["target", "due", "waiting", "leased", "dead", "delivered", "dropped", "oldest"];
    let mut text = table(&header, standings.iter().map(|standing| standing.to_row(now)));
    // Together is where all of them are, each of them once.
    let together = standings.iter().position(|standing| standing.target.is_none());
    let told = together.and_then(|index| standings.get(index..)).unwrap_or(standings);
    let lanes: Vec<_> = told.iter().flat_map(|standing| &standing.stats.blocked_lanes).collect();
    if !lanes.is_empty() {
        let header = ["target", "lane", "held up by", "for", "reason"];
        text.push_str("\n\n");
        text.push_str(&table(&header, lanes.iter().map(|lane| lane_to_row(lane, now))));
    }
    let total: u64 = told.iter().map(|standing| standing.stats.blocked_lanes_total).sum();
    let shown = u64::try_from(lanes.len()).unwrap_or(u64::MAX);
    if total > shown {
        return format!("{text}\nand {} more lanes", total - shown);
    }
    text
}

/// To the second: nobody reads more.
fn age(age: Duration) -> String {
    humantime::format_duration(Duration::from_secs(age.as_secs())).to_string()
}
