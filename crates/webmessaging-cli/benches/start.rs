//! What the command costs that logs in and sends one message: the whole process, beside one of Node.js that does the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench that fails says so, and prints what it found"
)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use webmessaging_emulator::{Emulator, RateLimit};

const ROUNDS: usize = 40;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulator = runtime.block_on(Emulator::builder().rate_limit(RateLimit::off()).start()).unwrap();
    let mut commands = [ours(emulator.base_url()), node(emulator.base_url())];
    for command in &mut commands {
        run(command);
    }
    let rounds: Vec<_> = (0..ROUNDS).map(|_| commands.each_mut().map(run)).collect();
    let sent = emulator.messages("conversation-id-789").len();
    assert!(sent == 2 * (ROUNDS + 1), "{sent} have arrived");
    let wall = |who: usize| median(rounds.iter().map(|round| round[who].0.as_secs_f64() * 1e3));
    let peak = |who: usize| median(rounds.iter().map(|round| round[who].1));
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_webmessaging")).unwrap().len() as f64 / 1e6;
    println!("| one message, the whole process | wall, ms | peak memory, MB | size of the command, MB |");
    println!("|---|---:|---:|---:|");
    println!("| `webmessaging bots send` | {:.1} | {:.1} | {size:.1} |", wall(0), peak(0));
    println!("| Node.js, its own fetch | {:.1} | {:.1} | |", wall(1), peak(1));
}

fn ours(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webmessaging"));
    command.args(["bots", "send", "--conversation", "conversation-id-789"]);
    command.args(["--to", "customer-participant-id-123", "--from", "bot-participant-id-456", "Hello"]);
    command.env_clear().env("GENESYS_BASE_PATH", url);
    command.env("GENESYS_CLIENT_ID", "demo-client").env("GENESYS_CLIENT_SECRET", "demo-secret");
    command
}

/// A login and a message.
const SKETCH: &str = r#"
const url = process.env.GENESYS_BASE_PATH;
const basic = Buffer.from("demo-client:demo-secret").toString("base64");
const login = await fetch(`${url}/oauth/token`, {
  method: "POST",
  headers: { authorization: `Basic ${basic}`, "content-type": "application/x-www-form-urlencoded" },
  body: "grant_type=client_credentials",
});
const { access_token } = await login.json();
const sent = await fetch(`${url}/api/v2/conversations/conversation-id-789/messages`, {
  method: "POST",
  headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
  body: JSON.stringify({
    to: { id: "customer-participant-id-123" }, from: { id: "bot-participant-id-456" }, type: "text", text: "Hello",
  }),
});
if (!sent.ok) throw new Error(`status ${sent.status}`);
await sent.json();
"#;

fn node(url: &str) -> Command {
    let mut command = Command::new("node");
    command.args(["--input-type=module", "--eval", SKETCH]).env("GENESYS_BASE_PATH", url);
    command
}

/// How long it takes, and the most memory that was seen, in MB.
fn run(command: &mut Command) -> (Duration, f64) {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    let exit = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = peak.max(line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0) * 1_024.0 / 1e6);
        if let Some(exit) = child.try_wait().unwrap() {
            break exit;
        }
        std::thread::yield_now();
    };
    assert!(exit.success(), "{command:?}");
    (began.elapsed(), peak)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
