//! The values of one source, and how those of a stronger one cover them.

use std::collections::BTreeMap;

use http::HeaderName;
use secrecy::SecretString;
use webmessaging_model::Operation;

use crate::error::Error;
use crate::settings::keys::{
    ACCESS_TOKEN, BASE_URL, CLIENT_SECRET, CLIENT_SECRET_FILE, ENVIRONMENT, GATEWAY_HOST, HEADERS, Key,
    LOGIN_URL, PATHS, PROXY_URL,
};
use crate::settings::nearest::did_you_mean;
use crate::settings::value::Value;
use crate::settings::{Origin, Setting};

#[derive(Clone)]
pub(super) struct Found {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Values by the names of their keys.
#[derive(Clone, Default)]
pub(super) struct Layer {
    values: BTreeMap<&'static str, Found>,
    paths: BTreeMap<&'static str, (&'static Operation, Found)>,
    headers: BTreeMap<String, Found>,
}

impl Layer {
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|found| &found.value)
    }

    pub(super) fn found(&self, name: &str) -> Option<&Found> {
        self.values.get(name)
    }

    /// Where the first secret comes from.
    pub(super) fn secret(&self) -> Option<&Origin> {
        let mut all = self.values.values().chain(self.headers.values());
        let secret = all.find(|found| matches!(found.value, Value::Secret(_)));
        secret.map(|found| &found.origin)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = (&'static Operation, &str)> {
        self.paths.values().filter_map(|(operation, found)| match &found.value {
            Value::Text(template) => Some((*operation, template.as_str())),
            _ => None,
        })
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.headers.iter().filter_map(|(name, found)| match &found.value {
            Value::Secret(value) => Some((name.as_str(), value)),
            _ => None,
        })
    }

    /// What stands for a key; several for a table.
    pub(super) fn settings_of(&self, key: &Key) -> Vec<Setting> {
        let setting = |name: String, found: &Found| Setting {
            name,
            shown: Some(found.value.shown()),
            origin: found.origin.clone(),
        };
        if key.name == PATHS {
            let paths = self.paths.iter();
            return paths.map(|(name, (_, found))| setting(format!("{PATHS}{name}"), found)).collect();
        }
        if key.name == HEADERS {
            let headers = self.headers.iter();
            return headers.map(|(name, found)| setting(format!("{HEADERS}{name}"), found)).collect();
        }
        self.found(key.name).map(|found| setting(key.name.to_owned(), found)).into_iter().collect()
    }

    /// Adds a value; `name` is what the source calls it.
    pub(super) fn add(
        &mut self,
        key: &'static Key,
        name: &str,
        found: Found,
        operations: &[&'static Operation],
    ) -> Result<(), Error> {
        let origin = found.origin.clone();
        let is_new = if key.name == PATHS {
            let wanted = name.strip_prefix(PATHS).unwrap_or(name);
            let Some(operation) = operations.iter().find(|operation| operation.name == wanted) else {
                let names = operations.iter().map(|operation| operation.name);
                return Err(origin.refuse(format!(
                    "there is no operation `{}`{}",
                    legible(wanted),
                    did_you_mean(wanted, names)
                )));
            };
            self.paths.insert(operation.name, (*operation, found)).is_none()
        } else if key.name == HEADERS {
            let wanted = name.strip_prefix(HEADERS).unwrap_or(name);
            let Ok(wanted) = HeaderName::try_from(wanted) else {
                return Err(origin.refuse("this is a name that no header can have"));
            };
            self.headers.insert(wanted.as_str().to_owned(), found).is_none()
        } else {
            self.values.insert(key.name, found).is_none()
        };
        if !is_new {
            let name = if key.is_table() { legible(name) } else { key.name };
            return Err(origin.refuse(format!("`{name}` is set twice")));
        }
        if let (Some(secret), Some(file)) = (self.found(CLIENT_SECRET), self.found(CLIENT_SECRET_FILE)) {
            return Err(Error::configuration(format!(
                "{} and {}: `{CLIENT_SECRET}` and `{CLIENT_SECRET_FILE}` are two forms of one thing, set one of them",
                secret.origin, file.origin
            )));
        }
        Ok(())
    }

    /// Whether a stronger source leaves no room for this key of a weaker one.
    pub(super) fn covers(&self, name: &str) -> bool {
        let has = |names: &[&str]| names.iter().any(|name| self.values.contains_key(name));
        let in_table = |table: &str| name.split_once('.').is_some_and(|(found, _)| found == table);
        match name {
            // Whoever brings one proof of who calls does not mean that of another source.
            CLIENT_SECRET | CLIENT_SECRET_FILE | ACCESS_TOKEN => {
                has(&[CLIENT_SECRET, CLIENT_SECRET_FILE, ACCESS_TOKEN])
            }
            // A login URL that belongs to another API would be sent credentials of this one.
            ENVIRONMENT | BASE_URL => has(&[ENVIRONMENT, BASE_URL, GATEWAY_HOST]),
            LOGIN_URL => has(&[ENVIRONMENT, BASE_URL, GATEWAY_HOST, LOGIN_URL]),
            _ if in_table("gateway") => has(&[ENVIRONMENT, BASE_URL, GATEWAY_HOST, name]),
            // Nor is one proxy's password for another one.
            _ if in_table("proxy") => has(&[PROXY_URL, name]),
            _ => has(&[name]),
        }
    }

    /// Takes over what a weaker source has and this one leaves room for.
    pub(super) fn underlay(&mut self, weaker: Self) {
        let rest: Vec<_> = weaker.values.into_iter().filter(|(name, _)| !self.covers(name)).collect();
        self.values.extend(rest);
        for (name, path) in weaker.paths {
            self.paths.entry(name).or_insert(path);
        }
        for (name, header) in weaker.headers {
            self.headers.entry(name).or_insert(header);
        }
    }

    /// Replaces the file of a secret by the secret in it.
    pub(super) fn resolve(&mut self, secret: Value) {
        if let Some(file) = self.values.remove(CLIENT_SECRET_FILE) {
            self.values.insert(CLIENT_SECRET, Found { value: secret, origin: file.origin });
        }
    }
}

/// A name that somebody wrote where a key belongs. Whoever swaps key and value has put a secret there, so only what
/// looks like a name is repeated.
pub(super) fn legible(name: &str) -> &str {
    let is_plain = name.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | '.'));
    if is_plain && name.len() <= 40 { name } else { "..." }
}
