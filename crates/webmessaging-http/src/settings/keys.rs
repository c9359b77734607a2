//! Every key there is, as data: what may stand in a file, which variables it has, and what the reference says.

use super::value::Kind;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The name in a file; a dot leads into a table. A name that ends with one stands for all keys of that table.
    pub name: &'static str,
    /// Another name for the same.
    pub alias: Option<&'static str>,
    /// What a value looks like.
    pub kind: Kind,
    /// The value that stands where nothing is set; nothing where there is none.
    pub default: Option<&'static str>,
    /// The environment variables that set it. Two that are set must agree.
    pub variables: &'static [&'static str],
    /// What it is, in a few words.
    pub about: &'static str,
}

impl Key {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, alias: None, kind, default: None, variables: &[], about }
    }

    const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn variables(mut self, variables: &'static [&'static str]) -> Self {
        self.variables = variables;
        self
    }

    /// The key of this name or alias.
    pub fn of(name: &str) -> Option<&'static Self> {
        let is = |key: &&Self| {
            let is_in = key.is_table() && name.len() > key.name.len() && name.starts_with(key.name);
            key.name == name || key.alias == Some(name) || is_in
        };
        KEYS.iter().find(is)
    }

    /// Whether it stands for all keys of a table, whatever they are called.
    pub fn is_table(&self) -> bool {
        self.name.ends_with('.')
    }
}

pub(super) const CLIENT_ID: &str = "client_id";
pub(super) const CLIENT_SECRET: &str = "client_secret";
pub(super) const CLIENT_SECRET_FILE: &str = "client_secret_file";
pub(super) const ACCESS_TOKEN: &str = "access_token";
pub(super) const TOKEN_FILE: &str = "token_file";
pub(super) const REQUESTS: &str = "rate_limit.requests";
pub(super) const BURST: &str = "rate_limit.burst";
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const BASE_URL: &str = "base_url";
pub(super) const LOGIN_URL: &str = "login_url";
pub(super) const ORGANIZATION_ID: &str = "organization_id";
pub(super) const SCOPES: &str = "scopes";
pub(super) const AUTH_STYLE: &str = "auth_style";
pub(super) const ANSWER_BYTES_MAX: &str = "answer_bytes_max";
pub(super) const PROXY_URL: &str = "proxy.url";
pub(super) const PROXY_USER: &str = "proxy.user";
pub(super) const PROXY_PASSWORD: &str = "proxy.password";
pub(super) const PROXY_EXCEPT: &str = "proxy.except";
pub(super) const CA_FILE: &str = "tls.ca_file";
pub(super) const ONLY_CA_FILE: &str = "tls.only_ca_file";
pub(super) const CLIENT_CERTIFICATE_FILE: &str = "tls.client_certificate_file";
pub(super) const GATEWAY_HOST: &str = "gateway.host";
pub(super) const GATEWAY_PROTOCOL: &str = "gateway.protocol";
pub(super) const GATEWAY_PORT: &str = "gateway.port";
pub(super) const GATEWAY_LOGIN_PATH: &str = "gateway.path_params_login";
pub(super) const GATEWAY_API_PATH: &str = "gateway.path_params_api";
/// The table of default headers; behind it the name of a header.
pub(super) const HEADERS: &str = "headers.";
/// The table of replaced paths; behind it the name of an operation.
pub(super) const PATHS: &str = "paths.";

