//! Fault scripts in files: TOML with lines, JSON by its name, and the example of the guides.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};
use webmessaging_emulator::{DocumentError, FaultScript};

use crate::client::{plain_get, send, start};
use crate::random_scripts::near_miss;
use crate::scripts::ROUTES;

const EXAMPLE: &str = include_str!("../../../../docs/guides/faults.toml");

#[test]
fn a_file_is_told_all_of_its_mistakes_with_their_lines() {
    let text = "sed = 1

[[rules]]
route = \"token\"
fault = \"answer\"
stauts = 503

[[rules]]
route = \"tokens\"
nth = \"first\"
fault = \"truncate\"
bytes = 1

[[rules]]
fault = \"drop-before\"
";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.toml");
    std::fs::write(&path, text).unwrap();
    let error = FaultScript::from_file(&path).unwrap_err().to_string();
    let name = path.display();
    let expected = [
        format!("{name}:1: sed: unknown key (did you mean `seed`?); allowed here: seed, rules"),
        format!("{name}:3: rule 1: status: is missing; must be a whole number from 200 to 999"),
        format!(
            "{name}:6: rule 1: stauts: unknown key (did you mean `status`?); allowed here: route, nth, from, to, \
             every, rate, times, fault, status, json, html, text, base64, headers"
        ),
        format!("{name}:9: rule 2: route: must be one of {ROUTES} (did you mean `token`?)"),
        format!("{name}:10: rule 2: nth: must be a whole number from 1 to 1000000000"),
        format!("{name}:14: rule 3: route: is missing; must be one of {ROUTES}"),
    ];
    assert_eq!(error, expected.join("\n"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let error = FaultScript::from_file(&missing).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot be read: ", missing.display())), "{error}");

    let binary = folder.path().join("binary.toml");
    std::fs::write(&binary, [0xff]).unwrap();
    let error = FaultScript::from_file(&binary).unwrap_err().to_string();
    assert_eq!(error, format!("{}: is not UTF-8", binary.display()));

    let json = folder.path().join("faults.JSON");
    std::fs::write(&json, "{\n\"seed\": 1,\n}").unwrap();
    let error = FaultScript::from_file(&json).unwrap_err().to_string();
    assert_eq!(error, format!("{}:3: the document is not JSON", json.display()));
    std::fs::write(&json, "{ \"seed\": 1 }").unwrap();
    assert_eq!(FaultScript::from_file(&json).unwrap(), FaultScript::new(1));
}

#[tokio::test]
async fn the_example_shows_every_kind_and_every_key_once() {
    let script = FaultScript::from_toml(EXAMPLE).unwrap();
    let written = serde_json::to_value(&script).unwrap();
    let shown: Vec<&str> =
        written["rules"].as_array().unwrap().iter().map(|rule| rule["fault"].as_str().unwrap()).collect();
    let emulator = start().await;
    let capabilities = send(&emulator, plain_get("/__emulator/capabilities")).await.json();
    let known = capabilities["faults"].as_array().unwrap();
    for kind in known {
        let name = kind["name"].as_str().unwrap();
        assert!(shown.contains(&name), "{name}");
        for key in kind["keys"].as_array().unwrap() {
            let key = key.as_str().unwrap();
            assert!(
                EXAMPLE.contains(&format!("\n{key} = ")) || EXAMPLE.contains(&format!("\n{key}.")),
                "{key}"
            );
        }
    }
    for key in ["nth", "every", "from", "to", "rate", "times"] {
        assert!(EXAMPLE.contains(&format!("\n{key} = ")), "{key}");
    }
    emulator.set_faults(script).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_read_or_refused_with_a_line(text in "\\PC{0,80}|[\\[\\]{}=.\"'a-z0-9\\n ]{0,80}") {
        if let Err(error) = FaultScript::from_toml(&text) {
            prop_assert!(!error.problems().is_empty());
            prop_assert!(error.problems().iter().all(|problem| problem.line.is_some()), "{}", error);
        }
    }

    #[test]
    fn toml_and_json_say_the_same(rules in prop::collection::vec(near_miss(), 1..4)) {
        let document = json!({ "rules": rules });
        // TOML has no null, and its own floats.
        let Ok(text) = toml_text(&document) else { return Ok(()) };
        let (toml, json) = (FaultScript::from_toml(&text), FaultScript::from_json(&document.to_string()));
        let problems = |result: &Result<FaultScript, DocumentError>| -> Vec<String> {
            result.as_ref().err().iter().flat_map(|error| error.problems()).map(ToString::to_string).collect()
        };
        prop_assert_eq!(problems(&toml), problems(&json));
        prop_assert_eq!(toml.ok(), json.ok());
    }
}

/// A document in TOML, with everything inline.
fn toml_text(document: &Value) -> Result<String, ()> {
    fn inline(value: &Value) -> Result<String, ()> {
        Ok(match value {
            Value::Null => return Err(()),
            Value::Number(number) if number.is_f64() => {
                let text = format!("{:?}", number.as_f64().ok_or(())?);
                if text.contains('.') { text } else { text.replace('e', ".0e") }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
            Value::Array(list) => {
                format!("[{}]", list.iter().map(inline).collect::<Result<Vec<_>, _>>()?.join(", "))
            }
            Value::Object(table) => {
                let pair = |(key, value): (&String, &Value)| Ok(format!("{key} = {}", inline(value)?));
                format!("{{{}}}", table.iter().map(pair).collect::<Result<Vec<_>, _>>()?.join(", "))
            }
        })
    }
    Ok(format!("rules = {}\n", inline(&document["rules"])?))
}
