//! The file: where it is found, its profiles, and what is refused with its line.

use std::fs;

use webmessaging_http::settings::Settings;

use crate::settings::home::{Home, refused, setting};

const TWO: &str = r#"
[default]
client_id = "first"
timeouts = { call = "7s" }

[profiles.second]
client_id = "second"

[profiles."the third"]
"#;

fn client_id(settings: &Settings) -> Option<String> {
    setting(settings, "client_id").0
}

#[test]
fn the_file_is_where_somebody_says_or_in_the_usual_place() {
    let home = Home::with("[default]\nclient_id = \"usual\"");
    assert_eq!(client_id(&home.load()).as_deref(), Some("usual"));
    let other = home.file("other.toml", "[default]\nclient_id = \"other\"");
    let third = home.file("third.toml", "[default]\nclient_id = \"third\"");
    let home = home.variable("WEBMESSAGING_CONFIG", other.to_str().unwrap());
    assert_eq!(client_id(&home.load()).as_deref(), Some("other"));
    let settings = home.loader().file(&third).load().unwrap();
    assert_eq!((client_id(&settings).as_deref(), settings.file()), (Some("third"), Some(&*third)));
}

#[cfg(unix)]
#[test]
fn the_usual_place_can_be_moved() {
    let home = Home::with("[default]\nclient_id = \"usual\"");
    let moved = home.file("moved/webmessaging/config.toml", "[default]\nclient_id = \"moved\"");
    let folder = moved.parent().unwrap().parent().unwrap().to_str().unwrap().to_owned();
    let home = home.variable("XDG_CONFIG_HOME", &folder);
    assert_eq!(client_id(&home.load()).as_deref(), Some("moved"));
    // A relative one is to be ignored, says its specification.
    let home = home.variable("XDG_CONFIG_HOME", "moved");
    assert_eq!(client_id(&home.load()).as_deref(), Some("usual"));
}

#[test]
fn a_file_that_nobody_named_need_not_be_there() {
    let home = Home::empty();
    let settings = home.load();
    assert_eq!((client_id(&settings), settings.file()), (None, Some(&*home.path())));
    let missing = home.path().with_file_name("missing.toml");
    let message = format!("{}: there is no such file", missing.display());
    assert_eq!(refused(home.loader().file(&missing)), message);
    assert_eq!(home.variable("WEBMESSAGING_CONFIG", missing.to_str().unwrap()).refused(), message);
}

#[test]
fn a_profile_stands_alone() {
    let home = Home::with(TWO);
    let first = home.load();
    assert_eq!((client_id(&first).as_deref(), first.profile()), (Some("first"), "default"));
    assert_eq!(setting(&first, "timeouts.call").0.as_deref(), Some("7s"));
    let second = home.loader().profile("second").load().unwrap();
    assert_eq!((client_id(&second).as_deref(), second.profile()), (Some("second"), "second"));
    assert_eq!(setting(&second, "timeouts.call").1, "default");
    let home = home.variable("WEBMESSAGING_PROFILE", "second");
    assert_eq!(client_id(&home.load()).as_deref(), Some("second"));
    assert_eq!(client_id(&home.loader().profile("default").load().unwrap()).as_deref(), Some("first"));
    assert_eq!(client_id(&home.loader().profile("the third").load().unwrap()), None);
}

#[test]
fn a_profile_that_is_not_there_is_told_with_those_that_are() {
    let home = Home::with(TWO).variable("WEBMESSAGING_PROFILE", "secnod");
    assert_eq!(home.refused(), "there is no profile `secnod`: FILE has default, second, the third");
    assert_eq!(
        Home::with("").variable("WEBMESSAGING_PROFILE", "default").refused(),
        "there is no profile `default`: FILE has none"
    );
    assert_eq!(
        Home::empty().variable("WEBMESSAGING_PROFILE", "x").refused(),
        "there is no profile `x`: there is no file FILE"
    );
    let nowhere = Settings::loader().variables([("WEBMESSAGING_PROFILE", "x")]);
    assert_eq!(refused(nowhere), "there is no profile `x`: there is no file");
    // Without a table of that name nobody has asked for one.
    assert_eq!(client_id(&Home::with("[profiles.a]\nclient_id = \"a\"").load()), None);
}

