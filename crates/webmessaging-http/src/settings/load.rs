//! Reading settings: what code says of where they are, and how the sources are laid over each other.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use webmessaging_model::Operation;

use crate::error::Error;
use crate::login;
use crate::settings::environment::Environment;
use crate::settings::file::{Place, read_secret};
use crate::settings::keys::{CLIENT_SECRET_FILE, Key};
use crate::settings::layer::{Found, Layer, legible};
use crate::settings::nearest::did_you_mean_key;
use crate::settings::value::Value;
use crate::settings::{Origin, Settings};

/// The flags of a command, by the keys they set.
pub(super) type Flags = BTreeMap<&'static str, &'static str>;

/// Reads [`Settings`]; [`Settings::loader`] starts one.
#[must_use = "nothing is read until `load` is called"]
pub struct Loader {
    path: Option<PathBuf>,
    profile: Option<String>,
    values: Vec<(String, SecretString)>,
    flags: Flags,
    operations: Vec<&'static Operation>,
    environment: Option<Environment>,
}

impl Loader {
    pub(super) fn new() -> Self {
        Self {
            path: None,
            profile: None,
            values: Vec::new(),
            flags: Flags::new(),
            operations: login::OPERATIONS.to_vec(),
            environment: None,
        }
    }

    /// Names the file. It has to be there then.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Names the profile. It has to be there then.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Sets a key, before anything that a file or variable says; the last one stands. The value is text, as in a variable; a list has its
    /// words separated by spaces.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<SecretString>) -> Self {
        let key = key.into();
        self.values.retain(|(name, _)| *name != key);
        self.values.push((key, value.into()));
        self
    }

    /// Names the flag that sets a key, for errors and origins: those who type a command do not see its code.
    pub fn flag(mut self, key: &'static str, flag: &'static str) -> Self {
        self.flags.insert(key, flag);
        self
    }

    /// Adds the operations whose paths may be replaced; at first that is the login alone.
    pub fn operations(mut self, operations: impl IntoIterator<Item = &'static Operation>) -> Self {
        self.operations.extend(operations);
        self
    }

    /// Takes these variables in place of the process's own, and with them the place of the file.
    pub fn variables<K: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.environment = Some(Environment::new(variables));
        self
    }

    /// Reads everything. It reads files on the calling thread, so it belongs to the start of a program.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), which names the variable, or the file and line,
    /// when
    /// - a file or profile that was named is not there; the profiles that are there are listed,
    /// - a file is not TOML, has a key that there is not, or a value that is not what the key takes,
    /// - a file with a client secret can be read by others than its owner,
    /// - two variables for one thing disagree, or a secret is given in two forms.
    pub fn load(self) -> Result<Settings, Error> {
        let environment = self.environment.unwrap_or_else(|| Environment::new(std::env::vars_os()));
        let near_misses = environment.near_misses();
        Environment::warn(&near_misses);
        let place = Place::find(self.path, self.profile, &environment)?;

        let mut values = code(&self.values, &self.flags, &self.operations)?;
        values.underlay(place.read(&self.operations)?);
        values.underlay(environment.layer(&values)?);
        if let Some(Found { value: Value::Path(path), origin }) = values.found(CLIENT_SECRET_FILE) {
            let secret = read_secret(path, origin)?;
            values.resolve(secret);
        }
        Ok(Settings { values, place, flags: self.flags, near_misses })
    }
}

/// The values that code set.
fn code(
    values: &[(String, SecretString)],
    flags: &Flags,
    operations: &[&'static Operation],
) -> Result<Layer, Error> {
    let mut layer = Layer::default();
    for (name, text) in values {
        let origin = Origin::Code(Key::of(name).and_then(|key| flags.get(key.name).copied()));
        let Some(key) = Key::of(name) else {
            let what = format!("there is no key `{}`{}", legible(name), did_you_mean_key(name));
            return Err(origin.refuse(what));
        };
        let Some(value) = key.kind.parse_text(text.expose_secret()) else {
            return Err(origin.refuse(format!("`{name}` must be {}", key.kind.expected())));
        };
        layer.add(key, name, Found { value, origin }, operations)?;
    }
    Ok(layer)
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.values.iter().map(|(name, _)| name).collect();
        f.debug_struct("Loader")
            .field("path", &self.path)
            .field("profile", &self.profile)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}
