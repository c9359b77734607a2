//! `webmessaging emulator`: the offline platform, stand-alone.

use std::io;

use webmessaging_emulator::cli::{self, EmulatorArgs};

use crate::failure::{Exit, Failure};

pub(crate) async fn run(args: EmulatorArgs) -> Result<Exit, Failure> {
    let interrupted =
        cli::interrupted().map_err(|error| Failure::internal("cannot listen for signals", error))?;
    cli::run(args, &mut io::stdout(), interrupted)
        .await
        .map_err(|error| Failure::internal("the emulator did not run", error))?;
    Ok(Exit::Success)
}
