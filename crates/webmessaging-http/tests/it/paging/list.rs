//! One list in each of the platform's shapes.

use std::sync::Mutex;

use serde_json::{Value, json};
use webmessaging_http::paging::{CursorPage, Entities, PageKey, Paged, UriPage};
use webmessaging_http::{Client, ClientBuilder, Encoder, Endpoint, Error, Pages};
use webmessaging_model::{Method, Operation};

use crate::script::{Script, Seen, Step, answer, client_that, token};

const LIST: Operation = Operation::new("things.list", Method::Get, "/api/v2/things");

/// A list with pages of two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbered(PageKey);

#[derive(Debug, Clone, Default)]
pub(crate) struct ByCursor(PageKey);

#[derive(Debug, Clone, Default)]
pub(crate) struct ByUri(PageKey);

macro_rules! list {
    ($list:ident, $answer:ident) => {
        impl Endpoint for $list {
            type Answer = $answer<u64>;

            fn operation(&self) -> &'static Operation {
                &LIST
            }

            fn encode(&self, request: Encoder) -> Encoder {
                request.page(&self.0).query("pageSize", "2")
            }
        }

        impl Paged for $list {
            fn at(&self, page: &PageKey) -> Self {
                Self(page.clone())
            }

            fn page_size(&self) -> Option<u64> {
                Some(2)
            }
        }
    };
}

list!(Numbered, Entities);
list!(ByCursor, CursorPage);
list!(ByUri, UriPage);

/// A client whose requests, but for the login, meet these answers, in order; one more is a failed test.
pub(crate) fn pages_of(bodies: impl IntoIterator<Item = Value>) -> (Client, Script) {
    let steps: Vec<_> = bodies.into_iter().map(|body| answer(200, &body)).collect();
    client_of_steps(steps)
}

pub(crate) fn client_of_steps(steps: Vec<Step>) -> (Client, Script) {
    let steps = Mutex::new(steps.into_iter());
    serve(move |_| steps.lock().unwrap().next().expect("one request too many"), |builder| builder)
}

/// A client whose requests, but for the login, are answered by a closure.
pub(crate) fn serve(
    next: impl Fn(&Seen) -> Step + Send + Sync + 'static,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Script) {
    client_that(move |seen| if seen.is_login() { token("t", 86_400) } else { next(seen) }, set_up)
}

/// What was asked for, without the host.
pub(crate) fn asked(script: &Script) -> Vec<String> {
    let path =
        |seen: &Seen| seen.uri.trim_start_matches("https://api.mypurecloud.com/api/v2/things").to_owned();
    script.calls().iter().map(path).collect()
}

/// Reads to the end: the items of each page, and the error where there is one.
pub(crate) async fn read<E>(mut pages: Pages<E>) -> (Vec<Vec<u64>>, Option<Error>)
where
    E: Paged,
    E::Answer: webmessaging_http::paging::PageAnswer<Item = u64>,
{
    let mut read = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => read.push(page.into_items()),
            Err(error) => {
                assert!(pages.next().await.is_none(), "an error is the end");
                return (read, Some(error));
            }
        }
    }
    assert!(pages.next().await.is_none(), "the end is the end");
    (read, None)
}

pub(crate) fn numbered(items: &[u64], number: u64) -> Value {
    json!({"entities": items, "pageSize": 2, "pageNumber": number})
}

/// A body with more fields.
pub(crate) fn with(mut body: Value, more: Value) -> Value {
    let (Value::Object(fields), Value::Object(more)) = (&mut body, more) else { panic!("not objects") };
    fields.extend(more);
    body
}
