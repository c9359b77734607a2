//! Targets as they are set up: what is wrong is refused before anything is sent, and no secret is repeated.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use webmessaging_http::Proxy;
use webmessaging_sync::{
    Auth, ErrorKind, SecretSource, Secrets, ShapeName, SyncWorker, TargetConfig, Targets,
};

use crate::setup::{Bench, targets};

#[track_caller]
fn check(config: TargetConfig, expected: &str) {
    let error = config.build(&Secrets::none()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.to_string(), expected);
}

fn crm() -> TargetConfig {
    TargetConfig::new("crm", "https://crm.example/in?key=s3cret", ShapeName::CrmGuests)
}

#[test]
fn a_url_is_one_that_a_key_may_be_sent_to() {
    let https = "target `crm`: `url` must be https; plain http is for this machine alone";
    let plain = "target `crm`: `url` must be without user, password and fragment";
    for (url, expected) in [
        ("http://crm.example/", https),
        ("http://10.0.0.1/", https),
        ("ftp://crm.example/", https),
        ("https://me:s3cret@crm.example/", plain),
        ("https://crm.example/#s3cret", plain),
        ("s3cret", "target `crm`: `url` is not a url"),
    ] {
        check(TargetConfig::new("crm", url, ShapeName::CrmGuests), expected);
    }
    for url in
        ["http://localhost:1/", "http://127.0.0.1:1/", "http://[::1]:1/", "https://crm.example:8443/a?b=c"]
    {
        TargetConfig::new("crm", url, ShapeName::CrmGuests).build(&Secrets::none()).unwrap();
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let config = TargetConfig::new("CRM", "nope", ShapeName::CrmMessages)
        .batch_max(2)
        .at_once(17)
        .timeout(Duration::from_secs(121))
        .late_after(Duration::ZERO)
        .schedule([Duration::from_secs(86_401)])
        .events(["bot_message.sent", "file.scanned"])
        .template(json!({}))
        .auth(Auth::Header("x-request-id".to_owned(), "s3cret".into()));
    check(
        config,
        "target: `name` must be 1 to 64 of `a-z 0-9 _ -`; `url` is not a url; `auth.header.name` cannot be \
         `x-request-id`, which is set already; entry 2 of `events` is not an action for `crm_messages`: \
         bot_message.sent, bot_message.failed; `template` is not for `crm_messages`: set `shape` to `template`; \
         `batch_max` must be 1 to 1; `at_once` must be 1 to 16; `timeout` must be 100ms to 2m; `late_after` must be at \
         least 1s; `schedule` must be at most 50 waits of at most 1day",
    );
}

#[test]
fn a_secret_fits_into_a_header_or_is_refused_unseen() {
    let unfit = "target `crm`: `auth`: the secret is empty, or has a character that no header can hold";
    for secret in ["", "s3\ncret", "s3\u{7f}cret"] {
        check(crm().auth(Auth::Bearer(secret.into())), unfit);
    }
    let named = |name: &str| crm().auth(Auth::Header(name.to_owned(), "s3cret".into()));
    check(named("s3 cret"), "target `crm`: `auth.header.name` is not a header's name");
    check(
        named("Authorization"),
        "target `crm`: `auth.header.name` cannot be `authorization`: use `auth.bearer`",
    );
    let unread = crm().auth(Auth::Bearer(SecretSource::File("/nowhere".into())));
    check(
        unread,
        "target `crm`: `auth`: the secret is in a variable or file: build it with `Secrets::system`",
    );
}

#[test]
fn a_template_needs_its_events() {
    let template = TargetConfig::new("t", "https://t.example/", ShapeName::Template);
    check(
        template.clone(),
        "target `t`: `events` must name the actions that the template is for; `template` is missing",
    );
    check(
        template.template(json!({ "a": "{{data.fileId}}" })).events(["guest.created"]),
        "target `t`: `template` names `data.fileId`, which none of the target's events has",
    );
}

#[test]
fn names_tell_targets_apart() {
    let target = || crm().build(&Secrets::none()).unwrap();
    let error = Targets::new([target(), target()]).unwrap_err();
    assert_eq!(error.to_string(), "two targets have the name `crm`");
    let many = (0..101).map(|number| {
        TargetConfig::new(format!("t{number}"), "https://t.example/", ShapeName::CrmGuests)
            .build(&Secrets::none())
            .unwrap()
    });
    assert_eq!(Targets::new(many).unwrap_err().to_string(), "more than 100 targets");
}

#[tokio::test]
async fn a_private_network_is_allowed_by_name_only() {
    let bench = Bench::new().await;
    let bad = targets([crm().allow_private(["10.0.0.0/33"])]);
    let worker =
        SyncWorker::builder(Arc::clone(&bench.store), bad).client(|_, client| client.proxy(Proxy::none()));
    let error = worker.build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "target `crm`: its client cannot be made: entry 1 of the allowed networks is no address or network such as \
         `10.0.0.0/8`"
    );

    let judge = crate::judge::Judge::start(|_| crate::judge::take()).await;
    let targets = targets([TargetConfig::new("judge", judge.url(), ShapeName::CrmMessages)]);
    bench.enqueue(&targets, &[crate::setup::message("c", 1)]).await;
    let worker = bench.worker(&targets);
    assert_eq!(worker.deliver_due().await.unwrap().retried, 1);
    assert_eq!(judge.requests(), 0);
    assert_eq!(worker.status().await.unwrap()[0].last_failure.as_ref().unwrap().cause, "configuration");
}

