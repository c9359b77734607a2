//! `webmessaging widget serve`, as a browser sees it.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::process::{Emulator, Listening, run};

/// What a server answers to the bytes of a request.
fn exchange(url: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn upload(origin: &str) -> String {
    format!(
        "POST /widget/uploads?channelId=channel-1&messageId=message-1 HTTP/1.1\r\nhost: gateway\r\n\
         origin: {origin}\r\nx-file-name: hello.txt\r\ncontent-length: 11\r\nconnection: close\r\n\r\nhello world"
    )
}

#[cfg(unix)]
#[test]
fn a_browser_uploads_through_it() {
    let emulator = Emulator::start(&[]);
    let serve = ["widget", "serve", "--listen", "127.0.0.1:0", "--origin", "https://shop.example"];
    let widget = Listening::start(emulator.called(&serve));
    let answer = exchange(widget.url(), &upload("https://shop.example"));
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains(r#""fileName":"hello.txt""#) && answer.contains(r#""scan":"#), "{answer}");
    let refused = exchange(widget.url(), &upload("https://shop.example.evil.com"));
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert_eq!(widget.end("-INT"), Some(0));
}

#[test]
fn what_is_no_origin_is_refused() {
    let serve = ["widget", "serve", "--listen", "127.0.0.1:0", "--base-url", "http://127.0.0.1:1"];
    let with = |origin| {
        let mut command = crate::process::command(&[&serve[..], &["--origin", origin]].concat());
        run(command.env("GENESYS_CLIENT_ID", "id").env("GENESYS_CLIENT_SECRET", "secret"))
    };
    let refused = with("*");
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert!(
        refused.stderr.starts_with("error[configuration]: not an origin, there is no pattern for many: *\n"),
        "{}",
        refused.stderr
    );
    assert_eq!(run(&mut crate::process::command(&serve)).code, 2, "an origin is required");
}
