//! What the other side says about a refusal, read leniently and cut to what is safe to print.

use http::HeaderMap;
use serde_json::Value;

const CODE_CHARACTERS_MAX: usize = 100;
const MESSAGE_CHARACTERS_MAX: usize = 300;
const DETAILS_MAX: usize = 20;

/// A server's error: the platform's JSON body, a login server's, or an object store's.
///
/// Every part is optional, control characters are removed and texts are cut (codes at 100 characters, messages at
/// 300), because an error body is foreign text that ends up in logs and terminals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// Machine-readable code, for example `not.found` or `invalid_client`.
    pub code: Option<String>,
    /// Text for people.
    pub message: Option<String>,
    /// Id to quote to support.
    pub context_id: Option<String>,
    /// What is wrong with which field; at most 20 entries.
    pub details: Vec<ApiDetail>,
}

/// One entry of an error's details.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiDetail {
    /// Machine-readable code.
    pub code: Option<String>,
    /// The field it is about.
    pub field: Option<String>,
    /// Text for people, where the entry is one.
    pub message: Option<String>,
}

impl ApiError {
    /// Reads an error answer; `None` when neither its body nor its headers say anything.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let mut error = match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(fields)) => Self::from_json(&Value::Object(fields)),
            _ => Self::from_xml(body),
        };
        if error.code.is_none() {
            let header = headers.get("x-genesys-error-code").and_then(|value| value.to_str().ok());
            error.code = header.and_then(|text| clean(text, CODE_CHARACTERS_MAX));
        }
        (error != Self::default()).then_some(error)
    }

    fn from_json(body: &Value) -> Self {
        let text = |name: &str, max| clean(body.get(name)?.as_str()?, max);
        let details = body.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Self {
            code: text("code", CODE_CHARACTERS_MAX).or_else(|| text("error", CODE_CHARACTERS_MAX)),
            message: text("message", MESSAGE_CHARACTERS_MAX)
                .or_else(|| text("error_description", MESSAGE_CHARACTERS_MAX))
                .or_else(|| text("description", MESSAGE_CHARACTERS_MAX)),
            context_id: text("contextId", CODE_CHARACTERS_MAX),
            details: details.iter().take(DETAILS_MAX).map(ApiDetail::from_json).collect(),
        }
    }

    /// Object stores answer `<Error><Code>..</Code><Message>..</Message></Error>`; two substrings are all we need.
    fn from_xml(body: &[u8]) -> Self {
        let Ok(body) = std::str::from_utf8(body) else { return Self::default() };
        let text = |tag: &str, max| {
            let (_, rest) = body.split_once(&format!("<{tag}>"))?;
            clean(rest.split_once('<')?.0, max)
        };
        if !body.contains("<Error>") {
            return Self::default();
        }
        Self {
            code: text("Code", CODE_CHARACTERS_MAX),
            message: text("Message", MESSAGE_CHARACTERS_MAX),
            ..Self::default()
        }
    }
}

impl ApiDetail {
    /// Entries are objects; some areas of the platform were seen to send plain strings.
    fn from_json(entry: &Value) -> Self {
        let text = |name: &str| clean(entry.get(name)?.as_str()?, CODE_CHARACTERS_MAX);
        Self {
            code: text("errorCode"),
            field: text("fieldName"),
            message: entry.as_str().and_then(|text| clean(text, MESSAGE_CHARACTERS_MAX)),
        }
    }
}

/// One line without control characters, at most `max` characters; nothing if nothing is left.
pub(crate) fn clean(text: &str, max: usize) -> Option<String> {
    if text.len() <= max && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    let line: String = text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect();
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let mut cut: String = line.chars().take(max).collect();
    if cut.len() < line.len() {
        cut.push('\u{2026}');
    }
    Some(cut)
}

/// What breaks a line or turns its direction around: control characters, separators, directional marks.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Option<ApiError> {
        ApiError::read(&HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn platform_bodies_are_read_whole() {
        let error = read(
            r#"{"message":"two\nlines","code":"constraint.validation","status":400,"contextId":"c-1",
                "details":[{"errorCode":"too.long","fieldName":"fileName"},"plain words", 7]}"#,
        );
        let error = error.unwrap();
        assert_eq!(error.code.as_deref(), Some("constraint.validation"));
        assert_eq!(error.message.as_deref(), Some("two lines"));
        assert_eq!(error.context_id.as_deref(), Some("c-1"));
        assert_eq!(error.details.len(), 3);
        assert_eq!(error.details[0].field.as_deref(), Some("fileName"));
        assert_eq!(error.details[1].message.as_deref(), Some("plain words"));
    }

    #[test]
    fn login_servers_and_object_stores_are_understood() {
        let login = read(r#"{"error":"invalid_client","error_description":"wrong"}"#).unwrap();
        assert_eq!(
            (login.code.as_deref(), login.message.as_deref()),
            (Some("invalid_client"), Some("wrong"))
        );
        let store = read(
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
        );
        assert_eq!(store.unwrap().code.as_deref(), Some("AccessDenied"));
    }

    #[test]
    fn what_says_nothing_is_nothing() {
        for body in ["", "{}", "[]", "null", "<html><body>502</body></html>", "{\"code\":", "\u{0}"] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn the_header_fills_in_for_the_body() {
        let mut headers = HeaderMap::new();
        headers.insert("x-genesys-error-code", "busy".parse().unwrap());
        assert_eq!(ApiError::read(&headers, b"<html>").unwrap().code.as_deref(), Some("busy"));
    }

    proptest! {
        #[test]
        fn any_body_is_cut_to_printable_lines(body in "\\PC*", message in any::<String>()) {
            let _ = read(&body);
            let error = read(&serde_json::json!({"message": message}).to_string());
            if let Some(text) = error.and_then(|error| error.message) {
                prop_assert!(text.chars().count() <= MESSAGE_CHARACTERS_MAX + 1);
                prop_assert!(!text.chars().any(is_invisible));
            }
        }
    }
}
