//! The `webmessaging-emulator` command: an emulator that runs until it is interrupted.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use webmessaging_emulator::cli::{EmulatorArgs, interrupted, run};

/// An offline Genesys Cloud web messaging platform for tests and demos
#[derive(Debug, Parser)]
#[command(name = "webmessaging-emulator", version)]
struct Command {
    #[command(flatten)]
    emulator: EmulatorArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    let ended = match interrupted() {
        Ok(interrupted) => {
            run(command.emulator, &mut io::stdout(), interrupted).await.map_err(Box::<dyn Error>::from)
        }
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed, too.
            let _ = explain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn explain(error: &dyn Error) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "error: {error}")?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(stderr, ": {error}")?;
        cause = error.source();
    }
    writeln!(stderr)
}
