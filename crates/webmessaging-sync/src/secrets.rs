//! Where the secrets of targets come from: a value, a variable, a file; read only by those who ask for it.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Longest secret, and longest file with one, in bytes.
const SECRET_BYTES_MAX: u64 = 8 * 1024;

/// A secret, or the place where it is.
#[derive(Clone)]
#[non_exhaustive]
pub enum SecretSource {
    /// The secret itself.
    Value(SecretString),
    /// The name of an environment variable that holds it.
    Variable(String),
    /// A file that holds it, and only its owner can read; white space around it is not part of it.
    File(PathBuf),
}

impl From<SecretString> for SecretSource {
    fn from(value: SecretString) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for SecretSource {
    fn from(value: &str) -> Self {
        Self::Value(value.into())
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value([not shown])"),
            Self::Variable(name) => f.debug_tuple("Variable").field(name).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// Where secrets may be read from when targets are built.
///
/// # Examples
/// ```
/// use webmessaging_sync::{Auth, SecretSource, Secrets, ShapeName, TargetConfig};
///
/// let config = TargetConfig::new("dms", "https://dms.example/batches", ShapeName::Documents)
///     .auth(Auth::Bearer(SecretSource::Variable("DMS_TOKEN".to_owned())));
/// let error = config.clone().build(&Secrets::none()).unwrap_err();
/// assert!(error.to_string().contains("build it with `Secrets::system`"));
/// config.build(&Secrets::system().variables([("DMS_TOKEN", "s3cret")]))?;
/// # Ok::<(), webmessaging_sync::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Secrets {
    may_read: bool,
    variables: Option<HashMap<String, SecretString>>,
}

impl Secrets {
    /// Neither the environment nor a file is read: secrets are values.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Variables of the process and files that targets name are read, on the calling thread.
    #[must_use]
    pub fn system() -> Self {
        Self { may_read: true, variables: None }
    }

    /// Takes these variables in place of the process's own.
    #[must_use]
    pub fn variables<K: Into<String>, V: Into<SecretString>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.variables =
            Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// The secret, or what is wrong with its place.
    pub(crate) fn read(&self, source: &SecretSource) -> Result<SecretString, String> {
        match source {
            SecretSource::Value(value) => Ok(value.clone()),
            _ if !self.may_read => {
                Err("the secret is in a variable or file: build it with `Secrets::system`".to_owned())
            }
            SecretSource::Variable(name) => {
                let found = match &self.variables {
                    Some(variables) => variables.get(name).cloned(),
                    None => std::env::var(name).ok().map(SecretString::from),
                };
                found.ok_or_else(|| format!("the variable `{name}` is not set, or is not text"))
            }
            SecretSource::File(path) => read_file(path),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("may_read", &self.may_read).finish_non_exhaustive()
    }
}

fn read_file(path: &Path) -> Result<SecretString, String> {
    let refuse = |why: String| format!("the file `{}` {why}", path.display());
    let unreadable = |error: std::io::Error| refuse(format!("cannot be read: {}", error.kind()));
    // Looked at before it is opened: a pipe would keep us until somebody writes to it.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refuse("is not a file".to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    check_private(&file).map_err(refuse)?;
    let mut text = String::new();
    file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > SECRET_BYTES_MAX) {
        return Err(refuse(format!("is longer than {SECRET_BYTES_MAX} bytes")));
    }
    Ok(SecretString::from(text.trim()))
}

#[cfg(unix)]
fn check_private(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    let mode =
        file.metadata().map_err(|error| format!("cannot be read: {}", error.kind()))?.permissions().mode();
    if mode & 0o077 != 0 {
        let mode = mode & 0o777;
        return Err(format!("has mode {mode:03o}, others could read it: set its mode to 600"));
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere the system says who may read a file, and not by a mode"
)]
fn check_private(_: &File) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(secrets: &Secrets, source: &SecretSource) -> Result<String, String> {
        secrets.read(source).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn nothing_is_read_unasked() {
        let refusal = "the secret is in a variable or file: build it with `Secrets::system`";
        for source in [SecretSource::Variable("PATH".into()), SecretSource::File("/etc/hostname".into())] {
            assert_eq!(read(&Secrets::none(), &source).unwrap_err(), refusal);
        }
        assert_eq!(read(&Secrets::none(), &"s3cret".into()).unwrap(), "s3cret");
    }

    #[test]
    fn a_place_without_a_secret_is_named() {
        let secrets = Secrets::system().variables([("A", "s3cret")]);
        assert_eq!(read(&secrets, &SecretSource::Variable("A".into())).unwrap(), "s3cret");
        let missing = read(&secrets, &SecretSource::Variable("B".into())).unwrap_err();
        assert_eq!(missing, "the variable `B` is not set, or is not text");
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| SecretSource::File(folder.path().join(name));
        assert!(read(&secrets, &at("a")).unwrap_err().ends_with("cannot be read: entity not found"));
        assert!(read(&secrets, &at("")).unwrap_err().ends_with("is not a file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, " s3cret\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let source = SecretSource::File(path.clone());
        mode(0o640);
        let refusal = read(&Secrets::system(), &source).unwrap_err();
        assert!(refusal.ends_with("has mode 640, others could read it: set its mode to 600"), "{refusal}");
        mode(0o600);
        assert_eq!(read(&Secrets::system(), &source).unwrap(), "s3cret");
        let limit = usize::try_from(SECRET_BYTES_MAX).unwrap();
        std::fs::write(&path, "x".repeat(limit + 1)).unwrap();
        assert!(read(&Secrets::system(), &source).unwrap_err().ends_with("is longer than 8192 bytes"));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let sources = [SecretSource::from("s3cret"), SecretSource::Variable("A".into())];
        let secrets = Secrets::system().variables([("A", "s3cret")]);
        assert!(!format!("{sources:?} {secrets:?}").contains("s3cret"));
    }
}
