//! How claimed items are put into requests.

use std::collections::HashMap;

use serde_json::Value;
use webmessaging_store::{ClaimedItem, ItemClaim};

/// A claimed item whose payload was read. It has no `Debug`, which would show somebody's words.
pub(crate) struct Loaded {
    pub(crate) item: ClaimedItem,
    pub(crate) record: Value,
}

/// Items that go into one request.
pub(crate) type Batch = Vec<Loaded>;

/// Largest sum of payloads in a request, in bytes; an item that is larger goes alone.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// Puts items into requests, and requests into waves that go one after the other.
///
/// A wave has one item of each lane at most, so that what follows is sent only when what goes before was taken. A request has
/// items with the same number of attempts only: what failed together goes together again, under the same key, wherever that is
/// possible, and not mixed with what came later.
pub(crate) fn waves(items: Vec<Loaded>, batch_max: usize) -> Vec<Vec<Batch>> {
    let mut in_lane: HashMap<String, usize> = HashMap::new();
    let mut waves: Vec<Vec<Loaded>> = Vec::new();
    for item in items {
        let wave = item.item.lane.as_ref().map_or(0, |lane| {
            let place = in_lane.entry(lane.clone()).or_default();
            *place += 1;
            *place - 1
        });
        if waves.len() <= wave {
            waves.resize_with(wave + 1, Vec::new);
        }
        if let Some(wave) = waves.get_mut(wave) {
            wave.push(item);
        }
    }
    waves.into_iter().map(|wave| requests(wave, batch_max)).collect()
}

fn requests(mut wave: Vec<Loaded>, batch_max: usize) -> Vec<Batch> {
    // Those that wait the longest first; the sort is stable, so that otherwise the order is that of the outbox.
    wave.sort_by_key(|item| std::cmp::Reverse(item.item.attempt));
    let mut requests: Vec<Batch> = Vec::new();
    let mut bytes = 0_usize;
    for item in wave {
        let (attempt, size) = (item.item.attempt, item.item.payload.len());
        bytes = bytes.saturating_add(size);
        let fits = |last: &&mut Batch| {
            last.len() < batch_max
                && bytes <= REQUEST_BYTES_MAX
                && last.iter().all(|other| other.item.attempt == attempt)
        };
        if let Some(last) = requests.last_mut().filter(fits) {
            last.push(item);
        } else {
            bytes = size;
            requests.push(vec![item]);
        }
    }
    requests
}

/// The first item of each lane, and all without one: giving these back gives back what follows them.
pub(crate) fn heads(items: &[ClaimedItem]) -> Vec<ItemClaim> {
    let mut seen = std::collections::HashSet::new();
    let mut items: Vec<_> = items.iter().collect();
    items.sort_by_key(|item| item.claim.id());
    let is_head = |item: &&ClaimedItem| item.lane.as_ref().is_none_or(|lane| seen.insert(lane.clone()));
    items.into_iter().filter(is_head).map(|item| item.claim.clone()).collect()
}