#[test]
fn what_a_file_says_is_read_or_refused_with_its_line() {
    let target = "[[target]]\nname = \"a\"\nurl = \"https://a.example/\"\nshape = \"crm_guests\"\n";
    let expected = "it is not of the form that is expected there";
    for (more, why) in [
        ("urll = 1", "line 5: unknown field `urll`, expected one of `name`, `url`, `shape`".to_owned()),
        ("timeout = \"s3cret\"", "line 5: must be a duration such as `10s` or `2h`".to_owned()),
        ("schedule = [\"1s\", \"s3cret\"]", "line 5: must be a duration such as `10s` or `2h`".to_owned()),
        ("timeout = 10", format!("line 5: {expected}")),
        ("auth = \"s3cret\"", "line 5: must be one of `none`, `bearer`, `header`".to_owned()),
        ("auth = { bearer = { token = 53247 } }", format!("line 5: {expected}")),
        ("auth = { bearer = { tokn = \"s3cret\" } }", "line 5: unknown field `tokn`".to_owned()),
        ("auth = { bearer = {} }", "line 5: name one of `token`, `token_env` and `token_file`".to_owned()),
        (
            "auth = { header = { name = \"x\", token = \"s3cret\", token_env = \"A\" } }",
            "line 5: name one of `token`, `token_env` and `token_file`".to_owned(),
        ),
        ("lane = \"s3cret\"", "line 5: must be `subject` or `none`".to_owned()),
        ("name = \"b\"", "line 5: ".to_owned()),
        ("= s3cret", "line 5: ".to_owned()),
    ] {
        let error = TargetConfig::from_toml(&format!("{target}{more}\n")).unwrap_err().to_string();
        assert!(error.starts_with(&why), "{more}: {error}");
        assert!(!error.contains("s3cret") && !error.contains("53247"), "{error}");
    }
    let missing = TargetConfig::from_toml("[[target]]\nname = \"a\"\n").unwrap_err().to_string();
    assert!(missing.contains("missing field `url`"), "{missing}");
    let unknown = TargetConfig::from_toml("[[targets]]\n").unwrap_err().to_string();
    assert!(unknown.starts_with("line 1: unknown field `targets`, expected `target`"), "{unknown}");
    assert_eq!(TargetConfig::from_toml("").unwrap().len(), 0);
}

#[test]
fn a_date_of_toml_is_no_json() {
    let text = "[[target]]\nname = \"t\"\nurl = \"https://t.example/\"\nshape = \"template\"\n\
        events = [\"file.scanned\"]\ntemplate = { since = 2026-11-25 }\n";
    let config = TargetConfig::from_toml(text).unwrap().remove(0);
    check(config, "target `t`: `template` has a date, which JSON has not: write it as a text");
}

#[test]
fn debug_shows_no_secret() {
    let config = crm().auth(Auth::Bearer("s3cret".into())).template(json!({ "key": "s3cret" }));
    let shown = format!("{config:?} {:?}", crm().auth(Auth::Bearer("s3cret".into())).build(&Secrets::none()));
    assert!(!shown.contains("s3cret"), "{shown}");
}
