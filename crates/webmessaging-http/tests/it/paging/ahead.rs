//! Pages read ahead: faster, in order, bounded, and ended with the stream.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use webmessaging_http::clock::TokioClock;
use webmessaging_http::testing::Halfway;
use webmessaging_http::transport::{Exchange, Transport};
use webmessaging_http::{Body, Client, Clock, Credentials, ErrorKind, PageKey, Pages, RateLimitPolicy};

use crate::paging::list::{ByCursor, Numbered, numbered, read, with};

const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Answers by page number, each answer after a while on tokio's paused clock.
#[derive(Clone)]
struct Slow {
    asked: Arc<Mutex<Vec<u64>>>,
    under_way: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
    answer: Arc<dyn Fn(u64) -> (u16, Value, Duration) + Send + Sync>,
}

impl Slow {
    fn new(answer: impl Fn(u64) -> (u16, Value, Duration) + Send + Sync + 'static) -> (Client, Self) {
        let slow = Self {
            asked: Arc::default(),
            under_way: Arc::default(),
            peak: Arc::default(),
            answer: Arc::new(answer),
        };
        let builder = Client::builder(Credentials::new("id", "secret"))
            .entropy(Halfway)
            .rate_limit(RateLimitPolicy::unlimited());
        (builder.transport(slow.clone()).build().unwrap(), slow)
    }

    fn asked(&self) -> Vec<u64> {
        self.asked.lock().unwrap().clone()
    }

    fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }
}

/// A request between its start and its answer, or its end without one.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Transport for Slow {
    fn send(&self, request: Request<Body>) -> Exchange {
        let answer = |status: u16, body: &Value| {
            let body = Body::from(Bytes::from(body.to_string()));
            Ok(Response::builder().status(status).body(body).unwrap())
        };
        if request.uri().path() == "/oauth/token" {
            let token = json!({"access_token": "t", "token_type": "bearer", "expires_in": 86_400});
            return Box::pin(std::future::ready(answer(200, &token)));
        }
        let query = request.uri().query().unwrap_or_default();
        let number = query.strip_prefix("pageNumber=").and_then(|rest| rest.split('&').next()?.parse().ok());
        let number = number.unwrap_or(1);
        self.asked.lock().unwrap().push(number);
        self.peak.fetch_max(self.under_way.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let under_way = UnderWay(Arc::clone(&self.under_way));
        let (status, body, wait) = (self.answer)(number);
        Box::pin(async move {
            TokioClock.sleep(wait).await;
            drop(under_way);
            answer(status, &body)
        })
    }
}

/// One of `count` pages of one item, which is the number of the page.
fn one_of(number: u64, count: u64) -> Value {
    let items = if number <= count { vec![number] } else { vec![] };
    with(numbered(&items, number), json!({"pageSize": 1, "total": count, "pageCount": count}))
}

fn whole(count: u64) -> Vec<Vec<u64>> {
    (1..=count).map(|number| vec![number]).collect()
}

/// Asks for the next page and gives up at once, as the branch of a `select!` that loses does.
async fn glance(pages: &mut Pages<Numbered>) -> Poll<Vec<u64>> {
    let mut next = pin!(pages.next());
    let page = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
    page.map(|page| page.unwrap().unwrap().into_items())
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let started: Instant = TokioClock.now();
    let value = work.await;
    (value, TokioClock.now() - started)
}

