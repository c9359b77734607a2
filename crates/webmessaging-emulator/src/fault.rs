//! Faults: what can go wrong, the scripts and queues that say when, and the one place where they happen.

mod body;
mod happening;
mod kind;
mod read;
mod schedule;
mod script;
mod write;

pub use self::kind::{CannedAnswer, Fault};
pub use self::script::{FaultRule, FaultScript};

pub(crate) use self::happening::serve_with_faults;
pub(crate) use self::read::kinds;
pub(crate) use self::schedule::Faults;