#[test]
fn unknown_keys_are_refused_with_line_and_suggestion() {
    for (text, message) in [
        ("[default]\n\nclientid = 1", "FILE:3: there is no key `clientid`, did you mean `client_id`?"),
        ("[default]\nclient_idd = 1", "FILE:2: there is no key `client_idd`, did you mean `client_id`?"),
        ("[default]\nregoin = 1", "FILE:2: there is no key `regoin`, did you mean `region`?"),
        ("[default]\nfavourite = 1", "FILE:2: there is no key `favourite`"),
        ("[default]\ncall = \"1s\"", "FILE:2: there is no key `call`, did you mean `timeouts.call`?"),
        ("[default.timeout]\ncall = \"1s\"", "FILE:1: there is no key `timeout`, did you mean `timeouts`?"),
        (
            "[default.timeouts]\ncal = \"1s\"",
            "FILE:2: there is no key `timeouts.cal`, did you mean `timeouts.call`?",
        ),
        ("[default]\nretry.tries = 1", "FILE:2: there is no key `retry.tries`"),
        ("[default]\nretry.bse = 1", "FILE:2: there is no key `retry.bse`, did you mean `retry.base`?"),
        ("[profiles.a]\nb = 1", "FILE:2: there is no key `b`"),
        ("[profile.a]", "FILE:1: there is no key `profile`, did you mean `profiles`?"),
        ("[defaults]", "FILE:1: there is no key `defaults`, did you mean `default`?"),
        ("a = 1\n", "FILE:1: there is no key `a`"),
        ("client_id = 'a'", "FILE:1: `client_id` belongs into [default] or [profiles.NAME]"),
        ("\n[timeouts]\ncall = '1s'", "FILE:2: `timeouts` belongs into [default] or [profiles.NAME]"),
        ("[profiles.default]", "FILE:1: the profile `default` is the table [default]"),
        ("[default]\n\"a\\u001bb\" = 1", "FILE:2: there is no key `...`"),
    ] {
        assert_eq!(Home::with(text).refused(), message, "{text}");
    }
}

#[test]
fn values_of_another_type_are_refused_with_what_is_expected() {
    let in_default = |line: &str| Home::with(&format!("[default]\n{line}")).refused();
    for (line, message) in [
        ("client_id = 7", "`client_id` must be one line of text, found integer"),
        ("client_id = ''", "`client_id` must be one line of text"),
        ("client_secret = ['a']", "`client_secret` must be one line of text, found array"),
        ("client_secret.a = 'b'", "`client_secret` must be one line of text, found table"),
        ("client_secret = '''a\nb'''", "`client_secret` must be one line of text"),
        (
            "region = 'mars'",
            "`region` must be a region such as `eu-west-1` or a domain such as `mypurecloud.ie`",
        ),
        (
            "base_url = 'mars'",
            "`base_url` must be a plain url such as `https://api.mypurecloud.ie`, without user, query or fragment",
        ),
        ("scopes = 'a b'", "`scopes` must be a list of one or more words, found string"),
        ("scopes = ['a b']", "`scopes` must be a list of one or more words"),
        ("scopes = ['a', 1]", "`scopes` must be a list of one or more words"),
        ("scopes = []", "`scopes` must be a list of one or more words"),
        ("auth_style = 'digest'", "`auth_style` must be `basic` or `form`"),
        ("timeouts = '1s'", "`timeouts` must be a table, found string"),
        (
            "timeouts.call = 30",
            "`timeouts.call` must be a duration from 1ms to 24h, such as `30s` or `500ms`, found integer",
        ),
        (
            "timeouts.call = '30'",
            "`timeouts.call` must be a duration from 1ms to 24h, such as `30s` or `500ms`",
        ),
        ("retry.max_retries = '3'", "`retry.max_retries` must be a number from 0 to 100, found string"),
        ("retry.max_retries = -1", "`retry.max_retries` must be a number from 0 to 100"),
        (
            "answer_bytes_max = 1.5",
            "`answer_bytes_max` must be a number of bytes from 1 to 1073741824, found float",
        ),
        (
            "answer_bytes_max = 99999999999999999999",
            "`answer_bytes_max` must be a number of bytes from 1 to 1073741824",
        ),
        ("paths = 1", "`paths` must be a table, found integer"),
        (
            "paths.\"oauth.token\" = 1",
            "`paths.oauth.token` must be a path that begins with a slash, found integer",
        ),
        ("paths.oauth.token = 'x'", "`paths.oauth.token` must be a path that begins with a slash"),
        ("paths.oauth.tokne = '/x'", "there is no operation `oauth.tokne`, did you mean `oauth.token`?"),
        ("paths.files.upload.create = '/x'", "there is no operation `files.upload.create`"),
        ("region = 'eu-west-1'\nenvironment = 'eu-west-1'", "`environment` is set twice"),
        (
            "client_secret = 'a'\nclient_secret_file = 'b'",
            "FILE:3: `client_secret` and `client_secret_file` are two forms of one thing, set one of them",
        ),
    ] {
        let found = in_default(line);
        assert!(
            found == format!("FILE:2: {message}") || found == format!("FILE:2 and {message}"),
            "{line}: {found}"
        );
    }
    assert_eq!(Home::with("default = 1").refused(), "FILE:1: `default` must be a table, found integer");
    assert_eq!(Home::with("[profiles]\na = 1").refused(), "FILE:2: `a` must be a table, found integer");
    assert_eq!(Home::with("[[profiles]]").refused(), "FILE:1: `profiles` must be a table, found array");
}

