//! Servers that lead in circles, promise without end, or point elsewhere.

use serde_json::{Value, json};
use webmessaging_http::{Error, ErrorKind, PageKey, Sent};

use crate::paging::list::{ByCursor, ByUri, Numbered, asked, numbered, pages_of, read, serve, with};
use crate::script::{Seen, answer};

fn cursor(key: &str) -> PageKey {
    PageKey::Cursor(key.to_owned())
}

fn by_cursor(items: &[u64], next: &str) -> Value {
    json!({"entities": items, "cursor": next})
}

#[track_caller]
fn is(error: Option<Error>, message: &str, page: &PageKey) -> Error {
    let error = error.expect("an error");
    assert_eq!((error.kind(), error.sent()), (ErrorKind::UnexpectedAnswer, Sent::Yes));
    assert_eq!(error.to_string(), format!("things.list: {message}"));
    assert_eq!(error.page(), Some(page));
    error
}

#[tokio::test]
async fn a_cursor_that_leads_back_is_an_error() {
    let message = "the next page is one that was read already, status 200, at the page at a cursor, ";
    let (client, script) = pages_of([by_cursor(&[1], "a"), by_cursor(&[2], "a")]);
    let (pages, error) = read(client.pages(ByCursor::default())).await;
    assert_eq!(pages, [[1], [2]]);
    is(error, &format!("{message}1 pages before it"), &cursor("a"));
    assert_eq!(script.calls().len(), 2);

    // Four pages in a circle, with a way in.
    let bodies = ["a", "b", "c", "d", "b"].iter().zip(1..).map(|(next, item)| by_cursor(&[item], next));
    let (client, _) = pages_of(bodies);
    let (pages, error) = read(client.pages(ByCursor::default())).await;
    assert_eq!(pages, [[1], [2], [3], [4], [5]]);
    is(error, &format!("{message}4 pages before it"), &cursor("d"));
}

#[tokio::test]
async fn a_uri_that_leads_back_is_an_error_even_to_the_first_page() {
    let by_uri =
        |item: u64, query: &str| json!({"entities": [item], "nextUri": format!("/api/v2/things?{query}")});
    let message = "the next page is one that was read already, status 200, at ";
    let (client, _) = pages_of([by_uri(1, "pageSize=2")]);
    let (pages, error) = read(client.pages(ByUri::default())).await;
    assert_eq!(pages, [[1]]);
    is(error, &format!("{message}the first page"), &PageKey::First);

    let (client, _) = pages_of([by_uri(1, "after=a"), by_uri(2, "after=b"), by_uri(3, "after=a")]);
    let (pages, error) = read(client.pages(ByUri::default())).await;
    assert_eq!(pages, [[1], [2], [3]]);
    let last = PageKey::Query("after=b".to_owned());
    is(error, &format!("{message}the page at a uri, 2 pages before it"), &last);
}

#[tokio::test]
async fn another_page_than_the_one_asked_for_is_an_error() {
    let more = |items: &[u64], number| with(numbered(items, number), json!({"total": 9}));
    let (client, script) = pages_of([more(&[1, 2], 1), more(&[1, 2], 1)]);
    let (pages, error) = read(client.pages(Numbered::default())).await;
    assert_eq!(pages, [[1, 2]]);
    is(error, "asked for page 2 and got page 1, status 200, at page 2", &PageKey::Number(2));
    assert_eq!(script.calls().len(), 2);
}

