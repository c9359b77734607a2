//! What commands read besides their arguments: files and standard input up to a limit, and variables.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::failure::{Failure, Local};

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The content of a file, or of standard input for `-`, of at most so many bytes.
pub(crate) fn bytes(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let shown = || path.display().to_string();
    let read = if path.as_os_str() == STANDARD_INPUT {
        up_to(io::stdin().lock(), bytes_max)
    } else {
        File::open(path).and_then(|file| up_to(file, bytes_max))
    };
    let content =
        read.map_err(|error| Local::input("source", "cannot be read").about(shown()).caused_by(error))?;
    if content.len() > bytes_max {
        return Err(Local::input("too_large", format!("too large: more than {bytes_max} bytes"))
            .about(shown())
            .into());
    }
    Ok(content)
}

/// The same as text.
pub(crate) fn text(path: &Path, bytes_max: usize) -> Result<String, Failure> {
    String::from_utf8(bytes(path, bytes_max)?)
        // Its own words would not do harm, but its `Debug` has the bytes.
        .map_err(|_| Local::input("source", "is not text in UTF-8").about(path.display().to_string()).into())
}

/// A variable of the environment; one that is set to nothing is switched off.
pub(crate) fn variable(name: &'static str) -> Result<Option<String>, Failure> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    match value.into_string() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Local::input("configuration", "is not text in UTF-8").about(name).into()),
    }
}

/// One byte more than the limit shows that there is more.
fn up_to(from: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    from.take(u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut content)?;
    Ok(content)
}
