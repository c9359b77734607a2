//! `webmessaging widget serve`, as a browser sees it.

use std::io::{Read, Write};
use std::net::TcpStream;

#[cfg(unix)]
use crate::kept::Kept;
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
    upload_of(origin, "hello world")
}

fn upload_of(origin: &str, body: &str) -> String {
    format!(
        "POST /widget/uploads?channelId=channel-1&messageId=message-1 HTTP/1.1\r\nhost: gateway\r\n\
         origin: {origin}\r\nx-file-name: hello.txt\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
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

#[cfg(unix)]
#[test]
fn what_is_blocked_is_recorded_and_in_quarantine() {
    let (kept, emulator) = (Kept::new(), Emulator::start(&[]));
    let audit = kept.path("widget-audit");
    let serve =
        ["widget", "serve", "--listen", "127.0.0.1:0", "--origin", "https://shop.example", "--quarantine"];
    let mut command = emulator.called(&[&serve[..], &["--audit-dir", &audit]].concat());
    let widget = Listening::start({
        command.env("WEBMESSAGING_DATA_DIR", kept.path("data"));
        command
    });
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let answer = exchange(widget.url(), &upload_of("https://shop.example", &eicar));
    assert!(answer.contains(r#""scan":"malicious""#), "{answer}");
    assert_eq!(widget.end("-INT"), Some(0));
    let list = kept.run(&["files", "quarantine", "list", "--output", "json"]).json();
    assert_eq!(list["files"][0]["reason"], "malicious");
    let log = kept.run(&["audit", "verify", "--dir", &audit, "--output", "json"]).json();
    assert_eq!((&log["ok"], &log["records"]), (&true.into(), &3.into()), "{log}");
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
