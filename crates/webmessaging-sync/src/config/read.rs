//! What a target file can say, as serde reads it.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::Auth;
use crate::secrets::SecretSource;

pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    String::deserialize(deserializer).and_then(|text| parse(&text)).map(Some)
}

pub(super) fn durations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Duration>>, D::Error> {
    let texts = <Vec<String>>::deserialize(deserializer)?;
    texts.iter().map(|text| parse(text)).collect::<Result<_, _>>().map(Some)
}

fn parse<E: serde::de::Error>(text: &str) -> Result<Duration, E> {
    humantime::parse_duration(text).map_err(|_| E::custom("must be a duration such as `10s` or `2h`"))
}

/// `auth = { bearer = { token_env = "..." } }`, `{ header = { name = "...", token_file = "..." } }`, or `"none"`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    None,
    Bearer(Bearer),
    Header(Header),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bearer {
    token: Option<String>,
    token_env: Option<String>,
    token_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    token: Option<String>,
    token_env: Option<String>,
    token_file: Option<PathBuf>,
}

impl<'de> Deserialize<'de> for Auth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let one = |token: Option<String>, variable, file| match (token, variable, file) {
            (Some(token), None, None) => Ok(SecretSource::Value(token.into())),
            (None, Some(variable), None) => Ok(SecretSource::Variable(variable)),
            (None, None, Some(file)) => Ok(SecretSource::File(file)),
            _ => Err(D::Error::custom("name one of `token`, `token_env` and `token_file`")),
        };
        match Written::deserialize(deserializer)? {
            Written::None => Ok(Self::None),
            Written::Bearer(Bearer { token, token_env, token_file }) => {
                one(token, token_env, token_file).map(Self::Bearer)
            }
            Written::Header(Header { name, token, token_env, token_file }) => {
                Ok(Self::Header(name, one(token, token_env, token_file)?))
            }
        }
    }
}
