//! `webmessaging emulator`, stand-alone.

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