#[tokio::test]
async fn promises_that_stay_empty_end_the_list() {
    let (client, script) = pages_of(
        [by_cursor(&[1], "a"), by_cursor(&[], "b"), by_cursor(&[2], "c"), by_cursor(&[], "d")]
            .into_iter()
            .chain([by_cursor(&[], "e"), by_cursor(&[], "f")]),
    );
    let (pages, error) = read(client.pages(ByCursor::default())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(pages, [vec![1], vec![], vec![2], vec![], vec![], vec![]]);
    assert_eq!(script.calls().len(), 6);

    // An empty page that names itself promises nothing.
    let (client, script) = pages_of([by_cursor(&[1], "a"), by_cursor(&[], "a")]);
    let (pages, error) = read(client.pages(ByCursor::default())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!((pages, script.calls().len()), (vec![vec![1], vec![]], 2));
}

#[tokio::test]
async fn promises_that_stay_empty_are_an_error_when_items_are_missing() {
    let total = |items: &[u64], next: &str| with(by_cursor(items, next), json!({"total": 2}));
    let (client, _) = pages_of([total(&[1], "a"), total(&[], "b"), total(&[], "c"), total(&[], "d")]);
    let (pages, error) = read(client.pages(ByCursor::default())).await;
    assert_eq!(pages, [vec![1], vec![], vec![], vec![]]);
    let message = "3 empty pages in a row, but not all of the list, status 200, at the page at a cursor, 4 pages before it";
    is(error, message, &cursor("d"));

    // Nobody knows what was before the page that the walk began at.
    let (client, _) = pages_of([total(&[], "b"), total(&[], "c"), total(&[], "d")]);
    let (_, error) = read(client.pages_from(ByCursor::default(), cursor("a"))).await;
    assert!(error.is_none(), "{error:?}");

    let count = |number| with(numbered(&[], number), json!({"pageCount": 5}));
    let (client, _) = pages_of((1..=3).map(count));
    let (_, error) = read(client.pages(Numbered::default())).await;
    let message = "3 empty pages in a row, but not all of the list, status 200, at page 4";
    let go_on = is(error, message, &PageKey::Number(4)).page().cloned().unwrap();
    let (client, _) = pages_of([count(4), with(numbered(&[9], 5), json!({"pageCount": 5}))]);
    let (pages, error) = read(client.pages_from(Numbered::default(), go_on)).await;
    assert_eq!((pages, error.is_none()), (vec![vec![], vec![9]], true));
}

#[tokio::test]
async fn there_is_a_highest_number_of_pages() {
    let endless = |seen: &Seen| {
        let number = seen.uri.split(['=', '&']).nth(1).unwrap().parse().unwrap();
        answer(200, &with(numbered(&[number], number), json!({"nextUri": "/more"})))
    };
    let (client, script) = serve(endless, |builder| builder);
    let (pages, error) = read(client.pages(Numbered::default()).pages_max(3)).await;
    assert_eq!(pages, [[1], [2], [3]]);
    let error = is(error, "the list has more than 3 pages, status 200, at page 4", &PageKey::Number(4));
    assert_eq!(script.calls().len(), 3);

    let rest = client.pages_from(Numbered::default(), error.page().cloned().unwrap()).pages_max(2);
    assert_eq!(read(rest).await.0, [[4], [5]]);
    // A list that fits is no error.
    let (client, _) = pages_of([with(numbered(&[1, 2], 1), json!({"total": 3})), numbered(&[3], 2)]);
    let (pages, error) = read(client.pages(Numbered::default()).pages_max(2)).await;
    assert_eq!((pages, error.is_none()), (vec![vec![1, 2], vec![3]], true));

    let (client, script) = serve(endless, |builder| builder);
    let (pages, error) = read(client.pages(Numbered::default())).await;
    assert_eq!((pages.len(), script.calls().len()), (10_000, 10_000));
    is(error, "the list has more than 10000 pages, status 200, at page 10001", &PageKey::Number(10_001));
}

#[tokio::test]
async fn the_highest_number_there_is_has_no_next() {
    let (client, _) =
        pages_of([with(numbered(&[1], u64::MAX), json!({"pageCount": u64::MAX, "nextUri": "x"}))]);
    let (pages, error) = read(client.pages_from(Numbered::default(), PageKey::Number(u64::MAX))).await;
    assert_eq!((pages, error.is_none()), (vec![vec![1]], true));
}

#[tokio::test]
async fn a_uri_that_leads_elsewhere_gets_no_request() {
    for uri in [
        "https://evil.example/api/v2/things?after=a",
        "//evil.example/api/v2/things?after=a",
        "https://api.mypurecloud.com@evil.example/api/v2/things?after=a",
        "https://api.mypurecloud.com:8443/api/v2/things?after=a",
        "http://api.mypurecloud.com/api/v2/things?after=a",
        "/api/v2/things/../users?after=a",
        "/api/v2/things%2f..%2fusers?after=a",
        "/api/v2/users?after=a",
    ] {
        let (client, script) = pages_of([json!({"entities": [1], "nextUri": uri})]);
        let (pages, error) = read(client.pages(ByUri::default())).await;
        assert_eq!(pages, [[1]], "{uri}");
        let message =
            "the next page's uri leads away from the operation's own address, status 200, at the first page";
        let error = is(error, message, &PageKey::First);
        assert!(!format!("{error:?}").contains("after=a"), "{error:?}");
        assert_eq!(asked(&script), ["?pageSize=2"]);
    }
}

#[tokio::test]
async fn a_cursor_without_end_is_an_error() {
    let long = "x".repeat(9_000);
    let message = "the next page's cursor or uri has more than 8192 bytes, status 200, at the first page";
    let (client, _) = pages_of([by_cursor(&[1], &long)]);
    is(read(client.pages(ByCursor::default())).await.1, message, &PageKey::First);
    let (client, _) = pages_of([json!({"entities": [1], "nextUri": format!("/api/v2/things?after={long}")})]);
    is(read(client.pages(ByUri::default())).await.1, message, &PageKey::First);
}