#[tokio::test(start_paused = true)]
async fn a_hundred_pages_take_a_hundred_round_trips_or_eight() {
    let (client, slow) = Slow::new(|number| (200, one_of(number, 100), ROUND_TRIP));
    let ((pages, error), took) = timed(read(client.pages(Numbered::default()))).await;
    assert_eq!((pages, error.is_none()), (whole(100), true));
    assert_eq!((took, slow.peak()), (ROUND_TRIP * 100, 1));

    // The first page alone, the other 99 in seven rounds of 16.
    let ((pages, error), took) = timed(read(client.pages(Numbered::default()).concurrency(16))).await;
    assert_eq!((pages, error.is_none()), (whole(100), true));
    assert_eq!((took, slow.peak()), (ROUND_TRIP * 8, 16));
    assert_eq!(slow.asked().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_order_is_kept_whatever_order_they_arrive_in() {
    // The later a page, the sooner it is there.
    let wait = |number| Duration::from_millis(1_000_u64.saturating_sub(number * 10));
    let (client, _) = Slow::new(move |number| (200, one_of(number, 50), wait(number)));
    let (pages, error) = read(client.pages(Numbered::default()).concurrency(8)).await;
    assert_eq!((pages, error.is_none()), (whole(50), true));
}

#[tokio::test(start_paused = true)]
async fn pages_that_wait_for_their_reader_count() {
    let (client, slow) = Slow::new(|number| (200, one_of(number, 100), ROUND_TRIP));
    let mut pages = client.pages(Numbered::default()).concurrency(4);
    for (given, asked) in [(1, 1), (2, 5), (3, 6), (4, 7)] {
        assert_eq!(pages.next().await.unwrap().unwrap().key, PageKey::Number(given));
        // However long the reader takes, nothing more is asked for, and nothing runs out.
        TokioClock.sleep(Duration::from_secs(600)).await;
        assert_eq!((slow.asked().len(), slow.under_way()), (asked, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_too_low_is_gone_beyond() {
    let told = |number: u64| if number < 5 { 5 } else { 9 };
    let (client, slow) = Slow::new(move |number| {
        let body = with(one_of(number, 9), json!({"total": told(number), "pageCount": told(number)}));
        (200, body, ROUND_TRIP)
    });
    let (pages, error) = read(client.pages(Numbered::default()).concurrency(8)).await;
    assert_eq!((pages, error.is_none()), (whole(9), true));
    assert_eq!(slow.asked(), (1..=9).collect::<Vec<_>>());

    // Promised by nothing but a next uri: one at a time.
    let (client, slow) = Slow::new(move |number| {
        let next = if number < 5 { json!("/more") } else { Value::Null };
        let body = json!({"entities": [number], "pageNumber": number, "pageCount": 2, "nextUri": next});
        (200, body, ROUND_TRIP)
    });
    let ((pages, error), took) = timed(read(client.pages(Numbered::default()).concurrency(8))).await;
    assert_eq!((pages, error.is_none()), (whole(5), true));
    assert_eq!((slow.peak(), took), (1, ROUND_TRIP * 5));
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_too_high_ends_where_a_page_says_so() {
    let told = |number: u64| if number == 1 { 1_000_000 } else { 3 };
    let (client, slow) = Slow::new(move |number| {
        let body = with(one_of(number, 3), json!({"total": told(number), "pageCount": told(number)}));
        (200, body, if number <= 3 { ROUND_TRIP } else { ROUND_TRIP * 9 })
    });
    let mut pages = client.pages(Numbered::default()).concurrency(4);
    for number in 1..=3 {
        assert_eq!(pages.next().await.unwrap().unwrap().into_items(), [number]);
    }
    // Two to five at once; the second says that there is nothing after the third. Nobody waits for the others.
    assert_eq!(slow.asked(), (1..=5).collect::<Vec<_>>());
    tokio::task::yield_now().await;
    assert_eq!(slow.under_way(), 0);
    assert!(pages.next().await.is_none());

    // Nobody says so: the empty pages do.
    let lie = json!({"total": 1_000_000, "pageCount": 1_000_000});
    let (client, slow) = Slow::new(move |number| (200, with(one_of(number, 3), lie.clone()), ROUND_TRIP));
    let (pages, error) = read(client.pages(Numbered::default()).concurrency(4)).await;
    assert_eq!(pages, [vec![1], vec![2], vec![3], vec![], vec![], vec![]]);
    assert_eq!(error.unwrap().page(), Some(&PageKey::Number(7)));
    assert!(slow.asked().len() <= 10, "{:?}", slow.asked());
}

#[tokio::test(start_paused = true)]
async fn it_stays_one_at_a_time_where_nothing_is_counted() {
    let (client, slow) = Slow::new(|number| {
        let items: &[u64] = if number < 5 { &[1, 2] } else { &[3] };
        (200, numbered(items, number), ROUND_TRIP)
    });
    let (pages, error) = read(client.pages(Numbered::default()).concurrency(16)).await;
    assert_eq!((pages.len(), error.is_none(), slow.peak()), (5, true, 1));

    let (client, slow) = Slow::new(|_| (200, json!({"entities": [1], "total": 100}), ROUND_TRIP));
    let (pages, error) = read(client.pages(ByCursor::default()).concurrency(16)).await;
    assert_eq!((pages.len(), error.is_none(), slow.peak()), (1, true, 1));
}

#[tokio::test(start_paused = true)]
async fn the_first_error_in_order_ends_the_stream_after_everything_before_it() {
    let (client, slow) = Slow::new(|number| match number {
        // Arrives first of all, and is not what the caller hears of.
        9 => (400, json!({}), Duration::from_millis(1)),
        7 => (400, json!({"code": "seven"}), ROUND_TRIP * 5),
        8.. => (200, one_of(number, 100), ROUND_TRIP * 9),
        _ => (200, one_of(number, 100), ROUND_TRIP),
    });
    let mut pages = client.pages(Numbered::default()).concurrency(16);
    for number in 1..=6 {
        assert_eq!(pages.next().await.unwrap().unwrap().into_items(), [number]);
    }
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.page()), (ErrorKind::Rejected, Some(&PageKey::Number(7))));
    assert_eq!(error.api().and_then(|api| api.code.as_deref()), Some("seven"));
    // The others are given up at once, not when the stream is dropped.
    tokio::task::yield_now().await;
    assert_eq!(slow.under_way(), 0);
    assert!(pages.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_ends_with_the_stream() {
    let (client, slow) = Slow::new(|number| {
        let wait = if number < 3 { ROUND_TRIP } else { Duration::from_secs(20) };
        (200, one_of(number, 100), wait)
    });
    for concurrency in [1, 16] {
        let mut pages = client.pages(Numbered::default()).concurrency(concurrency);
        pages.next().await.unwrap().unwrap();
        pages.next().await.unwrap().unwrap();
        assert!(glance(&mut pages).await.is_pending());
        tokio::task::yield_now().await;
        assert_eq!(slow.under_way(), concurrency);
        let asked = slow.asked().len();
        drop(pages);
        tokio::task::yield_now().await;
        assert_eq!(slow.under_way(), 0);
        TokioClock.sleep(Duration::from_secs(60)).await;
        assert_eq!(slow.asked().len(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_loses_no_page() {
    let (client, slow) = Slow::new(|number| (200, one_of(number, 9), ROUND_TRIP));
    for concurrency in [1, 4] {
        let mut pages = client.pages(Numbered::default()).concurrency(concurrency);
        let (mut read, mut given_up) = (Vec::new(), 0);
        while read.len() < 9 {
            match glance(&mut pages).await {
                Poll::Ready(items) => read.push(items),
                Poll::Pending => given_up += 1,
            }
            TokioClock.sleep(ROUND_TRIP / 3).await;
        }
        assert_eq!(read, whole(9));
        assert!(given_up > 3, "{given_up}");
        assert!(pages.next().await.is_none());
    }
    assert_eq!(slow.asked().len(), 18);
}

#[tokio::test(start_paused = true)]
async fn the_highest_number_of_pages_holds_ahead_too() {
    let (client, slow) = Slow::new(|number| (200, one_of(number, 100), ROUND_TRIP));
    let (pages, error) = read(client.pages(Numbered::default()).concurrency(16).pages_max(5)).await;
    assert_eq!(pages, whole(5));
    assert_eq!(error.unwrap().page(), Some(&PageKey::Number(6)));
    assert_eq!(slow.asked(), [1, 2, 3, 4, 5]);
}
