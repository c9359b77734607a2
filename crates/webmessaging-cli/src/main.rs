//! The `webmessaging` command.

mod args;
mod commands;
mod data_dir;
mod demo;
mod failure;
mod input;
mod interrupt;
mod lines;
mod manifests;
mod out_file;
mod output;
mod recording;
mod targets;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.verbose);
    let output = Output::new(cli.output);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failed(&Failure::internal("the runtime did not start", error)),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(args, output).await,
            Command::Files(args) => commands::files::run(args, output).await,
            Command::Transfers(args) => commands::transfers::run(args, output).await,
            Command::Channels(args) => commands::channels::run(args, output).await,
            Command::Guests(args) => commands::guests::run(args, output).await,
            Command::Bots(args) => commands::bots::run(args, output).await,
            Command::Webhooks(args) => commands::webhooks::run(args, output).await,
            Command::Widget(args) => commands::widget::run(args, output).await,
            Command::Outbox(args) => commands::outbox::run(args, output).await,
            Command::DeadLetters(args) => commands::dead_letters::run(args, output).await,
            Command::Audit(args) => commands::audit::run(args, output),
            Command::Emulator(args) => commands::emulator::run(*args).await,
        }
    });
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => output.failed(&failure),
    }
}

/// Logs go to standard error, so that standard output holds data alone. `RUST_LOG` goes before `-v`.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        // What went wrong is said once, by the failure itself.
        0 => "error",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = std::env::var("RUST_LOG")
        .ok()
        .filter(|filter| !filter.is_empty())
        .unwrap_or_else(|| format!("error,webmessaging={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(
            io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        )
        .init();
}
