//! A home folder with a settings file.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use webmessaging_http::settings::{Loader, Settings};
use webmessaging_http::{Error, ErrorKind};

pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    /// A home without a file.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let variables = ["HOME", "APPDATA"].map(|name| (name.to_owned(), home.clone())).to_vec();
        Self { folder, variables }
    }

    pub(crate) fn with(text: &str) -> Self {
        let home = Self::empty();
        home.write(&home.path(), text);
        home
    }

    /// Where the file is looked for.
    pub(crate) fn path(&self) -> PathBuf {
        let base =
            if cfg!(windows) { self.folder.path().to_owned() } else { self.folder.path().join(".config") };
        base.join("webmessaging").join("config.toml")
    }

    /// Another file, for its owner alone.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        self.write(&path, text);
        path
    }

    #[expect(clippy::unused_self, reason = "files belong into a home")]
    fn write(&self, path: &PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn loader(&self) -> Loader {
        Settings::loader().variables(self.variables.clone())
    }

    #[track_caller]
    pub(crate) fn load(&self) -> Settings {
        self.loader().load().unwrap()
    }

    /// The error of a file, without the file's own name.
    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        refused(self.loader()).replace(&self.path().display().to_string(), "FILE")
    }
}

#[track_caller]
pub(crate) fn refused(loader: Loader) -> String {
    let error: Error = loader.load().expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

/// How a setting stands, and where it comes from.
#[track_caller]
pub(crate) fn setting(settings: &Settings, name: &str) -> (Option<String>, String) {
    let found = settings.origins().find(|setting| setting.name == name).expect("a setting");
    (found.shown, found.origin.to_string())
}
