//! A process that reads and forgets: it logs anybody in, announces anything, and takes any bytes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SERVE: &str = "WEBMESSAGING_BENCH_SINK";

/// The sink; it ends when it is dropped.
pub(crate) struct Sink {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut process = command.env(SERVE, "1").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, address: line.trim().parse().unwrap() }
    }

    /// Its id, for the system.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// How many requests it has had that were not for bytes.
    pub(crate) fn requests(&self) -> u64 {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"GET /requests HTTP/1.1\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.rsplit("\r\n").next().unwrap().parse().unwrap()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(SERVE).is_some()
}

/// Serves until somebody ends the process.
pub(crate) fn serve() -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    println!("{address}");
    let requests = Arc::new(AtomicU64::new(0));
    loop {
        let (stream, _) = listener.accept().unwrap();
        let requests = Arc::clone(&requests);
        std::thread::spawn(move || connection(stream, address, &requests));
    }
}

fn connection(mut stream: TcpStream, address: SocketAddr, requests: &AtomicU64) {
    let mut buffer = vec![0; 256 * 1024];
    let mut filled = 0;
    loop {
        let head = loop {
            if let Some(end) = memchr::memmem::find(&buffer[..filled], b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut buffer[filled..]) {
                Ok(0) | Err(_) => return,
                Ok(read) => filled += read,
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length =
            text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        let mut missing = length.unwrap_or_default().saturating_sub(filled - head);
        while missing > 0 {
            let room = missing.min(buffer.len() - head);
            match stream.read(&mut buffer[head..head + room]) {
                Ok(0) | Err(_) => return,
                Ok(read) => missing -= read,
            }
        }
        filled = 0;
        let body = if text.starts_with("put ") {
            String::new()
        } else if text.starts_with("get ") {
            requests.load(Ordering::Relaxed).to_string()
        } else {
            requests.fetch_add(1, Ordering::Relaxed);
            if text.contains("/oauth/token") {
                r#"{"access_token":"token","expires_in":86400}"#.to_owned()
            } else {
                format!(r#"{{"uploadUrl":"http://{address}/put?signature=s","fileId":"file-1"}}"#)
            }
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() || text.contains("connection: close") {
            return;
        }
    }
}
