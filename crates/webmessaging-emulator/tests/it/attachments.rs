//! The state of files: progress, verdicts, and who may ask.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webmessaging_emulator::EmulatedClient;

use crate::client::{
    MESSAGE_ID, SCAN, announce, announce_request, announcement, builder, get_request, judged, send, start,
    state, token,
};

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

pub(crate) fn eicar() -> Vec<u8> {
    [b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$".as_slice(), b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat()
}

#[tokio::test]
async fn a_clean_file_passes_through_every_status() {
    let emulator = start().await;
    let file = announce(&emulator, "a.png", "image/png", PNG.len()).await;
    let common = json!({
        "id": file.id,
        "fileName": "a.png",
        "contentType": "image/png",
        "contentLength": PNG.len(),
        "messageId": MESSAGE_ID,
    });
    let with_status = |status: &str| {
        let mut expected = common.clone();
        expected["status"] = status.into();
        expected
    };
    assert_eq!(state(&emulator, &file).await, with_status("pending"));
    assert_eq!(send(&emulator, file.put(PNG)).await.status, 200);
    let mut scanning = with_status("scanning");
    scanning["sha256"] = hex::encode(Sha256::digest(PNG)).into();
    assert_eq!(state(&emulator, &file).await, scanning);
    emulator.clock().advance(SCAN);

    let mut completed = state(&emulator, &file).await;
    let url = completed.as_object_mut().unwrap().remove("downloadUrl").unwrap();
    let prefix = format!("{}/storage/files/{}?expires=", emulator.base_url(), file.id);
    assert!(url.as_str().unwrap().starts_with(&prefix), "{url}");
    let mut expected = scanning;
    expected["status"] = "completed".into();
    expected["virusScanResult"] = "clean".into();
    expected["formatValidation"] = "passed".into();
    assert_eq!(completed, expected);
}

#[tokio::test]
async fn verdicts_that_block_a_file_give_no_download_url() {
    let emulator = start().await;
    let infected = [PNG, &eicar()].concat();
    for (content_type, bytes, virus, format) in [
        ("text/plain", eicar(), "malicious", "passed"),
        ("image/png", infected.clone(), "malicious", "passed"),
        ("image/gif", infected, "malicious", "failed"),
        ("image/jpeg", PNG.to_vec(), "clean", "failed"),
        ("application/pdf", b"MZ\x90\x00".to_vec(), "clean", "failed"),
        ("text/plain", b"a\0b".to_vec(), "clean", "failed"),
    ] {
        let state = judged(&emulator, content_type, &bytes).await;
        assert_eq!(state["status"], "failed", "{content_type}");
        assert_eq!(state["virusScanResult"], virus, "{content_type}");
        assert_eq!(state["formatValidation"], format, "{content_type}");
        assert_eq!(state.get("downloadUrl"), None, "{content_type}");
    }
}

#[tokio::test]
async fn eicar_is_found_in_the_middle_of_a_large_file() {
    let emulator = start().await;
    let mut bytes = vec![b'X'; 3 * 1024 * 1024];
    let at = 1024 * 1024 - 30;
    bytes[at..at + eicar().len()].copy_from_slice(&eicar());
    assert_eq!(judged(&emulator, "text/plain", &bytes).await["virusScanResult"], "malicious");
    bytes[at] = b'Y';
    assert_eq!(judged(&emulator, "text/plain", &bytes).await["virusScanResult"], "clean");
}

#[tokio::test]
async fn unknown_files_and_other_messages_are_not_found() {
    let emulator = start().await;
    let file = announce(&emulator, "a.txt", "text/plain", 1).await;
    let token = token(&emulator).await;
    let at = |message: &str, id: &str| {
        format!("/api/v2/conversations/messaging/messages/{message}/attachments/{id}")
    };
    for path in [
        at(MESSAGE_ID, &Uuid::nil().to_string()),
        at(MESSAGE_ID, "attachment-1"),
        at("message-2", &file.id),
        at("MESSAGE-1", &file.id),
    ] {
        let answer = send(&emulator, get_request(&token, &path)).await;
        assert_eq!(answer.refusal(), (404, "not.found"), "{path}");
        assert_eq!(answer.json()["message"], "the requested resource was not found");
    }
    let answer = send(&emulator, get_request(&token, &at("%FF", &file.id))).await;
    assert_eq!(answer.refusal(), (400, "bad.request"));
}

#[tokio::test]
async fn message_ids_with_reserved_characters_are_found_when_encoded() {
    let emulator = start().await;
    let token = token(&emulator).await;
    let mut body = announcement("a.txt", "text/plain", 1);
    body["messageId"] = "a/b?c#d%25 é".into();
    let answer = send(&emulator, announce_request(&token, &body)).await;
    let id = answer.json()["fileId"].as_str().unwrap().to_owned();
    let path =
        format!("/api/v2/conversations/messaging/messages/a%2Fb%3Fc%23d%2525%20%C3%A9/attachments/{id}");
    let answer = send(&emulator, get_request(&token, &path)).await;
    assert_eq!(answer.json()["messageId"], "a/b?c#d%25 é");
}

#[tokio::test]
async fn reading_needs_a_token_with_the_read_scope() {
    let emulator = builder()
        .client(EmulatedClient::new("demo-client", "demo-secret").scopes(["conversations:messaging:write"]))
        .start()
        .await
        .unwrap();
    let file = announce(&emulator, "a.txt", "text/plain", 1).await;
    let answer = send(&emulator, get_request(&token(&emulator).await, &file.path())).await;
    assert_eq!(answer.refusal(), (403, "app.not.authorized.for.scope"));
    assert_eq!(answer.json()["message"], "the token lacks the scope conversations:read");
    let anonymous: Request<Full<Bytes>> = crate::client::plain_get(&file.path());
    assert_eq!(send(&emulator, anonymous).await.refusal(), (401, "authentication.required"));
}
