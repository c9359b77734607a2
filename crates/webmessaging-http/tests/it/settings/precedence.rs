//! Code before file before environment, key by key, and the two exceptions.

use webmessaging_http::settings::Settings;

use crate::settings::home::{Home, setting};

const FILE: &str = r#"
[default]
organization_id = "of the file"
"#;

fn organization(home: &Home, code: Option<&str>) -> (Option<String>, String) {
    let loader = home.loader();
    let loader = if let Some(code) = code { loader.set("organization_id", code) } else { loader };
    let (shown, origin) = setting(&loader.load().unwrap(), "organization_id");
    (shown, origin.replace(&home.path().display().to_string(), "FILE"))
}

#[test]
fn every_combination_of_sources() {
    let found = |value: &str, origin: &str| (Some(value.to_owned()), origin.to_owned());
    for (variable, file, code, expected) in [
        (false, false, false, (None, "default".to_owned())),
        (true, false, false, found("of a variable", "GENESYS_ORGANIZATION_ID")),
        (false, true, false, found("of the file", "FILE:3")),
        (true, true, false, found("of the file", "FILE:3")),
        (false, false, true, found("of code", "code")),
        (true, false, true, found("of code", "code")),
        (false, true, true, found("of code", "code")),
        (true, true, true, found("of code", "code")),
    ] {
        let home = if file { Home::with(FILE) } else { Home::empty() };
        let home = if variable { home.variable("GENESYS_ORGANIZATION_ID", "of a variable") } else { home };
        assert_eq!(organization(&home, code.then_some("of code")), expected, "{variable} {file} {code}");
    }
}

#[test]
fn sources_fill_each_others_gaps() {
    let home = Home::with("[default]\nclient_id = \"of the file\"\ntimeouts.call = \"7s\"")
        .variable("GENESYS_CLIENT_ID", "of a variable")
        .variable("GENESYS_CLIENT_SECRET", "s");
    let settings = home.loader().set("timeouts.stall", "8s").load().unwrap();
    let shown = |name| setting(&settings, name).0.unwrap();
    assert_eq!(shown("client_id"), "of the file");
    assert_eq!(shown("client_secret"), "set, not shown");
    assert_eq!((shown("timeouts.call"), shown("timeouts.stall")), ("7s".to_owned(), "8s".to_owned()));
    assert_eq!((shown("timeouts.connect"), shown("retry.max_retries")), ("10s".to_owned(), "3".to_owned()));
    settings.builder().unwrap().build().unwrap();
}

/// A profile that was named on purpose must not send its secret to wherever a forgotten variable points.
#[test]
fn who_names_the_place_drops_what_weaker_sources_say_of_it() {
    let places = |settings: &Settings| {
        ["environment", "base_url", "login_url"].map(|name| setting(settings, name).0.unwrap_or_default())
    };
    let home = |file: &str| {
        Home::with(file)
            .variable("GENESYS_ENVIRONMENT", "eu-west-2")
            .variable("GENESYS_BASE_PATH", "http://127.0.0.1:8480")
            .variable("GENESYS_LOGIN_URL", "http://127.0.0.1:8481")
    };
    let all = ["euw2.pure.cloud", "http://127.0.0.1:8480", "http://127.0.0.1:8481"];
    assert_eq!(places(&home("").load()), all);
    assert_eq!(places(&home("[default]\nregion = \"eu-west-1\"").load()), ["mypurecloud.ie", "", ""]);
    let gateway = "[default]\nbase_url = \"https://gateway.example\"";
    assert_eq!(places(&home(gateway).load()), ["mypurecloud.com", "https://gateway.example", ""]);
    let login = "[default]\nlogin_url = \"https://sso.example\"";
    assert_eq!(places(&home(login).load()), [all[0], all[1], "https://sso.example"]);
    let code = home(gateway).loader().set("environment", "us-west-2").load().unwrap();
    assert_eq!(places(&code), ["usw2.pure.cloud", "", ""]);
}

#[test]
fn who_gives_the_secret_in_one_form_drops_the_other_form() {
    let home =
        Home::empty().variable("GENESYS_CLIENT_ID", "i").variable("GENESYS_CLIENT_SECRET", "of a variable");
    let path = home.file("secret", "of a file\n");
    let settings = home.loader().set("client_secret_file", path.to_str().unwrap()).load().unwrap();
    assert_eq!(setting(&settings, "client_secret"), (Some("set, not shown".to_owned()), "code".to_owned()));
    assert_eq!(setting(&settings, "client_secret_file").0, None);

    let home =
        Home::with("[default]\nclient_secret = \"s\"").variable("GENESYS_CLIENT_SECRET_FILE", "/not/there");
    assert!(setting(&home.load(), "client_secret").1.ends_with("config.toml:2"));
}

#[test]
fn what_does_not_count_cannot_be_wrong() {
    let home = Home::with("[default]\nclient_id = \"i\"\nenvironment = \"eu-west-1\"")
        .variable("GENESYS_CLIENT_ID", "a")
        .variable("GENESYSCLOUD_OAUTHCLIENT_ID", "b")
        .variable("GENESYS_ENVIRONMENT", "mars")
        .variable("GENESYS_BASE_PATH", "nowhere");
    assert_eq!(setting(&home.load(), "environment").0.as_deref(), Some("mypurecloud.ie"));
}

#[test]
fn the_last_value_that_code_sets_stands() {
    let settings = Home::empty().loader().set("client_id", "a").set("client_id", "b").load().unwrap();
    assert_eq!(setting(&settings, "client_id").0.as_deref(), Some("b"));
}

/// A token in the file is not outdone by credentials that happen to be in the environment, nor the other way round.
#[test]
fn one_proof_of_who_calls_drops_the_weaker_ones() {
    let borrowed = Home::with("[default]\naccess_token = 'given'")
        .variable("GENESYS_CLIENT_ID", "id")
        .variable("GENESYS_CLIENT_SECRET", "secret");
    assert_eq!(setting(&borrowed.load(), "client_secret").0, None);
    let client = borrowed.load().builder().unwrap().build().unwrap();
    assert!(format!("{client:?}").contains("client_id: None"), "{client:?}");

    let own = Home::with("[default]\nclient_id = 'id'\nclient_secret = 'secret'")
        .variable("GENESYSCLOUD_ACCESS_TOKEN", "given");
    assert_eq!(setting(&own.load(), "access_token").0, None);
}
