//! The durable steps of a delivery's way, and a listener that ends the process at one of them.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::process::{Signal, getpid, kill_process};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// What is logged between two things that must not come apart, in the order of a delivery's way.
pub(crate) const STEPS: [(&str, &str); 8] = [
    ("webmessaging_webhooks", "delivery read"),
    ("webmessaging_webhooks", "delivery accepted"),
    ("webmessaging_webhooks", "work begins"),
    ("webmessaging_webhooks", "work recorded"),
    ("webmessaging_webhooks", "work finished"),
    ("webmessaging_sync", "items claimed"),
    ("webmessaging_http", "answered"),
    ("webmessaging_sync", "items delivered"),
];

/// Kills this process, as `kill -9` does, when a step has been passed so many times.
#[derive(Debug)]
pub(crate) struct Killer {
    step: (&'static str, &'static str),
    left: AtomicI64,
}

impl Killer {
    /// By the step's place in the list, and how often it may be passed.
    pub(crate) fn new(step: usize, times: i64) -> Self {
        Self { step: STEPS[step], left: AtomicI64::new(times) }
    }
}

impl<S: Subscriber> Layer<S> for Killer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != self.step.0 {
            return;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        if message.0 == self.step.1 && self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
