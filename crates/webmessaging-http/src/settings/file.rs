//! The file: where it is, who may read it, and what its profiles say.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind as Io, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use webmessaging_model::Operation;

use crate::error::Error;
use crate::settings::Origin;
use crate::settings::environment::{CONFIG, Environment, PROFILE};
use crate::settings::keys::{KEYS, Key};
use crate::settings::layer::{Found, Layer, legible};
use crate::settings::nearest::{did_you_mean, did_you_mean_key};
use crate::settings::value::Value;

const DEFAULT: &str = "default";
const PROFILES: &str = "profiles";
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file and the profile that count.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: Option<PathBuf>,
    pub(super) profile: String,
    /// Somebody named the file, so it has to be there.
    path_is_named: bool,
    /// Somebody named the profile.
    profile_is_named: bool,
}

impl Place {
    /// Where to look, after what code says and then the environment.
    pub(super) fn find(
        path: Option<PathBuf>,
        profile: Option<String>,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let path = path.or_else(|| environment.path(CONFIG).map(PathBuf::from));
        let profile = match profile {
            Some(profile) => Some(profile),
            None => environment.text(PROFILE)?.map(str::to_owned),
        };
        Ok(Self {
            path_is_named: path.is_some(),
            path: path.or_else(|| usual(environment)),
            profile_is_named: profile.is_some(),
            profile: profile.unwrap_or_else(|| DEFAULT.to_owned()),
        })
    }

    /// Reads the profile; nothing where there is no file and nobody named one.
    pub(super) fn read(&self, operations: &[&'static Operation]) -> Result<Layer, Error> {
        let Some(path) = &self.path else {
            return if self.profile_is_named {
                Err(self.missing("there is no file"))
            } else {
                Ok(Layer::default())
            };
        };
        let refuse = |what: String| Error::configuration(format!("{}: {what}", path.display()));
        let (text, is_open_to_others) = match read(path) {
            Ok(read) => read,
            Err(error) if matches!(error.kind(), Io::NotFound | Io::NotADirectory) => {
                return match (self.path_is_named, self.profile_is_named) {
                    (true, _) => Err(refuse("there is no such file".to_owned())),
                    (_, true) => Err(self.missing(&format!("there is no file {}", path.display()))),
                    _ => Ok(Layer::default()),
                };
            }
            Err(error) => return Err(refuse("cannot be read".to_owned()).with_source(error)),
        };
        let document = Document { path: Arc::from(path.as_path()), text: &text, operations };
        let profiles = document.profiles()?;
        if let (Some(mode), Some(origin)) = (is_open_to_others, profiles.secret) {
            return Err(origin.refuse(format!(
                "has a secret, and others can read the file (mode {mode:03o}): chmod 600 {}",
                path.display()
            )));
        }
        let mut names: Vec<_> = profiles.layers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        match profiles.layers.into_iter().find(|(name, _)| *name == self.profile) {
            Some((_, layer)) => Ok(layer),
            None if !self.profile_is_named => Ok(Layer::default()),
            None => Err(self.missing(&format!("{} has {names}", path.display()))),
        }
    }

    fn missing(&self, why: &str) -> Error {
        Error::configuration(format!("there is no profile `{}`: {why}", self.profile.escape_debug()))
    }
}

/// The table of the profile, and the file it belongs into.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.profile == DEFAULT {
            f.write_str("[default] of ")?;
        } else {
            write!(f, "[profiles.{}] of ", self.profile.escape_debug())?;
        }
        match &self.path {
            Some(path) => write!(f, "{}", path.display()),
            None => write!(f, "a file that {CONFIG} names"),
        }
    }
}

/// Where the file is when nobody says so.
fn usual(environment: &Environment) -> Option<PathBuf> {
    let variable = |name: &str| environment.path(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = if cfg!(windows) {
        variable("APPDATA")
    } else {
        variable("XDG_CONFIG_HOME").or_else(|| Some(variable("HOME")?.join(".config")))
    };
    Some(folder?.join("webmessaging").join("config.toml"))
}

/// The text of a file, and its mode where others than its owner can read it.
fn read(path: &Path) -> io::Result<(String, Option<u32>)> {
    let mut file = File::open(path)?;
    let mode = mode_for_others(&file)?;
    let mut text = String::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    file.by_ref().take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(too_large());
    }
    Ok((text, mode))
}

#[cfg(unix)]
fn mode_for_others(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;

    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok((mode & 0o044 != 0).then_some(mode))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems have a mode to read")]
fn mode_for_others(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

/// The bytes of a PEM.
pub(super) fn read_pem(path: &Path, origin: &Origin) -> Result<Vec<u8>, Error> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
    };
    let refuse = || origin.refuse(format!("the file {} cannot be read", path.display()));
    read().map_err(|error| refuse().with_source(error))
}

fn too_large() -> io::Error {
    io::Error::new(Io::FileTooLarge, format!("larger than {FILE_BYTES_MAX} bytes"))
}

