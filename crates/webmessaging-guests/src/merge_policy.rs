//! How a change of ours and one of somebody else come together.

use serde_json::Value;
use webmessaging_model::json_merge::{Conflict, Conflicts, merge};

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
    pub(crate) fn touched(&self, base: &Value, wanted: &Value) -> Option<&str> {
        let touched = self.never_touched.iter().find(|pointer| changed(base, wanted, pointer));
        touched.map(String::as_str)
    }

    /// Brings both together, or says where that cannot be.
    pub(crate) fn merge(&self, base: &Value, mine: &Value, theirs: &Value) -> Result<Value, Vec<Conflict>> {
        let at = |value: &Value, pointer: &str| value.pointer(pointer).cloned();
        let mut conflicts: Vec<_> = self
            .whole
            .iter()
            .filter(|pointer| changed(base, mine, pointer) && changed(base, theirs, pointer))
            .filter(|pointer| changed(mine, theirs, pointer))
            .map(|pointer| {
                Conflict::new(&**pointer, at(base, pointer), at(mine, pointer), at(theirs, pointer))
            })
            .collect();
        match merge(base, mine, theirs) {
            Ok(merged) if conflicts.is_empty() => Ok(merged),
            Ok(_) => Err(conflicts),
            Err(found) => {
                let is_known =
                    |conflict: &Conflict| self.whole.iter().any(|pointer| is_within(&conflict.path, pointer));
                let others = Conflicts::into_vec(found).into_iter().filter(|conflict| !is_known(conflict));
                conflicts.extend(others);
                Err(conflicts)
            }
        }
    }
}

/// Whether a place is not the same in both.
pub(crate) fn changed(one: &Value, other: &Value, pointer: &str) -> bool {
    one.pointer(pointer) != other.pointer(pointer)
}

/// Whether a place is the other one, or within it.
fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
