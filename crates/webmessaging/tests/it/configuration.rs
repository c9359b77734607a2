//! `docs/reference/configuration.md`: its tables are made from the code, and its example works.
//!
//! `cargo xtask gen` writes the page anew.

use std::fmt::Write;

use expect_test::expect_file;
use webmessaging::http::settings::{KEYS, Key, Kind, Loader, Settings};
use webmessaging::reference::operations;

const INTRODUCTION: &str = include_str!("configuration.md");

/// The environment of nobody.
const NONE: [(&str, &str); 0] = [];

fn row(page: &mut String, key: &Key) {
    let name = match key.name.strip_suffix('.') {
        Some(table) => format!("`{table}.\"OPERATION\"`"),
        None => format!("`{}`", key.name),
    };
    let name = key.alias.map_or(name.clone(), |alias| format!("{name}, `{alias}`"));
    let default = key.default.map(|default| format!("`{default}`")).unwrap_or_default();
    let variables: Vec<_> = key.variables.iter().map(|name| format!("`{name}`")).collect();
    let (about, value) = (key.about, key.kind.expected());
    writeln!(page, "| {name} | {about} | {value} | {default} | {} |", variables.join(", ")).unwrap();
}

/// Named so that the filter of `cargo xtask gen` finds it.
#[test]
fn reference_of_configuration() {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## Keys\n\n");
    page.push_str("| key | what it is | value | default | variables |\n|---|---|---|---|---|\n");
    for key in KEYS {
        row(&mut page, key);
    }
    expect_file!["../../../../docs/reference/configuration.md"].assert_eq(&page);
}

/// What stands between the fences of a kind.
fn blocks(kind: &str) -> impl Iterator<Item = &'static str> {
    let fence = format!("```{kind}\n");
    let parts: Vec<_> = INTRODUCTION.split(&*fence).skip(1).collect();
    parts.into_iter().map(|part| part.split("```").next().unwrap())
}

fn load(folder: &tempfile::TempDir, text: &str, set_up: impl FnOnce(Loader) -> Loader) -> Settings {
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(folder.path().join("secret"), "s").unwrap();
    let loader = Settings::loader().variables(NONE).operations(operations()).file(path);
    set_up(loader).load().unwrap()
}

#[test]
fn the_example_has_every_key_and_works() {
    let folder = tempfile::tempdir().unwrap();
    let example: String = blocks("toml").collect();
    let whole = load(&folder, &example, |loader| loader);
    whole.builder().unwrap().build().unwrap();
    let profile = |name: &str| {
        let settings = load(&folder, &example, |loader| loader.profile(name));
        settings.builder().unwrap().build().unwrap();
        settings
    };
    let office = load(&folder, &example, |loader| loader.profile("office"));
    let all = [whole, office, profile("borrowed"), profile("offline")];
    let set = |name: &str| {
        let is = |setting: &webmessaging::http::settings::Setting| {
            setting.name.starts_with(name) && setting.origin.to_string() != "default"
        };
        all.iter().flat_map(Settings::origins).any(|setting| is(&setting))
    };
    // What the secret is read from ends as the secret.
    for key in KEYS.iter().filter(|key| key.kind != Kind::Path) {
        assert!(set(key.name), "{} is not in the example", key.name);
    }
}

#[test]
fn every_default_is_what_its_key_takes() {
    for (key, default) in KEYS.iter().filter_map(|key| Some((key, key.default?))) {
        Settings::loader().variables(NONE).set(key.name, default).load().unwrap();
    }
}
