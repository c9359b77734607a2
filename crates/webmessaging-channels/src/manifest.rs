//! What channels are to look like, as a document.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use webmessaging_model::json_merge::{Change, apply_merge_patch};
use webmessaging_model::{Browser, ChannelId, ChannelRules, Code, Violation, Violations};

use crate::channel::Channel;
use crate::places;

/// What channels are to look like: of each, the places that somebody answers for. What it does not name is left alone.
///
/// # Examples
/// From code, or from JSON:
/// ```
/// use webmessaging_channels::Manifest;
/// use webmessaging_model::ChannelRules;
///
/// let manifest: Manifest = serde_json::from_str(
///     r#"{"browsers": ["chrome", "safari"], "channel": [
///         {"id": "channel-1", "configuration": {"webchat": {"maxConcurrentSessions": 800}}}
///     ]}"#,
/// )?;
/// assert!(manifest.check(&ChannelRules::default()).is_ok());
/// # Ok::<(), serde_json::Error>(())
/// ```
/// and from TOML with the feature `toml`, where it reads best.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// The browsers that every feature has to work in, for the channels that name none of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub browsers: Vec<Browser>,
    /// The channels, each once.
    #[serde(default, rename = "channel")]
    pub channels: Vec<Declared>,
}

/// What one channel is to look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Declared {
    /// Its id.
    pub id: ChannelId,
    /// The browsers that its features have to work in, in place of those of the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browsers: Option<Vec<Browser>>,
    /// What must not be there: JSON Pointers below `configuration`, such as `/webchat/theme`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// What must be there, at the same places as in the channel. Lists are meant as a whole.
    #[serde(default)]
    pub configuration: Map<String, Value>,
}

/// Channels as a manifest, and what of them it cannot say.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Exported {
    /// The manifest; a plan of it changes nothing.
    pub manifest: Manifest,
    /// What was left out, by channel and JSON Pointer below `configuration`: places with a `null`, which nothing can be set to, and whole
    /// numbers above 2^63 - 1, which TOML does not have.
    pub left_out: Vec<(ChannelId, String)>,
}

impl Manifest {
    /// A manifest of channels.
    pub fn new(channels: impl IntoIterator<Item = Declared>) -> Self {
        Self { browsers: Vec::new(), channels: channels.into_iter().collect() }
    }

    /// Channels as they are, as a manifest that says all of it.
    pub fn export<'a>(channels: impl IntoIterator<Item = &'a Channel>) -> Exported {
        let mut exported = Exported::default();
        for channel in channels {
            let mut left_out = Vec::new();
            let configuration = sayable(&channel.configuration, "", &mut left_out);
            exported.manifest.channels.push(Declared::new(channel.id.clone()).configuration(configuration));
            exported.left_out.extend(left_out.into_iter().map(|path| (channel.id.clone(), path)));
        }
        exported
    }

    /// Checks what it says, all of it, without asking anybody. A plan is more lenient: what a channel has already is not held against it.
    ///
    /// # Errors
    /// [`Violations`] with one entry for every broken rule, in the order of the document, with paths such as
    /// `channel[0].configuration.webchat.features[1]`.
    pub fn check(&self, rules: &ChannelRules) -> Result<(), Violations> {
        self.check_beside(rules, |_| None)
    }

    /// Checks what it says beside the channels as they are, as far as they are known.
    pub(crate) fn check_beside<'a>(
        &self,
        rules: &ChannelRules,
        channel: impl Fn(&ChannelId) -> Option<&'a Channel>,
    ) -> Result<(), Violations> {
        let mut found = Vec::new();
        for (index, declared) in self.channels.iter().enumerate() {
            let at = |place: &str| format!("channel[{index}].{place}");
            let is_known = self.channels.iter().take(index).any(|earlier| earlier.id == declared.id);
            if declared.id.as_str().is_empty() {
                found.push(Violation::new(at("id"), Code::Required, "manifest.id"));
            } else if is_known {
                found.push(Violation::new(at("id"), Code::Duplicate, "manifest.id.unique"));
            }
            for (index, pointer) in declared.absent.iter().enumerate() {
                let place = || at(&format!("absent[{index}]"));
                if !pointer.starts_with('/') {
                    found.push(Violation::new(place(), Code::Malformed, "manifest.absent.pointer"));
                } else if places::find(&declared.configuration, pointer).is_some() {
                    found.push(Violation::new(place(), Code::NotAllowed, "manifest.absent.declared"));
                }
            }
            nulls(&declared.configuration, &at("configuration"), &mut found);
            let broken = |configuration: &Map<String, Value>| {
                let checked = rules.check(&Value::Object(configuration.clone()), self.browsers_of(declared));
                checked.err().map(Violations::into_vec).unwrap_or_default()
            };
            let before =
                channel(&declared.id).map(|channel| broken(&channel.configuration)).unwrap_or_default();
            let new =
                broken(&declared.configuration).into_iter().filter(|violation| !before.contains(violation));
            found.extend(new.map(|mut violation| {
                violation.path = at(&violation.path).into();
                violation
            }));
        }
        Violations::check(found)
    }

    /// What it says of a channel.
    pub fn channel(&self, id: &ChannelId) -> Option<&Declared> {
        self.channels.iter().find(|declared| declared.id == *id)
    }

    pub(crate) fn browsers_of<'a>(&'a self, declared: &'a Declared) -> &'a [Browser] {
        declared.browsers.as_ref().unwrap_or(&self.browsers)
    }
}

