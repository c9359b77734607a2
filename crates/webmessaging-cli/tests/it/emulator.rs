//! `webmessaging emulator`, stand-alone.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::process::{Emulator, command, run};

#[test]
fn the_first_line_says_where_it_listens() {
    let emulator = Emulator::start(&[]);
    let port = emulator.url().strip_prefix("http://127.0.0.1:").unwrap();
    assert!(port.parse::<u16>().unwrap() > 0);
    assert!(emulator.first_line.ends_with('\n'));
}

#[cfg(unix)]
#[test]
fn it_ends_when_it_is_asked_to() {
    assert_eq!(Emulator::start(&[]).terminate(), Some(0));
}

#[test]
fn an_address_in_use_is_an_error() {
    let first = Emulator::start(&[]);
    let address = first.url().strip_prefix("http://").unwrap();
    let second = run(&mut command(&["emulator", "--listen", address]));
    assert_eq!(second.code, 1);
    assert!(
        second.stderr.starts_with("error: the emulator did not run: cannot listen on"),
        "{}",
        second.stderr
    );
}

#[test]
fn its_credentials_can_be_chosen() {
    let emulator = Emulator::start(&["--client-id", "me", "--client-secret", "mine"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "words").unwrap();
    let path = path.to_str().unwrap();
    assert_eq!(run(&mut emulator.upload(path, &[])).code, 5);
    assert_eq!(run(&mut emulator.upload(path, &["--client-id", "me", "--client-secret", "mine"])).code, 0);
}

/// The answer to a request without a body, as text.
fn ask(emulator: &Emulator, line: &str) -> String {
    let mut stream = TcpStream::connect(emulator.url().strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_begins_with_faults_and_state_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("faults.toml"), "[[rules]]\nroute = \"token\"\nfault = \"answer\"\nstatus = 418\n")
        .unwrap();
    let file = r#"{ "fileName": "a.txt", "contentType": "text/plain", "messageId": "m", "text": "hello" }"#;
    std::fs::write(path("state.json"), format!("{{ \"files\": [{file}] }}")).unwrap();
    let emulator = Emulator::start(&["--faults", &path("faults.toml"), "--state", &path("state.json")]);
    assert!(ask(&emulator, "POST /oauth/token").starts_with("HTTP/1.1 418 "));
    let state = ask(&emulator, "GET /__emulator/state");
    assert!(state.contains(r#""fileName":"a.txt""#) && state.contains(r#""acted":[1]"#), "{state}");
}

#[test]
fn its_organization_and_webhooks_come_from_arguments_and_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.toml");
    let state = r#"
[[organization.conversations]]
id = "c"

[[webhooks]]
collection = "platform-webhooks"
name = "channels"
callbackUrl = "https://hooks.example/"
eventFilters = [{ resource = "channel", action = "updated" }]
secret = "swordfish-swordfish"
"#;
    std::fs::write(&path, state).unwrap();
    let token = ["--webhook-token", "tunafish-tunafish", "--signature-format", "hex"];
    let emulator =
        Emulator::start(&[&["--state", path.to_str().unwrap(), "--channels", "7"], &token[..]].concat());
    let state = ask(&emulator, "GET /__emulator/state");
    assert!(state.contains(r#""organization":{"channels":7,"conversations":1}"#), "{state}");
    assert!(state.contains(r#""events":["channel.updated"]"#), "{state}");
    assert!(!state.contains("swordfish") && !state.contains("tunafish"), "{state}");
}

#[test]
fn a_bad_file_is_told_with_its_line_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.toml");
    std::fs::write(&path, "[[rules]]\nroute = \"tokn\"\nfault = \"drop-after\"\ntime = 1\n").unwrap();
    let name = path.to_str().unwrap();
    for option in ["--faults", "--state"] {
        let run = run(&mut command(&["emulator", "--listen", "127.0.0.1:0", option, name]));
        assert_eq!((run.code, run.stdout.as_str()), (2, ""));
        let expected = match option {
            "--faults" => vec![
                format!("{name}:2: rule 1: route: must be one of *, token, "),
                "(did you mean `token`?)".to_owned(),
                format!("{name}:4: rule 1: time: unknown key (did you mean `times`?); allowed here: route, "),
            ],
            _ => vec![format!("{name}:1: rules: unknown key; allowed here: files, organization, webhooks")],
        };
        for part in expected {
            assert!(run.stderr.contains(&part), "{part}\n{}", run.stderr);
        }
    }
}
