//! A server with a quota, and load above it from several clients that do not talk to each other. Time is paused: an hour
//! of theirs is a second of ours.

#![allow(
    clippy::cast_precision_loss,
    clippy::unchecked_time_subtraction,
    reason = "counts are small, and the model's time only goes forward"
)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use webmessaging_http::clock::{Clock, Entropy, TokioClock};
use webmessaging_http::transport::Exchange;
use webmessaging_http::{Body, Client, ClientBuilder, Credentials, Encoder, Endpoint, Transport};
use webmessaging_model::{Method, Operation, RetryClass};

pub(crate) const QUOTA: usize = 300;
pub(crate) const WINDOW: Duration = Duration::from_secs(60);

const SEND: Operation = Operation::new("things.send", Method::Post, "/api/v2/things").retry(RetryClass::Once);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    Fixed,
    Sliding,
}

/// What the clients of a run do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) window: Window,
    pub(crate) processes: usize,
    pub(crate) callers: usize,
    /// The time between the starts of two processes.
    pub(crate) stagger: Duration,
    /// The longest time of a request; the shortest is a sixth of it.
    pub(crate) latency: Duration,
    pub(crate) tells_counts: bool,
    pub(crate) windows: u32,
    /// Everything random comes from it: equal loads have equal outcomes.
    pub(crate) seed: u64,
}

