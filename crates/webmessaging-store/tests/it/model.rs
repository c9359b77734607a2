//! Random work on an engine and on the store in memory: whatever one answers, the other does.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use tokio::runtime::Runtime;
use webmessaging_store::{
    Accepted, ClaimedDelivery, ClaimedItem, DeadLetterFilter, DeadLetterId, DeliveryClaim, Effects, Enqueued,
    Error, ErrorKind, ItemClaim, MemoryStore, NewDelivery, NewItem, Origin, PostgresOptions, PostgresStore,
    SqliteOptions, SqliteStore, Store,
};

use crate::server::Server;
use crate::sqlite::runtime;
use crate::suite::at;

/// One step. Small numbers choose among what there is, so that steps meet each other.
#[derive(Debug, Clone)]
enum Step {
    Accept { id: Option<u8>, content: u8 },
    ClaimDeliveries { limit: u32 },
    Finish { claim: usize, items: Vec<(u8, Option<u8>)> },
    RetryDelivery { claim: usize, wait: i64 },
    BuryDelivery { claim: usize },
    Enqueue { items: Vec<(u8, Option<u8>)>, wait: i64 },
    ClaimItems { target: bool, limit: u32 },
    Deliver { claims: Vec<usize> },
    RetryItems { claims: Vec<usize>, wait: i64 },
    ReleaseItems { claims: Vec<usize>, wait: i64 },
    BuryItem { claim: usize },
    RetryLetter { letter: usize },
    DropLetter { letter: usize },
    EditLetter { letter: usize, key: u8 },
    Wait { seconds: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let items = || prop::collection::vec((0..12_u8, prop::option::weighted(0.8, 0..3_u8)), 0..4);
    let claims = || prop::collection::vec(0..64_usize, 0..4);
    let step = prop_oneof![
        2 => (prop::option::of(0..6_u8), 0..6_u8).prop_map(|(id, content)| Step::Accept { id, content }),
        2 => (0..4_u32).prop_map(|limit| Step::ClaimDeliveries { limit }),
        2 => (0..64_usize, items()).prop_map(|(claim, items)| Step::Finish { claim, items }),
        1 => (0..64_usize, 0..40_i64).prop_map(|(claim, wait)| Step::RetryDelivery { claim, wait }),
        1 => (0..64_usize).prop_map(|claim| Step::BuryDelivery { claim }),
        4 => (items(), 0..20_i64).prop_map(|(items, wait)| Step::Enqueue { items, wait: wait.max(10) - 10 }),
        5 => (any::<bool>(), 0..6_u32).prop_map(|(target, limit)| Step::ClaimItems { target, limit }),
        4 => claims().prop_map(|claims| Step::Deliver { claims }),
        2 => (claims(), 0..40_i64).prop_map(|(claims, wait)| Step::RetryItems { claims, wait }),
        2 => (claims(), 0..40_i64).prop_map(|(claims, wait)| Step::ReleaseItems { claims, wait }),
        2 => (0..64_usize).prop_map(|claim| Step::BuryItem { claim }),
        1 => (0..8_usize).prop_map(|letter| Step::RetryLetter { letter }),
        1 => (0..8_usize).prop_map(|letter| Step::DropLetter { letter }),
        1 => (0..8_usize, 0..12_u8).prop_map(|(letter, key)| Step::EditLetter { letter, key }),
        2 => (0..40_i64).prop_map(|seconds| Step::Wait { seconds }),
    ];
    prop::collection::vec(step, 1..60)
}

const LEASE: Duration = Duration::from_secs(15);

/// A store under test, with what it handed out. Ids differ between stores, so everything is told by the order in which it came.
struct Subject<'a> {
    store: &'a dyn Store,
    now: i64,
    deliveries: Vec<DeliveryClaim>,
    items: Vec<ItemClaim>,
}

fn new_items(items: &[(u8, Option<u8>)], available_at: i64) -> Vec<NewItem> {
    let item = |(key, lane): &(u8, Option<u8>)| {
        // The lane is part of the key: one key is not in two lanes, and both targets are used.
        let target = if key % 3 == 0 { "documents" } else { "crm" };
        let item = NewItem::new(target, format!("{key}-{lane:?}"), "kind", at(available_at));
        let item = item.payload(format!("payload {key}"));
        match lane {
            Some(lane) => item.lane(format!("lane-{lane}")),
            None => item,
        }
    };
    items.iter().map(item).collect()
}