/// Every key, in the order of the reference.
pub const KEYS: &[Key] = &[
    Key::new(CLIENT_ID, Kind::Text, "id of the OAuth client")
        .variables(&["GENESYS_CLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_ID"]),
    Key::new(
        CLIENT_SECRET,
        Kind::Secret,
        "secret of the OAuth client; a file that has it must be its owner's alone",
    )
    .variables(&["GENESYS_CLIENT_SECRET", "GENESYSCLOUD_OAUTHCLIENT_SECRET"]),
    Key::new(
        CLIENT_SECRET_FILE,
        Kind::Path,
        "file that holds the secret, in place of `client_secret`; relative to the file it is named in",
    )
    .variables(&["GENESYS_CLIENT_SECRET_FILE"]),
    Key::new(
        ACCESS_TOKEN,
        Kind::Secret,
        "token that was got elsewhere and is not renewed; counts where id or secret of an OAuth client are missing",
    )
    .variables(&["GENESYSCLOUD_ACCESS_TOKEN"]),
    Key::new(TOKEN_FILE, Kind::Path, "file in which processes share the token of their login; not on Windows"),
    Key::new(ENVIRONMENT, Kind::Domain, "where the organisation lives")
        .alias("region")
        .default("mypurecloud.com")
        .variables(&["GENESYS_ENVIRONMENT", "GENESYSCLOUD_REGION"]),
    Key::new(BASE_URL, Kind::Url, "URL of the API, in place of the environment's")
        .variables(&["GENESYS_BASE_PATH"]),
    Key::new(LOGIN_URL, Kind::Url, "URL of the login server, in place of the one that belongs to the API")
        .variables(&["GENESYS_LOGIN_URL"]),
    Key::new(ORGANIZATION_ID, Kind::Text, "id of the organisation, for the calls that name it")
        .variables(&["GENESYS_ORGANIZATION_ID"]),
    Key::new(
        SCOPES,
        Kind::List,
        "scopes to ask for at login; all that the OAuth client has when there are none",
    ),
    Key::new(AUTH_STYLE, Kind::AuthStyle, "how the credentials travel: in the header, or in the form")
        .default("basic"),
    Key::new("timeouts.connect", Kind::Duration, "how long connecting may take").default("10s"),
    Key::new("timeouts.attempt", Kind::Duration, "how long one attempt of a call may take").default("30s"),
    Key::new("timeouts.call", Kind::Duration, "how long a call may take with all its retries")
        .default("120s"),
    Key::new("timeouts.stall", Kind::Duration, "how long an upload may stand still").default("30s"),
    Key::new("retry.max_retries", Kind::Count, "how often a request is sent again").default("3"),
    Key::new("retry.base", Kind::Duration, "upper end of the first wait, doubled for each further one")
        .default("1s"),
    Key::new("retry.cap", Kind::Duration, "longest wait that the client chooses itself").default("30s"),
    Key::new(REQUESTS, Kind::Requests, "how many requests a window may have, until the platform names its limit")
        .default("300"),
    Key::new("rate_limit.window", Kind::Duration, "length of the window").default("60s"),
    Key::new(BURST, Kind::Requests, "how many requests may go out at once; half of `rate_limit.requests`"),
    Key::new(ANSWER_BYTES_MAX, Kind::Bytes, "largest answer that is read").default("8388608"),
    Key::new(PROXY_URL, Kind::Url, "the proxy, in place of the system's"),
    Key::new(PROXY_USER, Kind::Text, "who we are to the proxy"),
    Key::new(PROXY_PASSWORD, Kind::Secret, "the password that goes with it"),
    Key::new(PROXY_EXCEPT, Kind::List, "hosts, domains and networks that are reached without the proxy"),
    Key::new(CA_FILE, Kind::Path, "PEM with certificate authorities to trust besides those of the system"),
    Key::new(ONLY_CA_FILE, Kind::Path, "PEM with the certificate authorities to trust, and no others"),
    Key::new(
        CLIENT_CERTIFICATE_FILE,
        Kind::Path,
        "PEM with the certificate and the private key to show to servers that ask",
    ),
    Key::new(
        GATEWAY_HOST,
        Kind::Text,
        "host of a gateway in front of the platform, in place of the environment's hosts",
    ),
    Key::new(
        GATEWAY_PROTOCOL,
        Kind::Text,
        "`https`, which it is when there is none, or `http` for this machine",
    ),
    Key::new(GATEWAY_PORT, Kind::Port, "port of the gateway; that of the protocol when there is none"),
    Key::new(GATEWAY_LOGIN_PATH, Kind::Text, "what goes in front of the login's path"),
    Key::new(GATEWAY_API_PATH, Kind::Text, "what goes in front of every call's path"),
    Key::new(HEADERS, Kind::Secret, "header of every API call, by its name; never shown, whatever it is"),
    Key::new(PATHS, Kind::Template, "path of an operation in place of its own, by the operation's name"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_variables_are_distinct() {
        let names: Vec<_> = KEYS.iter().flat_map(|key| [Some(key.name), key.alias]).flatten().collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        let variables: Vec<_> = KEYS.iter().flat_map(|key| key.variables).collect();
        assert_eq!(variables.iter().collect::<HashSet<_>>().len(), variables.len());
    }

    #[test]
    fn a_key_is_found_by_its_names() {
        assert_eq!(Key::of("region"), Key::of("environment"));
        assert_eq!(Key::of("paths.files.upload.create").map(|key| key.kind), Some(Kind::Template));
        assert_eq!(Key::of("timeouts"), None);
    }
}
