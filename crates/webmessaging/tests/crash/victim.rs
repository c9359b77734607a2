//! The process that is killed: a receiver, an audit log and a worker on one store, as a service has them.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use webmessaging::http::clock as http_clock;
use webmessaging::journal::Journal;
use webmessaging::journal::audit::AuditLog;
use webmessaging::journal::clock as journal_clock;
use webmessaging::model::Timestamp;
use webmessaging::store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store};
use webmessaging::sync::{Secrets, SyncWorker, TargetConfig, Targets};
use webmessaging::webhooks::receiver::Receiver;
use webmessaging::webhooks::{Secret, Verifier};

use crate::steps::Killer;

pub(crate) const ORDERS: &str = "CRASH_ORDERS";
pub(crate) const SECRET: &str = "a secret for deliveries";

/// What a victim is told, as one variable.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    /// Where the audit log is, and the store unless it has a URL.
    pub(crate) folder: PathBuf,
    pub(crate) database: Option<String>,
    pub(crate) target: String,
    /// So much later than it is: leases of those who were killed are over then.
    pub(crate) later: Duration,
    /// The step to die at, and how often to pass it before.
    pub(crate) killer: Option<(usize, i64)>,
}

impl Orders {
    pub(crate) fn to_text(&self) -> String {
        let (step, times) = self.killer.map_or((String::new(), 0), |(step, times)| (step.to_string(), times));
        [
            self.folder.display().to_string(),
            self.database.clone().unwrap_or_default(),
            self.target.clone(),
            self.later.as_secs().to_string(),
            step,
            times.to_string(),
        ]
        .join("\n")
    }

    fn from_text(text: &str) -> Self {
        let mut lines = text.split('\n');
        let mut next = || lines.next().unwrap().to_owned();
        let (folder, database, target, later) = (next().into(), next(), next(), next());
        let (step, times) = (next(), next());
        Self {
            folder,
            database: Some(database).filter(|url| !url.is_empty()),
            target,
            later: Duration::from_secs(later.parse().unwrap()),
            killer: step.parse().ok().map(|step| (step, times.parse().unwrap())),
        }
    }
}

/// Does as the orders say, if there are any.
pub(crate) fn is_one() -> bool {
    let Ok(orders) = std::env::var(ORDERS) else { return false };
    let orders = Orders::from_text(&orders);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(serve(orders));
    true
}

async fn serve(orders: Orders) {
    if let Some((step, times)) = orders.killer {
        tracing_subscriber::registry().with(Killer::new(step, times)).init();
    }
    let clock = Later(orders.later);
    let store: Arc<dyn Store> = if let Some(url) = &orders.database {
        let options = PostgresOptions::new(url.as_str()).callers_clock();
        Arc::new(PostgresStore::open(options).await.unwrap())
    } else {
        let options = SqliteOptions::new(orders.folder.join("store.db"));
        Arc::new(SqliteStore::open(options).await.unwrap())
    };
    let audit = AuditLog::builder(orders.folder.join("audit")).file_bytes(256 * 1024).open().unwrap();
    let targets = targets(&orders.target);
    let worker = SyncWorker::builder(Arc::clone(&store), targets.clone())
        .poll(Duration::from_millis(20))
        .clock(clock)
        .build()
        .unwrap();
    let wake = worker.wake().clone();
    let receiver = Receiver::builder(store, Verifier::new(Secret::new("only", SECRET).unwrap()))
        .journal(Journal::builder().durable("audit", audit).build().unwrap())
        .items_for(move |event, now| {
            wake.wake();
            targets.iter().filter_map(|target| target.item_for(event, now)).collect()
        })
        .poll_every(Duration::from_millis(20))
        .clock(clock)
        .build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    // It ends by being killed.
    let never = std::future::pending::<()>;
    let (served, ()) = tokio::join!(receiver.serve(listener, never()), worker.run(never()));
    served.unwrap();
}

/// One in batches, one with a request for each.
pub(crate) fn targets(base: &str) -> Targets {
    let text = format!(
        r#"
        [[target]]
        name = "documents"
        url = "{base}/documents"
        shape = "documents"
        batch_max = 10
        timeout = "2s"
        schedule = ["20ms", "50ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms"]
        allow_private = ["127.0.0.1"]

        [[target]]
        name = "archive"
        url = "{base}/archive"
        shape = "archive"
        timeout = "2s"
        schedule = ["20ms", "50ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms"]
        allow_private = ["127.0.0.1"]
        "#
    );
    let configs = TargetConfig::from_toml(&text).unwrap();
    Targets::new(
        configs.into_iter().map(|config| config.build(&Secrets::none()).unwrap()).collect::<Vec<_>>(),
    )
    .unwrap()
}

/// The clock of the system, and so much on top.
#[derive(Debug, Clone, Copy)]
struct Later(Duration);

impl journal_clock::Clock for Later {
    fn now(&self) -> Instant {
        journal_clock::Clock::now(&journal_clock::SystemClock)
    }

    fn wall(&self) -> Timestamp {
        journal_clock::Clock::wall(&journal_clock::SystemClock) + self.0
    }

    fn watchdog(&self, duration: Duration) -> journal_clock::Wait {
        journal_clock::Clock::watchdog(&journal_clock::SystemClock, duration)
    }
}

impl http_clock::Clock for Later {
    fn now(&self) -> Instant {
        http_clock::Clock::now(&http_clock::TokioClock)
    }

    fn wall(&self) -> SystemTime {
        http_clock::Clock::wall(&http_clock::TokioClock) + self.0
    }

    fn sleep(&self, duration: Duration) -> http_clock::Wait {
        http_clock::Clock::sleep(&http_clock::TokioClock, duration)
    }

    fn watchdog(&self, duration: Duration) -> http_clock::Wait {
        http_clock::Clock::watchdog(&http_clock::TokioClock, duration)
    }
}
