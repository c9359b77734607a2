//! Each rule of a transfer alone, all together, at its boundary, and for any text; and the verdict on one.

use proptest::prelude::*;
use webmessaging_model::{
    AccessPolicyDirectives, Code, ContentType, ContentTypeVerification, EncryptionStandard, Limit,
    ScanVerdict, TransferLimits, TransferPayload, TransferStatus, Unit, Violation, Violations,
    VirusScanResult,
};

const MAX: u64 = 50 * 1024 * 1024;
const BUCKET: &str = "12345678-1234-1234-1234-123456789abc";
const TYPES: [&str; 4] = ["application/pdf", "image/png", "image/jpeg", "text/plain"];

fn valid() -> TransferPayload {
    let policy = AccessPolicyDirectives::new(30, EncryptionStandard::Aes256, true);
    TransferPayload::new("report.pdf", 1, BUCKET, policy)
}

fn with(change: impl FnOnce(&mut TransferPayload)) -> TransferPayload {
    let mut payload = valid();
    change(&mut payload);
    payload
}

fn broken(payload: &TransferPayload) -> Vec<Violation> {
    payload.validate(&TransferLimits::default()).err().map(Violations::into_vec).unwrap_or_default()
}

#[track_caller]
fn check(change: impl FnOnce(&mut TransferPayload), expected: &[Violation]) {
    assert_eq!(broken(&with(change)), expected);
}

fn not_allowed(path: &'static str, rule: &'static str, allowed: &[&str]) -> Violation {
    let names = allowed.iter().map(|&name| name.to_owned()).collect();
    Violation::new(path, Code::NotAllowed, rule).allowed(Limit::OneOf(names))
}

#[test]
fn size_is_checked_at_its_exact_boundaries() {
    let too_large = |count| {
        let violation = Violation::new("fileSize", Code::TooLarge, "transfer.file_size.max");
        violation.limit(Limit::Max(MAX), Unit::Bytes).count(count)
    };
    let empty = Violation::new("fileSize", Code::TooSmall, "transfer.file_size.min");
    check(|payload| payload.file_size = 0, &[empty.limit(Limit::Min(1), Unit::Bytes).count(0)]);
    check(|payload| payload.file_size = 1, &[]);
    check(|payload| payload.file_size = MAX, &[]);
    check(|payload| payload.file_size = MAX + 1, &[too_large(MAX + 1)]);
    check(|payload| payload.file_size = u64::MAX, &[too_large(u64::MAX)]);
}

#[test]
fn names_have_1_to_255_characters_of_any_kind() {
    let too_long = Violation::new("fileName", Code::TooLong, "transfer.file_name.max")
        .limit(Limit::Max(255), Unit::Characters)
        .count(256);
    check(
        |payload| payload.file_name.clear(),
        &[Violation::new("fileName", Code::Required, "transfer.file_name.required")],
    );
    for character in ["a", "\u{e9}", "\u{1f4c4}", " "] {
        check(|payload| payload.file_name = character.to_owned(), &[]);
        check(|payload| payload.file_name = character.repeat(255), &[]);
        check(|payload| payload.file_name = character.repeat(256), std::slice::from_ref(&too_long));
    }
}

#[test]
fn types_are_on_the_list() {
    let refused = not_allowed("mimeType", "transfer.mime_type.allowed", &TYPES);
    for name in ContentType::KNOWN.iter().copied().chain(["application/zip", "Image/PNG", ""]) {
        let expected = if TYPES.contains(&name) { Vec::new() } else { vec![refused.clone()] };
        check(|payload| payload.mime_type = ContentType::from(name), &expected);
    }
    let limits = TransferLimits::default().mime_types([ContentType::Gif]);
    assert_eq!(valid().mime_type(ContentType::Gif).validate(&limits), Ok(()));
}

#[test]
fn the_bucket_is_a_uuid() {
    let malformed = Violation::new("storageBucketReference", Code::Malformed, "transfer.bucket.uuid");
    for text in ["00000000-0000-0000-0000-000000000000", "ABCDEF01-2345-6789-abcd-ef0123456789"] {
        check(|payload| text.clone_into(&mut payload.storage_bucket_reference), &[]);
    }
    for text in [
        "12345678123412341234123456789abc",
        "{12345678-1234-1234-1234-123456789abc}",
        "12345678-1234-1234-1234-123456789abg",
        "12345678-1234-1234-1234-123456789abc ",
        "123456781-234-1234-1234-123456789abc",
        "12345678-1234-1234-1234-123456789\u{e9}a",
        "-----------------------------------\n",
    ] {
        check(
            |payload| text.clone_into(&mut payload.storage_bucket_reference),
            std::slice::from_ref(&malformed),
        );
    }
    let missing = Violation::new("storageBucketReference", Code::Required, "transfer.bucket.required");
    check(|payload| payload.storage_bucket_reference.clear(), &[missing]);
}

#[test]
fn the_access_policy_is_checked_under_its_own_path() {
    let none =
        Violation::new("accessPolicyDirectives.retentionDays", Code::TooSmall, "transfer.retention_days.min");
    check(
        |payload| payload.access_policy_directives.retention_days = 0,
        &[none.limit(Limit::Min(1), Unit::Days).count(0)],
    );
    check(|payload| payload.access_policy_directives.retention_days = 1, &[]);
    check(|payload| payload.access_policy_directives.retention_days = u32::MAX, &[]);
    let refused = not_allowed(
        "accessPolicyDirectives.encryptionStandard",
        "transfer.encryption_standard.allowed",
        &["AES-256", "RSA-2048"],
    );
    for name in ["AES-256", "RSA-2048", "AES-128", "aes-256", ""] {
        let is_known = EncryptionStandard::KNOWN.contains(&name);
        let expected = if is_known { Vec::new() } else { vec![refused.clone()] };
        check(|payload| payload.access_policy_directives.encryption_standard = name.into(), &expected);
    }
}

