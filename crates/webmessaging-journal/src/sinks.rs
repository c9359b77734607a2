//! Small sinks: in memory for tests, lines of JSON for standard output, `tracing`.

mod in_memory;
mod json_lines;
#[cfg(feature = "tracing")]
mod traced;

pub use self::in_memory::InMemory;
pub use self::json_lines::JsonLines;
#[cfg(feature = "tracing")]
pub use self::traced::Traced;
