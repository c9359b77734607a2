//! Whose pages may use it.

use axum::body::Body;
use http::{Method, Request};
use webmessaging_gateway::{Widget, WidgetError};

use crate::setup::{SHOP, Setup, upload};

#[tokio::test]
async fn other_origins_and_none_are_refused() {
    let setup = Setup::new().await;
    for origin in [
        Some("https://shop.example.evil.com"),
        Some("http://shop.example"),
        Some("https://shop.example:8443"),
        Some("null"),
        None,
    ] {
        for (method, path) in [
            (Method::POST, "/widget/uploads?channelId=c&messageId=m"),
            (Method::OPTIONS, "/widget/uploads"),
            (Method::DELETE, "/widget/uploads"),
            (Method::GET, "/widget/uploads/file-1?messageId=m"),
            (Method::OPTIONS, "/widget/uploads/file-1"),
        ] {
            let mut request = Request::builder().method(&method).uri(path).header("content-length", 0);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let answer = setup.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.problem(), (403, "origin".to_owned()), "{origin:?} {method} {path}");
            assert_eq!(answer.header("vary"), Some("Origin"));
            assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
        }
    }
    assert!(setup.emulator.requests().is_empty());
    // A monitor has no origin.
    let health = setup.send(Request::get("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!((health.status.as_u16(), health.text.as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn a_preflight_is_told_exactly_what_is_allowed() {
    let setup = Setup::new().await;
    for (path, method) in [("/widget/uploads", "POST"), ("/widget/uploads/file-1", "GET")] {
        let request = Request::options(path)
            .header("origin", SHOP)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization");
        let answer = setup.send(request.body(Body::empty()).unwrap()).await;
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .filter(|line| line.starts_with("access-control") || line.starts_with("vary"))
            .collect();
        headers.sort_unstable();
        assert_eq!(
            headers,
            [
                "access-control-allow-headers: content-type, x-file-name".to_owned(),
                format!("access-control-allow-methods: {method}"),
                format!("access-control-allow-origin: {SHOP}"),
                "access-control-max-age: 600".to_owned(),
                "vary: Origin".to_owned(),
            ]
        );
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    }
}

#[tokio::test]
async fn the_answer_names_the_origin_that_asked() {
    let setup = Setup::with(|widget| widget.origins(["http://localhost:3000"])).await;
    for origin in [SHOP, "http://localhost:3000"] {
        let mut request = upload("hello.txt", "hello");
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let answer = setup.send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("access-control-allow-origin")),
            (201, Some(origin))
        );
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn a_widget_that_nobody_or_anybody_could_use_is_not_made() {
    let http = webmessaging::http::Client::builder(webmessaging::Credentials::new("id", "secret"));
    let files = webmessaging::Client::new(http.build().unwrap()).files();
    assert!(matches!(Widget::builder(files.clone()).build(), Err(WidgetError::NoOrigin)));
    let error = Widget::builder(files.clone()).origins([SHOP, "*"]).build().unwrap_err();
    assert_eq!(error.to_string(), "not an origin, there is no pattern for many: *");
    let nowhere = Widget::builder(files).origins([SHOP]).spool("/dev/null/nowhere").build();
    assert!(matches!(nowhere, Err(WidgetError::Spool(_))));
}