#[test]
fn every_broken_rule_is_reported_in_the_order_of_the_fields() {
    let policy = AccessPolicyDirectives::new(0, EncryptionStandard::from("ROT-13"), false);
    let payload = TransferPayload::new("", 0, "bucket", policy);
    let found = broken(&payload);
    let found: Vec<_> = found.iter().map(|violation| (&*violation.path, violation.code)).collect();
    assert_eq!(
        found,
        [
            ("fileName", Code::Required),
            ("mimeType", Code::NotAllowed),
            ("fileSize", Code::TooSmall),
            ("storageBucketReference", Code::Malformed),
            ("accessPolicyDirectives.retentionDays", Code::TooSmall),
            ("accessPolicyDirectives.encryptionStandard", Code::NotAllowed),
        ]
    );
}

#[test]
fn it_is_read_from_json_and_the_scan_is_on_unless_it_says_otherwise() {
    let json = format!(
        r#"{{"fileName":"report.pdf","mimeType":"application/pdf","fileSize":1,"storageBucketReference":"{BUCKET}","accessPolicyDirectives":{{"retentionDays":30,"encryptionStandard":"AES-256","downloadAllowed":true}},"later":1}}"#
    );
    let read: TransferPayload = serde_json::from_str(&json).unwrap();
    assert_eq!(read, valid());
    let written = serde_json::to_string(&read).unwrap();
    assert!(written.ends_with(r#","virusScanEnabled":true}"#), "{written}");
    let unscanned = written.replace(r#""virusScanEnabled":true"#, r#""virusScanEnabled":false"#);
    let unscanned: TransferPayload = serde_json::from_str(&unscanned).unwrap();
    assert_eq!(unscanned, valid().virus_scan_enabled(false));
    for wrong in [r#""retentionDays":1.5"#, r#""retentionDays":-1"#, r#""retentionDays":"30""#] {
        let error = serde_json::from_str::<TransferPayload>(&json.replace(r#""retentionDays":30"#, wrong));
        assert!(error.unwrap_err().is_data(), "{wrong}");
    }
}

#[test]
fn only_a_complete_transfer_without_a_finding_is_clean() {
    let statuses = [None, Some("created"), Some("uploaded"), Some("complete"), Some("failed")]
        .into_iter()
        .chain([Some("virus_detected"), Some("validation_failed"), Some("new")]);
    let mut clean = Vec::new();
    for status in statuses {
        for virus in [None, Some("clean"), Some("malicious"), Some("detected"), Some("suspicious")] {
            for content in [None, Some("passed"), Some("pending"), Some("failed"), Some("new")] {
                let verdict = ScanVerdict::of_transfer(
                    status.map(TransferStatus::from).as_ref(),
                    virus.map(VirusScanResult::from).as_ref(),
                    content.map(ContentTypeVerification::from).as_ref(),
                );
                if verdict == ScanVerdict::Clean {
                    clean.push((status, virus, content));
                }
                let found =
                    matches!(virus, Some("malicious" | "detected")) || status == Some("virus_detected");
                assert_eq!(verdict == ScanVerdict::Malicious, found);
            }
        }
    }
    let complete = |content| (Some("complete"), Some("clean"), content);
    assert_eq!(clean, [complete(None), complete(Some("passed"))]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    /// The rules once more, as a table that shares nothing with the validator.
    #[test]
    fn exactly_the_rules_of_the_table_are_broken(
        name in "[a-z\u{e9}]{0,3}|[a-z\u{1f4c4}]{253,257}",
        mime in prop::sample::select(vec!["application/pdf", "image/jpeg", "text/plain", "image/gif", "text/html"]),
        size in prop_oneof![0..3_u64, MAX - 2..=MAX + 2, any::<u64>()],
        bucket in "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-g-]{35,37}|",
        days in 0..3_u32,
        standard in prop::sample::select(vec!["AES-256", "RSA-2048", "DES"]),
    ) {
        let policy = AccessPolicyDirectives::new(days, standard.into(), true);
        let payload = TransferPayload::new(&*name, size, &*bucket, policy).mime_type(mime.into());
        let groups: Vec<_> = bucket.split('-').map(str::len).collect();
        let is_uuid = groups == [8, 4, 4, 4, 12] && bucket.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
        let table = [
            ("transfer.file_name.required", name.is_empty()),
            ("transfer.file_name.max", name.chars().count() > 255),
            ("transfer.mime_type.allowed", !TYPES.contains(&mime)),
            ("transfer.file_size.min", size < 1),
            ("transfer.file_size.max", size > MAX),
            ("transfer.bucket.required", bucket.is_empty()),
            ("transfer.bucket.uuid", !bucket.is_empty() && !is_uuid),
            ("transfer.retention_days.min", days < 1),
            ("transfer.encryption_standard.allowed", standard == "DES"),
        ];
        let expected: Vec<_> = table.iter().filter(|(_, is_broken)| *is_broken).map(|(rule, _)| *rule).collect();
        let found: Vec<_> = broken(&payload).iter().map(|violation| violation.rule).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_violation_never_repeats_its_input(secret in "[g-z]{12}") {
        let policy = AccessPolicyDirectives::new(0, EncryptionStandard::from(&*secret), true);
        let payload = TransferPayload::new(secret.repeat(30), 0, &*secret, policy).mime_type((&*secret).into());
        let violations = payload.validate(&TransferLimits::default()).unwrap_err();
        let json = serde_json::to_string(&violations).unwrap();
        for text in [violations.to_string(), format!("{violations:?}"), json] {
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }
}
