//! What it takes to find all channels: with the client, over a bare socket and with axios, from a server that answers at once or later.
//!
//! The server is a process of its own with 100 pages of 100 channels. The client does what it does for everybody: token, rate limiter,
//! breaker, spans, guards against lists that lead in circles. The bare socket reads the same pages into the same type, one after the other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, and prints what it found"
)]

mod axios;
mod server;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};
use webmessaging_channels::{Channel, ChannelsClient};
use webmessaging_http::clock::{Clock, TokioClock};
use webmessaging_http::{Client, Credentials, RateLimitPolicy};

use self::server::{CHANNELS, PAGES, Server};

const ROUNDS: usize = 5;
const CONCURRENCY: [usize; 4] = [1, 4, 16, 64];

fn main() {
    if let Some(delay) = server::is_asked_for() {
        server::serve(delay);
    }
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let has_axios = axios::is_installed();
    println!(
        "| an answer takes | axios | bare socket | client, 1 page | 4 | 16 | 64 | axios to client, 1 page | axios to client, 16 | socket to client, 1 page | 1 page to 4 | 1 page to 16 |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for millis in [0, 20, 50] {
        let server = Server::start(Duration::from_millis(millis));
        let ours = ours(&server);
        let rounds: Vec<_> = (0..ROUNDS).map(|_| round(&runtime, &server, &ours, has_axios)).collect();
        let of = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
        let ms = |figure: &dyn Fn(&Round) -> f64| format!("{:.0} ms", of(figure) * 1e3);
        let beside_axios = |column: usize| {
            if !has_axios {
                return "not installed".to_owned();
            }
            format!("{:.1}", of(&|round| round.axios / round.ours[column]))
        };
        println!(
            "| {millis} ms | {} | {} | {} | {} | {} | {} | {} | {} | {:.2} | {:.1} | {:.1} |",
            if has_axios { ms(&|round| round.axios) } else { "not installed".to_owned() },
            ms(&|round| round.bare),
            ms(&|round| round.ours[0]),
            ms(&|round| round.ours[1]),
            ms(&|round| round.ours[2]),
            ms(&|round| round.ours[3]),
            beside_axios(0),
            beside_axios(2),
            of(&|round| round.bare / round.ours[0]),
            of(&|round| round.ours[0] / round.ours[1]),
            of(&|round| round.ours[0] / round.ours[2]),
        );
    }
    println!();
    parsing();
    if !has_axios {
        println!("\nAxios is not installed: `{}`.", axios::HOW_TO);
    }
}

/// What the pages take when they are only read from memory, into the same type: nothing that keeps all of a channel can be faster.
fn parsing() {
    let pages: Vec<_> = (1..=PAGES).map(server::page).collect();
    let read = || {
        for page in &pages {
            let page: Page = serde_json::from_str(page).unwrap();
            std::hint::black_box(page.entities.len());
        }
    };
    let alone = median((0..ROUNDS).map(|_| took(read)).collect());
    println!("The JSON of all pages alone, from memory: {:.0} ms.", alone * 1e3);
}

#[derive(Deserialize)]
struct Page {
    entities: Vec<Channel>,
}

/// Seconds, each.
struct Round {
    axios: f64,
    bare: f64,
    ours: [f64; CONCURRENCY.len()],
}

fn round(runtime: &Runtime, server: &Server, ours: &ChannelsClient, has_axios: bool) -> Round {
    let axios = if has_axios { axios::list(server.address).as_secs_f64() } else { f64::NAN };
    let bare = took(|| read_bare(server));
    let ours = CONCURRENCY.map(|pages| took(|| runtime.block_on(discover(ours, pages))));
    Round { axios, bare, ours }
}

fn ours(server: &Server) -> ChannelsClient {
    let limit = RateLimitPolicy::default().requests(1_000_000).window(Duration::from_secs(1));
    let client = Client::builder(Credentials::new("bench", "a secret"));
    let client = client.base_url(format!("http://{}", server.address)).rate_limit(limit);
    ChannelsClient::new(client.build().unwrap())
}

async fn discover(channels: &ChannelsClient, pages: usize) {
    let mut found = channels.discover().concurrency(pages);
    let mut count = 0;
    while let Some(channel) = found.next().await {
        count += usize::from(channel.unwrap().is_web_messaging());
    }
    assert_eq!(count, CHANNELS);
}

fn read_bare(server: &Server) {
    let mut socket = BufReader::with_capacity(64 * 1024, TcpStream::connect(server.address).unwrap());
    let (mut count, mut body) = (0, Vec::new());
    for page in 1..=PAGES {
        let request = format!(
            "GET /api/v2/communications/channels?pageSize=100&pageNumber={page} HTTP/1.1\r\nhost: localhost\r\n\r\n"
        );
        socket.get_mut().write_all(request.as_bytes()).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            socket.read_line(&mut line).unwrap();
            if let Some(bytes) = line.strip_prefix("content-length: ") {
                length = bytes.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        body.resize(length, 0);
        socket.read_exact(&mut body).unwrap();
        let page: Page = serde_json::from_slice(&body).unwrap();
        count += page.entities.iter().filter(|channel| channel.is_web_messaging()).count();
    }
    assert_eq!(count, CHANNELS);
}

fn took(work: impl FnOnce()) -> f64 {
    let began = TokioClock.now();
    work();
    (TokioClock.now() - began).as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
