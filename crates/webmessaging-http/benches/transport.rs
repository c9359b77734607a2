//! What the pipeline costs: the same requests through the client and through a bare reqwest loop, in turns.
//!
//! Both write and read the same JSON over loopback, to a server on a thread of its own that does next to nothing. The
//! client does everything it does for a real call: check, limit, token, breaker, budget, correlation id, spans.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::unchecked_time_subtraction,
    reason = "a bench that fails says so, and prints what it found"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use webmessaging_http::clock::{Clock, TokioClock};
use webmessaging_http::{Client, Credentials, Encoder, Endpoint, RateLimitPolicy};
use webmessaging_model::{Method, Operation, RetryClass};

const REQUESTS: usize = 20_000;
const ROUNDS: usize = 9;
const TOKEN: &str = "a-token-of-the-usual-length-0123456789-0123456789-0123456789-0123456789-0123456789";
/// So many conversations get messages in turns.
const CONVERSATIONS: usize = 64;

const SEND: Operation =
    Operation::new("bench.send", Method::Post, "/api/v2/conversations/{conversationId}/messages")
        .retry(RetryClass::Once);

#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip)]
    conversation: &'a str,
    to: &'a str,
    from: &'a str,
    r#type: &'a str,
    text: &'a str,
}

const MESSAGE: Message<'static> = Message {
    conversation: "",
    to: "customer-participant-id-123",
    from: "bot-participant-id-456",
    r#type: "text",
    text: "Your order has been shipped and arrives on Tuesday.",
};

/// The conversations in turns.
#[derive(Clone)]
struct Turns(Arc<(Vec<String>, AtomicUsize)>);

impl Turns {
    fn new() -> Self {
        let ids = (0..CONVERSATIONS).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        Self(Arc::new((ids, AtomicUsize::new(0))))
    }

    fn id(&self) -> &str {
        let (ids, next) = &*self.0;
        &ids[next.fetch_add(1, Ordering::Relaxed) % CONVERSATIONS]
    }
}

#[derive(Deserialize)]
struct Sent {
    id: String,
}

impl Endpoint for Message<'_> {
    type Answer = Sent;

    fn operation(&self) -> &'static Operation {
        &SEND
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.path("conversationId", self.conversation).json(self)
    }
}

