//! The layer rule: which crate of the workspace may use which, and what must stay out of reach.

use std::collections::BTreeSet;

use crate::counts;
use crate::report::{Report, Result};
use crate::workspace::{Dependency, Kind, Package, Workspace};

#[derive(Debug)]
struct Layer {
    name: &'static str,
    /// Normal and build dependencies.
    uses: &'static [&'static str],
    /// Allowed only behind a feature.
    uses_optionally: &'static [&'static str],
}

const FACADE: &str = "webmessaging";
const EMULATOR: &str = "webmessaging-emulator";
const MODEL: &str = "webmessaging-model";
const JOURNAL: &str = "webmessaging-journal";
const HTTP: &str = "webmessaging-http";
const STORE: &str = "webmessaging-store";
const CLI: &str = "webmessaging-cli";
const GATEWAY: &str = "webmessaging-gateway";

const FEATURE_CRATE: &[&str] = &[MODEL, JOURNAL, HTTP];

/// Bottom first: an entry names only entries above it. Crates that do not exist yet may stand here.
const LAYERS: &[Layer] = &[
    Layer { name: MODEL, uses: &[], uses_optionally: &[] },
    Layer { name: JOURNAL, uses: &[MODEL], uses_optionally: &[] },
    Layer { name: HTTP, uses: &[MODEL], uses_optionally: &[] },
    Layer { name: "webmessaging-files", uses: FEATURE_CRATE, uses_optionally: &[] },
    Layer { name: "webmessaging-channels", uses: FEATURE_CRATE, uses_optionally: &[] },
    Layer { name: "webmessaging-guests", uses: FEATURE_CRATE, uses_optionally: &[] },
    Layer { name: "webmessaging-bots", uses: FEATURE_CRATE, uses_optionally: &[] },
    Layer { name: STORE, uses: &[MODEL], uses_optionally: &[] },
    Layer { name: "webmessaging-sync", uses: &[MODEL, JOURNAL, HTTP, STORE], uses_optionally: &[] },
    // Without features it verifies a webhook with nothing but the model; the durable receiver is a feature.
    Layer { name: "webmessaging-webhooks", uses: &[MODEL], uses_optionally: &[JOURNAL, STORE] },
    Layer {
        name: FACADE,
        uses: &[
            MODEL,
            JOURNAL,
            HTTP,
            "webmessaging-files",
            "webmessaging-channels",
            "webmessaging-guests",
            "webmessaging-bots",
            STORE,
            "webmessaging-sync",
            "webmessaging-webhooks",
        ],
        uses_optionally: &[],
    },
    Layer { name: GATEWAY, uses: &[FACADE], uses_optionally: &[] },
    // Nothing: built on the client's own code, it would test the client with itself.
    Layer { name: EMULATOR, uses: &[], uses_optionally: &[] },
    Layer { name: CLI, uses: &[FACADE, GATEWAY, EMULATOR], uses_optionally: &[] },
    Layer { name: "xtask", uses: &[], uses_optionally: &[] },
];

/// Third-party crates that one of ours wraps, so that a change of their API touches one crate.
const WRAPPED: &[(&str, &str)] = &[("reqwest", HTTP), ("hyper-rustls", HTTP), ("governor", HTTP)];

struct Forbidden {
    package: &'static str,
    features: &'static [&'static str],
    crates: &'static [&'static str],
}

/// An async runtime, an HTTP client or a TLS library costs a user of the pure crates minutes of
/// compilation and a C compiler.
const HEAVY: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "h2",
    "hyper",
    "hyper-util",
    "native-tls",
    "openssl",
    "reqwest",
    "rustls",
    "tokio",
];

const OUT_OF_REACH: &[Forbidden] = &[
    Forbidden { package: MODEL, features: &["--all-features"], crates: HEAVY },
    Forbidden { package: "webmessaging-webhooks", features: &["--no-default-features"], crates: HEAVY },
    Forbidden { package: EMULATOR, features: &["--all-features"], crates: &["reqwest", HTTP] },
];

pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let mut problems = edges(&workspace.packages);
    for rule in OUT_OF_REACH.iter().filter(|rule| workspace.package(rule.package).is_some()) {
        let reached = counts::dependency_names(&counts::tree(workspace, rule.package, rule.features)?);
        problems.extend(reach(rule, &reached));
    }
    for problem in &problems {
        println!("{problem}");
    }
    println!("packages in the normal dependency tree, the crate itself not counted:");
    for (subject, count) in counts::all(workspace)? {
        println!("{count:>5}  {}", subject.plain());
    }
    Ok(Report::from_problems(problems.len(), format!("{} crates", workspace.packages.len())))
}

/// Checks the direct dependencies of every crate.
fn edges(packages: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == package.name) else {
            problems.push(format!("{}: not in the table of layers in xtask/src/layers.rs", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let problem = if dependency.local {
                internal(layer, dependency)
            } else {
                wrapped(&package.name, dependency)
            };
            problems.extend(problem.map(|why| format!("{} -> {}: {why}", package.name, dependency.name)));
        }
    }
    problems
}

