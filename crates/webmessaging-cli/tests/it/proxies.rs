//! The system's proxy, as the command's environment names it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::process::{Emulator, run};

const VARIABLES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

#[test]
fn this_machine_is_reached_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "words").unwrap();
    // Nobody listens there.
    let proxied = VARIABLES.map(|name| (name, "http://127.0.0.1:1"));
    let upload = run(Emulator::start(&[]).upload(path.to_str().unwrap(), &[]).envs(proxied));
    assert_eq!(upload.code, 0, "{}", upload.stderr);
}

#[test]
fn other_machines_are_reached_through_it_and_its_refusal_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "words").unwrap();
    // A machine without a CA store should pass this test as well.
    let authority = folder.path().join("ca.pem");
    let certificate = rcgen::generate_simple_self_signed(["api.example.com".to_owned()]).unwrap().cert;
    std::fs::write(&authority, certificate.pem()).unwrap();

    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let mut stream = BufReader::new(proxy.accept().unwrap().0);
        let lines = stream.by_ref().lines().map(Result::unwrap);
        let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        stream.get_mut().write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").unwrap();
        head
    });
    let mut upload = Emulator::start(&[])
        .upload(path.to_str().unwrap(), &["--base-url", "https://api.example.com", "-vvv"]);
    upload.env("HTTPS_PROXY", format!("http://user:swordfish@{address}")).env("SSL_CERT_FILE", authority);
    let upload = run(upload.env("RUST_LOG", "trace"));
    assert_eq!(upload.code, 3, "{}", upload.stderr);
    assert!(upload.stderr.contains("error[configuration]: "), "{}", upload.stderr);
    let message = "oauth.token: the proxy asks for credentials, or for others than it was given";
    assert!(upload.stderr.contains(message), "{}", upload.stderr);
    assert!(!upload.stderr.contains("swordfish"), "{}", upload.stderr);

    let head = asked.join().unwrap();
    assert_eq!(head[0], "CONNECT login.example.com:443 HTTP/1.1");
    let basic = head.iter().find(|line| line.to_lowercase().starts_with("proxy-authorization: "));
    assert!(basic.unwrap().ends_with(" Basic dXNlcjpzd29yZGZpc2g="), "{head:?}");
}