fn kind<T>(answer: Result<T, Error>) -> Result<T, ErrorKind> {
    answer.map_err(|error| error.kind())
}

impl Subject<'_> {
    /// Takes a step and tells what came of it, in words that do not depend on the store.
    async fn take(&mut self, step: &Step) -> String {
        let (store, now) = (self.store, at(self.now));
        match step {
            Step::Accept { id, content } => {
                let delivery = NewDelivery::new("s", format!("content-{content}"), "event", now);
                let answer = store.accept(match id {
                    Some(id) => delivery.delivery_id(format!("id-{id}")),
                    None => delivery,
                });
                match kind(answer.await) {
                    Ok(Accepted::New(_)) => "new".to_owned(),
                    other => format!("{other:?}"),
                }
            }
            Step::ClaimDeliveries { limit } => {
                let claimed = store.claim_deliveries("w", *limit, LEASE, now).await.unwrap();
                self.deliveries.extend(claimed.iter().map(|claimed| claimed.claim.clone()));
                claimed.iter().map(told_delivery).collect()
            }
            Step::Finish { claim, items } => {
                let Some(claim) = self.deliveries.get(*claim) else { return String::new() };
                let effects = new_items(items, self.now).into_iter().fold(Effects::none(), Effects::enqueue);
                format!("{:?}", kind(store.finish_delivery(claim, effects, now).await))
            }
            Step::RetryDelivery { claim, wait } => {
                let Some(claim) = self.deliveries.get(*claim) else { return String::new() };
                format!("{:?}", kind(store.retry_delivery(claim, at(self.now + wait), "r", now).await))
            }
            Step::BuryDelivery { claim } => {
                let Some(claim) = self.deliveries.get(*claim) else { return String::new() };
                format!("{:?}", kind(store.bury_delivery(claim, "b", now).await))
            }
            Step::Enqueue { items, wait } => {
                let answers = store.enqueue(new_items(items, self.now + wait), now).await.unwrap();
                let told = answers.iter().map(|answer| matches!(answer, Enqueued::New(_)));
                format!("{:?}", told.collect::<Vec<_>>())
            }
            Step::ClaimItems { target, limit } => {
                let target = if *target { "documents" } else { "crm" };
                let claimed = store.claim_items(target, "w", *limit, LEASE, now).await.unwrap();
                self.items.extend(claimed.iter().map(|claimed| claimed.claim.clone()));
                claimed.iter().map(told_item).collect()
            }
            Step::Deliver { claims } => {
                let claims = self.some_items(claims);
                let lost = store.mark_delivered(&claims, now).await.unwrap();
                places(&claims, &lost)
            }
            Step::RetryItems { claims, wait } => {
                let claims = self.some_items(claims);
                let lost = store.retry_items(&claims, at(self.now + wait), "r", now).await.unwrap();
                places(&claims, &lost)
            }
            Step::ReleaseItems { claims, wait } => {
                let claims = self.some_items(claims);
                let lost = store.release_items(&claims, at(self.now + wait), now).await.unwrap();
                places(&claims, &lost)
            }
            Step::BuryItem { claim } => {
                let Some(claim) = self.items.get(*claim) else { return String::new() };
                format!("{:?}", kind(store.bury_item(claim, "b", now).await))
            }
            Step::RetryLetter { letter } => match self.letter(*letter).await {
                Some(id) => format!("{:?}", kind(store.retry_dead_letter(id, now).await)),
                None => String::new(),
            },
            Step::DropLetter { letter } => match self.letter(*letter).await {
                Some(id) => format!("{:?}", kind(store.drop_dead_letter(id, "d", now).await)),
                None => String::new(),
            },
            Step::EditLetter { letter, key } => match self.letter(*letter).await {
                Some(id) => {
                    let key = format!("{key}-edited");
                    format!("{:?}", kind(store.edit_dead_letter(id, "edited".into(), &key, now).await))
                }
                None => String::new(),
            },
            Step::Wait { seconds } => {
                self.now += seconds;
                String::new()
            }
        }
    }

    /// Different ones, in the order in which they were handed out: twice the same is a mistake of the caller.
    fn some_items(&self, which: &[usize]) -> Vec<ItemClaim> {
        let mut which: Vec<_> = which.iter().filter(|index| **index < self.items.len()).collect();
        which.sort_unstable();
        which.dedup();
        which.into_iter().map(|index| self.items[*index].clone()).collect()
    }

    async fn letter(&self, index: usize) -> Option<DeadLetterId> {
        // By origin: what was given up at the same time is told apart by numbers, which differ between stores.
        for origin in [Origin::Inbox, Origin::Outbox] {
            let filter = DeadLetterFilter::default().origin(origin);
            let page = self.store.dead_letters(&filter, None, 100).await.unwrap();
            if let Some(letter) = page.letters.get(index) {
                return Some(letter.id);
            }
        }
        None
    }

    /// All that can be seen from outside.
    async fn state(&self) -> String {
        let now = at(self.now);
        let inbox = self.store.inbox_stats(now).await.unwrap();
        let outbox = self.store.outbox_stats(None, now).await.unwrap();
        let targets = self.store.targets().await.unwrap();
        let letters = self.store.dead_letters(&DeadLetterFilter::default(), None, 100).await.unwrap().letters;
        let letters: Vec<_> = letters
            .into_iter()
            .map(|letter| (letter.id.origin, letter.key, letter.attempts, letter.reason, letter.buried_at))
            .collect();
        format!("{inbox:?}\n{outbox:?}\n{targets:?}\n{letters:?}")
    }
}

