//! A server that takes every message at once, and says so.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Of the usual length.
pub(crate) const TOKEN: &str =
    "a-token-of-the-usual-length-0123456789-0123456789-0123456789-0123456789-0123456789";

pub(crate) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Answers every request of a connection with the same bytes.
fn serve(mut stream: TcpStream) {
    let answer = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
        format!("{head}{}\r\n\r\n{body}", body.len())
    };
    let token = answer(&format!(r#"{{"access_token":"{TOKEN}","expires_in":86400}}"#));
    let sent = answer(r#"{"id":"5c6f2d50-6c1a-4b0e-9b1e-0f4f0f6d1c11","conversationId":"c"}"#);
    let (mut buffer, mut length) = (vec![0; 64 * 1024], 0);
    loop {
        match stream.read(&mut buffer[length..]) {
            Ok(0) | Err(_) => return,
            Ok(read) => length += read,
        }
        while let Some(head) = memchr::memmem::find(&buffer[..length], b"\r\n\r\n") {
            let text = std::str::from_utf8(&buffer[..head]).unwrap().to_ascii_lowercase();
            let body = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let whole = head + 4 + body.map_or(0, |bytes| bytes.trim().parse::<usize>().unwrap());
            if length < whole {
                break;
            }
            let reply = if text.contains("/oauth/token") { &token } else { &sent };
            if stream.write_all(reply.as_bytes()).is_err() {
                return;
            }
            buffer.copy_within(whole..length, 0);
            length -= whole;
        }
    }
}
