//! Registering webhooks: what is accepted and shown, each refusal, and the collections.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use webmessaging_emulator::{EmulatedClient, Emulator};

use crate::client::{builder, request, send, start, token_request};
use crate::receiver::{PLATFORM_WEBHOOKS, SECRET, WEBHOOKS, platform_webhook, register, webhook};

/// The refused fields with the keyword that each breaks.
async fn refused(emulator: &Emulator, path: &str, body: &Value) -> BTreeSet<(String, String)> {
    let answer = request(emulator, "POST", path, Some(body)).await;
    assert_eq!(answer.refusal(), (400, "constraint.validation"), "{body}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let body = answer.json();
    let details = body["details"].as_array().unwrap().iter();
    details.map(|detail| (text(&detail["fieldName"]), text(&detail["errorCode"]))).collect()
}

async fn check(path: &str, registration: fn(&str) -> Value, cases: &[(&str, Value, &str, &str)]) {
    let emulator = start().await;
    for (pointer, value, field, keyword) in cases {
        let mut body = registration("http://127.0.0.1:9/");
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(name);
        } else {
            parent.insert(name.to_owned(), value.clone());
        }
        let expected = BTreeSet::from([((*field).to_owned(), (*keyword).to_owned())]);
        assert_eq!(refused(&emulator, path, &body).await, expected, "{pointer}: {value}");
    }
}

#[tokio::test]
async fn a_webhook_of_the_file_upload_document_is_shown_without_its_headers() {
    let emulator = start().await;
    let mut body = webhook("https://hooks.example/scans");
    body["retryPolicy"] = json!({ "enabled": true, "maxRetries": 3, "backoff": "exponential" });
    let mut shown = register(&emulator, WEBHOOKS, &body).await;
    let id = shown["id"].as_str().unwrap().to_owned();
    assert_eq!(shown["selfUri"], format!("{WEBHOOKS}/{id}"));
    body.as_object_mut().unwrap().remove("headers");
    for own in ["id", "selfUri"] {
        shown.as_object_mut().unwrap().remove(own);
    }
    assert_eq!(shown, body);
}

#[tokio::test]
async fn a_webhook_of_the_channel_document_is_shown_without_its_secret() {
    let emulator = start().await;
    let mut body = platform_webhook("https://hooks.example/channels");
    body["httpHeaders"] = json!({ "X-Key": SECRET });
    let answer = request(&emulator, "POST", PLATFORM_WEBHOOKS, Some(&body)).await;
    assert!(!answer.text().contains(SECRET), "{}", answer.text());
    let shown = answer.json();
    for field in ["name", "description", "callbackUrl", "eventFilters", "enabled"] {
        assert_eq!(shown[field], body[field], "{field}");
    }
    assert_eq!(shown.as_object().unwrap().len(), 7);
}

