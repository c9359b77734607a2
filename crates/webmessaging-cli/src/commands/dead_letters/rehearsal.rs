//! A rehearsal of an edit, on a copy of the letter in a store that is thrown away: what it would become, or why it cannot.

use std::sync::Arc;
use std::time::Duration;

use webmessaging::model::Timestamp;
use webmessaging::store::{
    DeadLetterContent, DeadLetterId, DeadLetters, NewItem, Origin, Outbox, SqliteOptions, SqliteStore,
};
use webmessaging::sync::{DeadLetterDesk, Targets};

use super::letter::Letter;
use crate::failure::Failure;

const WORKER: &str = "rehearsal";

/// Nobody else claims there.
const LEASE: Duration = Duration::from_secs(60);

/// What the letter would be with another payload.
pub(super) async fn edited(
    letter: &Letter,
    targets: &Targets,
    payload: &str,
    now: Timestamp,
) -> Result<DeadLetterContent, Failure> {
    // On Unix only its owner can read it.
    let folder = tempfile::tempdir().map_err(|error| Failure::internal("no temporary folder", error))?;
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db"))).await?;
    let store = Arc::new(store);
    let id = copy(letter, &store, now).await?;
    let desk = DeadLetterDesk::new(Arc::clone(&store) as _, targets.clone());
    desk.edit(id, payload, now).await.map_err(|error| letter.failed(error))?;
    Ok(store.dead_letter(id).await?)
}

/// The same content under the same key, given up at once.
async fn copy(letter: &Letter, store: &SqliteStore, now: Timestamp) -> Result<DeadLetterId, Failure> {
    let kept = &letter.content;
    let (target, key, kind) = (&*kept.letter.target, &*kept.letter.key, &*kept.letter.kind);
    let item = NewItem::new(target, key, kind, now).payload(kept.payload.clone());
    store.enqueue(vec![item], now).await?;
    let mut id = letter.id;
    for item in store.claim_items(target, WORKER, 1, LEASE, now).await? {
        store.bury_item(&item.claim, WORKER, now).await?;
        id = DeadLetterId { origin: Origin::Outbox, number: item.claim.id().get() };
    }
    Ok(id)
}
