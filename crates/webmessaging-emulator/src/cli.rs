//! The stand-alone emulator: its command line arguments and its run loop, for this crate's binary and for others.

mod args;

use std::error::Error;
use std::fmt;
use std::fmt::Display;
use std::io;
use std::io::Write;
use std::net::SocketAddr;

use crate::builder::StartError;

pub use self::args::EmulatorArgs;

/// Runs an emulator until `shutdown` resolves.
///
/// Writes `listening on http://ADDR` as the first line of `out`, and flushes it, so that a script can wait for it. A
/// second line warns when the address can be reached from other machines.
///
/// # Errors
///
/// [`RunError::Start`] when the emulator does not start, [`RunError::Output`] when `out` cannot be written.
///
/// # Examples
///
/// ```
/// use clap::Parser;
/// use webmessaging_emulator::cli::{EmulatorArgs, run};
///
/// #[derive(Parser)]
/// struct Command {
///     #[command(flatten)]
///     emulator: EmulatorArgs,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let command = Command::try_parse_from(["emulate", "--listen", "127.0.0.1:0"])?;
/// let mut out = Vec::new();
/// run(command.emulator, &mut out, std::future::ready(())).await?;
/// assert!(out.starts_with(b"listening on http://127.0.0.1:"));
/// # Ok(())
/// # }
/// ```
pub async fn run(args: EmulatorArgs, out: &mut impl Write, shutdown: impl Future) -> Result<(), RunError> {
    let emulator = args.builder().start().await.map_err(RunError::Start)?;
    announce(emulator.address(), out).map_err(RunError::Output)?;
    shutdown.await;
    emulator.shutdown().await;
    Ok(())
}

/// Listens for ctrl-c and SIGTERM from the moment of the call; resolves with the first of them.
///
/// # Errors
///
/// When the system refuses the signal handlers.
#[cfg(unix)]
pub fn interrupted() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens for ctrl-c from the moment of the call.
///
/// # Errors
///
/// None on this system.
#[cfg(not(unix))]
pub fn interrupted() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a signal handler the system ends the process in its own way.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Why the stand-alone emulator ended early.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The emulator did not start.
    Start(StartError),
    /// The address could not be printed.
    Output(io::Error),
}

impl Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => error.fmt(formatter),
            Self::Output(_) => formatter.write_str("cannot write to the output"),
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its message is this one's message already.
            Self::Start(error) => error.source(),
            Self::Output(error) => Some(error),
        }
    }
}

fn announce(address: SocketAddr, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "listening on http://{address}")?;
    if !address.ip().is_loopback() {
        writeln!(out, "warning: other machines can reach {address}, without encryption")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::emulator::Emulator;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        emulator: EmulatorArgs,
    }

    #[test]
    fn only_an_address_that_others_can_reach_is_warned_about() {
        let announced = |address: &str| {
            let mut out = Vec::new();
            announce(address.parse().unwrap(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(announced("127.0.0.1:80"), "listening on http://127.0.0.1:80\n");
        assert_eq!(announced("[::1]:80"), "listening on http://[::1]:80\n");
        assert_eq!(
            announced("0.0.0.0:80"),
            "listening on http://0.0.0.0:80\n\
             warning: other machines can reach 0.0.0.0:80, without encryption\n"
        );
    }

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let emulator = Emulator::builder().start().await.unwrap();
        let address = emulator.address().to_string();
        let command = Command::try_parse_from(["emulate", "--listen", &address]).unwrap();
        let error = run(command.emulator, &mut Vec::new(), std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
        assert!(error.source().is_some());
    }
}
