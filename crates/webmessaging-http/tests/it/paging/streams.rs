//! The streams themselves: lazy, ended by an error, continued from it.

use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use webmessaging_http::{ErrorKind, PageKey, RetryPolicy};

use crate::paging::list::{
    ByCursor, Numbered, asked, client_of_steps, numbered, pages_of, read, serve, with,
};
use crate::script::{Seen, answer, status};

#[tokio::test]
async fn nothing_is_sent_before_the_first_poll_and_nothing_ahead_of_time() {
    let page = |items: &[u64], number| with(numbered(items, number), json!({"total": 5}));
    let (client, script) = pages_of([page(&[1, 2], 1), page(&[3, 4], 2), page(&[5], 3)]);
    let mut items = client.items(Numbered::default());
    assert_eq!((script.seen().len(), items.page()), (0, None));
    let mut found = Vec::new();
    for calls in [1, 1, 2, 2, 3] {
        found.push(items.next().await.unwrap().unwrap());
        assert_eq!(script.calls().len(), calls);
        assert_eq!(items.page(), Some(&PageKey::Number(calls as u64)));
    }
    assert!(items.next().await.is_none() && items.next().await.is_none());
    assert_eq!(found, [1, 2, 3, 4, 5]);
    assert_eq!(script.calls().len(), 3);
}

fn crosses<T: Send + Unpin>(_: &T) {}

#[tokio::test]
async fn they_are_streams_like_others() {
    let (client, _) = pages_of([numbered(&[1, 2], 1), numbered(&[3, 4], 2), numbered(&[5], 3)]);
    let odd: Vec<_> = client
        .items(Numbered::default())
        .try_filter(|item| std::future::ready(item % 2 == 1))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(odd, [1, 3, 5]);
    let (client, script) = pages_of([numbered(&[1, 2], 1)]);
    let first: Vec<_> = client.items(Numbered::default()).take(2).try_collect().await.unwrap();
    assert_eq!((first, script.calls().len()), (vec![1, 2], 1));
    crosses(&client.items(Numbered::default()));
    crosses(&client.pages(ByCursor::default()));
}

#[tokio::test]
async fn an_error_ends_the_stream_and_says_where_to_go_on() {
    let (client, script) = client_of_steps(vec![
        answer(200, &numbered(&[1, 2], 1)),
        status(400).header("x-request-id", "r-2"),
        answer(200, &numbered(&[3], 2)),
    ]);
    let mut items = client.items(Numbered::default());
    assert_eq!((items.next().await.unwrap().unwrap(), items.next().await.unwrap().unwrap()), (1, 2));
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(
        error.to_string(),
        "things.list: the request was rejected, status 400, at page 2, request r-2"
    );
    assert!(items.next().await.is_none());

    let rest = client.pages_from(Numbered::default(), error.page().cloned().unwrap());
    assert_eq!(read(rest).await.0, [[3]]);
    assert_eq!(
        asked(&script),
        ["?pageNumber=1&pageSize=2", "?pageNumber=2&pageSize=2", "?pageNumber=2&pageSize=2"]
    );
}

#[tokio::test]
async fn each_page_is_retried_like_any_call() {
    let (client, script) = client_of_steps(vec![
        answer(200, &json!({"entities": [1], "cursor": "a"})),
        status(503),
        answer(200, &json!({"entities": [2]})),
    ]);
    let (pages, error) = read(client.pages(ByCursor::default())).await;
    assert_eq!((pages, error.is_none()), (vec![vec![1], vec![2]], true));
    assert_eq!(script.calls().len(), 3);
}

#[tokio::test]
async fn an_error_shows_no_cursor() {
    let (client, _) = serve(
        |seen: &Seen| {
            let is_first = !seen.uri.contains("cursor=");
            if is_first { answer(200, &json!({"entities": [1], "cursor": "swordfish"})) } else { status(503) }
        },
        |builder| builder.retry(RetryPolicy::never()),
    );
    let (_, error) = read(client.pages(ByCursor::default())).await;
    let error = error.unwrap();
    assert_eq!(
        error.to_string(),
        "things.list: the server failed, status 503, at the page at a cursor, 1 pages before it"
    );
    assert_eq!(error.page(), Some(&PageKey::Cursor("swordfish".to_owned())));
    assert!(!format!("{error:?}").contains("swordfish"), "{error:?}");
}

#[tokio::test]
async fn bad_input_is_an_error_of_the_first_page() {
    let (client, script) = pages_of([]);
    let (_, error) = read(client.pages_from(ByCursor::default(), PageKey::Query("a b".to_owned()))).await;
    assert_eq!(error.unwrap().kind(), ErrorKind::Configuration);
    assert!(script.seen().is_empty());
}
