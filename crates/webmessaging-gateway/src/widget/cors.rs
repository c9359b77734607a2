//! Who may ask from a browser: exact origins, one method for each path, no credentials.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::problem::Problem;
use super::{Widget, log};

/// Stands before a path.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) widget: Widget,
    /// What the path is asked with.
    pub(super) method: Method,
}

pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response<Body> {
    let Some(origin) = guard.widget.0.origins.of(request.headers()).cloned() else {
        log::origin_refused();
        let mut refused = Problem::origin().into_response();
        varies(refused.headers_mut());
        return refused;
    };
    let mut response =
        if request.method() == Method::OPTIONS { preflight(&guard.method) } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    varies(headers);
    response
}

fn preflight(method: &Method) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    // A method's name is a token, which any header can hold.
    if let Ok(method) = HeaderValue::from_str(method.as_str()) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type, x-file-name"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// A cache must not hand the answer for one origin to another.
fn varies(headers: &mut HeaderMap) {
    headers.insert(VARY, HeaderValue::from_static("Origin"));
}
