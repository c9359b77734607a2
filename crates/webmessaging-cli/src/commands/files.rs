//! `webmessaging files`: uploads, what became of them, and the files that are kept away.

mod bars;
mod many;
mod quarantine;
mod single;
mod status;

use crate::args::files::{FilesArgs, FilesCommand, UploadArgs};
use crate::failure::{Exit, Failure, Local};
use crate::output::Output;

pub(crate) use self::bars::single as single_bar;
pub(crate) use self::single::{to_json, verdict};

pub(crate) async fn run(args: FilesArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        FilesCommand::Upload(args) => upload(*args, output).await,
        FilesCommand::Status(args) => status::status(*args, output).await,
        FilesCommand::Url(args) => status::url(*args, output).await,
        FilesCommand::Quarantine(args) => quarantine::run(args, output).await,
    }
}

/// One file has a report of its own; several, or what is in a folder, or what may be there already, have one together.
async fn upload(mut args: UploadArgs, output: Output) -> Result<Exit, Failure> {
    let is_single = matches!(&args.paths[..], [path] if !path.is_dir() && args.ledger.is_none());
    match args.paths.pop() {
        Some(path) if is_single => single::run(args, path, output).await,
        last => {
            args.paths.extend(last);
            if args.name.is_some() || args.content_type.is_some() {
                let message = "--name and --content-type are for a single file";
                return Err(Local::input("invalid_input", message).into());
            }
            many::run(args, output).await
        }
    }
}
