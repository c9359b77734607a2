//! Every crate alone with every feature alone: what the whole workspace builds together, cargo
//! unifies, and a feature that one crate forgot to ask for is turned on by another.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::{Report, Result, Verdict};
use crate::workspace::{Kind, Package, Workspace, run as run_command};

const FACADE: &str = "webmessaging";

pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let mut problems = workspace.package(FACADE).map(facade).unwrap_or_default();
    for problem in &problems {
        println!("{problem}");
    }
    let mut checked = 0;
    for package in workspace.packages.iter().filter(|package| package.name != "xtask") {
        for combination in combinations(&package.features) {
            checked += 1;
            let mut command = workspace.cargo();
            command.args(["check", "--quiet", "-p", &package.name]);
            command.args(package.has_lib.then_some("--lib"));
            command.args(package.has_bin.then_some("--bins"));
            let report = run_command(command.args(&combination))?;
            if report.verdict == Verdict::Fail {
                println!("failed: {}", report.note);
                problems.push(report.note);
            }
        }
    }
    Ok(Report::from_problems(problems.len(), format!("{checked} combinations")))
}

/// The arguments for each distinct set of features: none, each alone, the defaults, all.
fn combinations(features: &BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let public: Vec<_> = features.keys().filter(|name| !name.starts_with("__")).collect();
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let mut candidates = vec![(words(&["--no-default-features"]), BTreeSet::new())];
    for &name in public.iter().filter(|name| **name != "default") {
        let arguments = words(&["--no-default-features", "--features", name.as_str()]);
        candidates.push((arguments, closure(features, [name.as_str()])));
    }
    candidates.push((Vec::new(), closure(features, ["default"])));
    candidates.push((words(&["--all-features"]), closure(features, features.keys().map(String::as_str))));

    let mut seen = BTreeSet::new();
    candidates
        .into_iter()
        .filter(|(_, set)| seen.insert(set.clone()))
        .map(|(arguments, _)| arguments)
        .collect()
}

/// Everything that `start` turns on within the package, `default` itself left out.
fn closure<'a>(
    features: &'a BTreeMap<String, Vec<String>>,
    start: impl IntoIterator<Item = &'a str>,
) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = start.into_iter().collect();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(features.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    found.remove("default");
    found
}

/// A crate that the facade hides behind a feature must have one, and `full` must mean all of them.
fn facade(package: &Package) -> Vec<String> {
    let optional = package.dependencies.iter().filter(|d| d.optional && d.local && d.kind == Kind::Normal);
    let full = closure(&package.features, ["full"]);
    let mut problems = Vec::new();
    for dependency in optional {
        let switch = format!("dep:{}", dependency.name);
        let mut own = package.features.iter().filter(|(name, _)| *name != "full" && *name != "default");
        if !own.any(|(_, enables)| enables.contains(&switch)) {
            problems.push(format!("{}: no feature enables {}", package.name, dependency.name));
        }
        if !full.contains(switch.as_str()) {
            problems.push(format!("{}: feature `full` does not enable {}", package.name, dependency.name));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn features(entries: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let own = |enables: &[&str]| enables.iter().map(|&name| name.to_owned()).collect();
        entries.iter().map(|(name, enables)| ((*name).to_owned(), own(enables))).collect()
    }

    fn lines(features: &BTreeMap<String, Vec<String>>) -> Vec<String> {
        combinations(features).iter().map(|arguments| arguments.join(" ")).collect()
    }

    #[test]
    fn a_crate_without_features_is_checked_once() {
        assert_eq!(lines(&features(&[])), ["--no-default-features"]);
        assert_eq!(lines(&features(&[("default", &[])])), ["--no-default-features"]);
    }

    #[test]
    fn features_that_differ_are_checked_apart() {
        let features = features(&[("default", &["a"]), ("a", &["dep:x"]), ("b", &[]), ("__test", &[])]);
        let expected = [
            "--no-default-features",
            "--no-default-features --features a",
            "--no-default-features --features b",
            "--all-features",
        ];
        assert_eq!(lines(&features), expected);
    }

    #[test]
    fn defaults_of_several_features_are_a_combination() {
        let features = features(&[("default", &["a", "b"]), ("a", &[]), ("b", &[]), ("c", &[])]);
        assert!(lines(&features).contains(&String::new()));
    }

    #[test]
    fn the_facade_needs_a_feature_per_crate_and_full() {
        let dependency = |name: &str| Dependency {
            name: name.to_owned(),
            kind: Kind::Normal,
            optional: true,
            local: true,
        };
        let mut package = Package {
            name: FACADE.to_owned(),
            dependencies: vec![dependency("webmessaging-files"), dependency("webmessaging-bots")],
            features: features(&[("files", &["dep:webmessaging-files"]), ("full", &["files"])]),
            ..Package::default()
        };
        let expected = [
            "webmessaging: no feature enables webmessaging-bots",
            "webmessaging: feature `full` does not enable webmessaging-bots",
        ];
        assert_eq!(facade(&package), expected);

        package.features = features(&[
            ("files", &["dep:webmessaging-files"]),
            ("bots", &["dep:webmessaging-bots"]),
            ("full", &["files", "bots"]),
        ]);
        assert_eq!(facade(&package), Vec::<String>::new());
    }
}