#[tokio::test]
async fn each_broken_rule_of_the_file_upload_document_is_named() {
    let filter = |text: &str| json!(text);
    let many: Value = (0..21).map(|number| (format!("x-{number}"), json!("a"))).collect();
    let cases = [
        ("/name", Value::Null, "name", "required"),
        ("/name", json!(""), "name", "minLength"),
        ("/name", json!("a".repeat(256)), "name", "maxLength"),
        ("/name", json!("a\nb"), "name", "pattern"),
        ("/uri", Value::Null, "uri", "required"),
        ("/uri", json!("http://hooks.example/"), "uri", "format"),
        ("/uri", json!("http://10.0.0.1/"), "uri", "format"),
        ("/uri", json!("https://hooks.example:8443/"), "uri", "format"),
        ("/uri", json!("https://user@hooks.example/"), "uri", "pattern"),
        ("/uri", json!("https://hooks.example/#part"), "uri", "pattern"),
        ("/uri", json!("https://hooks.example/a b"), "uri", "pattern"),
        ("/uri", json!(" https://hooks.example/"), "uri", "pattern"),
        ("/uri", json!("https:\\\\hooks.example"), "uri", "pattern"),
        ("/uri", json!("ftp://127.0.0.1/"), "uri", "pattern"),
        ("/uri", json!(format!("https://hooks.example/{}", "a".repeat(2_048))), "uri", "maxLength"),
        ("/method", json!("PUT"), "method", "const"),
        ("/contentType", json!("text/plain"), "contentType", "const"),
        ("/eventFilter", filter("eventType = \"a.b\" OR 1"), "eventFilter", "pattern"),
        ("/eventFilter", filter("eventType = \"\""), "eventFilter", "pattern"),
        ("/eventFilter", filter("a.b"), "eventFilter", "pattern"),
        ("/secret", json!(SECRET), "secret", "additionalProperties"),
        ("/retryPolicy", json!({}), "/retryPolicy/enabled", "required"),
        ("/retryPolicy", json!({ "enabled": true, "maxRetries": 6 }), "/retryPolicy/maxRetries", "maximum"),
        ("/retryPolicy", json!({ "enabled": true, "maxRetries": 3.0 }), "/retryPolicy/maxRetries", "type"),
        ("/retryPolicy", json!({ "enabled": true, "backoff": "linear" }), "/retryPolicy/backoff", "const"),
        ("/retryPolicy", json!({ "enabled": true, "more": 1 }), "/retryPolicy/more", "additionalProperties"),
        ("/headers", json!([]), "headers", "type"),
        ("/headers", json!({ "a b": "c" }), "headers", "propertyNames"),
        ("/headers", json!({ "Host": "a" }), "headers", "propertyNames"),
        ("/headers", json!({ "X-Genesys-Signature": "a" }), "headers", "propertyNames"),
        ("/headers", json!({ "x-a": "1", "X-A": "2" }), "headers", "propertyNames"),
        ("/headers", json!({ "x-a": 1 }), "/headers/x-a", "type"),
        ("/headers", json!({ "x-a": "b\r\nc: d" }), "/headers/x-a", "pattern"),
        ("/headers", many, "headers", "maxProperties"),
    ];
    check(WEBHOOKS, webhook, &cases).await;
}

#[tokio::test]
async fn each_broken_rule_of_the_channel_document_is_named() {
    let filters = |filter: Value| json!([filter]);
    let with = |condition: &str| json!([{ "resource": "a", "action": "b", "condition": condition }]);
    let cases = [
        ("/callbackUrl", json!("http://hooks.example/"), "callbackUrl", "format"),
        ("/eventFilters", Value::Null, "eventFilters", "required"),
        ("/eventFilters", json!([]), "eventFilters", "minItems"),
        ("/eventFilters", filters(json!({ "resource": "a" })), "/eventFilters/0/action", "required"),
        (
            "/eventFilters",
            filters(json!({ "resource": "a.", "action": "b" })),
            "/eventFilters/0/resource",
            "pattern",
        ),
        (
            "/eventFilters",
            filters(json!({ "resource": "a", "action": "b.c" })),
            "/eventFilters/0/action",
            "pattern",
        ),
        ("/eventFilters", with("a = \"b\""), "/eventFilters/0/condition", "pattern"),
        ("/eventFilters", with("a == b"), "/eventFilters/0/condition", "pattern"),
        ("/eventFilters", with("a == \"b\" && c == \"d\""), "/eventFilters/0/condition", "pattern"),
        ("/secret", Value::Null, "secret", "required"),
        ("/secret", json!("default-secret"), "secret", "minLength"),
        ("/enabled", json!("yes"), "enabled", "type"),
        ("/description", json!("a".repeat(513)), "description", "maxLength"),
        ("/uri", json!("http://127.0.0.1/"), "uri", "additionalProperties"),
        ("/httpHeaders", json!({ "Content-Length": "1" }), "httpHeaders", "propertyNames"),
    ];
    check(PLATFORM_WEBHOOKS, platform_webhook, &cases).await;
}

