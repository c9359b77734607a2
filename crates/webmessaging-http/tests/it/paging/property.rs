//! Whatever a server answers, a walk ends, loses nothing that was answered, and gives no page twice.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::{Value, json};
use webmessaging_http::PageKey;

use crate::paging::list::{ByCursor, ByUri, Numbered, numbered, read, serve, with};
use crate::script::{Seen, answer};

const PAGES_MAX: u64 = 12;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The number in a parameter of the request.
fn parameter(seen: &Seen, name: &str) -> Option<usize> {
    let (_, query) = seen.uri.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    value.parse().ok()
}

/// Pages that point to each other as they like: how many items each has, and where it leads, if anywhere.
fn web() -> impl Strategy<Value = Vec<(usize, Option<usize>)>> {
    prop::collection::vec((0..4_usize, prop::option::weighted(0.9, 0..10_usize)), 10)
}

/// The items of a page: no other page has them.
fn items_of(page: usize, count: usize) -> Vec<u64> {
    (0..count).map(|item| (page * 10 + item) as u64).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_web_of_cursors_or_uris_ends(web in web(), by_uri: bool, total in prop::option::of(0..30_u64)) {
        let served = Arc::new(Mutex::new(Vec::new()));
        let (pages, order) = (web.clone(), Arc::clone(&served));
        let (client, script) = serve(move |seen| {
            let name = if by_uri { "after" } else { "cursor" };
            let page = parameter(seen, name).unwrap_or(0);
            let (count, next) = pages[page];
            order.lock().unwrap().push(items_of(page, count));
            let next = next.map(|next| if by_uri { format!("?after={next}") } else { next.to_string() });
            let name = if by_uri { "nextUri" } else { "cursor" };
            answer(200, &json!({"entities": items_of(page, count), name: next, "total": total}))
        }, |builder| builder);
        let (given, error) = runtime().block_on(async {
            if by_uri {
                read(client.pages(ByUri::default()).pages_max(PAGES_MAX)).await
            } else {
                read(client.pages(ByCursor::default()).pages_max(PAGES_MAX)).await
            }
        });
        // Everything that was answered was given, in order, once.
        prop_assert_eq!(&given, &*served.lock().unwrap());
        prop_assert!(script.calls().len() <= web.len() + 1);

        // The true way, up to where it closes a circle. The first page has a second name, its number.
        let mut way = vec![0];
        while let Some(next) = web[way[way.len() - 1]].1 {
            if way.iter().skip(1).any(|page| *page == next) { break; }
            way.push(next);
        }
        let true_way: Vec<_> = way.iter().map(|page| items_of(*page, web[*page].0)).collect();
        prop_assert!(true_way.starts_with(&given), "{:?} is not the begin of {:?}", given, true_way);
        // An end without an error is the end, or a promise that stayed empty.
        if error.is_none() && given.len() < true_way.len() {
            prop_assert!(given.iter().rev().take(3).all(Vec::is_empty), "{:?}", given);
        }
    }

    #[test]
    fn any_numbers_end_and_concurrency_changes_nothing(
        said in prop::collection::vec(
            (0..3_usize, prop::option::of(0..9_u64), prop::option::of(0..30_u64), any::<bool>()), 10),
        concurrency in 2..20_usize,
    ) {
        let walk = |concurrency: usize| {
            let said = said.clone();
            let (client, script) = serve(move |seen| {
                let number = parameter(seen, "pageNumber").unwrap();
                let Some((items, count, total, more)) = said.get(number - 1) else {
                    return answer(200, &numbered(&[], number as u64));
                };
                let body = numbered(&items_of(number, *items), number as u64);
                let next = if *more { json!("/api/v2/things?pageNumber=1") } else { Value::Null };
                answer(200, &with(body, json!({"pageCount": count, "total": total, "nextUri": next})))
            }, |builder| builder);
            let pages = client.pages(Numbered::default()).pages_max(PAGES_MAX).concurrency(concurrency);
            let (given, error) = runtime().block_on(read(pages));
            (given, error.map(|error| (error.to_string(), error.page().cloned())), script.calls().len())
        };
        let (given, error, calls) = walk(1);
        prop_assert_eq!(calls, given.len());
        prop_assert!(calls as u64 <= PAGES_MAX);
        for (page, items) in (1..).zip(&given) {
            let expected = said.get(page - 1).map_or(0, |said| said.0);
            prop_assert_eq!(items, &items_of(page, expected));
        }
        if let Some((_, page)) = &error {
            prop_assert_eq!(page, &Some(PageKey::Number(given.len() as u64 + 1)));
        }
        let (same, same_error, calls) = walk(concurrency);
        prop_assert_eq!((&same, &same_error), (&given, &error));
        prop_assert!(calls < given.len() + concurrency && calls as u64 <= PAGES_MAX);
    }
}
