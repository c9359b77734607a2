//! The automation of the workspace: `cargo xtask ci` is what continuous integration runs.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is what this program is for")]

mod advisories;
mod bench;
mod cargo_steps;
mod ci;
mod counts;
mod crash;
mod deny;
mod features;
mod generate;
mod layers;
mod report;
mod services;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ColorChoice, Command};

use crate::ci::{Run, STEPS};
use crate::report::Report;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    let matches = command().get_matches();
    let Some((name, arguments)) = matches.subcommand() else {
        return match command().print_help() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    };
    let workspace = match Workspace::load() {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("xtask: {error}");
            return ExitCode::FAILURE;
        }
    };
    if name == BENCH {
        let only = arguments.get_one::<String>("name").map(String::as_str);
        return finish(BENCH, bench::run(&workspace, only));
    }
    if name == CRASH {
        let rounds = arguments.get_one::<String>("rounds").map_or(crash::ROUNDS, String::as_str);
        return finish(CRASH, crash::run(&workspace, rounds));
    }
    if name == SERVICES {
        return finish(SERVICES, services::run());
    }
    let Some(step) = STEPS.iter().find(|step| step.name == name) else {
        return ci::run(&workspace);
    };
    let flag = match step.run {
        Run::Plain(_) => false,
        Run::Flag { flag, .. } => arguments.get_flag(flag),
    };
    let report = step.execute(&workspace, flag);
    if !report.note.is_empty() {
        println!("{name}: {}: {}", report.verdict, report.note);
    }
    report.exit_code()
}

const BENCH: &str = "bench";
const CRASH: &str = "crash";
const SERVICES: &str = "services";

fn finish(name: &str, done: report::Result<Report>) -> ExitCode {
    match done {
        Ok(report) => {
            println!("{name}: {}: {}", report.verdict, report.note);
            report.exit_code()
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The command line follows from the table of steps, so that a new step is a subcommand by itself.
fn command() -> Command {
    let mut command = Command::new("cargo xtask")
        .bin_name("cargo xtask")
        .about("The automation of the workspace")
        .color(ColorChoice::Never)
        .subcommand(Command::new("ci").about("Run every step below that is marked [ci], then print a table"));
    for step in STEPS {
        let about = if step.in_ci { format!("{} [ci]", step.about) } else { step.about.to_owned() };
        let mut sub = Command::new(step.name).about(about);
        if let Run::Flag { flag, help, .. } = step.run {
            sub = sub.arg(Arg::new(flag).long(flag).help(help).action(ArgAction::SetTrue));
        }
        command = command.subcommand(sub);
    }
    let name = Arg::new("name").help("Only this one").value_parser(bench::names().collect::<Vec<_>>());
    command
        .subcommand(
            Command::new(BENCH).about("Run the benches and write their tables to docs/benchmarks").arg(name),
        )
        .subcommand(
            Command::new(CRASH)
                .about("Kill a receiver again and again, on both stores, and count what is left")
                .arg(
                    Arg::new("rounds")
                        .long("rounds")
                        .value_name("N")
                        .default_value(crash::ROUNDS)
                        .help("How many times on each store"),
                ),
        )
        .subcommand(
            Command::new(SERVICES).about("Start a PostgreSQL to try things on, until Enter is pressed"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn a_flag_reaches_its_step() {
        let matches = command().try_get_matches_from(["cargo xtask", "gen", "--check"]).unwrap();
        let (name, arguments) = matches.subcommand().unwrap();
        assert_eq!(name, "gen");
        assert!(arguments.get_flag("check"));
    }
}
