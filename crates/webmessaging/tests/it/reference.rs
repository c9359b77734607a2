//! `docs/reference/operations.md`, `limits.md` and `guest-payload.md` are made from the code.
//!
//! `cargo xtask gen` writes them anew.

use std::fmt::Write;

use expect_test::expect_file;
use serde_json::Value;
use webmessaging::guests::GUEST_SCHEMA;
use webmessaging::model::{RetryClass, limits};
use webmessaging::reference::operations;

#[test]
fn reference_of_operations() {
    let mut page = String::from(
        "# Operations\n\n\
         Every call the toolkit makes. Made from the code by `cargo xtask gen`.\n\n\
         The endpoints of the *design* contract are not in the platform's published API; each of their paths can be\n\
         changed with `ClientBuilder::path`. *Sent again* says when a request whose answer was lost may be repeated.\n\n\
         | operation | request | scopes | sent again | contract | described in |\n|---|---|---|---|---|---|\n",
    );
    for operation in operations() {
        let path = if operation.path.is_empty() { "the presigned URL" } else { operation.path };
        let again = match operation.retry {
            RetryClass::Idempotent => "yes, it has the same effect",
            RetryClass::Repeatable => "yes, what is left unused expires",
            _ => "no",
        };
        let scopes =
            if operation.scopes.is_empty() { "none".to_owned() } else { operation.scopes.join(", ") };
        writeln!(
            page,
            "| `{}` | `{} {path}` | {scopes} | {again} | {} | {} |",
            operation.name, operation.method, operation.contract, operation.source
        )
        .unwrap();
    }
    expect_file!["../../../../docs/reference/operations.md"].assert_eq(&page);
}

#[test]
fn reference_of_limits() {
    let mut page = String::from(
        "# Limits\n\n\
         The numbers the toolkit goes by and where each one comes from; the design documents are tutorials on Genesys Cloud\n\
         web messaging that are not part of the repository. Made from the code by `cargo xtask gen`.\n\n\
         | limit | value | unit | source | checked |\n|---|---|---|---|---|\n",
    );
    for limit in limits::ALL {
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            limit.name, limit.value, limit.unit, limit.source, limit.checked
        )
        .unwrap();
    }
    expect_file!["../../../../docs/reference/limits.md"].assert_eq(&page);
}

#[test]
fn reference_of_the_payload_of_a_guest() {
    let schema: Value = serde_json::from_str(GUEST_SCHEMA).unwrap();
    let mut page = format!(
        "# The payload of a guest\n\n\
         {} Made from the JSON Schema by `cargo xtask gen`; the schema itself is `GUEST_SCHEMA` in `webmessaging-guests`.\n\
         Beyond it, texts that look like a plain e-mail address or phone number are refused.\n\n\
         | field | form | required | what it is |\n|---|---|---|---|\n",
        schema["description"].as_str().unwrap()
    );
    fields(&schema, "", &mut page);
    expect_file!["../../../../docs/reference/guest-payload.md"].assert_eq(&page);
}

fn fields(schema: &Value, path: &str, page: &mut String) {
    let required = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let is_required = required.is_some_and(|names| names.contains(&Value::from(name.as_str())));
        let is_required = if is_required { "yes" } else { "no" };
        let description = field["description"].as_str().unwrap();
        writeln!(page, "| `{path}` | {} | {is_required} | {description} |", form(field)).unwrap();
        fields(field, &path, page);
    }
}

/// The keywords of a field, in words.
fn form(field: &Value) -> String {
    let mut words = Vec::new();
    if let Some(value) = field.get("const") {
        words.push(format!("`{value}`"));
    }
    words.extend(field["type"].as_str().map(str::to_owned));
    words.extend(field["format"].as_str().map(str::to_owned));
    words.extend(field["pattern"].as_str().map(|pattern| format!("`{pattern}`")));
    words.extend(field["maxLength"].as_u64().map(|max| format!("up to {max} characters")));
    words.extend(field["maxProperties"].as_u64().map(|max| format!("up to {max}")));
    words.extend(field["propertyNames"]["pattern"].as_str().map(|pattern| format!("names `{pattern}`")));
    words.extend(
        field["additionalProperties"]["maxLength"]
            .as_u64()
            .map(|max| format!("texts of up to {max} characters")),
    );
    words.join(", ")
}
