//! Files that say what channels are to look like, and what was applied of them.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use webmessaging::Error;
use webmessaging::channels::{Channel, Declared, Exported, Manifest, ManifestPlan, rules_from_toml};
use webmessaging::model::{ChannelId, ChannelRules};

use crate::failure::{Failure, Local};
use crate::{input, out_file};

/// Enough for the channels of the largest organisations.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

const RULES_BYTES_MAX: usize = 1024 * 1024;

/// A manifest, with the file that remembers what was applied of it.
pub(crate) struct ManifestFile {
    pub(crate) manifest: Manifest,
    /// Nothing for standard input.
    pub(crate) applied: Option<PathBuf>,
    /// What was applied last, where that is known.
    pub(crate) last: Option<Manifest>,
}

impl ManifestFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let manifest = read(path)?;
        let applied = (path.as_os_str() != "-").then(|| applied_path(path));
        let is_there = applied.as_ref().is_some_and(|applied| applied.exists());
        let last = applied.as_deref().filter(|_| is_there).map(read).transpose()?;
        if let (Some(last), Some(path)) = (&last, &applied) {
            each_once(last, path)?;
        }
        Ok(Self { manifest, applied, last })
    }

    /// What was applied, after this: of channels that are as the manifest says, what that is, and of all others what it was before.
    fn remembered(&self, applied: impl Fn(&ChannelId) -> Option<Declared>) -> Manifest {
        let mut remembered = self.last.clone().unwrap_or_default();
        remembered.browsers = Vec::new();
        for declared in self.manifest.channels.iter().filter_map(|declared| applied(&declared.id)) {
            match remembered.channels.iter_mut().find(|known| known.id == declared.id) {
                Some(known) => *known = declared,
                None => remembered.channels.push(declared),
            }
        }
        remembered
    }

    /// Whether what was applied last is not what the manifest says, though the channels are: somebody has made both the same.
    pub(crate) fn is_behind(&self, plan: &ManifestPlan) -> bool {
        let is_so =
            |id: &ChannelId| plan.channels.iter().any(|channel| channel.id() == id && channel.is_empty());
        let now = self.remembered(|id| self.manifest.channel(id).filter(|_| is_so(id)).cloned());
        self.last.as_ref().is_some_and(|last| *last != now)
    }

    /// Begins to remember: whether that is possible has to be known before anything is changed.
    pub(crate) fn begin(&self) -> Result<Memory<'_>, Failure> {
        let file = self.applied.as_deref().map(out_file::begin_shared).transpose()?;
        Ok(Memory { manifest: self, file })
    }
}

/// What was applied, before it is written.
pub(crate) struct Memory<'a> {
    manifest: &'a ManifestFile,
    file: Option<NamedTempFile>,
}

impl Memory<'_> {
    /// Writes it, and says whether something was new.
    pub(crate) fn keep(self, applied: impl Fn(&ChannelId) -> Option<Declared>) -> Result<bool, Failure> {
        let (Some(file), Some(path)) = (self.file, &self.manifest.applied) else { return Ok(false) };
        let remembered = self.manifest.remembered(applied);
        if self.manifest.last.clone().unwrap_or_default() == remembered {
            return Ok(false);
        }
        write(&applied_text(&remembered)?, file, path, out_file::replace)?;
        Ok(true)
    }
}

/// Two versions of what was applied, put together by a merge, say: nobody knows which of them it was.
fn each_once(last: &Manifest, path: &Path) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    match last.channels.iter().find(|declared| !seen.insert(&declared.id)) {
        Some(declared) => {
            Err(Local::input("applied", format!("has the channel {} twice: keep one", declared.id))
                .about(path.display().to_string())
                .into())
        }
        None => Ok(()),
    }
}

/// `channels.toml` is remembered in `channels.applied.toml`, and a manifest of any other name in one of that name and `.applied.toml`.
fn applied_path(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|extension| extension == "toml") {
        return path.with_extension("applied.toml");
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".applied.toml");
    name.into()
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
    // What cannot be read again, since it is nested too deeply, say, is no manifest.
    Manifest::from_toml(&text)?;
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
    write(&applied_text(manifest)?, out_file::begin_shared(&applied)?, &applied, out_file::keep)?;
    write(text, out_file::begin_shared(path)?, path, out_file::keep)
}

fn applied_text(manifest: &Manifest) -> Result<String, Error> {
    let about = "# What was applied last, so that changes of others are told from yours: keep it beside the manifest.\n\
                 # `webmessaging channels apply` writes it.\n";
    Ok(format!("{about}\n{}", manifest.to_toml()?))
}

type Put = fn(NamedTempFile, &Path) -> Result<(), Failure>;

fn write(text: &str, mut file: NamedTempFile, path: &Path, put: Put) -> Result<(), Failure> {
    file.write_all(text.as_bytes()).map_err(out_file::unwritable)?;
    put(file, path)
}
