//! Variables: names of two tools, disagreement, near misses.

use std::ffi::OsString;

use webmessaging_http::settings::{KEYS, Settings};

use crate::settings::home::{Home, refused, setting};

#[test]
fn every_variable_sets_its_key() {
    for key in KEYS {
        for name in key.variables {
            let home = Home::empty();
            let value = match key.name {
                "client_secret_file" => home.file("secret", "s").to_str().unwrap().to_owned(),
                "environment" => "eu-west-1".to_owned(),
                "base_url" | "login_url" => "https://api.example".to_owned(),
                _ => "x".to_owned(),
            };
            let settings = home.variable(name, &value).load();
            // The secret in a file is the secret.
            let set = if key.name == "client_secret_file" { "client_secret" } else { key.name };
            let (shown, origin) = setting(&settings, set);
            assert_eq!((shown.is_some(), &*origin), (true, *name));
        }
    }
}

#[test]
fn two_names_for_one_thing_must_agree() {
    let both = |a: &str, b: &str| {
        Home::empty().variable("GENESYS_ENVIRONMENT", a).variable("GENESYSCLOUD_REGION", b)
    };
    assert_eq!(
        setting(&both("mypurecloud.ie", "eu-west-1").load(), "environment").0.as_deref(),
        Some("mypurecloud.ie")
    );
    assert_eq!(
        both("mypurecloud.ie", "eu-west-2").refused(),
        "GENESYS_ENVIRONMENT and GENESYSCLOUD_REGION are two names for one thing and disagree, unset one of them"
    );
    let secrets = |a: &str, b: &str| {
        Home::empty().variable("GENESYS_CLIENT_SECRET", a).variable("GENESYSCLOUD_OAUTHCLIENT_SECRET", b)
    };
    secrets("swordfish", "swordfish").load();
    assert_eq!(
        secrets("swordfish", "swordfist").refused(),
        "GENESYS_CLIENT_SECRET and GENESYSCLOUD_OAUTHCLIENT_SECRET are two names for one thing and disagree, \
         unset one of them"
    );
    assert_eq!(
        Home::empty()
            .variable("GENESYS_CLIENT_SECRET", "a")
            .variable("GENESYS_CLIENT_SECRET_FILE", "b")
            .refused(),
        "GENESYS_CLIENT_SECRET and GENESYS_CLIENT_SECRET_FILE: `client_secret` and `client_secret_file` are two forms \
         of one thing, set one of them"
    );
}

#[test]
fn a_variable_set_to_nothing_is_not_set() {
    let home = Home::empty()
        .variable("GENESYS_CLIENT_ID", "")
        .variable("GENESYSCLOUD_OAUTHCLIENT_ID", "i")
        .variable("GENESYS_BASE_PATH", "")
        .variable("WEBMESSAGING_CONFIG", "")
        .variable("WEBMESSAGING_PROFILE", "");
    let settings = home.load();
    assert_eq!(
        setting(&settings, "client_id"),
        (Some("i".to_owned()), "GENESYSCLOUD_OAUTHCLIENT_ID".to_owned())
    );
    assert_eq!(setting(&settings, "base_url").1, "default");
    assert_eq!(settings.profile(), "default");
}

#[test]
fn what_is_wrong_with_a_variable_is_said_without_its_value() {
    let refused = |name, value| Home::empty().variable(name, value).refused();
    assert_eq!(
        refused("GENESYS_ENVIRONMENT", "mars"),
        "GENESYS_ENVIRONMENT: must be a region such as `eu-west-1` or a domain such as `mypurecloud.ie`"
    );
    assert_eq!(
        refused("GENESYS_BASE_PATH", "api.x"),
        "GENESYS_BASE_PATH: must be a plain url such as `https://api.mypurecloud.ie`, without user, query or fragment"
    );
    assert_eq!(refused("GENESYS_CLIENT_SECRET", "a\nb"), "GENESYS_CLIENT_SECRET: must be one line of text");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStringExt;

    for name in ["GENESYS_CLIENT_ID", "WEBMESSAGING_PROFILE"] {
        let variables = [(OsString::from(name), OsString::from_vec(vec![b'a', 0xff]))];
        assert_eq!(refused(Settings::loader().variables(variables)), format!("{name}: is not valid UTF-8"));
    }
}

#[test]
fn missing_credentials_are_told_with_every_place_they_could_be_in() {
    let home = Home::empty();
    let path = home.path().display().to_string();
    let of = |settings: Settings| settings.builder().unwrap_err().to_string().replace(&path, "FILE");
    assert_eq!(
        of(home.load()),
        "no client id and no client secret: set GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET, or `client_id` and \
         `client_secret` in [default] of FILE"
    );
    let flags = |loader: webmessaging_http::settings::Loader| loader.flag("client_secret", "--client-secret");
    assert_eq!(
        of(flags(home.loader()).set("client_id", "i").load().unwrap()),
        "no client secret: set GENESYS_CLIENT_SECRET, or `client_secret` in [default] of FILE, or --client-secret"
    );
    let home = home.variable("GENESYS_CLIENTID", "swordfish").variable("GENESYSCLOUD_REGIONS", "swordfish");
    let settings = home.loader().set("client_secret", "s").load().unwrap();
    assert_eq!(
        of(settings.clone()),
        "no client id: set GENESYS_CLIENT_ID, or `client_id` in [default] of FILE; GENESYSCLOUD_REGIONS is set, did you \
         mean GENESYSCLOUD_REGION?; GENESYS_CLIENTID is set, did you mean GENESYS_CLIENT_ID?"
    );
    assert_eq!(settings.near_misses().next(), Some(("GENESYSCLOUD_REGIONS", "GENESYSCLOUD_REGION")));
    let nowhere: [(&str, &str); 0] = [];
    let nowhere = Settings::loader().variables(nowhere).load().unwrap();
    assert!(of(nowhere).ends_with("in [default] of a file that WEBMESSAGING_CONFIG names"));
}
