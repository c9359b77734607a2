//! From a typed request to an `http::Request`, without a network: the shape of one API call.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use webmessaging_model::operation::path_variables;
use webmessaging_model::{Code, Operation, Violation, Violations};

use crate::error::Error;

/// What stays as it is in a path segment or query value; everything else is percent-encoded, so that `/`, `?`, `#`
/// and `%` in an id are inert.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Ids are longer than the variables they take the place of; UUIDs mostly.
const ROOM_FOR_IDS: usize = 80;

/// One API call: its operation, its rules, its request and its answer.
///
/// # Examples
/// ```
/// use webmessaging_http::{Encoder, Endpoint};
/// use webmessaging_model::{Method, Operation};
///
/// #[derive(serde::Deserialize)]
/// struct Widget {
///     name: String,
/// }
///
/// const GET_WIDGET: Operation = Operation::new("widgets.get", Method::Get, "/api/v2/widgets/{widgetId}")
///     .scopes(&["widgets:readonly"])
///     .source("https://developer.genesys.cloud/devapps/api-explorer");
///
/// struct GetWidget {
///     id: String,
/// }
///
/// impl Endpoint for GetWidget {
///     type Answer = Widget;
///
///     fn operation(&self) -> &'static Operation {
///         &GET_WIDGET
///     }
///
///     fn encode(&self, request: Encoder) -> Encoder {
///         request.path("widgetId", &self.id).query("expand", "name")
///     }
/// }
///
/// // A hostile id is inert.
/// let request = GetWidget { id: "../a?b".into() }.to_request()?;
/// assert_eq!(request.uri(), "/api/v2/widgets/..%2Fa%3Fb?expand=name");
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
pub trait Endpoint: Sync {
    /// What the operation answers, read from JSON; fields it does not name are ignored.
    type Answer: DeserializeOwned + Send;

    /// The operation behind it.
    fn operation(&self) -> &'static Operation;

    /// Checks the whole request; called once, before anything is sent.
    ///
    /// # Errors
    /// Every rule the request breaks.
    fn validate(&self) -> Result<(), Violations> {
        Ok(())
    }

    /// Fills in path variables, query, headers and body.
    fn encode(&self, request: Encoder) -> Encoder;

    /// The request as it goes out, without host, bearer token and correlation id.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a path variable cannot be part of a path,
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when a variable is missing.
    fn to_request(&self) -> Result<Request<Bytes>, Error> {
        let operation = self.operation();
        self.encode(Encoder::new(operation, "", operation.path)).finish()
    }
}

/// Puts a request together. `Debug` shows the operation alone: the rest can be anybody's secret.
pub struct Encoder {
    operation: &'static Operation,
    path: String,
    query: String,
    /// A query that goes before the other one, whatever is added to that later.
    whole_query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
    violations: Vec<Violation>,
    failure: Option<Error>,
}

impl Encoder {
    /// A request to the template under a prefix.
    pub(crate) fn new(operation: &'static Operation, prefix: &str, template: &str) -> Self {
        let mut path = String::with_capacity(prefix.len() + template.len() + ROOM_FOR_IDS);
        path.push_str(prefix);
        path.push_str(template);
        // Room for those that the pipeline adds.
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self {
            operation,
            path,
            query: String::new(),
            whole_query: None,
            headers,
            body: Bytes::new(),
            violations: Vec::new(),
            failure: None,
        }
    }

    /// Fills in a variable of the path. Empty values, `.` and `..` are refused: they would name another path.
    #[must_use]
    pub fn path(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        let refused = match value {
            "" => Some((Code::Required, "id.required")),
            "." | ".." => Some((Code::Reserved, "id.reserved")),
            _ => None,
        };
        if let Some((code, rule)) = refused {
            self.violations.push(Violation::new(name, code, rule));
        }
        let encoded = Cow::from(utf8_percent_encode(value, UNRESERVED));
        let mut from = 0;
        // What was filled in has no braces left, so that one variable cannot be mistaken for another.
        while let Some(open) = self.path.get(from..).and_then(|rest| rest.find('{')).map(|at| from + at) {
            let close = open + name.len() + 1;
            if self.path.get(open + 1..close) == Some(name) && self.path.as_bytes().get(close) == Some(&b'}')
            {
                self.path.replace_range(open..=close, &encoded);
                from = open + encoded.len();
            } else {
                from = open + 1;
            }
        }
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.extend(utf8_percent_encode(name, UNRESERVED));
        self.query.push('=');
        self.query.extend(utf8_percent_encode(value.as_ref(), UNRESERVED));
        self
    }

    /// Sets the whole query, encoded as it is.
    pub(crate) fn whole_query(mut self, query: &str) -> Self {
        self.whole_query = Some(format!("?{query}"));
        self
    }

    /// Adds a header; a value that no header can hold fails the request.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        match HeaderValue::from_str(value.as_ref()) {
            Ok(value) => {
                self.headers.insert(name, value);
            }
            Err(error) => {
                self.failure.get_or_insert_with(|| {
                    Error::configuration("a header has a value that no header can hold").with_source(error)
                });
            }
        }
        self
    }

    /// Sets the body to the JSON form of a value.
    #[must_use]
    pub fn json(mut self, value: &impl Serialize) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match serde_json::to_vec(value) {
            Ok(body) => self.body = body.into(),
            Err(error) => {
                self.failure.get_or_insert_with(|| {
                    Error::configuration("the request has no JSON form").with_source(error)
                });
            }
        }
        self
    }

    /// Sets the body to JSON that was written before: to send exactly the bytes that a digest was made of.
    #[must_use]
    pub fn json_bytes(mut self, body: Bytes) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = body;
        self
    }

    pub(crate) fn finish(self) -> Result<Request<Bytes>, Error> {
        let operation = self.operation;
        Violations::check(self.violations).map_err(Error::from)?;
        if let Some(failure) = self.failure {
            return Err(failure.with_operation(operation));
        }
        let refuse = |message: String| Error::configuration(message).with_operation(operation);
        if let Some(missing) = path_variables(&self.path).next() {
            return Err(refuse(format!("the path variable `{missing}` is not filled in")));
        }
        let mut target = self.path;
        target.push_str(self.whole_query.as_ref().unwrap_or(&self.query));
        let uri = http::Uri::try_from(target)
            .map_err(|error| refuse("the path is not valid".to_owned()).with_source(error))?;
        let mut request = Request::new(self.body);
        *request.method_mut() = method(operation.method);
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("operation", &self.operation.name).finish_non_exhaustive()
    }
}

pub(crate) fn method(method: webmessaging_model::Method) -> Method {
    // The enum is open, its names are HTTP's: what is added later needs no change here.
    Method::from_bytes(method.as_str().as_bytes()).unwrap_or(Method::POST)
}