impl Load {
    pub(crate) fn new(window: Window, processes: usize) -> Self {
        Self {
            window,
            processes,
            callers: 16,
            stagger: Duration::from_millis(100),
            latency: Duration::from_millis(120),
            tells_counts: true,
            windows: 20,
            seed: 7,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// When each request was let in, and by which process it was sent.
    pub(crate) accepted: Vec<(Duration, usize)>,
    /// When each 429 was answered.
    pub(crate) refused: Vec<Duration>,
    /// Calls that ended in an error.
    pub(crate) lost: usize,
    pub(crate) lasted: Duration,
}

impl Outcome {
    /// The part of the quota that was used, once all processes were there for a window.
    pub(crate) fn used(&self, from: Duration) -> f64 {
        let accepted = self.accepted.iter().filter(|(at, _)| *at >= from).count();
        let windows = (self.lasted - from).as_secs_f64() / WINDOW.as_secs_f64();
        accepted as f64 / (windows * QUOTA as f64)
    }

    pub(crate) fn refused_share(&self) -> f64 {
        self.refused.len() as f64 / (self.accepted.len() + self.refused.len()) as f64
    }

    /// What the process with the least got, as a part of an even share.
    pub(crate) fn least(&self, processes: usize, from: Duration) -> f64 {
        let of = |process| self.accepted.iter().filter(|(at, by)| *at >= from && *by == process).count();
        let counts: Vec<_> = (0..processes).map(of).collect();
        let even = counts.iter().sum::<usize>() as f64 / processes as f64;
        counts.iter().copied().min().unwrap_or(0) as f64 / even
    }
}

/// `SplitMix64`: the same numbers in every run.
#[derive(Debug)]
struct Seeded(AtomicU64);

impl Seeded {
    fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for Seeded {
    fn bits(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let bits = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

struct Server {
    load: Load,
    started: Instant,
    counted: VecDeque<Instant>,
    chance: Seeded,
    outcome: Outcome,
}

impl Server {
    /// Somewhere between a sixth and the whole of the latency.
    fn draw(&self) -> Duration {
        let part = (self.chance.bits() >> 40) as f64 / f64::from(1_u32 << 24);
        self.load.latency / 6 + (self.load.latency * 5 / 6).mul_f64(part)
    }

    fn hit(&mut self, process: usize) -> Response<Body> {
        let now = TokioClock.now();
        match self.load.window {
            Window::Fixed if self.counted.front().is_some_and(|first| now - *first >= WINDOW) => {
                self.counted.clear();
            }
            Window::Fixed => {}
            Window::Sliding => self.counted.retain(|at| now - *at < WINDOW),
        }
        let is_in = self.counted.len() < QUOTA;
        if is_in {
            self.counted.push_back(now);
            self.outcome.accepted.push((now - self.started, process));
        } else {
            self.outcome.refused.push(now - self.started);
        }
        let left = self.counted.front().map_or(WINDOW, |first| WINDOW - (now - *first));
        let reset = left.as_millis().div_ceil(1_000).to_string();
        let mut answer = Response::builder().status(if is_in { 200 } else { 429 });
        if self.load.tells_counts {
            answer = answer
                .header("inin-ratelimit-count", self.counted.len())
                .header("inin-ratelimit-allowed", QUOTA)
                .header("inin-ratelimit-reset", &reset);
        }
        if !is_in {
            answer = answer.header("retry-after", &reset);
        }
        answer.body(Body::from(Bytes::from_static(b"null"))).unwrap()
    }
}

/// The way from one process to the server.
pub(crate) struct Line {
    process: usize,
    server: Arc<Mutex<Server>>,
}

impl Transport for Line {
    fn send(&self, request: Request<Body>) -> Exchange {
        let (process, server) = (self.process, Arc::clone(&self.server));
        if request.uri().path() == "/oauth/token" {
            let token = r#"{"access_token":"t","expires_in":86400}"#;
            return Box::pin(std::future::ready(Ok(Response::new(Body::from(Bytes::from_static(
                token.as_bytes(),
            ))))));
        }
        Box::pin(async move {
            let (there, back) = {
                let server = server.lock().unwrap();
                (server.draw() / 2, server.draw() / 2)
            };
            TokioClock.sleep(there).await;
            let answer = server.lock().unwrap().hit(process);
            TokioClock.sleep(back).await;
            Ok(answer)
        })
    }
}

struct Send;

impl Endpoint for Send {
    type Answer = ();

    fn operation(&self) -> &'static Operation {
        &SEND
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request
    }
}

/// Steady load above the quota through clients that `set_up` has a hand in.
pub(crate) async fn run(load: Load, set_up: impl Fn(ClientBuilder) -> ClientBuilder) -> Outcome {
    drive(load, |line| {
        let chance = Seeded::new(!load.seed.wrapping_add(line.process as u64));
        let builder = Client::builder(Credentials::new("id", "secret")).transport(line).entropy(chance);
        let client = set_up(builder).build().unwrap();
        move || {
            let client = client.clone();
            async move { client.send(&Send).await.is_ok() }
        }
    })
    .await
}

/// Steady load above the quota; `connect` makes what one process sends its calls with.
pub(crate) async fn drive<C, F>(load: Load, connect: impl Fn(Line) -> C) -> Outcome
where
    C: Fn() -> F + Clone + std::marker::Send + 'static,
    F: Future<Output = bool> + std::marker::Send,
{
    let started = TokioClock.now();
    let server = Server {
        load,
        started,
        counted: VecDeque::new(),
        chance: Seeded::new(load.seed),
        outcome: Outcome::default(),
    };
    let server = Arc::new(Mutex::new(server));
    let end = WINDOW * load.windows;
    let mut callers = Vec::new();
    for process in 0..load.processes {
        let call = connect(Line { process, server: Arc::clone(&server) });
        let delay = load.stagger * u32::try_from(process).unwrap();
        for _ in 0..load.callers {
            let call = call.clone();
            callers.push(tokio::spawn(async move {
                TokioClock.sleep(delay).await;
                let mut lost = 0;
                while TokioClock.now() - started < end {
                    lost += usize::from(!call().await);
                }
                lost
            }));
        }
    }
    let mut lost = 0;
    for caller in callers {
        lost += caller.await.unwrap();
    }
    let mut outcome = std::mem::take(&mut server.lock().unwrap().outcome);
    outcome.accepted.retain(|(at, _)| *at < end);
    outcome.refused.retain(|at| *at < end);
    Outcome { lost, lasted: end, ..outcome }
}
