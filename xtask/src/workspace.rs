//! What cargo knows of the workspace, and how this program runs others.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::report::{Report, Result};

#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target_dir: PathBuf,
    pub(crate) packages: Vec<Package>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the workspace root, with `/`.
    pub(crate) dir: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) has_lib: bool,
    pub(crate) has_bin: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
    /// Whether it is a folder on this disk, that is, one of ours.
    pub(crate) local: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let mut command = Command::new(cargo_binary());
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        Self::from_metadata(&capture(&mut command)?)
    }

    fn from_metadata(json: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(json)?;
        let root = PathBuf::from(text(&value, "workspace_root")?);
        let target_dir = PathBuf::from(text(&value, "target_directory")?);
        let packages = array(&value, "packages").iter().map(|p| Package::read(p, &root));
        let packages = packages.collect::<Result<_>>()?;
        Ok(Self { root, target_dir, packages })
    }

    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// Cargo, in the root. What `cargo run` told this program about its own package is taken away:
    /// build scripts that watch these variables would otherwise run again.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(cargo_binary());
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            let own = name
                .to_str()
                .is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_"));
            if own {
                command.env_remove(name);
            }
        }
        command
    }
}

impl Package {
    fn read(value: &Value, root: &Path) -> Result<Self> {
        let manifest = PathBuf::from(text(value, "manifest_path")?);
        let dir = manifest.parent().unwrap_or(root);
        let dir = dir.strip_prefix(root).unwrap_or(dir).to_string_lossy().replace('\\', "/");
        let has = |wanted: &str| {
            let mut kinds = array(value, "targets").iter().flat_map(|target| array(target, "kind"));
            kinds.any(|kind| kind == wanted)
        };
        let mut features = BTreeMap::new();
        for (name, enables) in value.get("features").and_then(Value::as_object).into_iter().flatten() {
            let enables = enables.as_array().into_iter().flatten().filter_map(Value::as_str);
            features.insert(name.clone(), enables.map(str::to_owned).collect());
        }
        Ok(Self {
            name: text(value, "name")?.to_owned(),
            dir,
            dependencies: array(value, "dependencies").iter().map(Dependency::read).collect::<Result<_>>()?,
            features,
            has_lib: has("lib") || has("proc-macro"),
            has_bin: has("bin"),
        })
    }
}

impl Dependency {
    fn read(value: &Value) -> Result<Self> {
        let kind = match value.get("kind").and_then(Value::as_str) {
            None => Kind::Normal,
            Some("build") => Kind::Build,
            Some("dev") => Kind::Dev,
            Some(other) => return Err(format!("cargo metadata: unknown dependency kind: {other}").into()),
        };
        Ok(Self {
            name: text(value, "name")?.to_owned(),
            kind,
            optional: value.get("optional").and_then(Value::as_bool).unwrap_or(false),
            local: value.get("path").is_some_and(Value::is_string),
        })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    let found = value.get(key).and_then(Value::as_str);
    found.ok_or_else(|| format!("cargo metadata: no text in `{key}`").into())
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn cargo_binary() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs with the output going straight to the terminal; a failure carries the child's exit code.
pub(crate) fn run(command: &mut Command) -> Result<Report> {
    let line = describe(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if status.success() {
        return Ok(Report::pass(""));
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(Report::fail(format!("`{line}`: {status}")).with_code(code))
}

/// Runs and returns what was written to standard output; an error quotes standard error.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{line}`: {}\n{}", output.status, stderr.trim_end()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The command as one would type it: the folder of the program is noise.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read() {
        let json = r#"{
            "workspace_root": "/w", "target_directory": "/t",
            "packages": [{
                "name": "a", "manifest_path": "/w/crates/a/Cargo.toml",
                "targets": [{"kind": ["lib"]}, {"kind": ["test"]}],
                "features": {"default": ["x"], "x": ["dep:b"]},
                "dependencies": [
                    {"name": "b", "kind": null, "optional": true, "path": "/w/crates/b"},
                    {"name": "c", "kind": "dev", "optional": false}
                ]
            }]
        }"#;
        let workspace = Workspace::from_metadata(json).unwrap();
        let package = workspace.package("a").unwrap();
        assert_eq!(package.dir, "crates/a");
        assert!(package.has_lib && !package.has_bin);
        assert_eq!(package.features["x"], ["dep:b"]);
        let kinds: Vec<_> = package.dependencies.iter().map(|d| (d.kind, d.optional, d.local)).collect();
        assert_eq!(kinds, [(Kind::Normal, true, true), (Kind::Dev, false, false)]);
    }

    #[test]
    fn an_error_quotes_the_child() {
        let error = capture(Command::new(cargo_binary()).arg("no-such-command-here")).unwrap_err();
        assert!(error.to_string().contains("no-such-command-here"), "{error}");
    }
}
