//! The configuration of a channel, and the rules it must keep before anything is sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits;
use crate::open_enum::open_enum;
use crate::rules;
use crate::violation::{Code, Limit, Unit, Violation, Violations};

open_enum! {
    /// Something that a web messaging channel can do.
    pub enum ChannelFeature {
        /// Cards, quick replies and the like.
        RichMedia = "rich-media",
        /// The other side is seen to be typing.
        TypingIndicators = "typing-indicators",
        /// Files can be sent.
        FileSharing = "file-sharing",
        /// An agent sees the guest's page.
        CoBrowsing = "co-browsing",
        /// Video calls.
        VideoCalling = "video-calling",
    }
}

open_enum! {
    /// A browser that guests use.
    pub enum Browser {
        /// Chrome and Chromium.
        Chrome = "chrome",
        /// Firefox.
        Firefox = "firefox",
        /// Safari.
        Safari = "safari",
        /// Edge.
        Edge = "edge",
    }
}

/// What a channel's configuration must keep; the defaults are those of the design document.
///
/// All of it is data: a platform that has moved on needs other rules, from code or from a file, and no other version of this crate.
///
/// # Examples
/// ```
/// use webmessaging_model::{Browser, ChannelRules};
///
/// let configuration = serde_json::json!({
///     "webchat": {"maxConcurrentSessions": 5000, "features": ["rich-media", "co-browsing", "telepathy"]},
/// });
/// let violations =
///     ChannelRules::default().check(&configuration, &[Browser::Chrome, Browser::Safari]).unwrap_err();
/// assert_eq!(
///     violations.to_string(),
///     "configuration.webchat.maxConcurrentSessions is too large: 5000 sessions, at most 2000 sessions; \
///      configuration.webchat.features[1] does not work in every browser: only in chrome, edge; \
///      configuration.webchat.features[2] is not allowed: allowed are rich-media, typing-indicators, \
///      file-sharing, co-browsing, video-calling"
/// );
/// ```
///
/// From a file, with everything that is left out as in the default:
/// ```
/// # use webmessaging_model::ChannelRules;
/// let rules: ChannelRules = serde_json::from_str(r#"{"maxConcurrentSessions": 5000}"#)?;
/// assert!(rules.check(&serde_json::json!({"webchat": {"maxConcurrentSessions": 5000}}), &[]).is_ok());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ChannelRules {
    max_concurrent_sessions: u64,
    features: Vec<ChannelFeature>,
    /// The browsers that a feature works in; a feature that is not in it works in all.
    browsers: BTreeMap<String, Vec<Browser>>,
}

impl Default for ChannelRules {
    fn default() -> Self {
        use {Browser as B, ChannelFeature as F};
        let all = || vec![B::Chrome, B::Firefox, B::Safari, B::Edge];
        let matrix =
            [(F::RichMedia, all()), (F::CoBrowsing, vec![B::Chrome, B::Edge]), (F::VideoCalling, all())];
        let named = |(feature, browsers): (F, _)| (feature.as_str().to_owned(), browsers);
        Self {
            max_concurrent_sessions: limits::CHANNEL_SESSIONS_MAX.value,
            features: F::KNOWN.iter().map(|name| F::from(*name)).collect(),
            browsers: matrix.into_iter().map(named).collect(),
        }
    }
}

impl ChannelRules {
    /// Sets how many sessions a channel may have at once; 2000 by default ([`limits::CHANNEL_SESSIONS_MAX`]).
    #[must_use]
    pub const fn max_concurrent_sessions(mut self, sessions: u64) -> Self {
        self.max_concurrent_sessions = sessions;
        self
    }

    /// Sets the features that a channel may have; by default every one that [`ChannelFeature`] knows.
    #[must_use]
    pub fn features(mut self, features: impl IntoIterator<Item = ChannelFeature>) -> Self {
        self.features = features.into_iter().collect();
        self
    }

    /// Sets the browsers that a feature works in. Typing indicators and file sharing work in all of them by default.
    #[must_use]
    pub fn works_in(mut self, feature: &ChannelFeature, browsers: impl IntoIterator<Item = Browser>) -> Self {
        self.browsers.insert(feature.as_str().to_owned(), browsers.into_iter().collect());
        self
    }