fn told_delivery(claimed: &ClaimedDelivery) -> String {
    let ClaimedDelivery { delivery_id, content_key, attempt, received_at, leased_until, .. } = claimed;
    format!("{delivery_id:?} {content_key} {attempt} {received_at} {leased_until}\n")
}

fn told_item(claimed: &ClaimedItem) -> String {
    let ClaimedItem { idempotency_key, lane, attempt, payload, enqueued_at, leased_until, .. } = claimed;
    format!("{idempotency_key} {lane:?} {attempt} {payload:?} {enqueued_at} {leased_until}\n")
}

/// Which of these were lost, by their places.
fn places(claims: &[ItemClaim], lost: &[ItemClaim]) -> String {
    let places = lost.iter().map(|lost| claims.iter().position(|claim| claim == lost));
    format!("lost {:?}", places.collect::<Vec<_>>())
}

/// On the runtime of the engine, whose connections live there.
fn compare(runtime: &Runtime, steps: &[Step], engine: &dyn Store) -> Result<(), TestCaseError> {
    let memory = MemoryStore::new();
    let subject = |store| Subject { store, now: 0, deliveries: Vec::new(), items: Vec::new() };
    runtime.block_on(async {
        let (mut model, mut engine) = (subject(&memory), subject(engine));
        for (number, step) in steps.iter().enumerate() {
            prop_assert_eq!(engine.take(step).await, model.take(step).await, "step {}: {:?}", number, step);
        }
        prop_assert_eq!(engine.state().await, model.state().await);
        // What is left comes out in the same order.
        for step in [Step::Wait { seconds: 1_000 }, Step::ClaimItems { target: true, limit: 100 }] {
            prop_assert_eq!(engine.take(&step).await, model.take(&step).await, "at the end");
        }
        let last = Step::ClaimItems { target: false, limit: 100 };
        prop_assert_eq!(engine.take(&last).await, model.take(&last).await, "at the end");
        Ok(())
    })
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn sqlite_does_what_the_model_does(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("store.db"));
        let runtime = runtime();
        let store = runtime.block_on(SqliteStore::open(options)).unwrap();
        compare(&runtime, &steps, &store)?;
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn postgres_does_what_the_model_does(steps in steps()) {
        let Some(server) = Server::shared() else { return Ok(()) };
        let runtime = runtime();
        let store = runtime.block_on(async {
            let options = PostgresOptions::new(server.database().await).callers_clock();
            PostgresStore::open(options).await.unwrap()
        });
        compare(&runtime, &steps, &store)?;
    }
}
