//! `PATCH /api/v2/conversations/webmessaging/guests/{guestId}`: changes a guest that is as the sender has seen it.

use axum::response::Response;
use http::StatusCode;
use http::header::IF_MATCH;
use serde_json::{Map, Value};

use crate::answer::Refusal;
use crate::guests::{CONTENT, Guest, violations};
use crate::schema::{Detail, check_guest_update};
use crate::serve::Call;
use crate::uploads::json_body;

pub(crate) async fn update(call: &mut Call) -> Result<Response, Refusal> {
    let body = json_body(call).await?;
    let seen = call.headers.get(IF_MATCH).cloned();
    let shared = &call.shared;
    // Held to the end: nothing changes the guest in between.
    let _turn = shared.turn();
    let id = call.param("guestId");
    let former = shared.guests.get(id)?;
    let Some(seen) = seen else {
        return Err(Refusal::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition.required",
            "the version of the guest has to be given in If-Match",
        ));
    };
    if seen != former.etag() {
        return Err(Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition.failed",
            "the guest has another version by now",
        ));
    }
    let content = changed(&former.content, &body).map_err(Refusal::constraints)?;
    if content == former.content {
        return Ok(former.answer(id, StatusCode::OK));
    }
    let guest = Guest { modified: shared.clock.now(), version: former.version + 1, content, ..former };
    shared.guests.put(id, guest.clone(), "GUEST_UPDATED");
    Ok(guest.answer(id, StatusCode::OK))
}

/// What the body makes of a guest, or every rule that is broken by the body or by what would come out.
fn changed(former: &Map<String, Value>, body: &Value) -> Result<Map<String, Value>, Vec<Detail>> {
    let mut details = check_guest_update(body);
    let mut content = Value::Object(former.clone());
    if let Some(fields) = body.as_object() {
        let known = fields.iter().filter(|(name, _)| CONTENT.contains(&name.as_str()));
        let patch: Map<_, _> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
        json_patch::merge(&mut content, &Value::Object(patch));
    }
    let Value::Object(content) = content else { return Err(details) };
    for detail in violations(&content) {
        if !details.contains(&detail) {
            details.push(detail);
        }
    }
    if details.is_empty() { Ok(content) } else { Err(details) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_named_changes_and_null_removes() {
        let former = json!({
            "consent": {"marketing": false, "dataProcessing": true},
            "attributes": {"a": "1", "b": "2"},
        });
        let former = former.as_object().unwrap();
        let body = json!({"attributes": {"a": null, "c": "3"}});
        let expected = json!({
            "consent": {"marketing": false, "dataProcessing": true},
            "attributes": {"b": "2", "c": "3"},
        });
        assert_eq!(Value::Object(changed(former, &body).unwrap()), expected);
        for (body, code, field) in [
            (json!({"consent": null}), "type", "consent"),
            (json!({"consent": {"marketing": null}}), "required", "/consent/marketing"),
            (json!({"channel": "webmessaging"}), "additionalProperties", "channel"),
            (json!({"attributes": {"a": 1}}), "type", "/attributes/a"),
            (json!({}), "minProperties", ""),
        ] {
            let details = changed(former, &body).unwrap_err();
            assert_eq!((&*details[0].error_code, &*details[0].field_name), (code, field), "{body}");
        }
    }
}