/// Answers every request of a connection with the same bytes.
fn serve(mut stream: TcpStream) {
    let answer = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let token = answer(&format!(r#"{{"access_token":"{TOKEN}","expires_in":86400}}"#));
    let sent = answer(r#"{"id":"5c6f2d50-6c1a-4b0e-9b1e-0f4f0f6d1c11","status":"sent"}"#);
    let (mut buffer, mut length) = (vec![0; 64 * 1024], 0);
    loop {
        match stream.read(&mut buffer[length..]) {
            Ok(0) | Err(_) => return,
            Ok(read) => length += read,
        }
        while let Some(head) = memchr::memmem::find(&buffer[..length], b"\r\n\r\n") {
            let text = std::str::from_utf8(&buffer[..head]).unwrap().to_ascii_lowercase();
            let body = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let whole = head + 4 + body.map_or(0, |bytes| bytes.trim().parse::<usize>().unwrap());
            if length < whole {
                break;
            }
            let reply = if text.contains("/oauth/token") { &token } else { &sent };
            stream.write_all(reply.as_bytes()).unwrap();
            buffer.copy_within(whole..length, 0);
            length -= whole;
        }
    }
}

fn start_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Nanoseconds of processor time that this thread has had, where the system tells.
fn cpu_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu_nanos: u64,
}

fn time(runtime: &Runtime, work: impl Future<Output = ()>) -> Cost {
    let (wall, cpu) = (TokioClock.now(), cpu_nanos());
    runtime.block_on(work);
    Cost { wall: TokioClock.now() - wall, cpu_nanos: cpu_nanos() - cpu }
}

/// `callers` tasks that share the requests.
async fn spread<F: Future<Output = ()> + Send + 'static>(
    callers: usize,
    requests: usize,
    call: impl Fn() -> F + Clone + Send + 'static,
) {
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let call = call.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..requests / callers {
                call().await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let base = format!("http://{}", start_server());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    // A quota that is never used up: the limiter keeps its books all the same.
    let roomy =
        RateLimitPolicy::default().requests(100_000).window(Duration::from_millis(100)).burst(100_000);
    let client =
        Client::builder(Credentials::new("id", "secret")).base_url(&base).rate_limit(roomy).build().unwrap();
    let next = Turns::new();
    let ours = move || {
        let (client, next) = (client.clone(), next.clone());
        async move {
            let answer = client.send(&Message { conversation: next.id(), ..MESSAGE }).await.unwrap();
            assert_eq!(answer.value.id.len(), 36);
        }
    };

    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = reqwest::Url::parse(&base).unwrap();
    let token = HeaderValue::try_from(format!("Bearer {TOKEN}")).unwrap();
    let shared = Arc::new((plain, url, token, Turns::new()));
    let theirs = move || {
        let shared = Arc::clone(&shared);
        async move {
            let (client, base, token, next) = &*shared;
            let mut url = base.clone();
            url.set_path(&format!("/api/v2/conversations/{}/messages", next.id()));
            let answer = client
                .post(url)
                .header(AUTHORIZATION, token.clone())
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .header(ACCEPT, HeaderValue::from_static("application/json"))
                .header(USER_AGENT, HeaderValue::from_static("bench"))
                .header("x-correlation-id", uuid::Uuid::new_v4().to_string())
                .body(Bytes::from(serde_json::to_vec(&MESSAGE).unwrap()));
            let answer = answer.send().await.unwrap();
            assert!(answer.status().is_success());
            let sent: Sent = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            assert_eq!(sent.id.len(), 36);
        }
    };

    println!(
        "| concurrency | client, calls/s | bare reqwest, calls/s | throughput, ratio | CPU, ratio | CPU of a call, µs |"
    );
    println!("|---|---|---|---|---|---|");
    for callers in [1, 16, 64] {
        time(&runtime, spread(callers, REQUESTS / 4, ours.clone()));
        time(&runtime, spread(callers, REQUESTS / 4, theirs.clone()));
        let (mut throughput, mut cpu, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (our, their);
            if round % 2 == 0 {
                our = time(&runtime, spread(callers, REQUESTS, ours.clone()));
                their = time(&runtime, spread(callers, REQUESTS, theirs.clone()));
            } else {
                their = time(&runtime, spread(callers, REQUESTS, theirs.clone()));
                our = time(&runtime, spread(callers, REQUESTS, ours.clone()));
            }
            throughput.push(their.wall.as_secs_f64() / our.wall.as_secs_f64());
            cpu.push(our.cpu_nanos as f64 / their.cpu_nanos as f64);
            pairs.push((our, their));
        }
        let rate = |cost: fn(&(Cost, Cost)) -> f64| median(pairs.iter().map(cost).collect());
        println!(
            "| {callers} | {:.0} | {:.0} | {:.3} | {:.3} | {:.1} against {:.1} |",
            rate(|(our, _)| REQUESTS as f64 / our.wall.as_secs_f64()),
            rate(|(_, their)| REQUESTS as f64 / their.wall.as_secs_f64()),
            median(throughput),
            median(cpu),
            rate(|(our, _)| our.cpu_nanos as f64 / REQUESTS as f64 / 1e3),
            rate(|(_, their)| their.cpu_nanos as f64 / REQUESTS as f64 / 1e3),
        );
    }

    let allocations = |calls: &dyn Fn(usize)| {
        calls(100);
        let counted = allocation_counter::measure(|| calls(1_000));
        (counted.count_total as f64 / 1e3, counted.bytes_total as f64 / 1e3)
    };
    let (our_count, our_bytes) = allocations(&|calls| {
        runtime.block_on(async {
            for _ in 0..calls {
                ours().await;
            }
        });
    });
    let (their_count, their_bytes) = allocations(&|calls| {
        runtime.block_on(async {
            for _ in 0..calls {
                theirs().await;
            }
        });
    });
    println!();
    println!("| | client | bare reqwest |");
    println!("|---|---|---|");
    println!("| allocations of a call | {our_count:.1} | {their_count:.1} |");
    println!("| bytes allocated for a call | {our_bytes:.0} | {their_bytes:.0} |");
}
