//! A client that hides nothing: it writes text and shows every byte that comes back.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webmessaging_emulator::Emulator;

/// What came back on one connection until its end.
pub(crate) struct Raw {
    pub(crate) head: String,
    /// Everything behind the head, whatever the head says of it.
    pub(crate) body: Vec<u8>,
    pub(crate) is_reset: bool,
}

impl Raw {
    /// The value of a header; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value).next().unwrap_or_default()
    }

    pub(crate) fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// How many bytes of the body were announced.
    pub(crate) fn announced(&self) -> usize {
        self.header("content-length").parse().unwrap()
    }
}

/// A request as text, with the right `content-length`. The connection ends with its answer.
pub(crate) fn request(line: &str, headers: &[(&str, &str)], body: &str) -> String {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// The login that every test does.
pub(crate) fn login() -> String {
    let body = "grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret";
    request("POST /oauth/token", &[("content-type", "application/x-www-form-urlencoded")], body)
}

/// Sends a text and reads to the end of the connection.
pub(crate) async fn send(emulator: &Emulator, text: &str) -> Raw {
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    // A connection that is reset early takes no more.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await;
    let is_reset = end.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    let body = bytes.split_off(head_end);
    Raw { head: String::from_utf8(bytes).unwrap(), body, is_reset }
}