    /// Checks what a configuration says, or a part of one: a key that is absent breaks no rule. Every feature has to work in all
    /// `browsers`. Unknown keys are none of our business.
    ///
    /// # Errors
    /// [`Violations`] with one entry for every broken rule, in the order of the document, with paths as the wire names them.
    pub fn check(&self, configuration: &Value, browsers: &[Browser]) -> Result<(), Violations> {
        let mut found = Vec::new();
        let Some(configuration) = configuration.as_object() else {
            return Err(malformed("configuration", "channel.configuration.object").into());
        };
        match configuration.get("webchat") {
            Some(Value::Object(webchat)) => {
                if let Some(sessions) = webchat.get("maxConcurrentSessions") {
                    found.extend(self.sessions(sessions));
                }
                if let Some(features) = webchat.get("features") {
                    self.each_feature(features, browsers, &mut found);
                }
            }
            Some(_) => found.push(malformed("configuration.webchat", "channel.webchat.object")),
            None => {}
        }
        match configuration.get("routing") {
            Some(Value::Object(routing)) => found.extend(routing.get("queueId").and_then(queue)),
            Some(_) => found.push(malformed("configuration.routing", "channel.routing.object")),
            None => {}
        }
        Violations::check(found)
    }

    fn sessions(&self, sessions: &Value) -> Option<Violation> {
        const PATH: &str = "configuration.webchat.maxConcurrentSessions";
        let Some(count) = sessions.as_u64() else {
            return Some(malformed(PATH, "channel.sessions.integer"));
        };
        let (code, rule, limit) = if count < limits::CHANNEL_SESSIONS_MIN.value {
            let min = Limit::Min(limits::CHANNEL_SESSIONS_MIN.value);
            (Code::TooSmall, limits::CHANNEL_SESSIONS_MIN.name, min)
        } else if count > self.max_concurrent_sessions {
            (Code::TooLarge, limits::CHANNEL_SESSIONS_MAX.name, Limit::Max(self.max_concurrent_sessions))
        } else {
            return None;
        };
        Some(Violation::new(PATH, code, rule).limit(limit, Unit::Sessions).count(count))
    }

    fn each_feature(&self, features: &Value, browsers: &[Browser], found: &mut Vec<Violation>) {
        const PATH: &str = "configuration.webchat.features";
        let Some(features) = features.as_array() else {
            found.push(malformed(PATH, "channel.features.list"));
            return;
        };
        for (index, feature) in features.iter().enumerate() {
            let path = || format!("{PATH}[{index}]");
            let Some(name) = feature.as_str() else {
                found.push(malformed(path(), "channel.features.text"));
                continue;
            };
            if !self.features.iter().any(|known| known.as_str() == name) {
                let allowed = Limit::OneOf(names(self.features.iter().map(ChannelFeature::as_str)));
                let violation = Violation::new(path(), Code::NotAllowed, "channel.features.allowed");
                found.push(violation.allowed(allowed));
                continue;
            }
            if features.iter().take(index).any(|earlier| earlier == feature) {
                found.push(Violation::new(path(), Code::Duplicate, "channel.features.unique"));
            }
            let Some(supported) = self.browsers.get(name) else { continue };
            if browsers.iter().any(|browser| !supported.contains(browser)) {
                let supported = Limit::OneOf(names(supported.iter().map(Browser::as_str)));
                let violation = Violation::new(path(), Code::Unsupported, "channel.features.browsers");
                found.push(violation.allowed(supported));
            }
        }
    }
}

/// The reference of a queue is an id, and looks like one.
fn queue(queue: &Value) -> Option<Violation> {
    const PATH: &str = "configuration.routing.queueId";
    let Some(id) = queue.as_str() else { return Some(malformed(PATH, "channel.queue.text")) };
    if !id.is_empty() && id.trim() != id {
        return Some(malformed(PATH, "channel.queue.spaces"));
    }
    rules::id_violation(id, PATH)
}

fn malformed(path: impl Into<std::borrow::Cow<'static, str>>, rule: &'static str) -> Violation {
    Violation::new(path, Code::Malformed, rule)
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(str::to_owned).collect()
}
