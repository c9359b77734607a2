//! The receiver's figures: what came in and what became of it, which secret was used last, how long the sender waited.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use webmessaging_model::Timestamp;

use crate::error::ErrorKind;

/// The upper ends of the buckets of the time to an answer, in milliseconds; one more counts what took longer.
pub const ACK_BUCKETS_MILLIS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 10_000];

/// How it stands with a receiver, since it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverStatus {
    /// Kept for the first time, and answered 200.
    pub accepted: u64,
    /// Kept before, and answered 200.
    pub duplicates: u64,
    /// Refused for good, by the stable code of the reason.
    pub refused: Vec<(&'static str, u64)>,
    /// Not kept, and answered 503 so that the sender comes again: the store failed, there was no place, or a stop.
    pub turned_away: u64,
    /// Being read and stored at this moment.
    pub under_way: u64,
    /// Worked on to the end.
    pub handled: u64,
    /// Given back for another attempt.
    pub retried: u64,
    /// Put to the dead letters.
    pub buried: u64,
    /// The use of each secret, in the order of the verifier.
    pub secrets: Vec<SecretUse>,
    /// How many answers took up to so many milliseconds ([`ACK_BUCKETS_MILLIS`]), and how many longer.
    pub ack_buckets: Vec<u64>,
    /// How long they took together.
    pub ack_total: Duration,
}

/// How a secret is used: an old one that is used no more can be retired.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretUse {
    /// The label it was given.
    pub label: String,
    /// How many deliveries it signed.
    pub deliveries: u64,
    /// When the last of them came.
    pub last_used_at: Option<Timestamp>,
}

/// The same, while it is being counted.
#[derive(Debug)]
pub(crate) struct Figures {
    accepted: AtomicU64,
    duplicates: AtomicU64,
    turned_away: AtomicU64,
    handled: AtomicU64,
    retried: AtomicU64,
    buried: AtomicU64,
    refused: Vec<(&'static str, AtomicU64)>,
    secrets: Vec<Secret>,
    ack_buckets: [AtomicU64; ACK_BUCKETS_MILLIS.len() + 1],
    ack_micros: AtomicU64,
}

#[derive(Debug)]
struct Secret {
    label: String,
    deliveries: AtomicU64,
    /// Milliseconds since 1970; the smallest number while it was never used.
    last_used: AtomicI64,
}

impl Figures {
    pub(crate) fn new(labels: Vec<String>) -> Self {
        let secret =
            |label| Secret { label, deliveries: AtomicU64::new(0), last_used: AtomicI64::new(i64::MIN) };
        Self {
            accepted: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            handled: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            buried: AtomicU64::new(0),
            refused: ErrorKind::ALL.iter().map(|kind| (kind.code(), AtomicU64::new(0))).collect(),
            secrets: labels.into_iter().map(secret).collect(),
            ack_buckets: Default::default(),
            ack_micros: AtomicU64::new(0),
        }
    }

    pub(crate) fn accepted(&self, is_new: bool) {
        add(if is_new { &self.accepted } else { &self.duplicates });
    }

    pub(crate) fn turned_away(&self) {
        add(&self.turned_away);
    }

    pub(crate) fn refused(&self, kind: ErrorKind) {
        if let Some((_, count)) = self.refused.iter().find(|(code, _)| *code == kind.code()) {
            add(count);
        }
    }

    pub(crate) fn handled(&self) {
        add(&self.handled);
    }

    pub(crate) fn retried(&self) {
        add(&self.retried);
    }

    pub(crate) fn buried(&self) {
        add(&self.buried);
    }

    pub(crate) fn secret_used(&self, index: usize, now: Timestamp) {
        if let Some(secret) = self.secrets.get(index) {
            add(&secret.deliveries);
            secret.last_used.fetch_max(now.unix_millis(), Ordering::Relaxed);
        }
    }

    /// A delivery was answered.
    pub(crate) fn acknowledged(&self, after: Duration) {
        let bucket = ACK_BUCKETS_MILLIS.iter().position(|millis| after <= Duration::from_millis(*millis));
        if let Some(count) = self.ack_buckets.get(bucket.unwrap_or(ACK_BUCKETS_MILLIS.len())) {
            add(count);
        }
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        self.ack_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn status(&self, under_way: u64) -> ReceiverStatus {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let secret = |secret: &Secret| {
            let last_used = secret.last_used.load(Ordering::Relaxed);
            SecretUse {
                label: secret.label.clone(),
                deliveries: read(&secret.deliveries),
                last_used_at: (last_used != i64::MIN).then(|| Timestamp::from_unix_millis(last_used)),
            }
        };
        ReceiverStatus {
            accepted: read(&self.accepted),
            duplicates: read(&self.duplicates),
            refused: self.refused.iter().map(|(code, count)| (*code, read(count))).collect(),
            turned_away: read(&self.turned_away),
            under_way,
            handled: read(&self.handled),
            retried: read(&self.retried),
            buried: read(&self.buried),
            secrets: self.secrets.iter().map(secret).collect(),
            ack_buckets: self.ack_buckets.iter().map(read).collect(),
            ack_total: Duration::from_micros(read(&self.ack_micros)),
        }
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
