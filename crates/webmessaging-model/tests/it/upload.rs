//! Each rule of an upload alone, all together, at its boundary, and for any text.

use proptest::prelude::*;
use webmessaging_model::{
    Actual, ChannelId, Code, ContentType, Limit, MessageId, Unit, UploadLimits, UploadMetadata, Violation,
    Violations,
};

const MAX: u64 = 10 * 1024 * 1024;

fn valid() -> UploadMetadata {
    UploadMetadata::new("report.pdf", 1, "channel", "message")
}

fn broken(metadata: &UploadMetadata) -> Vec<Violation> {
    metadata.validate(&UploadLimits::default()).err().map(Violations::into_vec).unwrap_or_default()
}

#[track_caller]
fn check(metadata: &UploadMetadata, expected: &[Violation]) {
    assert_eq!(broken(metadata), expected);
}

fn named(name: &str) -> UploadMetadata {
    let mut metadata = valid();
    name.clone_into(&mut metadata.file_name);
    metadata
}

fn sized(bytes: u64) -> UploadMetadata {
    let mut metadata = valid();
    metadata.file_size = bytes;
    metadata
}

fn too_large(bytes: u64, max: u64) -> Violation {
    Violation::new("fileSize", Code::TooLarge, "upload.file_size.max")
        .limit(Limit::Max(max), Unit::Bytes)
        .count(bytes)
}

fn forbidden(position: u64) -> Violation {
    Violation::new("fileName", Code::ForbiddenCharacter, "upload.file_name.charset")
        .allowed(Limit::Charset("A-Z a-z 0-9 _ - ."))
        .actual(Actual::Position(position))
}

fn too_long(path: &'static str, rule: &'static str, count: u64) -> Violation {
    Violation::new(path, Code::TooLong, rule).limit(Limit::Max(255), Unit::Characters).count(count)
}

#[test]
fn size_is_checked_at_its_exact_boundaries() {
    check(&sized(1), &[]);
    check(&sized(MAX), &[]);
    check(&sized(MAX + 1), &[too_large(MAX + 1, MAX)]);
    check(&sized(4 << 30), &[too_large(4 << 30, MAX)]);
    check(&sized(u64::MAX), &[too_large(u64::MAX, MAX)]);
    let empty = Violation::new("fileSize", Code::TooSmall, "upload.file_size.min")
        .limit(Limit::Min(1), Unit::Bytes)
        .count(0);
    check(&sized(0), &[empty]);
}

#[test]
fn a_raised_limit_moves_the_boundary() {
    let limits = UploadLimits::default().file_size_bytes_max(50 << 20);
    assert_eq!(sized(50 << 20).validate(&limits), Ok(()));
    let violations = sized((50 << 20) + 1).validate(&limits).unwrap_err();
    assert_eq!(violations.as_slice(), [too_large((50 << 20) + 1, 50 << 20)]);
}

#[test]
fn names_are_plain() {
    check(&named("A-z_0.9.pdf"), &[]);
    check(&named("../evil.pdf"), &[forbidden(3)]);
    check(&named("..\\evil.pdf"), &[forbidden(3)]);
    check(&named("two words.pdf"), &[forbidden(4)]);
    check(&named("r\u{e9}sum\u{e9}.pdf"), &[forbidden(2)]);
    check(&named("nul\0.pdf"), &[forbidden(4)]);
    check(&named("line\n"), &[forbidden(5)]);
    check(&named(".."), &[Violation::new("fileName", Code::Reserved, "upload.file_name.reserved")]);
    check(&named(""), &[Violation::new("fileName", Code::Required, "upload.file_name.required")]);
}

#[test]
fn names_end_at_255_characters() {
    check(&named(&"a".repeat(255)), &[]);
    check(&named(&"a".repeat(256)), &[too_long("fileName", "upload.file_name.max", 256)]);
    // 128 characters are 256 bytes here: the unit is characters.
    check(&named(&"\u{e9}".repeat(128)), &[forbidden(1)]);
    check(&named(&"\u{e9}".repeat(256)), &[forbidden(1), too_long("fileName", "upload.file_name.max", 256)]);
}

#[test]
fn types_are_on_the_list() {
    for &name in ContentType::KNOWN {
        check(&valid().content_type(ContentType::from(name)), &[]);
    }
    let refused = Violation::new("contentType", Code::NotAllowed, "upload.content_type.allowed")
        .allowed(Limit::OneOf(ContentType::KNOWN.iter().map(|&name| name.to_owned()).collect()));
    check(&valid().content_type(ContentType::from("application/zip")), std::slice::from_ref(&refused));
    check(&valid().content_type(ContentType::from("Application/PDF")), std::slice::from_ref(&refused));
    check(&UploadMetadata::new("setup.exe", 1, "channel", "message"), &[refused]);
}

