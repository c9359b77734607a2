//! The one place where faults happen.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;

use crate::answer::Refusal;
use crate::clock;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::fault::body::{Dripping, Truncated, WithSurplus};
use crate::fault::kind::HTML;
use crate::routes::ErrorShape;
use crate::serve::Call;

/// Serves one call, with the faults that are due for its route.
pub(crate) async fn serve_with_faults(call: &mut Call) -> Response {
    for fault in call.shared.faults.next(call.endpoint.route) {
        tracing::debug!(route = %call.endpoint.route, "injected fault");
        if let Some(response) = happen(call, fault).await {
            return response;
        }
    }
    call.effect().await
}

/// Lets one fault happen; `None` when the request goes on.
async fn happen(call: &mut Call, fault: Fault) -> Option<Response> {
    Some(match fault {
        Fault::Delay(real) => {
            clock::wait(real).await;
            return None;
        }
        Fault::AdvanceClock(by) => {
            call.shared.clock.advance(by);
            return None;
        }
        Fault::Answer(answer) => {
            call.read_all().await;
            answer.response().unwrap_or_else(|| invalid_fault(call))
        }
        Fault::DropBefore => {
            call.read_all().await;
            call.connection.reset().await
        }
        Fault::DropAfter => {
            call.effect().await;
            call.connection.reset().await
        }
        Fault::DropBodyAfter { bytes } => {
            call.body.cut_after(bytes, call.connection.clone());
            call.effect().await
        }
        Fault::TruncateAnswer { bytes } => truncated(call.effect().await, bytes, call.connection.clone()),
        Fault::DripAnswer { bytes, every } => {
            with_exact_body(call.effect().await, |inner| Body::new(Dripping::new(inner, bytes, every)))
        }
        Fault::HtmlPage(page) => html_page(&call.effect().await, page),
        Fault::WrongLength { bytes } => {
            wrong_length(call.effect().await, bytes, call.connection.clone()).await
        }
        Fault::AdvanceClockInBody { after_bytes, by } => {
            call.body.advance_clock_after(after_bytes, call.shared.clock.clone(), by);
            call.effect().await
        }
    })
}

fn invalid_fault(call: &Call) -> Response {
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "emulator.fault.invalid",
        "the injected fault has an invalid status, header or body",
    )
    .into_response(ErrorShape::Platform, &call.context_id)
}

/// Replaces the body, and announces the length of the one that was. An answer that has no body stays without one.
fn with_exact_body(response: Response, replace: impl FnOnce(Body) -> Body) -> Response {
    if response.status() == StatusCode::NO_CONTENT {
        return response;
    }
    let (mut parts, inner) = response.into_parts();
    if let Some(total) = http_body::Body::size_hint(&inner).exact() {
        parts.headers.insert(CONTENT_LENGTH, total.into());
    }
    Response::from_parts(parts, replace(inner))
}

fn truncated(response: Response, bytes: u64, connection: Connection) -> Response {
    with_exact_body(response, |inner| {
        let hint = http_body::Body::size_hint(&inner);
        Body::new(Truncated::new(inner, hint, bytes, connection))
    })
}

fn html_page(answer: &Response, page: String) -> Response {
    let mut response = Response::new(Body::from(page));
    // A page cannot come with the one status that has no body.
    *response.status_mut() = match answer.status() {
        StatusCode::NO_CONTENT => StatusCode::OK,
        status => status,
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    response
}

async fn wrong_length(response: Response, bytes: i64, connection: Connection) -> Response {
    if response.status() == StatusCode::NO_CONTENT {
        return response;
    }
    let (mut parts, inner) = response.into_parts();
    // No longer than the largest file. A file that cannot be read any more ends the connection, as it would anyway.
    let Ok(body) = inner.collect().await else { return connection.reset().await };
    let mut body = body.to_bytes();
    let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let announced = length.saturating_add_signed(bytes);
    // Set by the body below, which says what is announced.
    parts.headers.insert(CONTENT_LENGTH, announced.into());
    let body = if announced >= length {
        let hint = http_body::SizeHint::with_exact(announced);
        Body::new(Truncated::new(Body::from(body), hint, length, connection))
    } else {
        let surplus = body.split_off(usize::try_from(announced).unwrap_or(usize::MAX));
        Body::new(WithSurplus::new(body, surplus, connection))
    };
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_content() -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    #[tokio::test]
    async fn an_answer_without_a_body_announces_no_length() {
        let connection = Connection::default;
        for response in [
            truncated(no_content(), 5, connection()),
            wrong_length(no_content(), 5, connection()).await,
            wrong_length(no_content(), -5, connection()).await,
        ] {
            assert_eq!(response.status(), StatusCode::NO_CONTENT);
            assert_eq!(response.headers().get(CONTENT_LENGTH), None);
        }
    }

    #[test]
    fn a_page_always_has_a_status_with_a_body() {
        assert_eq!(html_page(&no_content(), String::new()).status(), StatusCode::OK);
    }
}
