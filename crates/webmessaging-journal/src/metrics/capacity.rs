//! How much is stored day by day, and when there is no more room.

use std::collections::BTreeMap;
use std::time::Duration;

use webmessaging_model::Timestamp;

use super::MetricsPolicy;
use super::snapshot::{CapacityMetrics, DayMetrics, float};

const DAY_MILLIS: i64 = 86_400_000;

/// Bytes and files by day of UTC.
#[derive(Debug, Default)]
pub(super) struct Capacity {
    files: u64,
    bytes: u64,
    days: BTreeMap<i64, (u64, u64)>,
}

impl Capacity {
    pub(super) fn stored(&mut self, at: Timestamp, size: u64, days_max: u32) {
        self.files = self.files.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
        let (files, bytes) = self.days.entry(day(at)).or_default();
        (*files, *bytes) = (files.saturating_add(1), bytes.saturating_add(size));
        while self.days.len() > usize::try_from(days_max).unwrap_or(usize::MAX) {
            self.days.pop_first();
        }
    }

    pub(super) fn snapshot(&self, policy: &MetricsPolicy, now: Timestamp) -> CapacityMetrics {
        let today = day(now);
        let first = today - i64::from(policy.days) + 1;
        let days: Vec<_> = self
            .days
            .range(first..)
            .map(|(day, (files, bytes))| DayMetrics { date: date(*day), files: *files, bytes: *bytes })
            .collect();
        let bytes_per_day = self.bytes_per_day(first, now);
        let used_bytes = policy.used_bytes.saturating_add(self.bytes);
        let left = policy.quota_bytes.map(|quota| quota.saturating_sub(used_bytes));
        let days_until_full = match (left, bytes_per_day) {
            (Some(0), _) => Some(0.0),
            (Some(left), Some(per_day)) if per_day > 0.0 => Some(float(left) / per_day),
            _ => None,
        };
        CapacityMetrics {
            files: self.files,
            stored_bytes: self.bytes,
            used_bytes,
            quota_bytes: policy.quota_bytes,
            bytes_per_day,
            days_until_full,
            days,
        }
    }

    /// The mean from the first day with anything to now, today as the part of a day that it is; `None` of nothing, or
    /// before there is an hour to tell from.
    fn bytes_per_day(&self, first: i64, now: Timestamp) -> Option<f64> {
        let (begin, _) = self.days.range(first..).next()?;
        let bytes = self.days.range(first..).fold(0_u64, |sum, (_, (_, bytes))| sum.saturating_add(*bytes));
        let passed = now.since(Timestamp::from_unix_millis(begin.saturating_mul(DAY_MILLIS)));
        let days = passed.as_secs_f64() / 86_400.0;
        (passed >= Duration::from_secs(3_600)).then_some(float(bytes) / days)
    }
}

fn day(at: Timestamp) -> i64 {
    at.unix_millis().div_euclid(DAY_MILLIS)
}

/// The date, such as `2026-11-25`.
fn date(day: i64) -> String {
    let text = Timestamp::from_unix_millis(day.saturating_mul(DAY_MILLIS)).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_projection_is_what_is_left_over_what_a_day_takes() {
        let mut capacity = Capacity::default();
        capacity.stored(at("2026-11-23T10:00:00Z"), 100, 30);
        capacity.stored(at("2026-11-23T11:00:00Z"), 100, 30);
        capacity.stored(at("2026-11-25T11:00:00Z"), 300, 30);
        let policy = MetricsPolicy::default().quota_bytes(3_000).used_bytes(500);
        // 500 bytes in two and a half days.
        let told = capacity.snapshot(&policy, at("2026-11-25T12:00:00Z"));
        assert_eq!((told.files, told.stored_bytes, told.used_bytes), (3, 500, 1_000));
        assert_eq!((told.bytes_per_day, told.days_until_full), (Some(200.0), Some(10.0)));
        let days: Vec<_> = told.days.iter().map(|day| (day.date.as_str(), day.files, day.bytes)).collect();
        assert_eq!(days, [("2026-11-23", 2, 200), ("2026-11-25", 1, 300)]);
    }

    #[test]
    fn there_is_no_projection_from_nothing() {
        let mut capacity = Capacity::default();
        let policy = MetricsPolicy::default().quota_bytes(100);
        let now = at("2026-11-25T00:30:00Z");
        assert_eq!(capacity.snapshot(&policy, now).days_until_full, None);
        capacity.stored(now, 10, 30);
        assert_eq!(capacity.snapshot(&policy, now).days_until_full, None, "half an hour says nothing");
        assert_eq!(
            capacity.snapshot(&MetricsPolicy::default(), at("2026-11-26T00:00:00Z")).days_until_full,
            None
        );
        // Months without a file: what was stored before them does not count any more.
        assert_eq!(capacity.snapshot(&policy, at("2027-03-01T00:00:00Z")).bytes_per_day, None);
        capacity.stored(now, 1_000, 30);
        assert_eq!(capacity.snapshot(&policy, now).days_until_full, Some(0.0));
    }

    #[test]
    fn days_have_an_end() {
        let mut capacity = Capacity::default();
        for day in 0..100 {
            capacity.stored(Timestamp::from_unix_millis(day * DAY_MILLIS), 1, 7);
        }
        assert_eq!((capacity.days.len(), capacity.bytes), (7, 100));
    }
}
