//! An API call as plain data: what is sent where, which scopes it needs, whether it may be sent twice.

use std::fmt;

/// The HTTP method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Read.
    Get,
    /// Create, or act.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether an operation may be sent again when it is not known if the first request arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// Sending it twice has the effect of sending it once.
    Idempotent,
    /// A second request leaves at most something unused behind that expires by itself.
    Repeatable,
    /// A second request may act twice; it is sent again only where the first cannot have acted.
    Once,
}

impl RetryClass {
    /// Whether a second request does no harm. A class that a later version adds counts as harmful until it is known.
    pub const fn is_harmless(self) -> bool {
        match self {
            Self::Idempotent | Self::Repeatable => true,
            Self::Once => false,
        }
    }
}

/// Which quota a call draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitClass {
    /// The platform API, limited per access token and per OAuth client.
    Platform,
    /// The login server.
    Login,
    /// Object storage behind presigned URLs.
    Storage,
    /// Somebody else's system, which says itself when it is too much. Each is on its own, so none waits for another.
    External,
}

impl LimitClass {
    /// Every class.
    pub const ALL: &'static [Self] = &[Self::Platform, Self::Login, Self::Storage, Self::External];
}

impl fmt::Display for LimitClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Platform => "platform",
            Self::Login => "login",
            Self::Storage => "storage",
            Self::External => "external",
        })
    }
}

/// Which of the two contracts an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Contract {
    /// The design documents. The platform's published API does not have these endpoints, so every path of them
    /// can be changed by configuration.
    Design,
    /// The published API of a live Genesys Cloud organisation.
    Platform,
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Design => "design",
            Self::Platform => "platform",
        })
    }
}

/// One API call, described once and used by the pipeline, the errors, the logs and the documentation.
///
/// # Examples
/// ```
/// use webmessaging_model::{Method, Operation, RetryClass};
///
/// const GET_WIDGET: Operation = Operation::new("widgets.get", Method::Get, "/api/v2/widgets/{widgetId}")
///     .scopes(&["widgets:readonly"])
///     .source("https://developer.genesys.cloud/devapps/api-explorer");
///
/// assert_eq!(GET_WIDGET.retry, RetryClass::Idempotent);
/// assert_eq!(GET_WIDGET.variables().collect::<Vec<_>>(), ["widgetId"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Operation {
    /// Stable name, `resource.verb`; it names the operation in errors, logs and configuration.
    pub name: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path template; `{name}` stands for a path variable. Empty where the server hands out the URL.
    pub path: &'static str,
    /// Status codes that mean success; 200 by default.
    pub success: &'static [u16],
    /// OAuth scopes the call needs; none by default.
    pub scopes: &'static [&'static str],
    /// Whether it may be sent again. By default HTTP's own word: reading, replacing and removing may, the rest may not.
    pub retry: RetryClass,
    /// The quota it draws from; the platform's by default.
    pub limit: LimitClass,
    /// The contract it belongs to; the platform's by default.
    pub contract: Contract,
    /// Where its description stands.
    pub source: &'static str,
}

impl Operation {
    /// An operation with the defaults.
    pub const fn new(name: &'static str, method: Method, path: &'static str) -> Self {
        let retry = match method {
            Method::Get | Method::Put | Method::Delete => RetryClass::Idempotent,
            Method::Post | Method::Patch => RetryClass::Once,
        };
        Self {
            name,
            method,
            path,
            success: &[200],
            scopes: &[],
            retry,
            limit: LimitClass::Platform,
            contract: Contract::Platform,
            source: "",
        }
    }

    /// Sets the status codes that mean success.
    #[must_use]
    pub const fn success(mut self, success: &'static [u16]) -> Self {
        self.success = success;
        self
    }

    /// Sets the OAuth scopes the call needs.
    #[must_use]
    pub const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets whether it may be sent again.
    #[must_use]
    pub const fn retry(mut self, retry: RetryClass) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the quota it draws from.
    #[must_use]
    pub const fn limit(mut self, limit: LimitClass) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the contract it belongs to.
    #[must_use]
    pub const fn contract(mut self, contract: Contract) -> Self {
        self.contract = contract;
        self
    }

    /// Sets where its description stands.
    #[must_use]
    pub const fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    /// The names of the path variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> + use<> {
        path_variables(self.path)
    }

    /// Whether a status code means success.
    pub fn is_success(&self, status: u16) -> bool {
        self.success.contains(&status)
    }
}

/// The names of the variables of a path template, in order.
pub fn path_variables(template: &str) -> impl Iterator<Item = &str> + use<'_> {
    template.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
