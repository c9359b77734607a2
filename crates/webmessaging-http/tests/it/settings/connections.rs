//! Proxy, certificates, gateway and headers of every call.

use std::fs;

use webmessaging_http::{ClientBuilder, Settings};

use crate::script::{Seen, done, token};
use crate::settings::home::{Home, setting};
use crate::settings::use_of::call;

/// A profile with credentials and more.
fn home(more: &str) -> Home {
    Home::with(&format!("[default]\nclient_id = 'i'\nclient_secret = 's'\n{more}"))
}

#[track_caller]
fn refused(home: &Home) -> String {
    let built = home.load().builder().and_then(ClientBuilder::build);
    built.unwrap_err().to_string().replace(&home.path().display().to_string(), "FILE")
}

#[tokio::test]
async fn a_gateway_and_headers_arrive_at_the_client() {
    let home = home(
        "headers.x-api-key = 'swordfish'\nheaders.'X-Team' = 'a'\n[default.gateway]\nhost = 'gateway.example'\n\
         port = 8443\npath_params_login = 'login'\npath_params_api = 'api'",
    );
    let settings = home.load();
    assert!(!format!("{settings:?}").contains("swordfish"));
    assert_eq!(setting(&settings, "headers.x-api-key").0.as_deref(), Some("set, not shown"));
    let is_login = |seen: &Seen| seen.uri.ends_with("/oauth/token");
    let (seen, outcome, _) =
        call(&settings, move |seen| if is_login(seen) { token("t", 300) } else { done() }).await;
    outcome.unwrap();
    assert_eq!(seen[0].uri, "https://gateway.example:8443/login/oauth/token");
    assert_eq!(seen[0].header("x-api-key"), None);
    assert_eq!(seen[1].uri, "https://gateway.example:8443/api/api/v2/things");
    assert_eq!((seen[1].header("x-api-key"), seen[1].header("x-team")), (Some("swordfish"), Some("a")));

    let settings = Home::with("[default]\nclient_id = 'i'\nclient_secret = 's'\n[default.gateway]\nhost = '127.0.0.1'\nprotocol = 'http'").load();
    let (seen, _, _) =
        call(&settings, move |seen| if is_login(seen) { token("t", 300) } else { done() }).await;
    assert_eq!(seen[1].uri, "http://127.0.0.1/api/v2/things");
}

/// What only a connection would show is shown by what it refuses.
#[test]
fn a_proxy_and_certificates_arrive_at_the_client() {
    let proxy = "proxy.url = 'http://proxy.example:3128'\n";
    home(&format!(
        "{proxy}proxy.user = 'u'\nproxy.password = 'p'\nproxy.except = ['.a.example', '10.0.0.0/8']"
    ))
    .load()
    .builder()
    .unwrap()
    .build()
    .unwrap();
    assert!(refused(&home("proxy.url = 'http://proxy.example/path'")).contains("proxy url"));
    assert!(refused(&home(&format!("{proxy}proxy.except = ['a/b']"))).contains("proxy"));
    let user = refused(&home(&format!("{proxy}proxy.user = 'a:b'\nproxy.password = 'swordfish'")));
    assert!(user.contains("the proxy's user") && !user.contains("swordfish"), "{user}");
    for (key, message) in [
        ("ca_file", "the ca certificates have no section"),
        ("only_ca_file", "the ca certificates have no section"),
        ("client_certificate_file", "the client identity has no section"),
    ] {
        let home = home(&format!("tls.{key} = 'some.pem'"));
        let path = home.path().with_file_name("some.pem");
        assert_eq!(refused(&home), format!("FILE:4: the file {} cannot be read", path.display()));
        fs::write(&path, "words").unwrap();
        assert!(refused(&home).starts_with(message), "{}", refused(&home));
        fs::write(&path, vec![b'-'; (1 << 20) + 1]).unwrap();
        assert_eq!(refused(&home), format!("FILE:4: the file {} cannot be read", path.display()));
    }
}

#[test]
fn what_means_nothing_alone_is_refused() {
    for (more, message) in [
        ("proxy.user = 'u'", "FILE:4: `proxy.user` means nothing without `proxy.url`"),
        (
            "proxy.url = 'http://p.example'\nproxy.user = 'u'",
            "FILE:5: `proxy.user` means nothing without `proxy.password`",
        ),
        (
            "proxy.url = 'http://p.example'\nproxy.password = 'u'",
            "FILE:5: `proxy.password` means nothing without `proxy.user`",
        ),
        ("gateway.port = 1", "FILE:4: `gateway.port` means nothing without `gateway.host`"),
    ] {
        assert_eq!(refused(&home(more)), message);
    }
    let home = home("tls.ca_file = 'a'\ntls.only_ca_file = 'a'");
    fs::write(home.path().with_file_name("a"), "words").unwrap();
    assert_eq!(refused(&home), "`tls.ca_file` and `tls.only_ca_file` exclude each other, set one of them");
}

#[test]
fn their_values_are_checked_like_all() {
    for (more, message) in [
        ("gateway.port = 0", "FILE:4: `gateway.port` must be a port from 1 to 65535"),
        ("gateway.port = 65536", "FILE:4: `gateway.port` must be a port from 1 to 65535"),
        ("gateway.hots = 'a'", "FILE:4: there is no key `gateway.hots`, did you mean `gateway.host`?"),
        ("headers.'a b' = 'c'", "FILE:4: this is a name that no header can have"),
        ("headers.a = 1", "FILE:4: `headers.a` must be one line of text, found integer"),
        ("headers.a = 'b'\nheaders.A = 'b'", "FILE:4: `headers.a` is set twice"),
        (
            "proxy.url = 'http://u:swordfish@p.example'",
            "FILE:4: `proxy.url` must be a plain url such as `https://api.mypurecloud.ie`, without user, query or fragment",
        ),
    ] {
        assert_eq!(home(more).refused(), message);
    }
}

#[test]
fn who_names_a_place_or_a_proxy_drops_the_weaker_ones() {
    let file = home(
        "proxy.url = 'http://p.example'\nproxy.user = 'u'\nproxy.password = 'p'\n[default.gateway]\nhost = 'g.example'\nport = 1",
    )
    .variable("GENESYS_ENVIRONMENT", "eu-west-1")
    .variable("GENESYS_BASE_PATH", "http://127.0.0.1:8480");
    let shown = |settings: &Settings, name: &str| setting(settings, name).0;
    let settings = file.load();
    assert_eq!(shown(&settings, "gateway.host").as_deref(), Some("g.example"));
    assert_eq!(
        (shown(&settings, "environment").as_deref(), shown(&settings, "base_url")),
        (Some("mypurecloud.com"), None)
    );
    let code =
        file.loader().set("environment", "us-west-2").set("proxy.url", "http://q.example").load().unwrap();
    for name in ["gateway.host", "gateway.port", "proxy.user", "proxy.password"] {
        assert_eq!(shown(&code, name), None, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_header_is_a_secret_to_the_file_too() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::with("[default]\nheaders.a = 'b'");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(home.refused().starts_with("FILE:2: has a secret"));
}
