//! Manifests and rules in TOML.

use serde::de::DeserializeOwned;
use serde_json::Value;
use webmessaging_http::Error;
use webmessaging_model::ChannelRules;

use crate::manifest::{Declared, Manifest};

impl Manifest {
    /// Reads a manifest: one `[[channel]]` for each channel. Nothing but its form is checked; [`check`](Self::check) does the rest.
    ///
    /// # Errors
    /// [`Configuration`](webmessaging_http::ErrorKind::Configuration), which names the line, when it is not TOML, has a key that there is
    /// not, or lacks one; and when it has what JSON does not know: a date that is not in quotes, or a number that is not finite.
    ///
    /// # Examples
    /// ```
    /// use webmessaging_channels::Manifest;
    ///
    /// let manifest = Manifest::from_toml(
    ///     r#"
    ///     browsers = ["chrome", "firefox"]
    ///
    ///     [[channel]]
    ///     id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
    ///     absent = ["/webchat/theme"]
    ///     configuration.webchat.maxConcurrentSessions = 800
    ///     configuration.routing.queueId = "queue-123"
    ///     "#,
    /// )?;
    /// assert_eq!(manifest.channels[0].configuration["webchat"]["maxConcurrentSessions"], 800);
    /// # Ok::<(), webmessaging_http::Error>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let manifest: Self = read(text)?;
        for declared in &manifest.channels {
            let what = declared.configuration.values().find_map(unknown_to_json);
            if let Some(what) = what {
                let id = &declared.id;
                return Err(Error::configuration(format!("channel {id}: {what}")));
            }
        }
        Ok(manifest)
    }

    /// The manifest as [`from_toml`](Self::from_toml) reads it.
    ///
    /// # Errors
    /// [`Configuration`](webmessaging_http::ErrorKind::Configuration) when it says something that TOML cannot, which one made by
    /// [`export`](Self::export) never does.
    pub fn to_toml(&self) -> Result<String, Error> {
        written(self)
    }
}

impl Declared {
    /// The part of a manifest that is about this channel.
    ///
    /// # Errors
    /// Those of [`Manifest::to_toml`].
    pub fn to_toml(&self) -> Result<String, Error> {
        #[derive(serde::Serialize)]
        struct Part<'a> {
            channel: [&'a Declared; 1],
        }
        written(&Part { channel: [self] })
    }
}

/// Reads rules: `maxConcurrentSessions`, `features` and `browsers`, each as in the default where it is left out.
///
/// # Errors
/// [`Configuration`](webmessaging_http::ErrorKind::Configuration), which names the line.
///
/// # Examples
/// ```
/// let rules = webmessaging_channels::rules_from_toml(
///     r#"
///     maxConcurrentSessions = 5000
///     features = ["rich-media", "co-browsing", "screen-sharing"]
///
///     [browsers]
///     screen-sharing = ["chrome", "edge"]
///     "#,
/// )?;
/// assert!(rules.check(&serde_json::json!({"webchat": {"features": ["screen-sharing"]}}), &[]).is_ok());
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
pub fn rules_from_toml(text: &str) -> Result<ChannelRules, Error> {
    read(text)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line =
            before.map(|before| format!("line {}: ", before.matches('\n').count() + 1)).unwrap_or_default();
        Error::configuration(format!("{line}{}", error.message()))
    })
}

fn written(manifest: &impl serde::Serialize) -> Result<String, Error> {
    toml::to_string(manifest)
        .map_err(|error| Error::configuration(format!("cannot be said in TOML: {error}")))
}

/// What TOML has and JSON has not. The library hands out a date as an object with a key of its own, and `nan` and `inf` as nothing.
fn unknown_to_json(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => Some("numbers have to be finite"),
        Value::Object(object) if object.keys().any(|key| key.starts_with("$__toml")) => {
            Some("write dates in quotes, as text")
        }
        Value::Object(object) => object.values().find_map(unknown_to_json),
        Value::Array(values) => values.iter().find_map(unknown_to_json),
        _ => None,
    }
}
