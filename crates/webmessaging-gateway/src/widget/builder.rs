//! How a widget is set up.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use webmessaging::files::{FilesClient, ScanGate};
use webmessaging::http::Clock;
use webmessaging::http::clock::TokioClock;
use webmessaging::model::limits;

use super::error::WidgetError;
use super::origins::Origins;
use super::rate::Rate;
use super::{Inner, Setup, Widget};

/// Sets a [`Widget`] up.
#[must_use = "a builder does nothing until `build` is called"]
pub struct WidgetBuilder {
    files: FilesClient,
    gate: ScanGate,
    clock: Arc<dyn Clock>,
    origins: Vec<String>,
    uploads_per_minute: u32,
    looks_per_minute: u32,
    spool: Option<PathBuf>,
    setup: Setup,
}

impl WidgetBuilder {
    pub(super) fn new(files: FilesClient) -> Self {
        Self {
            files,
            gate: ScanGate::new(),
            clock: Arc::new(TokioClock),
            origins: Vec::new(),
            uploads_per_minute: 10,
            looks_per_minute: 60,
            spool: None,
            setup: Setup {
                file_size_bytes_max: limits::FILE_SIZE_BYTES_MAX.value,
                uploads_max: 32,
                connections_max: 1_024,
                trusted_proxies: 0,
                body_time_max: Duration::from_secs(60),
                scan_within: Duration::from_secs(20),
                shutdown_time_max: Duration::from_secs(120),
                spool: PathBuf::new(),
            },
        }
    }

    /// Adds origins whose pages may upload: scheme, host, and the port where it is not the scheme's own, as in
    /// `https://shop.example`. At least one is required, and there is no pattern for many.
    pub fn origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.origins.extend(origins.into_iter().map(Into::into));
        self
    }

    /// Sets how many bytes a file may have; 10 MiB by default. The limits of the files client count as well.
    pub fn file_size_bytes_max(mut self, bytes: u64) -> Self {
        self.setup.file_size_bytes_max = bytes;
        self
    }

    /// Sets how many uploads are read and delivered at once; 32 by default, at least 1. Further ones are answered 503.
    pub fn uploads_max(mut self, uploads: usize) -> Self {
        let most = Semaphore::MAX_PERMITS.min(u32::MAX as usize);
        self.setup.uploads_max = u32::try_from(uploads.clamp(1, most)).unwrap_or(u32::MAX);
        self
    }

    /// Sets how many uploads a client may begin in a minute; 10 by default, at least 1. It may begin as many at once, and then one with each
    /// such part of a minute. Further ones are answered 429.
    pub fn uploads_per_minute(mut self, uploads: u32) -> Self {
        self.uploads_per_minute = uploads;
        self
    }

    /// Sets how often a client may ask in a minute what became of files, as [`uploads_per_minute`](Self::uploads_per_minute) counts; 60 by
    /// default, at least 1. Each time the platform is asked, whose own limit is shared by everybody.
    pub fn looks_per_minute(mut self, looks: u32) -> Self {
        self.looks_per_minute = looks;
        self
    }

    /// Sets how many proxies stand in front of it and each add an address to `X-Forwarded-For`; none by default. With `n`, a client is the
    /// n-th address from the right, which nobody outside can make up; with none, whoever connects. Clients of IPv6 count by /64.
    pub fn trusted_proxies(mut self, proxies: usize) -> Self {
        self.setup.trusted_proxies = proxies;
        self
    }

    /// Sets how long a file may take to come in; 60 seconds by default.
    pub fn body_time_max(mut self, limit: Duration) -> Self {
        self.setup.body_time_max = limit;
        self
    }

    /// Sets how long the scan is waited for before the answer says `pending`; 20 seconds by default.
    pub fn scan_within(mut self, limit: Duration) -> Self {
        self.setup.scan_within = limit;
        self
    }

    /// Listens to what webhooks say of files; to nothing by default.
    pub fn gate(mut self, gate: &ScanGate) -> Self {
        self.gate = gate.clone();
        self
    }

    /// Sets the folder where files wait; that of the system for temporary files by default. They have no name there, so that nothing is
    /// left of them however the process ends.
    pub fn spool(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spool = Some(folder.into());
        self
    }

    /// Sets how many connections [`Widget::serve`] holds; 1,024 by default, at least 1. Further ones wait.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.setup.connections_max = connections.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Sets how long a stop waits for what was accepted; 120 seconds by default.
    pub fn shutdown_time_max(mut self, limit: Duration) -> Self {
        self.setup.shutdown_time_max = limit;
        self
    }

    /// Replaces the clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the widget.
    ///
    /// # Errors
    /// A [`WidgetError`] when there is no origin, when one is not an origin, or when no file can be kept in the folder.
    pub fn build(self) -> Result<Widget, WidgetError> {
        let Self { files, gate, clock, origins, uploads_per_minute, looks_per_minute, spool, mut setup } =
            self;
        let origins = Origins::new(origins)?;
        setup.spool = spool.unwrap_or_else(std::env::temp_dir);
        // The first browser is not who should find out.
        tempfile::tempfile_in(&setup.spool).map_err(WidgetError::Spool)?;
        Ok(Widget(Arc::new(Inner {
            files,
            gate,
            clock,
            origins,
            uploads: Rate::per_minute(uploads_per_minute),
            looks: Rate::per_minute(looks_per_minute),
            places: Arc::new(Semaphore::new(setup.uploads_max as usize)),
            setup,
        })))
    }
}

impl fmt::Debug for WidgetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WidgetBuilder")
            .field("origins", &self.origins)
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}
