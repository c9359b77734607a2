//! `webmessaging transfers`: files for a bucket of the organisation, from announcement to verdict, or step by step.

mod remembering;
mod report;
mod steps;
mod upload;

use std::path::PathBuf;
use std::{fs, io};

use webmessaging::files::TransferManager;
use webmessaging::files::ledger::{self, FileLedger, LedgerEntry, file_stamp};
use webmessaging::journal::Journal;
use webmessaging::model::{AccessPolicyDirectives, TransferPayload};
use webmessaging::{Error, Source};

use crate::args::transfers::{FileArgs, LedgerArgs, OwnerArgs, TransfersArgs, TransfersCommand};
use crate::data_dir::DataDir;
use crate::failure::{Exit, Failure, Local};
use crate::output::Output;
use crate::recording::Recording;

pub(crate) async fn run(args: TransfersArgs, output: Output) -> Result<Exit, Failure> {
    let recording = match args.command.owner() {
        Some(owner) => Recording::begin(&owner.audit, "command")?,
        None => Recording::none(),
    };
    let journal = recording.journal();
    let outcome = match args.command {
        TransfersCommand::Create(args) => steps::create(*args, journal, output).await,
        TransfersCommand::Upload(args) => upload::run(*args, journal, output).await,
        TransfersCommand::Renew(args) => steps::renew(*args, journal, output).await,
        TransfersCommand::Wait(args) => steps::wait(*args, journal, output).await,
        TransfersCommand::List(args) => steps::list(&args, output),
    };
    recording.end(outcome).await
}

/// Whose transfers they are has to be said: the platform is told with every call.
fn manager(args: OwnerArgs, journal: Journal) -> Result<TransferManager, Failure> {
    let (client, known) = args.connection.client_and_organization()?;
    let organization = args.organization.or(known).ok_or_else(|| {
        let message = "there is no organisation: give --organization, or set GENESYS_ORGANIZATION_ID";
        Local::input("configuration", message)
    })?;
    Ok(client.transfers(organization).journal(journal))
}

fn open_ledger(args: &LedgerArgs) -> Result<FileLedger, Failure> {
    let path = ledger_path(args)?;
    let failed = |error: io::Error| {
        let shown = path.display().to_string();
        Failure::from(Local::input("ledger", format!("the ledger cannot be used: {error}")).about(shown))
    };
    if let (None, Some(folder)) = (&args.ledger, path.parent()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    FileLedger::open(&path).map_err(failed)
}

fn ledger_path(args: &LedgerArgs) -> Result<PathBuf, Failure> {
    match &args.ledger {
        Some(path) => Ok(path.clone()),
        None => Ok(DataDir::of(&args.data)?.transfers()),
    }
}

/// A file that is to be transferred.
struct Subject {
    shown: String,
    source: Source,
    payload: TransferPayload,
    /// What it is called in the ledger, and by what it is seen that the file, or what may be done with it, has changed.
    key: String,
    stamp: String,
}

impl Subject {
    async fn of(args: &FileArgs) -> Result<Self, Failure> {
        let shown = args.path.display().to_string();
        let mut source = Source::path(&args.path);
        if let Some(name) = &args.name {
            source = source.named(name);
        }
        let looked = source.head(0).await.map_err(|violation| {
            Failure::about(Error::from(webmessaging::model::Violations::from(violation)), &*shown)
        });
        let policy =
            AccessPolicyDirectives::new(args.retention_days, args.encryption.clone(), !args.no_download);
        let mut payload = TransferPayload::new(source.name(), looked?.0, &*args.bucket, policy);
        if let Some(content_type) = &args.content_type {
            payload = payload.mime_type(content_type.clone());
        }
        // The same file for another bucket is another transfer, and so is one of the same name in another folder.
        let path = std::path::absolute(&args.path).unwrap_or_else(|_| args.path.clone());
        let key = format!("{} {}", args.bucket, path.display());
        let announced = serde_json::to_string(&payload)
            .map_err(|error| Failure::internal("the transfer cannot be written down", error))?;
        let stamp = format!("{} {announced}", file_stamp(&args.path).unwrap_or_default());
        Ok(Self { shown, source, payload, key, stamp })
    }
}

/// All that the ledger has, if there is one. Whoever looks does not get in the way of an upload.
fn entries(args: &LedgerArgs) -> Result<Vec<LedgerEntry>, Failure> {
    match ledger::read(ledger_path(args)?) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries.map_err(|error| Failure::internal("the ledger cannot be read", error)),
    }
}
