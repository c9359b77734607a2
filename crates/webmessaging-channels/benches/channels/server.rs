//! A process with pages of channels: it logs anybody in, and answers after a while.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const PAGES: usize = 100;
const PAGE_SIZE: usize = 100;
pub(crate) const CHANNELS: usize = PAGES * PAGE_SIZE;

const SERVE: &str = "WEBMESSAGING_BENCH_SERVER";

/// The server; it ends when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(delay: Duration) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(SERVE, delay.as_millis().to_string()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, address: line.trim().parse().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn is_asked_for() -> Option<Duration> {
    let millis = std::env::var(SERVE).ok()?;
    Some(Duration::from_millis(millis.parse().unwrap()))
}

/// Serves until somebody ends the process.
pub(crate) fn serve(delay: Duration) -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    let pages: Arc<[String]> = (1..=PAGES).map(page).collect();
    loop {
        let (stream, _) = listener.accept().unwrap();
        let pages = Arc::clone(&pages);
        std::thread::spawn(move || connection(stream, &pages, delay));
    }
}

fn connection(mut stream: TcpStream, pages: &[String], delay: Duration) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = memchr::memmem::find(&buffer, b"\r\n\r\n") {
                break end + 4;
            }
            let mut more = [0; 4096];
            match stream.read(&mut more) {
                Ok(0) | Err(_) => return,
                Ok(read) => buffer.extend_from_slice(&more[..read]),
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
        let end = head + length.unwrap_or(0_usize);
        while buffer.len() < end {
            let mut more = [0; 4096];
            match stream.read(&mut more) {
                Ok(0) | Err(_) => return,
                Ok(read) => buffer.extend_from_slice(&more[..read]),
            }
        }
        buffer.drain(..end);
        let body = if text.starts_with("get ") {
            let number = text.split_once("pagenumber=").map_or("", |(_, rest)| rest);
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            std::thread::sleep(delay);
            pages.get(digits.parse::<usize>().unwrap() - 1).map_or(r#"{"entities":[]}"#, String::as_str)
        } else {
            r#"{"access_token":"token","expires_in":86400}"#
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).is_err() {
            return;
        }
    }
}

pub(crate) fn page(number: usize) -> String {
    let mut entities = String::new();
    for index in 0..PAGE_SIZE {
        let id = (number - 1) * PAGE_SIZE + index;
        let separator = if index > 0 { "," } else { "" };
        let _ = write!(
            entities,
            r#"{separator}{{"id":"a1b2c3d4-e5f6-7890-abcd-{id:012}","name":"Channel {id}","channelType":"webchat","configuration":{{"webchat":{{"maxConcurrentSessions":500,"features":["rich-media","typing-indicators","file-sharing"]}},"routing":{{"queueId":"queue-{id}","assignmentMode":"longest-idle"}}}}}}"#
        );
    }
    format!(
        r#"{{"entities":[{entities}],"pageSize":{PAGE_SIZE},"pageNumber":{number},"total":{CHANNELS},"pageCount":{PAGES}}}"#
    )
}