#[test]
fn ids_are_opaque_but_not_everything() {
    let with = |id: &str| {
        let mut metadata = valid();
        metadata.channel_id = ChannelId::new(id);
        metadata
    };
    let id = |code, rule| Violation::new("channelId", code, rule);
    check(&with("a/b?c#d %2e"), &[]);
    check(&with(&"i".repeat(255)), &[]);
    check(&with(&"i".repeat(256)), &[too_long("channelId", "id.max", 256)]);
    check(&with(""), &[id(Code::Required, "id.required")]);
    check(&with("."), &[id(Code::Reserved, "id.reserved")]);
    check(&with(".."), &[id(Code::Reserved, "id.reserved")]);
    let control = id(Code::ForbiddenCharacter, "id.charset").actual(Actual::Position(2));
    check(&with("a\r\nb"), std::slice::from_ref(&control));
    check(&with("a\u{9f}"), &[control]);
}

#[test]
fn every_broken_rule_is_reported_in_the_order_of_the_fields() {
    let mut metadata = named(&"*".repeat(256)).content_type(ContentType::from("text/html"));
    metadata.file_size = 0;
    metadata.channel_id = ChannelId::new("");
    metadata.message_id = MessageId::new("..");
    let found: Vec<_> =
        broken(&metadata).into_iter().map(|v| (v.path.into_owned(), v.code, v.rule)).collect();
    let found: Vec<_> = found.iter().map(|(path, code, rule)| (path.as_str(), *code, *rule)).collect();
    assert_eq!(
        found,
        [
            ("fileName", Code::ForbiddenCharacter, "upload.file_name.charset"),
            ("fileName", Code::TooLong, "upload.file_name.max"),
            ("contentType", Code::NotAllowed, "upload.content_type.allowed"),
            ("fileSize", Code::TooSmall, "upload.file_size.min"),
            ("channelId", Code::Required, "id.required"),
            ("messageId", Code::Reserved, "id.reserved"),
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_name_passes_exactly_when_the_rule_says_so(name in "[A-Za-z0-9_.\\-/ \u{e9}]{0,6}|[a-z]{250,260}|\\PC{0,300}") {
        let expected = !name.is_empty()
            && name != "." && name != ".."
            && name.chars().count() <= 255
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        prop_assert_eq!(broken(&named(&name)).is_empty(), expected);
    }

    #[test]
    fn an_id_passes_exactly_when_the_rule_says_so(id in "[0-9a-f-]{0,4}|\\.{0,3}|[a-z\u{e9}]{253,257}|[ -~]{0,9}|\\PC{0,9}|\\x00|.{0,3}\n") {
        let mut metadata = valid();
        metadata.message_id = MessageId::new(&*id);
        let expected = match id.as_str() {
            "" => Some(Code::Required),
            "." | ".." => Some(Code::Reserved),
            _ if id.chars().any(char::is_control) => Some(Code::ForbiddenCharacter),
            _ if id.chars().count() > 255 => Some(Code::TooLong),
            _ => None,
        };
        let found: Vec<_> = broken(&metadata).iter().map(|violation| violation.code).collect();
        prop_assert_eq!(found, Vec::from_iter(expected));
    }

    #[test]
    fn a_type_passes_exactly_when_it_is_on_the_list(name in "\\PC{0,20}", known in prop::sample::select(ContentType::KNOWN)) {
        for name in [&*name, known] {
            let metadata = valid().content_type(ContentType::from(name));
            prop_assert_eq!(broken(&metadata).is_empty(), ContentType::KNOWN.contains(&name));
        }
    }

    #[test]
    fn a_size_passes_exactly_between_its_bounds(
        max in 1_u64..=u64::MAX,
        size in any::<u64>(),
        near in -2_i64..=2,
    ) {
        let limits = UploadLimits::default().file_size_bytes_max(max);
        for size in [size, max.saturating_add_signed(near)] {
            prop_assert_eq!(sized(size).validate(&limits).is_ok(), (1..=max).contains(&size));
        }
    }

    /// Nothing a caller typed turns up in an error: not in the text, not in the debug form, not in JSON.
    #[test]
    fn a_violation_never_repeats_its_input(secret in "[a-z]{12}", size in any::<u64>()) {
        let mut metadata = named(&format!("/{secret}/")).content_type(ContentType::from(&*format!("x/{secret}")));
        metadata.file_size = size;
        metadata.channel_id = ChannelId::new(format!("\n{secret}"));
        metadata.message_id = MessageId::new(secret.repeat(30));
        let violations = metadata.validate(&UploadLimits::default()).unwrap_err();
        let json = serde_json::to_string(&violations).unwrap();
        for text in [violations.to_string(), format!("{violations:?}"), json] {
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }

    #[test]
    fn any_content_is_judged_without_a_panic(name in any::<String>(), head in prop::collection::vec(any::<u8>(), 0..4096)) {
        for declared in ContentType::KNOWN.iter().map(|&known| ContentType::from(known)).chain(ContentType::from_file_name(&name)) {
            if let Err(violation) = declared.check_head(&head) {
                prop_assert_eq!(violation.code, Code::ContentMismatch);
            }
        }
    }
}
