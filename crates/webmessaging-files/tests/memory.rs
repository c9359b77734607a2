//! An upload takes constant memory, whatever its size: measured in a process of its own, the server in another.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that panics has failed"
)]
#![cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the measure is Linux's /proc"))]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;
use webmessaging_emulator::Emulator;
use webmessaging_files::FilesClient;
use webmessaging_http::{Client, Credentials, Source};
use webmessaging_model::UploadLimits;

/// Set for the copy of this program that is the server.
const SERVE: &str = "WEBMESSAGING_MEMORY_TEST_SERVE";

const MIB: u64 = 1024 * 1024;
const SIZE: u64 = 50 * MIB;
const GROWTH_MAX: u64 = 8 * MIB;

fn main() {
    if std::env::var_os(SERVE).is_some() {
        serve();
        return;
    }
    let arguments = Arguments::from_args();
    let trials = if cfg!(target_os = "linux") {
        vec![Trial::test("fifty_mib_grow_the_process_by_less_than_eight", || {
            Runtime::new()?.block_on(grows_little())
        })]
    } else {
        Vec::new()
    };
    libtest_mimic::run(&arguments, trials).exit();
}

async fn grows_little() -> Result<(), Failed> {
    let server = Server::start()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("large.txt");
    let mut file = std::fs::File::create(&path)?;
    std::io::copy(&mut std::io::repeat(b'a').take(SIZE), &mut file)?;

    let http =
        Client::builder(Credentials::new("demo-client", "demo-secret")).base_url(&server.url).build()?;
    let files = FilesClient::new(http).limits(UploadLimits::default().file_size_bytes_max(SIZE));
    let upload = |source| files.upload(source).channel("channel-1").message("message-1");

    // Once from cold, with the first connection and threads, and once when all of that is there.
    for idle_is in ["cold", "warm"] {
        let idle = memory("VmRSS")?;
        reset_peak()?;
        let uploaded = upload(Source::path(&path)).await?;
        let peak = memory("VmHWM")?;

        assert_eq!(uploaded.size_bytes, SIZE);
        let growth = peak.saturating_sub(idle);
        println!(
            "{idle_is}: idle {} KiB, peak {} KiB, growth {} KiB",
            idle / 1024,
            peak / 1024,
            growth / 1024
        );
        assert!(growth < GROWTH_MAX, "grew by {growth} bytes over {idle}, at most {GROWTH_MAX} are allowed");
    }
    Ok(())
}

/// A figure of this process in bytes.
fn memory(name: &str) -> Result<u64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).ok_or("no such figure")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

/// Starts the peak anew from what is in use now.
fn reset_peak() -> std::io::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5")
}

/// The emulator in a process of its own; it ends with its standard input.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Result<Self, Failed> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(SERVE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url)?;
        Ok(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn serve() {
    let runtime = Runtime::new().unwrap();
    let emulator = runtime.block_on(Emulator::builder().file_size_bytes_max(SIZE).start()).unwrap();
    println!("{}", emulator.base_url());
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    runtime.block_on(emulator.shutdown());
}
