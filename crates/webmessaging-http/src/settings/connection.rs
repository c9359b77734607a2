//! What settings say of the connection: the proxy, certificates, a gateway, headers of every call.
#![expect(dead_code, reason = "no key leads here until the builder takes them")]

use secrecy::SecretString;

/// The tables `proxy`, `tls`, `gateway` and `headers` of a profile.
pub(super) struct Connection {
    proxy: Option<Proxy>,
    tls: Tls,
    gateway: Option<Gateway>,
    /// Values are secrets, whatever they are.
    headers: Vec<(String, SecretString)>,
}

struct Proxy {
    url: String,
    credentials: Option<(String, SecretString)>,
    except: Vec<String>,
}

/// The contents of PEM files.
struct Tls {
    authorities: Option<Authorities>,
    identity: Option<Vec<u8>>,
}

enum Authorities {
    BesidesTheSystem(Vec<u8>),
    Only(Vec<u8>),
}

struct Gateway {
    host: String,
    protocol: Option<String>,
    port: Option<u16>,
    login_path: Option<String>,
    api_path: Option<String>,
}
