//! The widget's side: browsers upload files through it, and never see a credential, a presigned URL or a download URL.
//!
//! | request | answer |
//! |---|---|
//! | `POST /widget/uploads?channelId=..&messageId=..`, the file as body, its name percent-encoded in `X-File-Name` | 201 with `fileId`, `fileName`, `contentType`, `sizeBytes`, `sha256`, `scan` |
//! | `GET /widget/uploads/{fileId}?messageId=..` | 200 with `fileId`, `scan` |
//! | `GET /healthz` | 200 when the process answers |
//!
//! `scan` is `clean`, `pending`, or why the file is blocked: `malicious`, `format_rejected`, `failed`, `unknown`. A blocked file is a
//! 201 as well: it was taken, and nobody gets it. Errors are `{"error": {"code", "message", "violations", "retryAfterSeconds"}}`.

mod builder;
mod client;
mod cors;
mod error;
mod log;
mod look;
mod origins;
mod problem;
mod rate;
mod server;
mod spool;
mod upload;

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use http::Method;
use tokio::sync::Semaphore;
use webmessaging::files::{FilesClient, ScanGate};
use webmessaging::http::Clock;

use self::cors::Guard;
use self::origins::Origins;
use self::rate::Rate;

pub use self::builder::WidgetBuilder;
pub use self::error::WidgetError;

/// Takes files from browsers. Cheap to clone; clones are the same widget.
///
/// A browser can say anything: what tells the pages of a site from others is the `Origin` that browsers add, and what keeps everybody
/// else within bounds are the limits. Neither is a login.
#[derive(Clone)]
pub struct Widget(Arc<Inner>);

struct Inner {
    files: FilesClient,
    gate: ScanGate,
    clock: Arc<dyn Clock>,
    setup: Setup,
    origins: Origins,
    uploads: Rate,
    looks: Rate,
    /// One place for each upload that is read or delivered.
    places: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
struct Setup {
    file_size_bytes_max: u64,
    uploads_max: u32,
    connections_max: usize,
    trusted_proxies: usize,
    body_time_max: Duration,
    scan_within: Duration,
    shutdown_time_max: Duration,
    spool: PathBuf,
}

impl Widget {
    /// A widget that uploads through `files`: its limits, its retries, its journal and its hook for quarantine count.
    pub fn builder(files: FilesClient) -> WidgetBuilder {
        WidgetBuilder::new(files)
    }

    /// The routes, to mount in a server. It has to tell addresses, as axum does with
    /// `into_make_service_with_connect_info::<SocketAddr>()`; without them everybody counts as one client. Whoever stops such a server
    /// calls [`finish`](Self::finish) afterwards.
    pub fn router(&self) -> Router {
        let guard = |method| from_fn_with_state(Guard { widget: self.clone(), method }, cors::check);
        Router::new()
            .route("/widget/uploads", post(upload::take).layer(guard(Method::POST)))
            .route("/widget/uploads/{file_id}", get(look::look).layer(guard(Method::GET)))
            .route("/healthz", get(async || "ok\n"))
            .with_state(self.clone())
    }

    /// Serves on a listener until `stop` is ready, and then finishes what it has accepted.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        server::serve(self, listener, stop).await
    }

    /// Waits for the uploads that are under way, also for those whose browser has gone. A file that has come in whole is followed to its
    /// verdict, so that nobody gets around quarantine by hanging up.
    pub async fn finish(&self) {
        // The semaphore is never closed, so that there is no other outcome.
        let _ = self.0.places.acquire_many(self.0.setup.uploads_max).await;
    }
}

impl fmt::Debug for Widget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Widget")
            .field("origins", &self.0.origins)
            .field("setup", &self.0.setup)
            .finish_non_exhaustive()
    }
}
