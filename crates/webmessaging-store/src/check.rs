//! The rules for input, the same for every engine: lengths, and no NUL, which not every engine can keep.

use webmessaging_model::{Code, Limit, Unit, Violation, Violations};

use crate::error::Error;
use crate::inbox::{Effects, NewDelivery};
use crate::intents::NewIntent;
use crate::limits::{
    BODY_BYTES_MAX, DETAILS_BYTES_MAX, ITEMS_MAX, KEY_BYTES_MAX, NAME_BYTES_MAX, REASON_BYTES_MAX,
};
use crate::outbox::NewItem;
use crate::quarantine::NewQuarantine;
use crate::rate_leases::RateQuota;
use crate::scan_states::NewScan;

pub(crate) fn delivery(delivery: &NewDelivery) -> Result<(), Error> {
    let mut check = Check::default();
    check.name("source", &delivery.source);
    if let Some(id) = &delivery.delivery_id {
        check.key("deliveryId", id);
    }
    check.key("contentKey", &delivery.content_key);
    check.name("eventType", &delivery.event_type);
    check.bytes("body", &delivery.body);
    check.finish()
}

pub(crate) fn items(items: &[NewItem]) -> Result<(), Error> {
    let mut check = Check::default();
    check.items(items);
    check.finish()
}

pub(crate) fn effects(effects: &Effects) -> Result<(), Error> {
    let mut check = Check::default();
    check.items(&effects.items);
    check.count("quarantine", effects.quarantine.len());
    for entry in &effects.quarantine {
        check.file(entry);
    }
    check.count("scans", effects.scans.len());
    for scan in &effects.scans {
        check.scan(scan);
    }
    check.finish()
}

pub(crate) fn claims(count: usize) -> Result<(), Error> {
    let mut check = Check::default();
    check.count("claims", count);
    check.finish()
}

pub(crate) fn edit(payload: &[u8], idempotency_key: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.key("idempotencyKey", idempotency_key);
    check.bytes("payload", payload);
    check.finish()
}

pub(crate) fn intent(intent: &NewIntent) -> Result<(), Error> {
    let mut check = Check::default();
    check.name("operation", &intent.operation);
    check.key("key", &intent.key);
    check.details("details", &intent.details);
    check.finish()
}

pub(crate) fn file(entry: &NewQuarantine) -> Result<(), Error> {
    let mut check = Check::default();
    check.file(entry);
    check.finish()
}

pub(crate) fn scan(scan: &NewScan) -> Result<(), Error> {
    let mut check = Check::default();
    check.scan(scan);
    check.finish()
}

pub(crate) fn name(path: &'static str, name: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.name(path, name);
    check.finish()
}

pub(crate) fn lease(name: &str, holder: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.name("name", name);
    check.name("holder", holder);
    check.finish()
}

pub(crate) fn value(key: &str, value: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.key("key", key);
    check.details("value", value);
    check.finish()
}

pub(crate) fn quota(quota: &RateQuota) -> Result<(), Error> {
    let mut check = Check::default();
    check.name("name", &quota.name);
    if quota.permits == 0 {
        check.0.push(Violation::new("permits", Code::TooSmall, "store.permits.min"));
    }
    if quota.window.as_millis() == 0 {
        check.0.push(Violation::new("window", Code::TooSmall, "store.window.min"));
    }
    check.finish()
}

/// A reason as it is kept: never refused, because what went wrong has to be written down.
pub(crate) fn cut(reason: &str) -> String {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default().replace('\0', "\u{fffd}")
}

#[derive(Default)]
struct Check(Vec<Violation>);

impl Check {
    fn items(&mut self, items: &[NewItem]) {
        self.count("items", items.len());
        for item in items {
            self.name("target", &item.target);
            if let Some(lane) = &item.lane {
                self.key("lane", lane);
            }
            self.key("idempotencyKey", &item.idempotency_key);
            self.name("kind", &item.kind);
            self.bytes("payload", &item.payload);
        }
    }

    fn file(&mut self, entry: &NewQuarantine) {
        self.key("fileId", &entry.file_id);
        self.details("reason", &entry.reason);
        self.details("details", &entry.details);
    }

