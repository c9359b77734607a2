//! What must be true at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use webmessaging::journal::audit::{Selection, export, verify};

use crate::sender::Sender;
use crate::target::Target;

/// The last process has so long to work off what the others left.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that was acknowledged has reached the other system.
pub(crate) struct Outcome;

impl Outcome {
    pub(crate) fn wait_for(sender: &Sender, target: &Target) -> Self {
        let (acknowledged, started) = (sender.acknowledged(), now());
        loop {
            let missing: Vec<_> = target
                .with(|seen| acknowledged.iter().filter(|thing| !seen.keys.contains_key(*thing)).cloned().collect());
            if missing.is_empty() {
                return Self;
            }
            let lost = missing.len();
            assert!(started.elapsed() < PATIENCE, "{lost} acknowledged and lost, {:?} among them", missing.first());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    pub(crate) fn check(self, sender: &Sender, target: &Target, audit: &Path) {
        target.with(|seen| {
            for (thing, keys) in &seen.keys {
                assert_eq!(keys.len(), 1, "{thing} came under more than one key");
            }
            let keys: BTreeSet<_> = seen.keys.values().flatten().collect();
            assert_eq!(keys.len(), seen.keys.len(), "two things came under one key");
            for (key, bodies) in &seen.bodies {
                assert_eq!(bodies.len(), 1, "{key} came with more than one content");
            }
        });
        let verified = verify(audit, None).unwrap();
        assert!(verified.is_intact(), "{:?}", verified.problem);
        let recorded = recorded(audit);
        for thing in sender.acknowledged() {
            // Recorded again after a crash it has the same id: who counts by that counts it once.
            assert_eq!(recorded.get(&thing).map(BTreeSet::len), Some(1), "the record of {thing}");
        }
    }
}

/// The ids of the records about each thing.
fn recorded(audit: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut lines = Vec::new();
    export(audit, &Selection::all(), &mut lines).unwrap();
    let mut recorded: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let record: Value = serde_json::from_slice(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of_thing = recorded.entry(text(&record["subject"]["id"])).or_default();
        of_thing.insert(text(&record["id"]));
    }
    recorded
}

#[expect(clippy::disallowed_methods, reason = "a limit in real time, for a process that can be lost")]
fn now() -> Instant {
    Instant::now()
}
