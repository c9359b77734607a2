//! What is wrong with a JSON value, told without any of its values.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Whether a record can be read as what it should be.
pub(super) fn check<T: DeserializeOwned>(record: &Value) -> Result<(), String> {
    match serde_path_to_error::deserialize::<_, T>(record) {
        Ok(_) => Ok(()),
        Err(error) => {
            let path = error.path().to_string();
            Err(plain_reason(&path, &error.into_inner().to_string()))
        }
    }
}

/// What serde says of a value, with the names of keys and without the value itself, which can be anybody's words or a secret.
pub(crate) fn plain_reason(path: &str, said: &str) -> String {
    // serde repeats a name that it does not know, and then lists ours.
    let listed = said.strip_prefix("unknown variant").and_then(|said| said.split_once(", expected "));
    if let Some((_, ours)) = listed {
        return plain_reason(path, &format!("must be {ours}"));
    }
    let names_keys_only = ["missing field", "unknown field", "duplicate field", "name one of", "must be"];
    let said = said.lines().next().unwrap_or_default();
    let said = if names_keys_only.iter().any(|start| said.starts_with(start)) {
        said
    } else {
        "it is not of the form that is expected there"
    };
    if path.is_empty() || path == "." { said.to_owned() } else { format!("`{path}`: {said}") }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "size")]
        _size: u64,
    }

    #[test]
    fn keys_are_named_and_values_are_not() {
        for (value, expected) in [
            (json!({ "size": "s3cret" }), "`size`: it is not of the form that is expected there"),
            (json!({ "size": -7 }), "`size`: it is not of the form that is expected there"),
            (json!({}), "missing field `size`"),
            (json!({ "size": 1, "name": "s3cret" }), "`name`: unknown field `name`, expected `size`"),
            (json!("s3cret"), "it is not of the form that is expected there"),
        ] {
            assert_eq!(check::<Sample>(&value).unwrap_err(), expected);
        }
        assert_eq!(check::<Sample>(&json!({ "size": 1 })), Ok(()));
    }
}
