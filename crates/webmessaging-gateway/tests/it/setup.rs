//! An emulator, a widget in front of it, and a clock whose waits let the emulator's time pass too.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use webmessaging::http::clock::{TokioClock, Wait};
use webmessaging::http::{Client, ClientBuilder, Clock};
use webmessaging::{Credentials, files::FilesClient};
use webmessaging_emulator::{Emulator, EmulatorBuilder, EmulatorClock, Route};
use webmessaging_gateway::{Widget, WidgetBuilder};

pub(crate) const SHOP: &str = "https://shop.example";
pub(crate) const UPLOADS: &str = "/widget/uploads?channelId=channel-1&messageId=message-1";

/// Waits on purpose are over at once, for the platform as well. Watchdogs wait in real time, unless they are to bark at once.
#[derive(Debug, Clone)]
pub(crate) struct TestClock {
    pub(crate) passed: Arc<Mutex<Duration>>,
    pub(crate) barks: bool,
    pub(crate) theirs: Option<EmulatorClock>,
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        TokioClock.now() + *self.passed.lock().unwrap()
    }

    fn wall(&self) -> SystemTime {
        TokioClock.wall() + *self.passed.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Wait {
        *self.passed.lock().unwrap() += duration;
        if let Some(theirs) = &self.theirs {
            theirs.advance(duration);
        }
        Box::pin(std::future::ready(()))
    }

    fn watchdog(&self, duration: Duration) -> Wait {
        if self.barks { Box::pin(std::future::ready(())) } else { TokioClock.watchdog(duration) }
    }
}

pub(crate) struct Setup {
    pub(crate) emulator: Emulator,
    pub(crate) widget: Widget,
    pub(crate) clock: TestClock,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status and the code of an error.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error"]["code"].as_str().unwrap().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Setup {
    pub(crate) async fn new() -> Self {
        Self::with(|widget| widget).await
    }

    pub(crate) async fn with(widget: impl FnOnce(WidgetBuilder) -> WidgetBuilder) -> Self {
        Self::with_all(|emulator| emulator, |client| client, widget).await
    }

    pub(crate) async fn with_all(
        emulator: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
        widget: impl FnOnce(WidgetBuilder) -> WidgetBuilder,
    ) -> Self {
        let emulator = emulator(Emulator::builder()).start().await.unwrap();
        let theirs = Some(emulator.clock().clone());
        let clock = TestClock { passed: Arc::default(), barks: false, theirs };
        let http = Client::builder(Credentials::new("demo-client", "demo-secret"))
            .base_url(emulator.base_url())
            .clock(clock.clone());
        let files = FilesClient::new(client(http).build().unwrap());
        let own = TestClock { theirs: None, ..clock.clone() };
        let widget = widget(Widget::builder(files).origins([SHOP]).clock(own)).build().unwrap();
        Self { emulator, widget, clock }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.widget.router().oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }

    pub(crate) async fn upload(&self, name: &str, content: impl Into<Vec<u8>>) -> Answer {
        self.send(upload(name, content)).await
    }

    pub(crate) fn announced(&self) -> usize {
        self.emulator.count(Route::CreateUpload)
    }
}

/// What a browser sends.
pub(crate) fn upload(name: &str, content: impl Into<Vec<u8>>) -> Request<Body> {
    let content = content.into();
    let request = Request::post(UPLOADS)
        .header("origin", SHOP)
        .header("content-length", content.len())
        .header("x-file-name", name);
    request.body(Body::from(content)).unwrap()
}

pub(crate) fn from(mut request: Request<Body>, peer: &str) -> Request<Body> {
    let peer: IpAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 50_000)));
    request
}

/// The test file of virus scanners, in two halves here, so that this file is none.
pub(crate) fn eicar() -> Vec<u8> {
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat().into_bytes()
}
