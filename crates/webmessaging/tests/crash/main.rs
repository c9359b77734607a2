//! A receiver that is killed again and again: what it has acknowledged has its one effect, on either store.
//!
//! Each round starts the process anew, sends it deliveries, and has it die: at one of the named steps of a delivery's way, or at
//! any moment. On PostgreSQL the server is killed, too. At the end everything acknowledged must have reached the other system, under
//! one key each, and the audit log, and nothing in there may be missing or changed.
//!
//! `cargo xtask crash` runs it at length and prints the table; `CRASH_ROUNDS` says how many rounds there are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that panics has failed"
)]

mod checks;
mod rounds;
mod sender;
#[path = "../../../webmessaging-store/tests/it/server.rs"]
#[expect(dead_code, reason = "shared with the tests of the store, which need more of it")]
mod server;
mod steps;
mod target;
mod together;
mod victim;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if victim::is_one() {
        return ExitCode::SUCCESS;
    }
    let trial = |name: &str, run: fn()| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    };
    let trials = vec![
        trial("sqlite", rounds::on_sqlite),
        trial("postgres", rounds::on_postgres),
        trial("two_workers_share_a_database", together::two_workers_share_a_database),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
