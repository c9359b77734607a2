//! Places in a configuration, by their JSON Pointers. Objects are looked into, lists are not.

use serde_json::{Map, Value};

/// The value there.
pub(crate) fn find<'a>(configuration: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let (keys, last) = keys(pointer)?;
    let place = keys.iter().try_fold(configuration, |place, key| place.get(key)?.as_object());
    place?.get(&last)
}

/// Takes away what is there.
pub(crate) fn remove(configuration: &mut Map<String, Value>, pointer: &str) {
    let Some((keys, last)) = keys(pointer) else { return };
    let place = keys.iter().try_fold(configuration, |place, key| place.get_mut(key)?.as_object_mut());
    place.and_then(|place| place.remove(&last));
}

/// Puts a value there, or nothing; the objects on the way are there afterwards.
pub(crate) fn put(configuration: &mut Map<String, Value>, pointer: &str, value: Option<&Value>) {
    let Some((keys, last)) = keys(pointer) else { return };
    let mut place = configuration;
    for key in keys {
        let next = place.entry(key).or_insert_with(|| Value::Object(Map::new()));
        if !next.is_object() {
            *next = Value::Object(Map::new());
        }
        let Value::Object(next) = next else { return };
        place = next;
    }
    match value {
        Some(value) => place.insert(last, value.clone()),
        None => place.remove(&last),
    };
}

/// The keys on the way, and the last one.
fn keys(pointer: &str) -> Option<(Vec<String>, String)> {
    let keys = pointer.strip_prefix('/')?.split('/');
    let mut keys: Vec<_> = keys.map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let last = keys.pop()?;
    Some((keys, last))
}