/// The secret in a file of its own, without the line's end. Who else may read it is left to whoever mounts it.
pub(super) fn read_secret(path: &Path, origin: &Origin) -> Result<Value, Error> {
    let refuse = |what: &str| origin.refuse(format!("the secret file {} {what}", path.display()));
    let (text, _) = read(path).map_err(|error| refuse("cannot be read").with_source(error))?;
    let text = SecretString::from(text);
    let line = secrecy::ExposeSecret::expose_secret(&text).trim_end_matches(['\r', '\n']);
    crate::settings::Kind::Secret.parse_text(line).ok_or_else(|| refuse("must have one line of text"))
}

struct Document<'a> {
    path: Arc<Path>,
    text: &'a str,
    operations: &'a [&'static Operation],
}

/// Every profile of a file; and where one of them has a secret.
struct Profiles {
    layers: Vec<(String, Layer)>,
    secret: Option<Origin>,
}

type Entry<'a> = (&'a Spanned<toml::de::DeString<'a>>, &'a Spanned<DeValue<'a>>);

impl Document<'_> {
    fn origin(&self, span: &Range<usize>) -> Origin {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        Origin::File { path: Arc::clone(&self.path), line }
    }

    /// Reads all profiles, so that a slip is found before the profile it is in is needed.
    fn profiles(&self) -> Result<Profiles, Error> {
        let table = DeTable::parse(self.text).map_err(|error| {
            // Its `Display` has the line itself, which may hold a secret.
            let span = error.span().unwrap_or_default();
            self.origin(&span).refuse(format!("this is not TOML: {}", error.message()))
        })?;
        let mut profiles = Profiles { layers: Vec::new(), secret: None };
        for entry @ (name, value) in table.get_ref() {
            match &**name.get_ref() {
                DEFAULT => self.profile(DEFAULT, entry, &mut profiles)?,
                PROFILES => {
                    for entry @ (name, _) in self.table(PROFILES, entry)? {
                        if name.get_ref() == DEFAULT {
                            let origin = self.origin(&name.span());
                            return Err(origin.refuse("the profile `default` is the table [default]"));
                        }
                        self.profile(name.get_ref(), entry, &mut profiles)?;
                    }
                }
                other => return Err(self.stray(other, &name.span(), value.get_ref())),
            }
        }
        Ok(profiles)
    }

    fn table<'a>(&self, name: &str, (key, value): Entry<'a>) -> Result<&'a DeTable<'a>, Error> {
        let refuse = || {
            let found = value.get_ref().type_str();
            self.origin(&key.span()).refuse(format!("`{}` must be a table, found {found}", legible(name)))
        };
        value.get_ref().as_table().ok_or_else(refuse)
    }

    /// Something at the top that is no profile.
    fn stray(&self, name: &str, span: &Range<usize>, value: &DeValue<'_>) -> Error {
        let is_setting =
            Key::of(name).is_some() || KEYS.iter().any(|key| key.name.starts_with(&format!("{name}.")));
        let origin = self.origin(span);
        if is_setting {
            return origin.refuse(format!("`{name}` belongs into [default] or [profiles.NAME]"));
        }
        let hint = match value {
            DeValue::Table(_) => did_you_mean(name, [DEFAULT, PROFILES]),
            _ => did_you_mean_key(name),
        };
        origin.refuse(format!("there is no key `{}`{hint}", legible(name)))
    }

    fn profile(&self, name: &str, entry: Entry<'_>, profiles: &mut Profiles) -> Result<(), Error> {
        let mut layer = Layer::default();
        self.collect("", self.table(name, entry)?, &mut layer)?;
        profiles.secret = profiles.secret.take().or_else(|| layer.secret().cloned());
        profiles.layers.push((name.to_owned(), layer));
        Ok(())
    }

    /// Reads a table of a profile; `prefix` leads to it.
    fn collect(&self, prefix: &str, table: &DeTable<'_>, layer: &mut Layer) -> Result<(), Error> {
        for entry @ (part, value) in table {
            let name = format!("{prefix}{}", part.get_ref());
            let origin = self.origin(&part.span());
            let below = format!("{name}.");
            let is_inside = Key::of(&name).is_some_and(Key::is_table);
            let leads_on = is_inside || KEYS.iter().any(|key| key.name.starts_with(&below));
            let is_table = value.get_ref().is_table();
            // The name of an operation has dots, which lead into tables unless they are quoted.
            if leads_on && (is_table || !is_inside) {
                self.collect(&below, self.table(&name, entry)?, layer)?;
                continue;
            }
            let Some(key) = Key::of(&name) else {
                let hint = did_you_mean_key(&name);
                return Err(origin.refuse(format!("there is no key `{}`{hint}", legible(&name))));
            };
            let folder = self.path.parent().unwrap_or(Path::new(""));
            let value = key.kind.parse_toml(value.get_ref(), folder).map_err(|found| {
                let found = found.map(|found| format!(", found {found}")).unwrap_or_default();
                origin.refuse(format!("`{}` must be {}{found}", legible(&name), key.kind.expected()))
            })?;
            layer.add(key, &name, Found { value, origin }, self.operations)?;
        }
        Ok(())
    }
}
