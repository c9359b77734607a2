//! Files that a command writes: complete or not there at all.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::failure::{Failure, Local};

/// A file that is nowhere yet, for its owner alone.
pub(crate) fn begin(out: &Path) -> Result<NamedTempFile, Failure> {
    NamedTempFile::new_in(beside(out)).map_err(unwritable)
}

/// A file that is nowhere yet, for everybody whom files of this user are for.
pub(crate) fn begin_shared(out: &Path) -> Result<NamedTempFile, Failure> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(beside(out)).map_err(unwritable)
}

fn beside(out: &Path) -> &Path {
    out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts it in its place now that it is complete, and over nothing.
pub(crate) fn keep(file: NamedTempFile, out: &Path) -> Result<(), Failure> {
    file.as_file().sync_all().map_err(unwritable)?;
    match file.persist_noclobber(out) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(out)),
        Err(error) => Err(unwritable(error.error)),
    }
}

/// Puts it in its place now that it is complete, whatever was there.
pub(crate) fn replace(file: NamedTempFile, out: &Path) -> Result<(), Failure> {
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(out).map(drop).map_err(|error| unwritable(error.error))
}

/// A file of that name would be lost.
pub(crate) fn is_there(out: &Path) -> Failure {
    Local::input("output", "is there already: name a new file").about(out.display().to_string()).into()
}

pub(crate) fn unwritable(error: io::Error) -> Failure {
    Failure::internal("the file cannot be written", error)
}
