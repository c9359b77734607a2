//! The environment: the variables of the design documents and of the official command line, and what looks like them.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use crate::error::Error;
use crate::log;
use crate::settings::Origin;
use crate::settings::keys::{KEYS, Key};
use crate::settings::layer::{Found, Layer};

/// The file with the settings.
pub(super) const CONFIG: &str = "WEBMESSAGING_CONFIG";
/// The profile in it.
pub(super) const PROFILE: &str = "WEBMESSAGING_PROFILE";

/// A snapshot of the environment.
pub(super) struct Environment(HashMap<OsString, OsString>);

/// A variable that looks like a known one which is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NearMiss {
    pub(super) found: String,
    pub(super) meant: &'static str,
}

impl Environment {
    pub(super) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// A variable that is set to something.
    pub(super) fn path(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A variable that is set to some text.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Error> {
        let unreadable = || Origin::Variable(name).refuse("is not valid UTF-8");
        self.path(name).map(|value| value.to_str().ok_or_else(unreadable)).transpose()
    }

    /// The values of the variables that `stronger` sources leave room for. The others are not even looked at: what does
    /// not count cannot be wrong.
    pub(super) fn layer(&self, stronger: &Layer) -> Result<Layer, Error> {
        let mut layer = Layer::default();
        for key in KEYS.iter().filter(|key| !stronger.covers(key.name)) {
            if let Some(found) = self.value(key)? {
                layer.add(key, key.name, found, &[])?;
            }
        }
        Ok(layer)
    }

    fn value(&self, key: &Key) -> Result<Option<Found>, Error> {
        let mut first: Option<(&str, Found)> = None;
        for name in key.variables.iter().copied() {
            let Some(text) = self.text(name)? else { continue };
            let origin = Origin::Variable(name);
            let Some(value) = key.kind.parse_text(text) else {
                return Err(origin.refuse(format!("must be {}", key.kind.expected())));
            };
            match &first {
                None => first = Some((name, Found { value, origin })),
                Some((_, found)) if found.value.agrees(&value) => {}
                Some((other, _)) => {
                    return Err(Error::configuration(format!(
                        "{other} and {name} are two names for one thing and disagree, unset one of them"
                    )));
                }
            }
        }
        Ok(first.map(|(_, found)| found))
    }

    /// Looks for variables that nobody reads, although somebody may have meant them to be.
    pub(super) fn near_misses(&self) -> Vec<NearMiss> {
        let known: Vec<_> =
            KEYS.iter().map(|key| key.variables).chain([&[CONFIG][..], &[PROFILE][..]]).collect();
        let is_known = |name: &str| known.iter().any(|names| names.contains(&name));
        let open = known.iter().filter(|names| names.iter().all(|name| self.path(name).is_none()));
        let open: Vec<_> = open.flat_map(|names| names.iter().copied()).collect();
        let mut misses: Vec<_> = self
            .0
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, _)| name.to_str())
            .filter(|name| stem(name).is_some() && !is_known(name))
            .filter_map(|name| {
                let meant = open.iter().copied().find(|known| is_near(name, known))?;
                Some(NearMiss { found: name.to_owned(), meant })
            })
            .collect();
        misses.sort_by(|a, b| a.found.cmp(&b.found));
        misses
    }

    /// Says aloud what is set in vain.
    pub(super) fn warn(misses: &[NearMiss]) {
        for NearMiss { found, meant } in misses {
            log::near_miss(found, meant);
        }
    }
}

/// What a variable is about, in letters alone: other tools spell the same prefixes and underscores otherwise.
fn stem(name: &str) -> Option<String> {
    let letters = name.to_ascii_uppercase().replace('_', "");
    let prefixes = ["GENESYSCLOUD", "GENESYS", "WEBMESSAGING"];
    let stem = prefixes.iter().find_map(|prefix| letters.strip_prefix(prefix))?;
    Some(stem.to_owned())
}

fn is_near(name: &str, known: &str) -> bool {
    let (Some(found), Some(known)) = (stem(name), stem(known)) else { return false };
    let slips = if known.len() < 8 { 1 } else { 2 };
    strsim::osa_distance(&found, &known) <= slips
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near_misses(names: &[&str]) -> Vec<(String, &'static str)> {
        let variables = names.iter().map(|name| (OsString::from(name), OsString::from("x")));
        let misses = Environment::new(variables).near_misses();
        misses.into_iter().map(|miss| (miss.found, miss.meant)).collect()
    }

    #[test]
    fn slips_are_told_from_the_variables_of_others() {
        for (found, meant) in [
            ("GENESYS_CLIENTID", "GENESYS_CLIENT_ID"),
            ("GENESYS_CLEINT_ID", "GENESYS_CLIENT_ID"),
            ("genesys_client_id", "GENESYS_CLIENT_ID"),
            ("GENESYS_CLOUD_CLIENT_ID", "GENESYS_CLIENT_ID"),
            ("GENESYS_OAUTHCLIENT_SECRET", "GENESYSCLOUD_OAUTHCLIENT_SECRET"),
            ("GENESYS_ORGANISATION_ID", "GENESYS_ORGANIZATION_ID"),
            ("GENESYS_REGION", "GENESYSCLOUD_REGION"),
            ("WEBMESSAGING_CONFIGS", "WEBMESSAGING_CONFIG"),
        ] {
            assert_eq!(near_misses(&[found]), [(found.to_owned(), meant)]);
        }
        let others = [
            "GENESYSCLOUD_TOKEN_POOL_SIZE",
            "GENESYSCLOUD_SDK_DEBUG",
            "GENESYSCLOUD_ACCESS_TOKEN",
            "GENESYS_HOME",
            "GENESYS",
            "GENESIS_CLIENT_ID",
            "CLIENT_ID",
        ];
        assert_eq!(near_misses(&others), []);
    }

    #[test]
    fn a_variable_beside_the_right_one_is_somebody_elses() {
        assert_eq!(near_misses(&["GENESYS_CLIENT_ID", "GENESYS_CLIENT_ID2"]), []);
        assert_eq!(near_misses(&["GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYS_CLIENTID"]), []);
    }
}