    fn scan(&mut self, scan: &NewScan) {
        self.key("subject", &scan.subject);
        self.name("state", &scan.state);
    }

    fn name(&mut self, path: &'static str, text: &str) {
        self.filled(path, text);
        self.text(path, text, NAME_BYTES_MAX, "store.name.max");
    }

    fn key(&mut self, path: &'static str, text: &str) {
        self.filled(path, text);
        self.text(path, text, KEY_BYTES_MAX, "store.key.max");
    }

    fn details(&mut self, path: &'static str, text: &str) {
        self.text(path, text, DETAILS_BYTES_MAX, "store.details.max");
    }

    fn bytes(&mut self, path: &'static str, bytes: &[u8]) {
        self.length(path, bytes.len(), BODY_BYTES_MAX, "store.body.max", Code::TooLarge);
    }

    fn count(&mut self, path: &'static str, count: usize) {
        if count > ITEMS_MAX {
            let limit = Limit::Max(wide(ITEMS_MAX));
            let violation = Violation::new(path, Code::TooLarge, "store.items.max").allowed(limit);
            self.0.push(violation.count(wide(count)));
        }
    }

    fn filled(&mut self, path: &'static str, text: &str) {
        if text.is_empty() {
            self.0.push(Violation::new(path, Code::Required, "store.text.required"));
        }
    }

    fn text(&mut self, path: &'static str, text: &str, max: usize, rule: &'static str) {
        self.length(path, text.len(), max, rule, Code::TooLong);
        if text.contains('\0') {
            self.0.push(Violation::new(path, Code::ForbiddenCharacter, "store.text.nul"));
        }
    }

    fn length(&mut self, path: &'static str, length: usize, max: usize, rule: &'static str, code: Code) {
        if length > max {
            let violation = Violation::new(path, code, rule).limit(Limit::Max(wide(max)), Unit::Bytes);
            self.0.push(violation.count(wide(length)));
        }
    }

    fn finish(self) -> Result<(), Error> {
        Ok(Violations::check(self.0)?)
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use webmessaging_model::Timestamp;

    use super::*;
    use crate::error::ErrorKind;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn check(found: Result<(), Error>, expected: &[&str]) {
        let error = found.err();
        assert!(error.iter().all(|error| error.kind() == ErrorKind::InvalidInput));
        let violations = error.iter().filter_map(Error::violations).flat_map(Violations::iter);
        let found: Vec<_> = violations.map(|found| format!("{}: {}", found.path, found.rule)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_delivery_is_refused_with_all_that_is_wrong_with_it() {
        check(delivery(&NewDelivery::new("s", "k", "t", AT)), &[]);
        let bad = NewDelivery::new("", "k".repeat(KEY_BYTES_MAX + 1), "a\0b", AT).delivery_id("");
        let expected = [
            "source: store.text.required",
            "deliveryId: store.text.required",
            "contentKey: store.key.max",
            "eventType: store.text.nul",
        ];
        check(delivery(&bad), &expected);
    }

    #[test]
    fn every_limit_holds_at_its_boundary() {
        check(name("name", &"n".repeat(NAME_BYTES_MAX)), &[]);
        check(name("name", &"n".repeat(NAME_BYTES_MAX + 1)), &["name: store.name.max"]);
        check(edit(&vec![0; BODY_BYTES_MAX], &"k".repeat(KEY_BYTES_MAX)), &[]);
        check(edit(&vec![0; BODY_BYTES_MAX + 1], "k"), &["payload: store.body.max"]);
        check(value("k", &"v".repeat(DETAILS_BYTES_MAX)), &[]);
        check(value("k", &"v".repeat(DETAILS_BYTES_MAX + 1)), &["value: store.details.max"]);
        check(claims(ITEMS_MAX), &[]);
        check(claims(ITEMS_MAX + 1), &["claims: store.items.max"]);
    }

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut("a\0b"), "a\u{fffd}b");
        let long = "ä".repeat(REASON_BYTES_MAX);
        assert_eq!(cut(&format!("x{long}")).len(), REASON_BYTES_MAX - 1);
    }
}
