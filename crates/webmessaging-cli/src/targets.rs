//! The targets of deliveries: which file they are in, and what it says.

use std::path::{Path, PathBuf};

use webmessaging::sync::{Auth, Error, Secrets, TargetConfig, Targets};

use crate::args::data::DataArgs;
use crate::args::targets::TargetsArgs;
use crate::data_dir::DataDir;
use crate::failure::{Failure, Local};
use crate::input;

const VARIABLE: &str = "WEBMESSAGING_TARGETS";

/// Enough for the most targets there can be, each with a template of 10 KiB.
const FILE_BYTES_MAX: usize = 1_024 * 1_024;

/// The targets, ready to be delivered to: their secrets are read where the file says they are.
pub(crate) fn with_secrets(
    args: &TargetsArgs,
    data: &DataArgs,
) -> Result<Option<(PathBuf, Targets)>, Failure> {
    let Some(path) = path(args, data)? else { return Ok(None) };
    let secrets = Secrets::system();
    let targets = read(&path, |config| config.build(&secrets))?;
    Ok(Some((path, targets)))
}

/// The targets for somebody who only wants to know what they take, and need not have their secrets.
pub(crate) fn without_secrets(args: &TargetsArgs, data: &DataArgs) -> Result<Option<Targets>, Failure> {
    let Some(path) = path(args, data)? else { return Ok(None) };
    read(&path, |config| config.auth(Auth::None).build(&Secrets::none())).map(Some)
}

/// The file that is named, or the one that is there.
fn path(args: &TargetsArgs, data: &DataArgs) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = args.targets.clone().or_else(variable) {
        return Ok(Some(path));
    }
    // Who has no place for data has no file there either.
    let Ok(data) = DataDir::of(data) else { return Ok(None) };
    let path = data.targets();
    match path.try_exists() {
        Ok(is_there) => Ok(is_there.then_some(path)),
        // Going on without it would deliver nothing and say nothing.
        Err(error) => Err(Local::input("source", "cannot be read")
            .about(path.display().to_string())
            .caused_by(error)
            .into()),
    }
}

fn variable() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn read(
    path: &Path,
    build: impl Fn(TargetConfig) -> Result<webmessaging::sync::Target, Error>,
) -> Result<Targets, Failure> {
    let text = input::text(path, FILE_BYTES_MAX)?;
    let targets = || {
        Targets::new(TargetConfig::from_toml(&text)?.into_iter().map(build).collect::<Result<Vec<_>, _>>()?)
    };
    targets().map_err(|error| Local::from(error).about(path.display().to_string()).into())
}