fn internal(layer: &Layer, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    let below = layer.uses.contains(&name);
    let optionally = layer.uses_optionally.contains(&name);
    if dependency.kind == Kind::Dev {
        // A crate names itself to turn on what only its tests need.
        let fixture = name == EMULATOR || name == MODEL || name == layer.name;
        let allowed = layer.name == CLI || layer.name != "xtask" && (fixture || below || optionally);
        return (!allowed).then(|| "tests may use the emulator, the model and the layers below".to_owned());
    }
    if below || optionally && dependency.optional {
        return None;
    }
    if optionally {
        return Some("allowed behind a feature only".to_owned());
    }
    let allowed = [layer.uses, layer.uses_optionally].concat().join(", ");
    Some(format!("not a layer below; allowed: {}", if allowed.is_empty() { "none" } else { &allowed }))
}

fn wrapped(package: &str, dependency: &Dependency) -> Option<String> {
    let (_, owner) = WRAPPED.iter().find(|(name, _)| *name == dependency.name)?;
    let allowed = dependency.kind == Kind::Dev || *owner == package;
    (!allowed).then(|| format!("only {owner} may depend on it"))
}

fn reach(rule: &Forbidden, reached: &BTreeSet<String>) -> Vec<String> {
    let found = rule.crates.iter().filter(|name| reached.contains(**name));
    let features = rule.features.join(" ");
    let say = |name| {
        let package = rule.package;
        let hint = format!("cargo tree -p {package} {features} -e normal -i {name}");
        format!("{package}: reaches {name}, see `{hint}`")
    };
    found.map(say).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Kind, bool)]) -> Package {
        let dependencies = dependencies.iter().map(|&(name, kind, optional)| Dependency {
            name: name.to_owned(),
            kind,
            optional,
            local: name.starts_with("webmessaging"),
        });
        Package { name: name.to_owned(), dependencies: dependencies.collect(), ..Package::default() }
    }

    fn check(name: &str, dependency: (&str, Kind, bool), expected: Option<&str>) {
        let problems = edges(&[package(name, &[dependency])]);
        match expected {
            None => assert_eq!(problems, Vec::<String>::new()),
            Some(part) => {
                assert_eq!(problems.len(), 1, "{problems:?}");
                assert!(problems[0].contains(part), "{problems:?}");
            }
        }
    }

    #[test]
    fn edges_of_the_table_go_down_only() {
        for (index, layer) in LAYERS.iter().enumerate() {
            for used in layer.uses.iter().chain(layer.uses_optionally) {
                let position = LAYERS.iter().position(|other| other.name == *used);
                assert!(position.is_some_and(|p| p < index), "{} -> {used}", layer.name);
            }
        }
    }

    #[test]
    fn normal_and_build_dependencies_follow_the_table() {
        check("webmessaging-files", (HTTP, Kind::Normal, false), None);
        check("webmessaging-files", (STORE, Kind::Normal, false), Some("not a layer below"));
        check("webmessaging-files", ("webmessaging-guests", Kind::Build, true), Some("not a layer below"));
        check(EMULATOR, (MODEL, Kind::Normal, false), Some("allowed: none"));
        check(EMULATOR, (MODEL, Kind::Dev, false), None);
        check(MODEL, (JOURNAL, Kind::Normal, false), Some("allowed: none"));
    }

    #[test]
    fn some_edges_are_for_features_only() {
        check("webmessaging-webhooks", (STORE, Kind::Normal, true), None);
        check("webmessaging-webhooks", (STORE, Kind::Normal, false), Some("behind a feature"));
    }

    #[test]
    fn tests_may_use_fixtures_and_lower_layers_but_not_the_facade() {
        check(HTTP, (EMULATOR, Kind::Dev, false), None);
        check(HTTP, (HTTP, Kind::Dev, false), None);
        check("webmessaging-sync", (STORE, Kind::Dev, false), None);
        check(CLI, ("webmessaging-sync", Kind::Dev, false), None);
        check("webmessaging-files", (FACADE, Kind::Dev, false), Some("tests may use"));
        check("xtask", (MODEL, Kind::Dev, false), Some("tests may use"));
    }

    #[test]
    fn wrapped_crates_have_one_user() {
        check(HTTP, ("reqwest", Kind::Normal, false), None);
        check(EMULATOR, ("reqwest", Kind::Dev, false), None);
        check(CLI, ("governor", Kind::Normal, false), Some("only webmessaging-http"));
    }

    #[test]
    fn a_crate_without_a_layer_is_a_problem() {
        assert_eq!(edges(&[package("webmessaging-new", &[])]).len(), 1);
    }

    #[test]
    fn reach_names_the_crate_and_how_to_see_why() {
        let reached = BTreeSet::from(["serde".to_owned(), "tokio".to_owned()]);
        let problems = reach(&OUT_OF_REACH[0], &reached);
        let expected = "webmessaging-model: reaches tokio, \
                        see `cargo tree -p webmessaging-model --all-features -e normal -i tokio`";
        assert_eq!(problems, [expected]);
    }
}
