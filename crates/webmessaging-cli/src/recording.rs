//! An audit log that a command records in while it runs.

use std::path::{Path, PathBuf};

use clap::Args;
use webmessaging::journal::Journal;
use webmessaging::journal::audit::AuditLog;

use crate::failure::{Exit, Failure, Local};

/// Where a command records what it does.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Folder of an audit log: what is done is on record there before it counts as done; one process at a time records in it
    #[arg(long, value_name = "PATH", help_heading = "Data")]
    audit_dir: Option<PathBuf>,
}

/// What a command records in.
pub(crate) struct Recording {
    audit: Option<AuditLog>,
    journal: Journal,
}

impl Recording {
    /// Opens the log, where one is asked for. The actor is what every record says was at work.
    pub(crate) fn begin(args: &AuditArgs, actor: &str) -> Result<Self, Failure> {
        let Some(folder) = &args.audit_dir else {
            return Ok(Self::none());
        };
        let audit = open(folder)?;
        let journal = Journal::builder().actor(actor).durable("audit", audit.clone()).build()?;
        Ok(Self { audit: Some(audit), journal })
    }

    pub(crate) fn none() -> Self {
        Self { audit: None, journal: Journal::none() }
    }

    pub(crate) fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Writes what was recorded, whatever the command came to.
    pub(crate) async fn end(self, outcome: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let written = match self.audit {
            Some(audit) => audit.close().await,
            None => Ok(()),
        };
        let exit = outcome?;
        written?;
        Ok(exit)
    }
}

fn open(folder: &Path) -> Result<AuditLog, Failure> {
    let opened = AuditLog::builder(folder).open();
    Ok(opened.map_err(|error| Local::from(error).about(folder.display().to_string()))?)
}