impl Declared {
    /// A channel of which nothing is said yet.
    pub fn new(id: impl Into<ChannelId>) -> Self {
        Self { id: id.into(), browsers: None, absent: Vec::new(), configuration: Map::new() }
    }

    /// Says what must be there.
    #[must_use]
    pub fn configuration(mut self, configuration: Map<String, Value>) -> Self {
        self.configuration = configuration;
        self
    }

    /// The same, as the platform has it: it can have made something else of what it was told, the order of a list, say.
    pub(crate) fn as_stored(&self, differing: &[Change]) -> Self {
        let mut stored = self.clone();
        for Change { path, after, .. } in differing {
            match after {
                // Nothing can be declared to be `null`.
                Some(value) if !value.is_null() => places::put(&mut stored.configuration, path, Some(value)),
                _ => places::remove(&mut stored.configuration, path),
            }
        }
        stored
    }

    /// What becomes of a configuration by it.
    pub(crate) fn over(&self, configuration: &Map<String, Value>) -> Value {
        let mut wanted = configuration.clone();
        for pointer in &self.absent {
            places::remove(&mut wanted, pointer);
        }
        let mut wanted = Value::Object(wanted);
        apply_merge_patch(&mut wanted, &Value::Object(self.configuration.clone()));
        wanted
    }
}

/// A configuration without what a manifest cannot say.
fn sayable(configuration: &Map<String, Value>, path: &str, left_out: &mut Vec<String>) -> Map<String, Value> {
    let mut said = Map::new();
    for (key, value) in configuration {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        match value {
            Value::Object(object) => {
                said.insert(key.clone(), Value::Object(sayable(object, &path, left_out)));
            }
            value if is_sayable(value) => {
                said.insert(key.clone(), value.clone());
            }
            _ => left_out.push(path),
        }
    }
    said
}

fn is_sayable(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Number(number) => !number.is_u64() || number.is_i64(),
        Value::Array(values) => values.iter().all(is_sayable),
        Value::Object(object) => object.values().all(is_sayable),
        Value::Bool(_) | Value::String(_) => true,
    }
}

/// Keys that are set to `null`, which in a patch would remove them: that is what `absent` is for.
fn nulls(configuration: &Map<String, Value>, path: &str, found: &mut Vec<Violation>) {
    for (key, value) in configuration {
        let path = format!("{path}.{key}");
        match value {
            Value::Null => found.push(Violation::new(path, Code::NotAllowed, "channel.configuration.null")),
            Value::Object(object) => nulls(object, &path, found),
            _ => {}
        }
    }
}
