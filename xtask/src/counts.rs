//! How much a user takes in with each crate: the sizes of dependency trees.

use std::collections::BTreeSet;

use crate::report::Result;
use crate::workspace::{Workspace, capture};

/// The figures must not depend on the machine that makes them.
const TARGET: &str = "x86_64-unknown-linux-gnu";

#[derive(Debug)]
pub(crate) struct Subject {
    package: &'static str,
    /// The feature to turn on besides the defaults.
    feature: Option<&'static str>,
}

/// What is counted, in the order of the README's table.
const SUBJECTS: &[Subject] = &[
    Subject { package: "webmessaging-model", feature: None },
    Subject { package: "webmessaging-http", feature: None },
    Subject { package: "webmessaging-http", feature: Some("settings") },
    Subject { package: "webmessaging-files", feature: None },
    Subject { package: "webmessaging-channels", feature: None },
    Subject { package: "webmessaging-guests", feature: None },
    Subject { package: "webmessaging-guests", feature: Some("phone") },
    Subject { package: "webmessaging-bots", feature: None },
    Subject { package: "webmessaging-journal", feature: None },
    Subject { package: "webmessaging-journal", feature: Some("audit") },
    Subject { package: "webmessaging-store", feature: None },
    Subject { package: "webmessaging-store", feature: Some("postgres") },
    Subject { package: "webmessaging-webhooks", feature: None },
    Subject { package: "webmessaging-webhooks", feature: Some("axum") },
    Subject { package: "webmessaging-sync", feature: None },
    Subject { package: "webmessaging", feature: None },
    Subject { package: "webmessaging", feature: Some("full") },
    Subject { package: "webmessaging-gateway", feature: None },
    Subject { package: "webmessaging-emulator", feature: None },
    Subject { package: "webmessaging-cli", feature: None },
];

impl Subject {
    pub(crate) fn plain(&self) -> String {
        self.markdown().replace('`', "")
    }

    pub(crate) fn markdown(&self) -> String {
        match self.feature {
            None => format!("`{}`", self.package),
            Some(feature) => format!("`{}` with feature `{feature}`", self.package),
        }
    }

    fn exists(&self, workspace: &Workspace) -> bool {
        let Some(package) = workspace.package(self.package) else { return false };
        self.feature.is_none_or(|feature| package.features.contains_key(feature))
    }
}

/// Counts the packages that come with each subject, itself excluded.
pub(crate) fn all(workspace: &Workspace) -> Result<Vec<(&'static Subject, usize)>> {
    let subjects = SUBJECTS.iter().filter(|subject| subject.exists(workspace));
    let counted = subjects.map(|subject| {
        let features: &[&str] = match &subject.feature {
            None => &[],
            Some(feature) => &["--features", feature],
        };
        Ok((subject, packages(&tree(workspace, subject.package, features)?).len()))
    });
    counted.collect()
}

/// The normal dependency tree of one crate alone, without itself, as cargo prints it.
pub(crate) fn tree(workspace: &Workspace, package: &str, features: &[&str]) -> Result<String> {
    let attempt = |offline: &[&str]| {
        let mut command = workspace.cargo();
        command.args(["tree", "-p", package, "-e", "normal", "--prefix", "none", "--target", TARGET]);
        capture(command.args(["--color", "never", "--locked"]).args(features).args(offline))
    };
    // Offline is faster and does not fail with the network; a first build needs the network.
    let output = attempt(&["--offline"]).or_else(|_| attempt(&[]))?;
    Ok(output.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default())
}

/// The distinct `name version` pairs of a printed tree.
fn packages(tree: &str) -> BTreeSet<(&str, &str)> {
    tree.lines().filter_map(name_and_version).collect()
}

pub(crate) fn dependency_names(tree: &str) -> BTreeSet<String> {
    packages(tree).into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "\
serde v1.0.229
serde_derive v1.0.229 (proc-macro)
syn v2.0.100
syn v3.0.1
webmessaging-model v0.1.0 (/somewhere/crates/webmessaging-model)
serde v1.0.229 (*)
";

    #[test]
    fn repeated_lines_count_once_and_versions_apart() {
        assert_eq!(packages(TREE).len(), 5);
    }

    #[test]
    fn names_are_the_first_words() {
        let names = dependency_names(TREE);
        assert!(names.contains("webmessaging-model") && names.contains("syn"));
        assert_eq!(names.len(), 4);
    }

    #[test]
    fn subjects_name_their_feature() {
        let subject = Subject { package: "a", feature: Some("full") };
        assert_eq!(subject.markdown(), "`a` with feature `full`");
        assert_eq!(subject.plain(), "a with feature full");
    }
}
