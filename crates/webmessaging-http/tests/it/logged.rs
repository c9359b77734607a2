//! What is logged while something runs, caught for this thread alone.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use tracing::{Dispatch, dispatcher};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs work with a subscriber for this thread.
///
/// While a program has only one subscriber, an event that another thread is the first to reach is off for good
/// (tokio-rs/tracing#3611); so there are always two more.
pub(crate) fn with<T>(subscriber: impl Into<Dispatch>, work: impl FnOnce() -> T) -> T {
    static KEPT: OnceLock<[Dispatch; 2]> = OnceLock::new();
    KEPT.get_or_init(|| [Dispatch::new(Registry::default()), Dispatch::new(Registry::default())]);
    dispatcher::with_default(&subscriber.into(), work)
}

/// Runs work with every log line down to `trace` caught, one JSON object each.
pub(crate) fn logged<T>(work: impl Future<Output = T>) -> (T, String) {
    logged_from(LevelFilter::TRACE, work)
}

/// The same, down to a level.
pub(crate) fn logged_from<T>(level: LevelFilter, work: impl Future<Output = T>) -> (T, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(level).with_writer(move || writer.clone()).finish();
    let result = with(subscriber, || run(work));
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (result, text)
}

/// Runs work on a runtime of this thread.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