#[test]
fn a_slip_in_another_profile_is_found_too() {
    let text = "[default]\nclient_id = 'a'\n[profiles.other]\nclientid = 'b'";
    assert_eq!(Home::with(text).refused(), "FILE:4: there is no key `clientid`, did you mean `client_id`?");
}

#[test]
fn what_is_not_toml_is_told_by_its_line() {
    let syntax = |text| Home::with(text).refused();
    assert!(syntax("[default]\nclient_id = swordfish").starts_with("FILE:2: this is not TOML: "));
    assert!(syntax("[default]\n[default]").starts_with("FILE:2: this is not TOML: "));
    assert!(syntax("[default").starts_with("FILE:1: this is not TOML: "));
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let home = Home::empty();
    fs::create_dir_all(home.path()).unwrap();
    assert_eq!(home.refused(), "FILE: cannot be read");
    let home = Home::empty();
    fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    fs::write(home.path(), [0xff, 0xfe]).unwrap();
    assert_eq!(home.refused(), "FILE: cannot be read");
    let comment = |bytes: usize| Home::with(&"#".repeat(bytes));
    comment(1 << 20).load();
    assert_eq!(comment((1 << 20) + 1).refused(), "FILE: cannot be read");
}

#[test]
fn a_secret_file_is_relative_to_the_file_that_names_it() {
    let home = Home::with("[default]\nclient_secret_file = 'the secret'");
    let path = home.path().with_file_name("the secret");
    assert_eq!(home.refused(), format!("FILE:2: the secret file {} cannot be read", path.display()));
    for text in ["", "\n", "a\nb", "\u{7}"] {
        fs::write(&path, text).unwrap();
        let message = format!("FILE:2: the secret file {} must have one line of text", path.display());
        assert_eq!(home.refused(), message, "{text:?}");
    }
    fs::write(&path, "swordfish\r\n").unwrap();
    let (shown, origin) = setting(&home.load(), "client_secret");
    assert_eq!((shown.as_deref(), origin.ends_with("config.toml:2")), (Some("set, not shown"), true));
}

#[cfg(unix)]
#[test]
fn a_file_with_a_secret_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let open_to = |text: &str, mode: u32| {
        let home = Home::with(text);
        fs::set_permissions(home.path(), fs::Permissions::from_mode(mode)).unwrap();
        home
    };
    let with_secret = "[default]\nclient_id = 'i'\n[profiles.other]\n\nclient_secret = 's'";
    for mode in [0o644, 0o640, 0o604] {
        let message =
            format!("FILE:5: has a secret, and others can read the file (mode {mode:03o}): chmod 600 FILE");
        assert_eq!(open_to(with_secret, mode).refused(), message);
    }
    let first_alone = "[default]\nclient_secret = 's'\n[profiles.other]\nclient_id = 'i'";
    assert!(open_to(first_alone, 0o644).refused().starts_with("FILE:2: has a secret"));
    for mode in [0o600, 0o400, 0o700, 0o622] {
        open_to(with_secret, mode).load();
    }
    open_to("[default]\nclient_id = 'i'\nclient_secret_file = '/dev/null'\n[profiles.a]", 0o644)
        .loader()
        .profile("a")
        .load()
        .unwrap();
}

#[test]
fn what_code_sets_is_checked_in_the_same_way() {
    let set = |key: &str, value: &str| {
        refused(Home::empty().loader().flag("base_url", "--base-url").set(key, value))
    };
    assert_eq!(set("clientid", "x"), "code: there is no key `clientid`, did you mean `client_id`?");
    assert_eq!(
        set("timeouts.call", "30"),
        "code: `timeouts.call` must be a duration from 1ms to 24h, such as `30s` or `500ms`"
    );
    assert_eq!(
        set("base_url", "swordfish"),
        "--base-url: `base_url` must be a plain url such as `https://api.mypurecloud.ie`, without user, query or fragment"
    );
    assert_eq!(set("paths.oauth", "/x"), "code: there is no operation `oauth`, did you mean `oauth.token`?");
}
