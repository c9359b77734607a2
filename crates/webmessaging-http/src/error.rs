//! The error of every call: what failed, how far it came, and whether trying again can help.

mod kind;
mod text;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use webmessaging_model::{CallFacts, Operation, Violations};

use crate::answer::Facts;
use crate::api_error::ApiError;
use crate::login::CREATE_TOKEN;
use crate::paging::PageKey;

pub use self::kind::{ErrorKind, Sent};

/// The error of a call.
///
/// One pointer wide and cheap to clone. `Display` is one line with operation, cause, status, the platform's code and
/// message and the request id; it never has a body, a query or a secret. Deeper causes are in
/// [`source`](std::error::Error::source).
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    sent: Sent,
    attempts: u32,
    operation: Option<&'static Operation>,
    status: Option<StatusCode>,
    retry_after: Option<Duration>,
    message: Option<Cow<'static, str>>,
    api: Option<ApiError>,
    request_id: Option<String>,
    correlation_id: Option<String>,
    is_of_login: bool,
    subject: Option<String>,
    violations: Option<Violations>,
    page: Option<Place>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Where in a list something failed.
#[derive(Debug, Clone)]
struct Place {
    key: PageKey,
    pages_before: u64,
}

impl Error {
    /// An error of a kind; for transports and feature crates.
    pub fn new(kind: ErrorKind, sent: Sent) -> Self {
        Self(Box::new(Inner {
            kind,
            sent,
            attempts: 0,
            operation: None,
            status: None,
            retry_after: None,
            message: None,
            api: None,
            request_id: None,
            correlation_id: None,
            is_of_login: false,
            subject: None,
            violations: None,
            page: None,
            source: None,
        }))
    }

