//! Changes of JSON documents by path: what changed, how to say only that, and how to bring two changes together.
//!
//! Objects are looked into; everything else, arrays included, changes as a whole. Paths are JSON Pointers (RFC 6901), such as
//! `/configuration/webchat`. A key that is absent and one that is `null` are two different things.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// One place at which two documents differ. `Debug` names the place and never the values, which may be somebody's data.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Where, as a JSON Pointer; empty for the whole document.
    pub path: String,
    /// What was there; nothing where a key was added.
    pub before: Option<Value>,
    /// What is there now; nothing where a key was removed.
    pub after: Option<Value>,
}

/// A place that was changed in two ways at once. `Debug` names the place and never the values.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Conflict {
    /// Where, as a JSON Pointer; empty for the whole document.
    pub path: String,
    /// What both sides began with; nothing where both have added the key.
    pub base: Option<Value>,
    /// What one side made of it; nothing where it has removed the key.
    pub mine: Option<Value>,
    /// What the other side made of it; nothing where it has removed the key.
    pub theirs: Option<Value>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("path", &self.path).finish_non_exhaustive()
    }
}

impl fmt::Debug for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conflict").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Conflict {
    /// A place with what there was, and what the two sides have made of it.
    pub fn new(
        path: impl Into<String>,
        base: Option<Value>,
        mine: Option<Value>,
        theirs: Option<Value>,
    ) -> Self {
        Self { path: path.into(), base, mine, theirs }
    }
}

/// All places that were changed in two ways, in the order of their paths; at least one.
///
/// `Display` names the paths and never the values, which may be somebody's data.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflicts(Vec<Conflict>);

impl Conflicts {
    /// The conflicts; never empty.
    pub fn as_slice(&self) -> &[Conflict] {
        &self.0
    }

    /// The conflicts themselves; never empty.
    pub fn into_vec(self) -> Vec<Conflict> {
        self.0
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("changed by two sides at once: ")?;
        for (index, conflict) in self.0.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            let path = if conflict.path.is_empty() { "the whole" } else { &conflict.path };
            write!(f, "{separator}{path}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Conflicts {}

/// Every place at which `after` differs from `before`, in the order of the paths.
///
/// # Examples
/// ```
/// use webmessaging_model::json_merge::diff;
///
/// let before = serde_json::json!({"webchat": {"maxConcurrentSessions": 500}, "name": "Support"});
/// let after = serde_json::json!({"webchat": {"maxConcurrentSessions": 800}, "name": "Support"});
/// let changes = diff(&before, &after);
/// assert_eq!(changes.len(), 1);
/// assert_eq!(changes[0].path, "/webchat/maxConcurrentSessions");
/// ```
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    walk("", Some(before), Some(after), &mut changes);
    changes
}

fn walk(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    if let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after) {
        for key in keys([old, new]) {
            walk(&below(path, key), old.get(key), new.get(key), changes);
        }
        return;
    }
    changes.push(Change { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
}

/// What [`apply_merge_patch`] needs to make `after` of `before`: a JSON Merge Patch (RFC 7396) with nothing but what changed. Removed keys
/// are `null`; nothing where nothing changed.
///
/// A key whose new value is `null`, or holds one, cannot be told by such a patch: `null` removes.
///
/// # Examples
/// ```
/// use webmessaging_model::json_merge::merge_patch;
///
/// let before = serde_json::json!({"webchat": {"maxConcurrentSessions": 500, "features": []}, "old": 1});
/// let after = serde_json::json!({"webchat": {"maxConcurrentSessions": 800, "features": []}});
/// let patch = serde_json::json!({"webchat": {"maxConcurrentSessions": 800}, "old": null});
/// assert_eq!(merge_patch(&before, &after), Some(patch));
/// assert_eq!(merge_patch(&after, &after), None);
/// ```
pub fn merge_patch(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else { return Some(after.clone()) };
    let mut patch = Map::new();
    for key in keys([old, new]) {
        let change = match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => merge_patch(old, new),
            (None, Some(new)) => Some(new.clone()),
            (_, None) => Some(Value::Null),
        };
        patch.extend(change.map(|change| (key.to_owned(), change)));
    }
    Some(Value::Object(patch))
}

/// Applies a JSON Merge Patch as RFC 7396 says.
pub fn apply_merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, change) in patch {
        if change.is_null() {
            target.remove(key);
        } else {
            apply_merge_patch(target.entry(key).or_insert(Value::Null), change);
        }
    }
}

/// Brings two changes of one document together. Where only one side has changed something, that counts; where both have made the same
/// of it, that does.
///
/// # Errors
/// [`Conflicts`] with every place that the two sides have changed in different ways. Nothing is merged then.
///
/// # Examples
/// ```
/// use serde_json::json;
/// use webmessaging_model::json_merge::merge;
///
/// let base = json!({"sessions": 500, "queue": "a", "other": true});
/// let mine = json!({"sessions": 800, "queue": "a", "other": true});
/// let theirs = json!({"sessions": 500, "queue": "b", "other": true});
/// assert_eq!(merge(&base, &mine, &theirs).unwrap(), json!({"sessions": 800, "queue": "b", "other": true}));
///
/// let conflicts = merge(&base, &mine, &json!({"sessions": 900, "queue": "a", "other": true})).unwrap_err();
/// assert_eq!(conflicts.to_string(), "changed by two sides at once: /sessions");
/// ```
pub fn merge(base: &Value, mine: &Value, theirs: &Value) -> Result<Value, Conflicts> {
    let mut conflicts = Vec::new();
    let merged = merge_at("", [Some(base), Some(mine), Some(theirs)], &mut conflicts);
    if conflicts.is_empty() { Ok(merged.unwrap_or_default()) } else { Err(Conflicts(conflicts)) }
}

fn merge_at(path: &str, sides: [Option<&Value>; 3], conflicts: &mut Vec<Conflict>) -> Option<Value> {
    let [base, mine, theirs] = sides;
    if mine == theirs || theirs == base {
        return mine.cloned();
    }
    if mine == base {
        return theirs.cloned();
    }
    let (Some(Value::Object(ours)), Some(Value::Object(others))) = (mine, theirs) else {
        let [base, mine, theirs] = sides.map(Option::<&Value>::cloned);
        conflicts.push(Conflict::new(path, base, mine, theirs));
        return None;
    };
    // Both may have added the object, or made one of something else: then neither has begun with any key of it.
    let empty = Map::new();
    let base = base.and_then(Value::as_object).unwrap_or(&empty);
    let mut merged = Map::new();
    for key in keys([base, ours, others]) {
        let sides = [base.get(key), ours.get(key), others.get(key)];
        let value = merge_at(&below(path, key), sides, conflicts);
        merged.extend(value.map(|value| (key.to_owned(), value)));
    }
    Some(Value::Object(merged))
}

/// The keys of all objects, each once, in order.
fn keys<const N: usize>(objects: [&Map<String, Value>; N]) -> Vec<&str> {
    let mut keys: Vec<_> = objects.iter().flat_map(|object| object.keys().map(String::as_str)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn below(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}
