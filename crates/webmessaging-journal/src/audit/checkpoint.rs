//! A place in the chain: the number of a record and its hash, which stands for everything before it.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of a record and its hash, as text `17:9f86d0…`.
///
/// A chain alone cannot show that its end was cut off, or that all of it was written anew. Who keeps a checkpoint where the
/// writer of the log cannot reach it can have both found by [`verify`](super::verify).
///
/// # Examples
/// ```
/// use webmessaging_journal::audit::Checkpoint;
///
/// let text = format!("17:{}", "0f".repeat(32));
/// let checkpoint: Checkpoint = text.parse()?;
/// assert_eq!(checkpoint.seq(), 17);
/// assert_eq!(checkpoint.to_string(), text);
/// # Ok::<(), webmessaging_journal::audit::InvalidCheckpoint>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    pub(super) seq: u64,
    pub(super) hash: [u8; 32],
}

/// The text is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidCheckpoint;

impl Checkpoint {
    /// Before the first record.
    pub(super) const START: Self = Self { seq: 0, hash: [0; 32] };

    /// The number of the record; the first one is 1.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The hash of the record in hexadecimal.
    pub fn hash_hex(&self) -> String {
        hex::encode(self.hash)
    }
}

impl FromStr for Checkpoint {
    type Err = InvalidCheckpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, digits) = text.split_once(':').ok_or(InvalidCheckpoint)?;
        let seq = seq.parse().map_err(|_| InvalidCheckpoint)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| InvalidCheckpoint)?;
        Ok(Self { seq, hash })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash_hex())
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checkpoint({self})")
    }
}

impl fmt::Display for InvalidCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number, a colon and 64 hexadecimal digits")
    }
}

impl std::error::Error for InvalidCheckpoint {}

impl Serialize for Checkpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checkpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
