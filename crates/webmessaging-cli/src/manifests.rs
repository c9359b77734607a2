//! Files that say what channels are to look like, and what was applied of them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use webmessaging::Error;
use webmessaging::channels::{Channel, Exported, Manifest, rules_from_toml};
use webmessaging::model::ChannelRules;

use crate::failure::Failure;
use crate::{input, out_file};

/// Enough for the channels of the largest organisations.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

const RULES_BYTES_MAX: usize = 1024 * 1024;

/// A manifest, with the file that remembers what was applied of it.
pub(crate) struct ManifestFile {
    pub(crate) manifest: Manifest,
    /// Nothing for standard input.
    applied: Option<PathBuf>,
    /// What was applied last, where that is known.
    pub(crate) last: Option<Manifest>,
}

impl ManifestFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let manifest = read(path)?;
        let applied = (path.as_os_str() != "-").then(|| applied_path(path));
        let is_there = applied.as_ref().is_some_and(|applied| applied.exists());
        let last = applied.as_deref().filter(|_| is_there).map(read).transpose()?;
        Ok(Self { manifest, applied, last })
    }

    /// Where it is remembered, if it is not there yet: without it nobody knows what others have changed.
    pub(crate) fn unknown(&self) -> Option<&Path> {
        self.applied.as_deref().filter(|_| self.last.is_none())
    }

    /// Remembers what was applied: of channels that are as the manifest says, what that is, and of the others what it was before.
    pub(crate) fn remember(
        &self,
        is_applied: impl Fn(&webmessaging::model::ChannelId) -> bool,
    ) -> Result<(), Failure> {
        let Some(path) = &self.applied else { return Ok(()) };
        let known = self.manifest.channels.iter().filter_map(|declared| {
            if is_applied(&declared.id) {
                return Some(declared);
            }
            self.last.as_ref().and_then(|last| last.channel(&declared.id))
        });
        let applied = Manifest::new(known.cloned());
        if self.last.as_ref() == Some(&applied) {
            return Ok(());
        }
        write_applied(&applied, path, out_file::replace)
    }
}

/// `channels.toml` is remembered in `channels.applied.toml`.
pub(crate) fn applied_path(path: &Path) -> PathBuf {
    path.with_extension("applied.toml")
}

fn read(path: &Path) -> Result<Manifest, Failure> {
    let text = input::text(path, FILE_BYTES_MAX)?;
    Manifest::from_toml(&text).map_err(|error| Failure::about(error, path.display().to_string()))
}

/// The rules of a file, or the documented ones.
pub(crate) fn rules(path: Option<&Path>) -> Result<ChannelRules, Failure> {
    let Some(path) = path else { return Ok(ChannelRules::default()) };
    let text = input::text(path, RULES_BYTES_MAX)?;
    rules_from_toml(&text).map_err(|error| Failure::about(error, path.display().to_string()))
}

/// A manifest of channels as they are, with their names beside them.
pub(crate) fn exported(channels: &[Channel], exported: &Exported) -> Result<String, Error> {
    let mut text = String::new();
    for (channel, declared) in channels.iter().zip(&exported.manifest.channels) {
        if !text.is_empty() {
            text.push('\n');
        }
        if let Some(name) = &channel.name {
            text.push_str(&comment(name));
        }
        for (_, path) in exported.left_out.iter().filter(|(id, _)| *id == channel.id) {
            text.push_str(&comment(&format!("left out, since it cannot be said here: {path}")));
        }
        text.push_str(&declared.to_toml()?);
    }
    Ok(text)
}

/// Text that somebody else wrote, as one line that says nothing to a parser.
fn comment(text: &str) -> String {
    let mut line = "# ".to_owned();
    line.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
    line.push('\n');
    line
}

/// Writes a new manifest, and that it is what there is.
pub(crate) fn write_new(text: &str, manifest: &Manifest, path: &Path) -> Result<(), Failure> {
    let applied = applied_path(path);
    for out in [path, &applied] {
        if out.exists() {
            return Err(out_file::is_there(out));
        }
    }
    write_applied(manifest, &applied, out_file::keep)?;
    written(text, path, out_file::keep)
}

type Put = fn(tempfile::NamedTempFile, &Path) -> Result<(), Failure>;

fn write_applied(manifest: &Manifest, path: &Path, put: Put) -> Result<(), Failure> {
    let mut text = "# What was applied last, so that changes of others are told from yours: keep it beside the manifest.\n\
                    # `webmessaging channels apply` writes it.\n\n"
        .to_owned();
    let _ = write!(text, "{}", manifest.to_toml()?);
    written(&text, path, put)
}

fn written(text: &str, path: &Path, put: Put) -> Result<(), Failure> {
    let mut file = out_file::begin_shared(path)?;
    file.write_all(text.as_bytes()).map_err(out_file::unwritable)?;
    put(file, path)
}