    /// An [`ErrorKind::Configuration`] error.
    pub fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Configuration, Sent::No).with_message(message)
    }

    /// An [`ErrorKind::UnexpectedAnswer`] error.
    pub(crate) fn unexpected(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::UnexpectedAnswer, Sent::Yes).with_message(message)
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// The status of the last answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// What the other side said about it.
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// Whether the other side can have seen the request.
    pub fn sent(&self) -> Sent {
        self.0.sent
    }

    /// How long the server asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many times the request was sent, or tried to be.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The platform's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Our id of the call, sent as `X-Correlation-Id`.
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// The platform's id of what the call has made, where it was made all the same.
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// Every rule that the input broke.
    pub fn violations(&self) -> Option<&Violations> {
        self.0.violations.as_ref()
    }

    /// The page of a list to go on with; [`Client::pages_from`](crate::Client::pages_from) takes it.
    pub fn page(&self) -> Option<&PageKey> {
        self.0.page.as_ref().map(|place| &place.key)
    }

    /// Whether the same call can succeed later without anybody changing anything. It can also happen twice: ask
    /// [`can_repeat`](Self::can_repeat) before you send it again.
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Server => self.0.status != Some(StatusCode::NOT_IMPLEMENTED),
            ErrorKind::RateLimited
            | ErrorKind::CircuitOpen
            | ErrorKind::Connect
            | ErrorKind::Interrupted
            | ErrorKind::Timeout
            | ErrorKind::LinkExpired
            | ErrorKind::Canceled => true,
            ErrorKind::InvalidInput
            | ErrorKind::Source
            | ErrorKind::Configuration
            | ErrorKind::Authentication
            | ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Rejected
            | ErrorKind::Tls
            | ErrorKind::UnexpectedAnswer
            | ErrorKind::NotRecorded => false,
        }
    }

    /// Whether sending the same call again cannot make it happen twice: it did not go out, it was turned away before it
    /// could act, or its operation allows it.
    pub fn can_repeat(&self) -> bool {
        let is_harmless = self.0.operation.is_some_and(|operation| operation.retry.is_harmless());
        self.0.sent == Sent::No || self.0.kind == ErrorKind::RateLimited || is_harmless
    }

    /// Says in a few words what is special about this one.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// Names the cause. It must not print a secret or a URL's query.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Names the operation, unless a deeper layer already did.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static Operation) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Whether what was asked for can have been done though the call failed: its answer was lost, could not be understood, or says that the server
    /// has failed, or it was done and could not be recorded.
    pub fn may_have_acted(&self) -> bool {
        // A login that failed has done nothing of what was asked for; an attempt before it may have.
        let says_no = !self.is_of_login() && self.status().is_some_and(|status| status.is_client_error());
        self.sent() != Sent::No && !self.is_the_login() && !says_no
    }

    /// Whether it was the login that failed, of this attempt or of another one that needed it: the platform has said nothing of what was asked for.
    pub fn is_of_login(&self) -> bool {
        self.is_the_login() || self.0.is_of_login
    }

    fn is_the_login(&self) -> bool {
        self.operation().is_some_and(|operation| operation.name == CREATE_TOKEN.name)
    }

    /// Names what the call has made, so that it is not lost with the answer.
    #[must_use]
    pub fn with_subject(mut self, id: impl Into<String>) -> Self {
        self.0.subject = Some(id.into());
        self
    }

    /// Adds what is wrong with a source.
    #[must_use]
    pub fn with_violations(mut self, violations: impl Into<Violations>) -> Self {
        self.0.violations = Some(violations.into());
        self
    }

    pub(crate) fn with_answer(
        mut self,
        status: StatusCode,
        request_id: Option<String>,
        api: Option<ApiError>,
        retry_after: Option<Duration>,
    ) -> Self {
        self.0.status = Some(status);
        self.0.request_id = request_id;
        self.0.api = api;
        self.0.retry_after = retry_after;
        self
    }

    /// Adds the facts of the call; `sent` is what its earlier attempts came to.
    pub(crate) fn with_call(mut self, correlation_id: &str, attempts: u32, sent: Sent) -> Self {
        self.0.correlation_id.get_or_insert_with(|| correlation_id.to_owned());
        self.0.attempts = attempts;
        self.0.sent = self.0.sent.max(sent);
        self
    }

    pub(crate) fn with_page(mut self, key: PageKey, pages_before: u64) -> Self {
        self.0.page = Some(Place { key, pages_before });
        self
    }

    /// Adds the ids of a call that was answered, and all the same is worth nothing.
    pub(crate) fn with_facts(mut self, facts: &Facts) -> Self {
        self.0.request_id.clone_from(&facts.request_id);
        self.with_call(&facts.correlation_id, facts.attempts, Sent::Yes)
    }

    /// An [`ErrorKind::NotRecorded`] error: a call that was done and could not be recorded; for feature crates.
    pub fn not_recorded(facts: &Facts, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(ErrorKind::NotRecorded, Sent::Yes).with_operation(facts.operation);
        error.0.status = Some(facts.status);
        error.with_facts(facts).with_source(cause)
    }

    /// The same trouble, seen from the call that ran into it.
    pub(crate) fn seen_from(self, operation: &'static Operation) -> Self {
        let mut outer = Self::new(self.0.kind, Sent::No)
            .with_operation(operation)
            .with_message("the login that another attempt needed failed");
        outer.0.status = self.0.status;
        outer.0.retry_after = self.0.retry_after;
        outer.0.is_of_login = true;
        outer.with_source(self)
    }

    pub(crate) fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }
}

impl From<&Error> for CallFacts {
    fn from(error: &Error) -> Self {
        let mut call = Self::default();
        call.operation = error.operation().map(|operation| operation.name);
        call.status = error.status().map(|status| status.as_u16());
        call.attempts = Some(error.attempts());
        call.correlation_id = error.correlation_id().map(str::to_owned);
        call.request_id = error.request_id().map(str::to_owned);
        call
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::new(ErrorKind::InvalidInput, Sent::No).with_violations(violations)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_pointer_wide_and_can_cross_threads() {
        fn crosses<T: Send + Sync + Clone + 'static>() {}
        crosses::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
