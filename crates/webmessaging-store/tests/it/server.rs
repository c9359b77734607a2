//! A PostgreSQL for the tests: from the system's package, in a temporary folder, on a free port, gone with the tests.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use tokio_postgres::NoTls;

/// Its keeper is a shell that lives as long as the tests do.
const KEEPER: &str = include_str!("server.sh");

pub(crate) const FAST: &str = "-c fsync=off -c full_page_writes=off";

#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    databases: AtomicU32,
    keeper: Mutex<(ChildStdin, BufReader<std::process::ChildStdout>)>,
    /// Dropped with the test that owns it; that of all tests lives until they end.
    _child: Child,
}

impl Server {
    /// The server of this run; nothing where the package is not installed.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(FAST)).as_ref()
    }

    /// A server of one's own, with these settings.
    pub(crate) fn start(settings: &str) -> Option<Self> {
        let Some(bin) = programs() else {
            let how = "PostgreSQL is not installed: apt-get install postgresql";
            assert!(std::env::var_os("CI").is_none(), "{how}");
            eprintln!("not tested, {how}");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut keeper = Command::new("sh");
        keeper
            .args(["-c", KEEPER])
            .current_dir("/")
            .env("BIN", bin)
            .env("PORT", port.to_string())
            .env("SETTINGS", settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        as_owner(&mut keeper);
        let mut child = keeper.spawn().unwrap();
        let keeper = Mutex::new((child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap())));
        let server = Self { port, databases: AtomicU32::new(0), keeper, _child: child };
        server.hear();
        Some(server)
    }

    /// An empty database; its URL.
    pub(crate) async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let client = connect(&self.url("postgres")).await;
        client.batch_execute(&format!("create database {name}")).await.unwrap();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgresql://test@127.0.0.1:{}/{database}", self.port)
    }

    /// Kills the server as a power failure would, and starts it again.
    pub(crate) fn crash(&self) {
        self.kill();
        self.revive();
    }

    pub(crate) fn kill(&self) {
        self.order("kill");
    }

    pub(crate) fn revive(&self) {
        self.order("start");
    }

    fn order(&self, order: &str) {
        writeln!(self.keeper.lock().unwrap().0, "{order}").unwrap();
        self.hear();
    }

    fn hear(&self) {
        let mut answer = String::new();
        self.keeper.lock().unwrap().1.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "0", "the server did not do as it was told");
    }
}

/// A connection beside the store's.
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The newest that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let found = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let usable = found.filter(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists());
    usable.max_by_key(|bin| {
        let version = bin.parent().and_then(|version| version.file_name()?.to_str()?.parse::<u32>().ok());
        version.unwrap_or_default()
    })
}

/// The server refuses to run as root: then it is the package's own user.
#[cfg(unix)]
fn as_owner(command: &mut Command) {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;

    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("postgres:")).expect("the package makes a user");
    let ids: Vec<u32> = user.split(':').skip(2).take(2).map(|id| id.parse().unwrap()).collect();
    command.uid(ids[0]).gid(ids[1]);
}

#[cfg(not(unix))]
fn as_owner(_: &mut Command) {}
