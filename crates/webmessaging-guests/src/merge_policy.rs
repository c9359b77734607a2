//! How a change of ours and one of somebody else come together.

use serde_json::Value;
use webmessaging_model::json_merge::{Change, Conflict, Conflicts, diff, merge};

/// What is merged, and what is not.
///
/// Changes in different places are brought together; the same place changed in two ways is a conflict. Beyond that, some places are protected.
///
/// # Examples
/// ```
/// use webmessaging_guests::MergePolicy;
///
/// // What agents write down of a guest is theirs.
/// let policy = MergePolicy::default().never_touch("/attributes/agentNote");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergePolicy {
    whole: Vec<String>,
    never_touched: Vec<String>,
}

impl Default for MergePolicy {
    /// Consent is one decision: two changes of it are never put together.
    fn default() -> Self {
        Self { whole: vec!["/consent".to_owned()], never_touched: Vec::new() }
    }
}

impl MergePolicy {
    /// Has everything at and below a JSON Pointer count as one place: two changes there are a conflict, also of different fields. `/consent` is such a
    /// place by default.
    #[must_use]
    pub fn as_a_whole(mut self, pointer: impl Into<String>) -> Self {
        self.whole.push(pointer.into());
        self
    }

    /// Has updates refused that touch a JSON Pointer or anything below it: it belongs to agents, say, or to a department.
    #[must_use]
    pub fn never_touch(mut self, pointer: impl Into<String>) -> Self {
        self.never_touched.push(pointer.into());
        self
    }

    /// The first place that an update must not touch, if there is one.
    pub(crate) fn touched(&self, changes: &[Change]) -> Option<&str> {
        let is_touched = |pointer: &&String| changes.iter().any(|change| is_near(&change.path, pointer));
        self.never_touched.iter().find(is_touched).map(String::as_str)
    }

    /// Brings both together, or says where that cannot be.
    pub(crate) fn merge(&self, base: &Value, mine: &Value, theirs: &Value) -> Result<Value, Vec<Conflict>> {
        let (ours, others) = (diff(base, mine), diff(base, theirs));
        let touches =
            |changes: &[Change], pointer: &str| changes.iter().any(|change| is_near(&change.path, pointer));
        let at = |value: &Value, pointer: &str| value.pointer(pointer).cloned();
        let mut conflicts: Vec<_> = self
            .whole
            .iter()
            .filter(|pointer| touches(&ours, pointer) && touches(&others, pointer))
            .filter(|pointer| mine.pointer(pointer) != theirs.pointer(pointer))
            .map(|pointer| {
                Conflict::new(&**pointer, at(base, pointer), at(mine, pointer), at(theirs, pointer))
            })
            .collect();
        match merge(base, mine, theirs) {
            Ok(merged) if conflicts.is_empty() => Ok(merged),
            Ok(_) => Err(conflicts),
            Err(found) => {
                let known =
                    |conflict: &Conflict| self.whole.iter().any(|pointer| is_near(&conflict.path, pointer));
                let found = Conflicts::into_vec(found).into_iter();
                conflicts.extend(found.filter(|conflict| !known(conflict)));
                Err(conflicts)
            }
        }
    }
}

/// Whether a place is the other one, within it, or around it.
fn is_near(place: &str, other: &str) -> bool {
    let is_within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_within(place, other) || is_within(other, place)
}
