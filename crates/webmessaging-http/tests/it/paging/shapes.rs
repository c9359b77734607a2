//! Each shape from its first page to its last.

use serde_json::{Value, json};
use webmessaging_http::PageKey;

use crate::paging::list::{ByCursor, ByUri, Numbered, asked, numbered, pages_of, read, with};

/// Reads a list by number and gives the items and the page numbers asked for.
async fn by_number(bodies: impl IntoIterator<Item = Value>) -> (Vec<Vec<u64>>, usize) {
    let (client, script) = pages_of(bodies);
    let (pages, error) = read(client.pages(Numbered::default())).await;
    assert!(error.is_none(), "{error:?}");
    let asked = asked(&script);
    let expected: Vec<_> = (1..=asked.len()).map(|n| format!("?pageNumber={n}&pageSize=2")).collect();
    assert_eq!(asked, expected);
    (pages, asked.len())
}

#[tokio::test]
async fn a_page_that_is_not_full_is_the_last_where_nothing_else_is_said() {
    let (pages, asked) = by_number([numbered(&[1, 2], 1), numbered(&[3], 2)]).await;
    assert_eq!((pages, asked), (vec![vec![1, 2], vec![3]], 2));
    let (pages, asked) = by_number([numbered(&[1, 2], 1), numbered(&[], 2)]).await;
    assert_eq!((pages, asked), (vec![vec![1, 2], vec![]], 2));
    // Not even that: what was asked for tells a full page.
    let bare = |items: &[u64]| json!({"entities": items});
    let (pages, asked) = by_number([bare(&[1, 2]), bare(&[3])]).await;
    assert_eq!((pages, asked), (vec![vec![1, 2], vec![3]], 2));
}

#[tokio::test]
async fn a_list_of_nothing_is_one_page() {
    for body in [json!({}), json!({"entities": null, "total": 0, "pageCount": 0, "pageNumber": 1})] {
        assert_eq!(by_number([body]).await, (vec![vec![]], 1));
    }
}

#[tokio::test]
async fn a_count_tells_the_last_page() {
    for count in [json!({"total": 4}), json!({"pageCount": 2}), json!({"total": 4, "pageCount": 2})] {
        let page = |items: &[u64], number| with(numbered(items, number), count.clone());
        let (pages, asked) = by_number([page(&[1, 2], 1), page(&[3, 4], 2)]).await;
        assert_eq!((pages, asked), (vec![vec![1, 2], vec![3, 4]], 2), "{count}");
    }
    // A page that is not full, because its items are not all visible to us, is not the last one.
    let page = |items: &[u64], number| with(numbered(items, number), json!({"pageCount": 3}));
    let (pages, _) = by_number([page(&[1], 1), page(&[], 2), page(&[2], 3)]).await;
    assert_eq!(pages, [vec![1], vec![], vec![2]]);
}

#[tokio::test]
async fn a_count_stands_until_another_page_says_otherwise() {
    let (pages, _) =
        by_number([with(numbered(&[1, 2], 1), json!({"total": 5})), numbered(&[3], 2), numbered(&[4, 5], 3)])
            .await;
    assert_eq!(pages, [vec![1, 2], vec![3], vec![4, 5]]);
    let total = |items: &[u64], number, total| with(numbered(items, number), json!({"total": total}));
    let (pages, _) = by_number([total(&[1, 2], 1, 9), total(&[3, 4], 2, 4)]).await;
    assert_eq!(pages, [vec![1, 2], vec![3, 4]]);
    let (pages, _) = by_number([total(&[1, 2], 1, 4), total(&[3, 4], 2, 5), total(&[5], 3, 5)]).await;
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test]
async fn of_two_counts_the_higher_is_believed_and_so_is_a_next_uri() {
    let lying = |items: &[u64], number| with(numbered(items, number), json!({"pageCount": 1, "total": 3}));
    let (pages, _) = by_number([lying(&[1, 2], 1), lying(&[3], 2)]).await;
    assert_eq!(pages, [vec![1, 2], vec![3]]);
    let more = json!({"pageCount": 1, "nextUri": "https://evil.example/not-looked-at"});
    let (pages, _) = by_number([with(numbered(&[1, 2], 1), more), numbered(&[3], 2)]).await;
    assert_eq!(pages, [vec![1, 2], vec![3]]);
}

#[tokio::test]
async fn a_cursor_is_passed_on_until_there_is_none() {
    let (client, script) = pages_of([
        json!({"entities": [1, 2], "pageSize": 2, "cursor": "a b/+="}),
        json!({"entities": [3], "nextPage": 7}),
        json!({"entities": [4], "cursor": null}),
    ]);
    let (pages, error) = read(client.pages(ByCursor::default())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(pages, [vec![1, 2], vec![3], vec![4]]);
    assert_eq!(asked(&script), ["?pageSize=2", "?cursor=a%20b%2F%2B%3D&pageSize=2", "?cursor=7&pageSize=2"]);
}

#[tokio::test]
async fn a_uri_is_followed_with_its_own_query_and_nothing_else() {
    let (client, script) = pages_of([
        json!({"entities": [1], "nextUri": "/api/v2/things?after=a+b%2B&pageSize=100"}),
        json!({"entities": [2], "nextUri": "https://api.mypurecloud.com/api/v2/things?after=c"}),
        json!({"entities": [3], "nextUri": null}),
    ]);
    let (pages, error) = read(client.pages(ByUri::default())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(pages, [vec![1], vec![2], vec![3]]);
    assert_eq!(asked(&script), ["?pageSize=2", "?after=a+b%2B&pageSize=100", "?after=c"]);
}

#[tokio::test]
async fn a_page_knows_its_key_and_the_next_one() {
    let (client, _) =
        pages_of([json!({"entities": [1], "cursor": "b", "total": 2}), json!({"entities": [2], "total": 2})]);
    let mut pages = client.pages(ByCursor::default());
    let first = pages.next().await.unwrap().unwrap();
    let b = PageKey::Cursor("b".to_owned());
    assert_eq!((&first.key, first.next.as_ref()), (&PageKey::First, Some(&b)));
    assert_eq!((first.answer.value.total, first.answer.facts.attempts), (Some(2), 1));
    let last = pages.next().await.unwrap().unwrap();
    assert_eq!((&last.key, last.next.as_ref()), (&b, None));
}

#[test]
fn a_key_travels_to_another_process() {
    for (key, text) in [
        (PageKey::First, r#""first""#),
        (PageKey::Number(7), r#"{"number":7}"#),
        (PageKey::Cursor("c".to_owned()), r#"{"cursor":"c"}"#),
        (PageKey::Query("a=b".to_owned()), r#"{"query":"a=b"}"#),
    ] {
        assert_eq!(serde_json::to_string(&key).unwrap(), text);
        assert_eq!(serde_json::from_str::<PageKey>(text).unwrap(), key);
    }
}
