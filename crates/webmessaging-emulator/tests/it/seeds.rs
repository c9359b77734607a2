//! Seeds: files, the organisation and webhooks that are there before any request, from code and over the wire.

use serde_json::{Value, json};
use webmessaging_emulator::{SeedError, SeededFile, StartError, StateSeed};

use crate::client::{
    Announced, announce, announce_request, announcement, builder, get_request, send, start, state, token,
};
use crate::control::call;
use crate::snapshots::{ID, download, hello, seeded};

#[tokio::test]
async fn seeded_files_are_what_an_upload_would_have_made_of_them() {
    let eicar =
        [b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$".as_slice(), b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let file = |name: &str| SeededFile::new(name, "text/plain", "message-1");
    let seed = StateSeed::new().files([
        file("clean").content("hello"),
        file("malicious").content(eicar),
        file("malformed").content(vec![0]),
        file("scanning").content("hello").scanning(),
        file("pending").size_bytes(7),
    ]);
    let emulator = start().await;
    emulator.seed(seed).await.unwrap();
    let mut told: Vec<_> = emulator
        .state()
        .files
        .into_iter()
        .map(|file| (file.file_name, file.status, file.virus_scan_result, file.format_validation))
        .collect();
    told.sort();
    let row = |name: &str, status: &str, virus: Option<&str>, format: Option<&str>| {
        (name.to_owned(), status.to_owned(), virus.map(str::to_owned), format.map(str::to_owned))
    };
    assert_eq!(
        told,
        [
            row("clean", "completed", Some("clean"), Some("passed")),
            row("malformed", "failed", Some("clean"), Some("failed")),
            row("malicious", "failed", Some("malicious"), Some("passed")),
            row("pending", "pending", None, None),
            row("scanning", "scanning", None, None),
        ]
    );
}

#[tokio::test]
async fn a_seed_over_the_wire_replaces_what_it_mentions() {
    let emulator = start().await;
    let bearer = token(&emulator).await;
    let old = announce(&emulator, "a.txt", "text/plain", 5).await;
    let seed = json!({ "files": [
        { "id": ID, "fileName": "a.txt", "contentType": "text/plain", "messageId": "message-1", "text": "hello" },
        { "fileName": "b.txt", "contentType": "text/plain", "messageId": "m", "base64": "aGVsbG8=", "scan": "running" },
        { "fileName": "c.txt", "contentType": "text/plain", "messageId": "m", "fileSize": 7 },
    ] });
    assert_eq!(call(&emulator, "PUT", "state", Some(&seed)).await.status, 204);
    assert_eq!(emulator.state().files.len(), 3);
    // The token is not mentioned, and stays.
    assert_eq!(send(&emulator, get_request(&bearer, &old.path())).await.status, 404);
    assert_eq!(download(&emulator, &state(&emulator, &seeded(ID)).await).await, (200, "hello".to_owned()));
    assert_eq!(call(&emulator, "PUT", "state", Some(&json!({}))).await.status, 204);
    assert_eq!(emulator.state().files.len(), 3);
    assert_eq!(call(&emulator, "PUT", "state", Some(&json!({ "files": [] }))).await.status, 204);
    assert!(emulator.state().files.is_empty());
}

#[tokio::test]
async fn a_bad_seed_is_told_all_of_its_mistakes_and_changes_nothing() {
    let emulator = start().await;
    emulator.seed(StateSeed::new().files([hello()])).await.unwrap();
    let before = emulator.state().files;
    let whole = |changes: Value| {
        let mut file = json!({ "fileName": "a", "contentType": "text/plain", "messageId": "m" });
        file.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        file
    };
    let missing = "fileSize: is missing; a file needs its content (text or base64) or its size";
    for (file, expected) in [
        (whole(json!({})), missing),
        (
            whole(json!({ "text": "a", "base64": "" })),
            "base64: cannot stand beside text: a file has one content",
        ),
        (
            whole(json!({ "text": "a", "fileSize": 1 })),
            "fileSize: cannot stand beside a content, which has its own size",
        ),
        (whole(json!({ "fileSize": 1, "scan": "over" })), "scan: needs a content that can be scanned"),
        (whole(json!({ "text": "a", "scan": "ended" })), "scan: must be one of over, running"),
        (whole(json!({ "base64": "?" })), "base64: must be a text in base64"),
        (whole(json!({ "text": "a", "fileName": 1 })), "fileName: must be a text"),
        (whole(json!({ "text": "a", "id": "1" })), "id: must be a UUID"),
        (
            whole(json!({ "text": "a", "fileName": "a b" })),
            "fileName: breaks the rule pattern of an announcement",
        ),
        (whole(json!({ "text": "" })), "fileSize: breaks the rule minimum of an announcement"),
        (
            whole(json!({ "text": "a", "contentType": "text/html" })),
            "contentType: breaks the rule enum of an announcement",
        ),
    ] {
        let seed = json!({ "files": [whole(json!({ "text": "a" })), file] });
        let answer = call(&emulator, "PUT", "state", Some(&seed)).await;
        assert_eq!(answer.refusal(), (400, "emulator.document.invalid"), "{file}");
        assert_eq!(answer.json()["message"], format!("file 2: {expected}"), "{file}");
    }
    assert_eq!(emulator.state().files, before);

    let twice = StateSeed::new().files([hello(), hello().size_bytes(0)]);
    let expected = "file 2: id: is the id of an earlier file as well\n\
                    file 2: fileSize: breaks the rule minimum of an announcement";
    let error = emulator.seed(twice.clone()).await.unwrap_err();
    assert!(matches!(&error, SeedError::Invalid(error) if error.problems().len() == 2));
    assert_eq!(error.to_string(), expected);
    let refused = builder().seed(twice).start().await.unwrap_err();
    assert!(matches!(refused, StartError::Seed(error) if error.to_string() == expected));
}

#[tokio::test]
async fn a_seeded_file_can_be_sent_and_is_judged_anew() {
    let emulator = start().await;
    let bearer = token(&emulator).await;
    let body = announcement("a.txt", "text/plain", 5);
    let announced = send(&emulator, announce_request(&bearer, &body)).await.json();
    let id = announced["fileId"].as_str().unwrap();
    let url = announced["uploadUrl"].as_str().unwrap().to_owned();
    let file = SeededFile::new("a.txt", "text/plain", "message-1").id(id).size_bytes(5);
    emulator.seed(StateSeed::new().files([file])).await.unwrap();
    let file = Announced { url, id: id.to_owned() };
    assert_eq!(send(&emulator, file.put(b"hello")).await.status, 200);
}

#[test]
fn debug_of_a_seed_shows_no_content() {
    let seed = StateSeed::new().files([hello().content("swordfish")]);
    let printed = format!("{seed:?}");
    assert!(printed.contains("length: 9") && !printed.contains("swordfish"), "{printed}");
}

/// The keys that are allowed in the tables of a seed.
#[cfg(feature = "toml")]
fn known_keys() -> Vec<String> {
    let unknown = json!([{ "?": 1 }]);
    let documents = [
        json!({ "?": 1 }),
        json!({ "files": unknown }),
        json!({ "organization": { "?": 1 } }),
        json!({ "organization": { "channels": unknown } }),
        json!({ "organization": { "conversations": [{ "?": 1, "participants": unknown }] } }),
        json!({ "webhooks": [{ "?": 1, "collection": "webhooks" }] }),
        json!({ "webhooks": [{ "?": 1, "collection": "platform-webhooks" }] }),
    ];
    let mut keys: Vec<String> = Vec::new();
    for document in documents {
        let told = StateSeed::from_json(&document.to_string()).unwrap_err().to_string();
        let lists = told.lines().filter_map(|line| line.split_once("allowed here: "));
        keys.extend(lists.flat_map(|(_, list)| list.split(", ").map(str::to_owned)));
    }
    keys
}

#[cfg(feature = "toml")]
#[tokio::test]
async fn the_example_of_the_guides_is_taken_and_shows_every_key() {
    const EXAMPLE: &str = include_str!("../../../../docs/guides/state.toml");
    let keys = known_keys();
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys {
        let shown = [format!("{key} = "), format!("{key}."), format!("{key}]]")];
        assert!(shown.iter().any(|shown| EXAMPLE.contains(shown)), "{key}");
    }
    let seed = StateSeed::from_toml(EXAMPLE).unwrap();
    let emulator = builder().seed(seed).start().await.unwrap();
    let state = emulator.state();
    let mut files: Vec<_> = state.files.iter().map(|file| (&*file.file_name, &*file.status)).collect();
    files.sort_unstable();
    assert_eq!(files, [("hello.txt", "completed"), ("pixel.gif", "scanning"), ("report.pdf", "pending")]);
    assert_eq!((state.organization.channels, state.organization.conversations), (1, 1));
    assert_eq!(state.webhooks.len(), 2);
}

#[cfg(feature = "toml")]
#[tokio::test]
async fn the_examples_of_the_readme_are_taken() {
    let readme = include_str!("../../README.md");
    let mut examples = readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let script = webmessaging_emulator::FaultScript::from_toml(examples.next().unwrap()).unwrap();
    let seed = StateSeed::from_toml(examples.next().unwrap()).unwrap();
    assert_eq!(examples.next(), None);
    let emulator = builder().faults(script).seed(seed).start().await.unwrap();
    assert_eq!((emulator.state().files.len(), emulator.state().webhooks.len()), (1, 1));
}

#[cfg(feature = "toml")]
#[test]
fn a_seed_is_the_same_in_toml() {
    let toml = format!(
        "[[files]]\nid = \"{ID}\"\nfileName = \"hello.txt\"\ncontentType = \"text/plain\"\n\
         messageId = \"message-1\"\ntext = \"hello\"\n"
    );
    assert_eq!(StateSeed::from_toml(&toml).unwrap(), StateSeed::new().files([hello()]));
    let error = StateSeed::from_toml(&toml.replace("messageId", "mesageId")).unwrap_err().to_string();
    assert!(error.contains("line 5: file 1: mesageId: unknown key (did you mean `messageId`?)"), "{error}");
}