#[tokio::test]
async fn what_the_schema_cannot_see_is_reported_at_once() {
    let emulator = start().await;
    let mut body = webhook("http://hooks.example/");
    body["headers"] = json!({ "Host": "a" });
    body["retryPolicy"] = json!({ "enabled": true, "maxRetries": 3.0 });
    assert_eq!(refused(&emulator, WEBHOOKS, &body).await.len(), 3);
}

#[tokio::test]
async fn a_second_webhook_of_a_name_is_a_conflict_in_its_collection() {
    let emulator = start().await;
    let url = "https://hooks.example/";
    let shown = register(&emulator, WEBHOOKS, &webhook(url)).await;
    let again = request(&emulator, "POST", WEBHOOKS, Some(&webhook("https://other.example/"))).await;
    assert_eq!(again.refusal(), (409, "request.conflict"));
    let mut other = platform_webhook(url);
    other["name"] = json!("scans");
    register(&emulator, PLATFORM_WEBHOOKS, &other).await;

    let own = format!("{WEBHOOKS}/{}", shown["id"].as_str().unwrap());
    let elsewhere = format!("{PLATFORM_WEBHOOKS}/{}", shown["id"].as_str().unwrap());
    assert_eq!(request(&emulator, "DELETE", &elsewhere, None).await.refusal(), (404, "not.found"));
    let deleted = request(&emulator, "DELETE", &own, None).await;
    assert_eq!((deleted.status, deleted.text()), (204, ""));
    assert_eq!(request(&emulator, "DELETE", &own, None).await.refusal(), (404, "not.found"));
    register(&emulator, WEBHOOKS, &webhook(url)).await;
}

#[tokio::test]
async fn there_is_a_limit_that_is_no_conflict_and_lists_have_pages() {
    let emulator = start().await;
    let named = |number: usize| {
        let mut body = webhook("https://hooks.example/");
        body["name"] = json!(format!("webhook {number}"));
        body
    };
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook("https://hooks.example/")).await;
    for number in 1..100 {
        register(&emulator, WEBHOOKS, &named(number)).await;
    }
    let refused = request(&emulator, "POST", WEBHOOKS, Some(&named(100))).await;
    assert_eq!(refused.refusal(), (400, "too.many.webhooks"));
    assert_eq!(refused.json()["message"], "there are 100 webhooks, the most there can be");

    let list = |path: String| {
        let emulator = &emulator;
        async move { request(emulator, "GET", &path, None).await.json() }
    };
    let second = list(format!("{WEBHOOKS}?pageSize=50&pageNumber=2")).await;
    assert_eq!((&second["total"], &second["pageCount"]), (&json!(99), &json!(2)));
    assert_eq!(second["entities"][48]["name"], "webhook 99");
    assert_eq!(second["previousUri"], format!("{WEBHOOKS}?pageSize=50&pageNumber=1"));
    let other = list(PLATFORM_WEBHOOKS.to_owned()).await;
    assert_eq!((&other["total"], &other["entities"][0]["name"]), (&json!(1), &json!("channels")));
    assert_eq!(other["entities"][0].get("secret"), None);
}

#[tokio::test]
async fn webhooks_need_their_scope() {
    let emulator = builder()
        .client(EmulatedClient::new("demo-client", "demo-secret").scopes(["communications:read"]))
        .start()
        .await
        .unwrap();
    let answer = send(
        &emulator,
        token_request("grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret"),
    )
    .await;
    assert_eq!(answer.json()["scope"], "communications:read");
    for (method, path) in [("POST", WEBHOOKS), ("GET", PLATFORM_WEBHOOKS)] {
        let refused = request(&emulator, method, path, None).await;
        assert_eq!(refused.refusal(), (403, "app.not.authorized.for.scope"), "{method} {path}");
    }
}
