//! The model's validators and the emulator's schema are written apart and must say the same of every announcement.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;
use tokio::runtime::Runtime;
use webmessaging_emulator::Emulator;
use webmessaging_model::{ContentType, UploadLimits, UploadMetadata, UploadType};

use crate::client::{announce_request, send, token};

/// Small enough that sizes around it are met often.
const SIZE_MAX: u64 = 1_000;

/// The fields that the emulator refuses, or none when it accepts.
async fn refused_fields(emulator: &Emulator, bearer: &str, body: &Value) -> BTreeSet<String> {
    let answer = send(emulator, announce_request(bearer, body)).await;
    if answer.status == 200 {
        return BTreeSet::new();
    }
    assert_eq!(answer.refusal(), (400, "constraint.validation"));
    let details = answer.json()["details"].clone();
    let details = details.as_array().unwrap().iter();
    details.map(|detail| detail["fieldName"].as_str().unwrap().to_owned()).collect()
}

fn content_type() -> impl Strategy<Value = ContentType> {
    let known = prop::sample::select(ContentType::KNOWN).prop_map(ContentType::from);
    prop_oneof![4 => known, 1 => "\\PC{0,20}|text/html|IMAGE/PNG".prop_map(|name| ContentType::from(&*name))]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9_.-]{1,12}",
        1 => "[A-Za-z0-9_.-]{253,257}",
        1 => Just("..".to_owned()),
        1 => "[a-z]{0,4}[ /\\\\\n\r\u{0}\u{e9}][a-z]{0,4}",
        1 => any::<String>(),
    ]
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9a-f]{8}-[0-9a-f]{4}",
        1 => "\u{e9}{253,257}",
        1 => "\\.{0,3}",
        1 => "[a-z]{0,3}[\u{0}\n\u{7f}\u{85}\u{a0}][a-z]{0,3}",
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn validator_and_schema_refuse_the_same_fields(
        announcements in prop::collection::vec(
            (name(), content_type(), prop_oneof![0..=2_u64, SIZE_MAX - 2..=SIZE_MAX + 2, any::<u64>()], id(), id(), 0..8_u8),
            8,
        ),
    ) {
        let limits = UploadLimits::default().file_size_bytes_max(SIZE_MAX);
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let emulator = Emulator::builder().file_size_bytes_max(SIZE_MAX).start().await.unwrap();
            let bearer = token(&emulator).await;
            for (name, content_type, size, channel, message, kind) in announcements {
                let mut metadata = UploadMetadata::new(name, size, channel, message).content_type(content_type);
                // The one field that our own builder cannot get wrong.
                let foreign = kind == 0;
                if foreign {
                    metadata.upload_type = UploadType::from("openmessaging");
                }
                let ours: BTreeSet<String> = metadata
                    .validate(&limits)
                    .err()
                    .iter()
                    .flat_map(|violations| violations.iter().map(|violation| violation.path.to_string()))
                    .collect();
                let body = serde_json::to_value(&metadata).unwrap();
                let mut theirs = refused_fields(&emulator, &bearer, &body).await;
                prop_assert_eq!(theirs.remove("uploadType"), foreign);
                prop_assert_eq!(ours, theirs, "{:?}", metadata);
            }
            Ok(())
        })?;
    }
}
