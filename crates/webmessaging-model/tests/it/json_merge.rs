//! Changes by path: what they are, how they are told, and that no two of them are lost in one another.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use webmessaging_model::json_merge::{apply_merge_patch, diff, merge, merge_patch};

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4_u8).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map("[a-d/~]{1,2}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Without `null`, which a merge patch cannot tell.
fn without_null(value: Value) -> Value {
    match value {
        Value::Null => Value::Bool(false),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, without_null(value))).collect(),
        Value::Array(list) => list.into_iter().map(without_null).collect(),
        other => other,
    }
}

proptest! {
    #[test]
    fn what_one_side_changed_is_what_comes_out(base in documents(), changed in documents()) {
        prop_assert_eq!(merge(&base, &changed, &base).unwrap(), changed.clone());
        prop_assert_eq!(merge(&base, &base, &changed).unwrap(), changed.clone());
        prop_assert_eq!(merge(&base, &changed, &changed).unwrap(), changed);
    }

    #[test]
    fn it_does_not_matter_who_is_who(base in documents(), mine in documents(), theirs in documents()) {
        match (merge(&base, &mine, &theirs), merge(&base, &theirs, &mine)) {
            (Ok(one), Ok(other)) => prop_assert_eq!(one, other),
            (Err(one), Err(other)) => {
                let paths = |conflicts: &webmessaging_model::json_merge::Conflicts| -> Vec<String> {
                    conflicts.as_slice().iter().map(|conflict| conflict.path.clone()).collect()
                };
                prop_assert_eq!(paths(&one), paths(&other));
            }
            (one, other) => prop_assert!(false, "{one:?} and {other:?}"),
        }
    }

    /// Every change of either side is in the merged document, and nothing else is.
    #[test]
    fn a_merged_document_has_the_changes_of_both(base in documents(), mine in documents(), theirs in documents()) {
        if let Ok(merged) = merge(&base, &mine, &theirs) {
            for change in diff(&base, &mine).into_iter().chain(diff(&base, &theirs)) {
                if let Some(after) = change.after.filter(|after| !after.is_object()) {
                    prop_assert_eq!(merged.pointer(&change.path), Some(&after));
                }
            }
            let (ours, others) = (diff(&base, &mine), diff(&base, &theirs));
            for change in diff(&base, &merged) {
                let covers = |known: &webmessaging_model::json_merge::Change| {
                    change.path.starts_with(&known.path) || known.path.starts_with(&change.path)
                };
                prop_assert!(ours.iter().chain(&others).any(covers), "{} changed by nobody", change.path);
            }
        }
    }

    #[test]
    fn a_patch_makes_the_one_of_the_other(before in documents(), after in documents()) {
        let (before, after) = (without_null(before), without_null(after));
        let mut patched = before.clone();
        if let Some(patch) = merge_patch(&before, &after) {
            apply_merge_patch(&mut patched, &patch);
        }
        prop_assert_eq!(patched, after);
    }

    #[test]
    fn a_difference_names_both_values(before in documents(), after in documents()) {
        let changes = diff(&before, &after);
        prop_assert_eq!(changes.is_empty(), before == after);
        for change in changes {
            prop_assert_eq!(before.pointer(&change.path), change.before.as_ref());
            prop_assert_eq!(after.pointer(&change.path), change.after.as_ref());
        }
    }
}

#[test]
fn conflicts_are_listed_whole_and_told_without_values() {
    let base = json!({"a": 1, "b": {"c/d": 2}, "list": [1], "gone": "x"});
    let mine = json!({"a": 2, "b": {"c/d": 3, "new": 1}, "list": [1, 2]});
    let theirs = json!({"a": 2, "b": {"c/d": 4, "other": 1}, "list": [3], "gone": "secret"});
    let conflicts = merge(&base, &mine, &theirs).unwrap_err();
    let paths: Vec<_> = conflicts.as_slice().iter().map(|conflict| conflict.path.as_str()).collect();
    assert_eq!(paths, ["/b/c~1d", "/gone", "/list"]);
    let gone = &conflicts.as_slice()[1];
    assert_eq!((&gone.base, &gone.mine, &gone.theirs), (&Some(json!("x")), &None, &Some(json!("secret"))));
    assert_eq!(conflicts.to_string(), "changed by two sides at once: /b/c~1d, /gone, /list");
}

/// The examples of RFC 7396, appendix A.
#[test]
fn patches_are_applied_as_the_standard_says() {
    for (mut original, patch, result) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
        (json!({"a": "b"}), json!(["c"]), json!(["c"])),
        (json!({"a": "foo"}), json!(null), json!(null)),
        (json!({"a": "foo"}), json!("bar"), json!("bar")),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ] {
        apply_merge_patch(&mut original, &patch);
        assert_eq!(original, result);
    }
}
