//! No secret in any text, whatever the file looks like; and no file that panics.

use proptest::prelude::*;
use webmessaging_http::ClientBuilder;
use webmessaging_http::settings::{Loader, Settings};
use webmessaging_http::testing::MockTransport;

use crate::settings::home::Home;

const CANARY: &str = "7Q7Q7Q7Q7Q7Q7Q7Q";

/// Loads, and gives every text that comes of it.
fn texts(loader: Loader) -> String {
    let mut texts = vec![format!("{loader:?}")];
    let mut failures = Vec::new();
    match loader.load() {
        Ok(settings) => {
            texts.push(format!("{settings:?}"));
            texts.extend(settings.origins().map(|setting| format!("{setting:?} {}", setting.origin)));
            let builder = settings.builder().map(|builder| builder.transport(MockTransport::new()));
            texts.push(format!("{builder:?}"));
            let client = builder.and_then(ClientBuilder::build);
            texts.push(format!("{client:?}"));
            failures.extend(client.err());
        }
        Err(error) => failures.push(error),
    }
    for error in failures {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            texts.push(format!("{error} {error:?}"));
            cause = error.source();
        }
    }
    texts.concat()
}

/// A file that is right, with a secret in it.
fn right() -> String {
    format!(
        "# a file\n[default]\nclient_id = \"i\"\nclient_secret = \"{CANARY}\"\nregion = 'eu-west-1'\n\
         scopes = [\"a\"]\ntimeouts = {{ call = \"1s\" }}\n\n[profiles.other]\nclient_secret = '{CANARY}'\n\
         [profiles.other.retry]\nmax_retries = 3\nbase = \"1s\"\n"
    )
}

/// Something that may stand in a file in place of something else.
fn scrap() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "\"",
        "'",
        "\"\"\"",
        "[",
        "]",
        "[[",
        "{",
        "}",
        "=",
        ".",
        ",",
        "#",
        "\n",
        "\\",
        "\\u",
        "\u{0}",
        "client_secret",
        "client_secret = ",
        "profiles",
        "paths.a",
        "timeouts.call = ",
        "1979-05-27",
        "0x",
        "inf",
        "-",
        "é",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        Just(format!("\"{CANARY}\"")),
        any::<char>().prop_map(String::from)
    ]
}

/// The slips made something of it that may be shown, such as a client id.
fn is_no_secret(loader: Loader) -> bool {
    let shows =
        |settings: Settings| settings.origins().any(|s| s.shown.is_some_and(|shown| shown.contains("7Q7Q")));
    loader.load().is_ok_and(shows)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_file_with_slips_shows_no_secret(
        slips in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, scrap()), 0..6),
    ) {
        let mut text: Vec<char> = right().chars().collect();
        for (at, removed, added) in slips {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, added.chars());
        }
        let text: String = text.into_iter().collect();
        let home = Home::with(&text);
        for loader in [|home: &Home| home.loader(), |home: &Home| home.loader().profile("other")] {
            if is_no_secret(loader(&home)) {
                continue;
            }
            let texts = texts(loader(&home));
            prop_assert!(!texts.contains("7Q7Q"), "{}\n{}", text, texts);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}", name in "\\PC{0,20}") {
        let home = Home::with(&text);
        let _ = texts(home.loader());
        let _ = texts(home.loader().profile(name.clone()).set(name, text));
    }

    #[test]
    fn a_secret_of_any_source_and_form_is_not_shown(secret in "[ -~]{0,10}7Q7Q7Q[ -~\u{7}é]{0,10}", line in 0..7_usize) {
        let quoted = serde_json::to_string(&secret).unwrap();
        let file = [
            format!("client_secret = {quoted}"),
            format!("client_secret = [{quoted}]"),
            format!("client_secret = {{ a = {quoted} }}"),
            format!("client_secret = {secret}"),
            format!("clientsecret = {quoted}"),
            format!("base_url = {}", serde_json::to_string(&format!("https://me:{secret}@a.example?k={secret}")).unwrap()),
            format!("{quoted} = 'client_secret'"),
        ][line].clone();
        let home = Home::with(&format!("[default]\nclient_id = 'i'\n{file}"));
        let environment = Home::empty()
            .variable("GENESYS_CLIENT_ID", "i")
            .variable("GENESYS_CLIENT_SECRET", &secret)
            .variable("GENESYSCLOUD_OAUTHCLIENT_SECRET", &format!("{secret}."));
        let lone = Home::empty().variable("GENESYSCLOUD_OAUTHCLIENT_SECRET", &secret);
        let code = Home::empty().loader().set("client_id", "i").set("client_secret", secret);
        for loader in [home.loader(), environment.loader(), lone.loader(), code] {
            let texts = texts(loader);
            prop_assert!(!texts.contains("7Q7Q"), "{}", texts);
        }
    }
}
