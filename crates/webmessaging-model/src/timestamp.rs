//! A moment by the calendar, to the millisecond, written as the platform writes it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The years that can be written with four digits, but for a day that an offset could lead out of them; in milliseconds.
const MIN_MILLIS: i64 = -62_167_219_200_000;
const MAX_MILLIS: i64 = 253_402_207_200_000;

/// A moment in UTC with milliseconds, between the years 0 and 9999.
///
/// It is read from any RFC 3339 text (`2026-11-25T09:30:00+01:00`) and written in one form only
/// (`2026-11-25T08:30:00.000Z`), so that the same moment has the same bytes. What is beyond its years is brought to the
/// nearest moment within them.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_model::Timestamp;
///
/// let at: Timestamp = "2026-11-25T09:30:00+01:00".parse()?;
/// assert_eq!(at.to_string(), "2026-11-25T08:30:00.000Z");
/// assert_eq!((at + Duration::from_millis(1)).since(at), Duration::from_millis(1));
/// # Ok::<(), webmessaging_model::InvalidTimestamp>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// The text is no RFC 3339 moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The beginning of 1970.
    pub const UNIX_EPOCH: Self = Self(0);

    /// A moment by its milliseconds since the beginning of 1970.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(if millis < MIN_MILLIS {
            MIN_MILLIS
        } else if millis > MAX_MILLIS {
            MAX_MILLIS
        } else {
            millis
        })
    }

    /// Milliseconds since the beginning of 1970.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The time from an earlier moment to this one; zero when it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default())
    }

    /// The moment as the standard library has it.
    pub fn to_system_time(self) -> SystemTime {
        let away = Duration::from_millis(self.0.unsigned_abs());
        let moment = if self.0 < 0 { UNIX_EPOCH.checked_sub(away) } else { UNIX_EPOCH.checked_add(away) };
        moment.unwrap_or(UNIX_EPOCH)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(at: SystemTime) -> Self {
        let millis = |away: Duration| i64::try_from(away.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(match at.duration_since(UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        })
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        let millis = i64::try_from(later.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(self.0.saturating_add(millis))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, earlier: Duration) -> Self {
        let millis = i64::try_from(earlier.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(self.0.saturating_sub(millis))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        Ok(Self::from_unix_millis(at.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every value is within the years that can be written.
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{at:.3}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a moment of the form 2026-11-25T08:30:00.000Z")
    }
}

impl std::error::Error for InvalidTimestamp {}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a moment of the form 2026-11-25T08:30:00.000Z")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                // The text is not repeated: it is anybody's.
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_many_forms_and_written_in_one() {
        for (text, written) in [
            ("2026-11-25T08:30:00Z", "2026-11-25T08:30:00.000Z"),
            ("2026-11-25T09:30:00.1239+01:00", "2026-11-25T08:30:00.123Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().map(|at| at.to_string()).as_deref(), Ok(written));
        }
        for text in ["", "now", "2026-11-25", "2026-02-30T00:00:00Z", "2026-11-25T08:30:00"] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text}");
        }
    }

    #[test]
    fn what_is_beyond_the_calendar_stays_within_it() {
        let last = Timestamp::from_unix_millis(i64::MAX);
        assert_eq!(last.to_string(), "9999-12-30T22:00:00.000Z");
        assert_eq!(last + Duration::MAX, last);
        let first = Timestamp::from_unix_millis(i64::MIN);
        assert_eq!(first.to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(first - Duration::MAX, first);
        assert_eq!(first.since(last), Duration::ZERO);
    }

    #[test]
    fn the_clocks_of_the_system_and_ours_agree() {
        for millis in [0, 1, -1, 1_764_060_600_123] {
            let at = Timestamp::from_unix_millis(millis);
            assert_eq!(Timestamp::from(at.to_system_time()), at);
        }
    }
}
