//! The rounds: start, send, die; and a table of how many died where.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::checks;
use crate::sender::Sender;
use crate::server::Server;
use crate::steps::STEPS;
use crate::target::Target;
use crate::victim::{ORDERS, Orders};

/// Of a round of an ordinary test run; every step is died at once.
const ROUNDS: usize = 16;

/// So much passes between two rounds, for the processes: leases of the dead are over then.
const BETWEEN: Duration = Duration::from_secs(600);

/// With so many rounds every step has its turn often enough to be died at.
const ROUNDS_FOR_ALL: usize = 100;

/// How long the end of a process is waited for.
const LOOKS: u32 = 25;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// At most so many deliveries are acknowledged in a round.
const DELIVERIES: usize = 40;

pub(crate) fn on_sqlite() {
    run("sqlite", None, None);
}

pub(crate) fn on_postgres() {
    // Everything is flushed: the server is killed.
    let Some(server) = Server::start("") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(server.database());
    run("postgres", Some(url), Some(&server));
}

/// Where processes died, by name.
#[derive(Debug, Default)]
struct Deaths(BTreeMap<String, usize>);

impl Deaths {
    fn count(&mut self, place: impl Into<String>) {
        *self.0.entry(place.into()).or_default() += 1;
    }
}

fn run(store: &str, database: Option<String>, server: Option<&Server>) {
    let rounds = std::env::var("CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().unwrap();
    let (target, sender, mut deaths) = (Target::start(), Sender::default(), Deaths::default());
    let mut orders = Orders {
        folder: folder.path().to_owned(),
        database,
        target: target.url.clone(),
        later: Duration::ZERO,
        killer: None,
    };
    for round in 0..rounds {
        orders.later += BETWEEN;
        // The steps in turns, and in between any moment.
        let step = (round % (STEPS.len() + 4)).checked_sub(4);
        orders.killer = step.map(|step| (step, fastrand::i64(0..20)));
        let mut victim = Victim::start(&orders);
        sender.send(victim.address, fastrand::usize(1..DELIVERIES));
        match (step, server) {
            (None, Some(server)) if round % 2 == 0 => {
                server.kill();
                sender.send_in_vain(victim.address, 2);
                server.revive();
                sender.send(victim.address, 5);
                deaths.count("the database");
            }
            _ => {}
        }
        match step.filter(|_| victim.was_killed_by_itself()) {
            Some(step) => deaths.count(STEPS[step].1),
            None => deaths.count("any moment"),
        }
        victim.kill();
    }
    if rounds >= ROUNDS_FOR_ALL {
        for (_, step) in STEPS {
            assert!(deaths.0.contains_key(step), "nobody died at `{step}`: is it still logged?");
        }
    }
    orders.later += BETWEEN;
    orders.killer = None;
    let mut victim = Victim::start(&orders);
    sender.finish(victim.address);
    checks::wait_for(&sender, &target);
    victim.kill();
    checks::check(&sender, &target, &folder.path().join("audit"));
    println!("\n{}", table(store, rounds, &deaths, &sender, &target));
}

fn table(store: &str, rounds: usize, deaths: &Deaths, sender: &Sender, target: &Target) -> String {
    let mut lines = vec![
        format!("| {store}, {rounds} rounds | |"),
        "|---|---:|".to_owned(),
        format!("| deliveries acknowledged | {} |", sender.count()),
        target.with(|seen| format!("| requests that the other system took | {} |", seen.requests)),
        target.with(|seen| format!("| of those, without an answer | {} |", seen.unanswered)),
    ];
    lines.extend(deaths.0.iter().map(|(place, count)| format!("| died at: {place} | {count} |")));
    lines.push("| lost, or with a second effect | 0 |".to_owned());
    lines.join("\n")
}

/// A process under way.
struct Victim {
    child: Child,
    address: SocketAddr,
}

impl Victim {
    fn start(orders: &Orders) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(ORDERS, orders.to_text())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().parse();
        Self { address: address.expect("it says where it listens"), child }
    }

    /// Whether it came to its step. One that is about to is given a moment, since it may have work left.
    fn was_killed_by_itself(&mut self) -> bool {
        for _ in 0..LOOKS {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        false
    }

    fn kill(&mut self) {
        // It may have been faster.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.kill();
    }
}
