//! Hashes of identities.

use sha2::{Digest, Sha256};
use webmessaging_guests::{IdentityHasher, ResolutionMethod};
use webmessaging_model::Code;

const SALT: &str = "a salt that nobody else has";

fn hasher() -> IdentityHasher {
    IdentityHasher::salted_sha256(SALT).unwrap()
}

#[test]
fn salted_hashes_are_those_of_the_design_document() {
    let expected = hex::encode(Sha256::digest(format!("jane.doe@example.com{SALT}")));
    for spelling in ["jane.doe@example.com", "  Jane.Doe@EXAMPLE.com\n", "JANE.DOE@example.com."] {
        assert_eq!(hasher().email(spelling).unwrap().as_str(), expected, "{spelling}");
    }
    let phone = hex::encode(Sha256::digest(format!("+49301234567{SALT}")));
    assert_eq!(hasher().phone(" +49301234567 ").unwrap().as_str(), phone);
}

/// Made with another tool:
/// `printf 'jane.doe@example.com' | openssl dgst -sha256 -hmac 'a salt that nobody else has'`.
#[test]
fn keyed_hashes_are_hmac() {
    let hasher = IdentityHasher::hmac_sha256(SALT).unwrap();
    assert_eq!(hasher.email("jane.doe@example.com").unwrap().as_str(), HMAC);
    assert_ne!(hasher.email("jane.doe@example.com"), self::hasher().email("jane.doe@example.com"));
}

const HMAC: &str = "e64fb22378338ec59e30110d35d1f7b4e69e174839017e93bb0abada63ca85f2";

#[test]
fn every_spelling_of_an_address_has_one_hash() {
    let same = |spellings: &[&str]| {
        let hashes: Vec<_> = spellings.iter().map(|spelling| hasher().email(spelling).unwrap()).collect();
        assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{spellings:?}");
    };
    same(&["user@exämple.de", "user@xn--exmple-cua.de", "USER@EXÄMPLE.DE", "user@XN--EXMPLE-CUA.de"]);
    // Composed and decomposed, in small and in capital letters.
    same(&["jos\u{e9}@example.com", "jose\u{301}@example.com", "JOS\u{c9}@example.com"]);
    same(&["用户@例子.cn", " 用户@例子.CN "]);
    // What is before the `@` is the host's business: nothing is taken out of it.
    assert_ne!(hasher().email("jane.doe@example.com"), hasher().email("janedoe@example.com"));
    assert_ne!(hasher().email("jane+shop@example.com"), hasher().email("jane@example.com"));
}

#[test]
fn what_is_no_identity_is_refused_and_not_repeated() {
    for address in [
        "",
        "jane",
        "@example.com",
        "jane@",
        "ja ne@example.com",
        "jane@exa mple.com",
        "a@b@c.com",
        "jane@a..b",
        "jane@-\u{0}",
        "mailto:jane@example.com",
        "\"jane doe\"@example.com",
        "<jane@example.com>",
        "j\u{e4}\u{200b}ne@example.com",
        "ja\u{200b}ne@example.com",
        "\u{feff}jane@example.com",
    ] {
        let violation = hasher().email(address).unwrap_err();
        assert_eq!((&*violation.path, violation.code), ("email", Code::Malformed), "{address}");
    }
    assert_eq!(hasher().email(&format!("{}@example.com", "a".repeat(250))).unwrap_err().code, Code::TooLong);
    for number in
        ["", "0301234567", "+0301234567", "+49 30 1234567", "+491", "+4912345678901234", "+49３01234567"]
    {
        assert_eq!(hasher().phone(number).unwrap_err().rule, "guest.phone.e164", "{number}");
    }
}

#[test]
fn phone_numbers_are_brought_to_one_form() {
    let expected = hasher().phone("+49301234567").unwrap();
    for (number, region) in [
        ("+49 30 1234567", None),
        ("+49 (30) 123-4567", Some("US")),
        ("030/123 45 67", Some("DE")),
        ("030 1234567", Some("de")),
        ("0049 30 1234567", Some("DE")),
    ] {
        assert_eq!(hasher().phone_in(number, region).unwrap(), expected, "{number}");
    }
    for (number, region, rule) in [
        ("030 1234567", None, "guest.phone.number"),
        ("+49 30", None, "guest.phone.number"),
        ("call me", Some("DE"), "guest.phone.number"),
        ("+49 30 12345678abc", None, "guest.phone.number"),
        ("1-800-FLOWERS", Some("US"), "guest.phone.number"),
        ("030 1234567", Some("Germany"), "guest.phone.region"),
    ] {
        assert_eq!(hasher().phone_in(number, region).unwrap_err().rule, rule, "{number}");
    }
}

#[test]
fn the_email_address_goes_before_the_phone_number() {
    let both = hasher().resolve(Some("jane@example.com"), Some("+49301234567")).unwrap();
    assert_eq!((both.method(), both.primary()), (ResolutionMethod::Email, both.email_hash()));
    let phone = hasher().resolve(Some("  "), Some("+49301234567")).unwrap();
    assert_eq!((phone.method(), phone.primary()), (ResolutionMethod::Phone, both.phone_hash()));
    let none = hasher().resolve(None, None).unwrap();
    assert_eq!((none.method(), none.primary()), (ResolutionMethod::Unknown, None));
    assert!(hasher().resolve(Some("jane"), Some("+49301234567")).is_err(), "what is wrong is not left out");
}

#[test]
fn a_salt_that_protects_nobody_is_refused() {
    for (salt, rule) in [
        ("", "guest.identity_salt.required"),
        ("default-salt", "guest.identity_salt.known"),
        ("Production-Salt", "guest.identity_salt.known"),
        ("fifteen bytes..", "guest.identity_salt.min"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "guest.identity_salt.dull"),
        ("0101010101010101", "guest.identity_salt.dull"),
    ] {
        for made in [IdentityHasher::salted_sha256(salt), IdentityHasher::hmac_sha256(salt)] {
            assert_eq!(made.unwrap_err().rule, rule, "{salt}");
        }
    }
    assert!(!format!("{:?}", hasher()).contains(SALT));
}
