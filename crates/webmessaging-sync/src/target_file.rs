//! Targets in a TOML file.

use serde::Deserialize;

use crate::config::TargetConfig;
use crate::error::Error;
use crate::shape::plain_reason;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    target: Vec<TargetConfig>,
}

impl TargetConfig {
    /// Reads the targets of a TOML text: one `[[target]]` for each. Secrets that it only names are not read; [`build`](Self::build) does.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration), which names the line, when it is not TOML, has a key that there is not, lacks one,
    /// or has a value that the key does not take. No value is repeated.
    ///
    /// # Examples
    /// ```
    /// use webmessaging_sync::TargetConfig;
    ///
    /// let text = r#"
    ///     [[target]]
    ///     name = "crm"
    ///     url = "https://crm.example/guests"
    ///     shape = "crm_guests"
    ///     auth = { bearer = { token_env = "CRM_TOKEN" } }
    /// "#;
    /// assert_eq!(TargetConfig::from_toml(text)?.len(), 1);
    ///
    /// let error = TargetConfig::from_toml(&text.replace("url =", "uri =")).unwrap_err();
    /// assert!(error.to_string().starts_with("line 4: unknown field `uri`, expected one of `name`, `url`"));
    /// # Ok::<(), webmessaging_sync::Error>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Vec<Self>, Error> {
        let file: File = toml::from_str(text).map_err(|error| {
            let said = plain_reason("", error.message());
            match error.span().and_then(|span| text.get(..span.start)) {
                Some(before) => {
                    Error::configuration(format!("line {}: {said}", before.matches('\n').count() + 1))
                }
                None => Error::configuration(said),
            }
        })?;
        Ok(file.target)
    }
}
