//! `webmessaging files`: uploads, what became of them, and the files that are kept away.

mod bars;
mod many;
mod quarantine;
mod single;
mod status;

use webmessaging::journal::Journal;

use crate::args::files::{FilesArgs, FilesCommand, UploadArgs};
use crate::failure::{Exit, Failure, Local};
use crate::output::Output;
use crate::recording::Recording;

pub(crate) use self::bars::single as single_bar;
pub(crate) use self::single::to_json;

pub(crate) async fn run(args: FilesArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        FilesCommand::Upload(args) => upload(*args, output).await,
        FilesCommand::Status(args) => status::status(*args, output).await,
        FilesCommand::Url(args) => status::url(*args, output).await,
        FilesCommand::Quarantine(args) => quarantine::run(args, output).await,
    }
}

/// One file has a report of its own; several, or what is in a folder, or what may be there already, have one together.
async fn upload(args: UploadArgs, output: Output) -> Result<Exit, Failure> {
    let recording = Recording::begin(&args.audit, "command")?;
    let uploaded = upload_recorded(args, recording.journal(), output).await;
    recording.end(uploaded).await
}

async fn upload_recorded(mut args: UploadArgs, journal: Journal, output: Output) -> Result<Exit, Failure> {
    let is_single = matches!(&args.paths[..], [path] if !path.is_dir() && args.ledger.is_none());
    match args.paths.pop() {
        Some(path) if is_single => single::run(args, path, journal, output).await,
        last => {
            args.paths.extend(last);
            if args.name.is_some() || args.content_type.is_some() {
                let message = "--name and --content-type are for a single file";
                return Err(Local::input("invalid_input", message).into());
            }
            many::run(args, journal, output).await
        }
    }
}
