//! A server that is down for a minute, and sixty-four callers who do not stop asking.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use webmessaging_http::clock::{Clock, TokioClock};
use webmessaging_http::transport::{Exchange, Failure};
use webmessaging_http::{
    Body, BreakerPolicy, Client, ClientBuilder, Credentials, Encoder, Endpoint, RateLimitPolicy, RetryBudget,
    Transport, TransportError,
};
use webmessaging_model::Operation;

const CALLERS: usize = 64;
const LASTS: Duration = Duration::from_secs(60);
/// A caller whose call has failed calls again after this.
const PAUSE: Duration = Duration::from_millis(100);

/// How a server is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    Unavailable,
    NoConnection,
}

impl Outage {
    pub(crate) const ALL: [Self; 2] = [Self::Unavailable, Self::NoConnection];
}

struct Down {
    outage: Outage,
    requests: Arc<AtomicUsize>,
}

impl Transport for Down {
    fn send(&self, request: Request<Body>) -> Exchange {
        if request.uri().path() == "/oauth/token" {
            let token = bytes::Bytes::from_static(br#"{"access_token":"t","expires_in":86400}"#);
            return Box::pin(std::future::ready(Ok(Response::new(Body::from(token)))));
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        let outage = self.outage;
        Box::pin(async move {
            TokioClock.sleep(Duration::from_millis(20)).await;
            match outage {
                Outage::Unavailable => {
                    let mut answer = Response::new(Body::from(bytes::Bytes::new()));
                    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                    Ok(answer)
                }
                Outage::NoConnection => Err(TransportError::new(Failure::Connect, "down")),
            }
        })
    }
}

const READ: Operation = Operation::new("things.read", webmessaging_model::Method::Get, "/api/v2/things");

struct Read;

impl Endpoint for Read {
    type Answer = ();

    fn operation(&self) -> &'static Operation {
        &READ
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request
    }
}

/// How many requests the server gets in that minute.
pub(crate) async fn requests(outage: Outage, set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) -> usize {
    let requests = Arc::new(AtomicUsize::new(0));
    let down = Down { outage, requests: Arc::clone(&requests) };
    // Without a quota, so that it is not the quota that protects the server.
    let builder = Client::builder(Credentials::new("id", "secret")).transport(down);
    let client = set_up(builder.rate_limit(RateLimitPolicy::unlimited())).build().unwrap();
    let end = TokioClock.now() + LASTS;
    let caller = || {
        let client = client.clone();
        tokio::spawn(async move {
            while TokioClock.now() < end {
                let _ = client.send(&Read).await;
                TokioClock.sleep(PAUSE).await;
            }
        })
    };
    let callers: Vec<_> = (0..CALLERS).map(|_| caller()).collect();
    TokioClock.sleep(LASTS).await;
    let seen = requests.load(Ordering::SeqCst);
    for caller in callers {
        caller.abort();
    }
    seen
}

/// The same retries, each caller for itself.
pub(crate) fn unbudgeted(builder: ClientBuilder) -> ClientBuilder {
    builder.retry_budget(RetryBudget::unlimited()).breaker(BreakerPolicy::off())
}
