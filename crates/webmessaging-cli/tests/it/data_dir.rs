//! Where the durable things are: the flag, the variables, the usual place, and a database.

use std::fs;
use std::path::Path;

use crate::kept::Kept;
use crate::process::{Listening, command, run};

#[test]
fn the_place_is_the_flags_then_the_variables_then_the_usual_one() {
    let kept = Kept::new();
    let serve = |flags: &[&str], variables: &[(&str, &str)]| {
        let mut serve = command(&["webhooks", "serve", "--unsigned", "--listen", "127.0.0.1:0"]);
        serve.args(flags).envs(variables.iter().copied());
        drop(Listening::start(serve));
    };
    let (flag, variable, data, home) =
        (kept.path("flag"), kept.path("variable"), kept.path("data"), kept.path("home"));
    let (named, in_data, in_home) =
        (("WEBMESSAGING_DATA_DIR", &*variable), ("XDG_DATA_HOME", &*data), ("HOME", &*home));
    let made = |path: &str| {
        let folder = Path::new(path);
        let is_made = folder.join("store.db").is_file() && folder.join("audit").is_dir();
        let _ = fs::remove_dir_all(folder);
        is_made
    };
    serve(&["--data-dir", &flag], &[named, in_data, in_home]);
    assert!(made(&flag));
    serve(&[], &[named, in_data, in_home]);
    assert!(made(&variable));
    serve(&[], &[in_data, in_home, ("WEBMESSAGING_DATA_DIR", "")]);
    assert!(made(&format!("{data}/webmessaging")));
    #[cfg(unix)]
    {
        // A relative path is to be ignored.
        serve(&[], &[("XDG_DATA_HOME", "relative"), in_home]);
        assert!(made(&format!("{home}/.local/share/webmessaging")));
    }
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_looking() {
    let kept = Kept::new();
    let file = kept.write("payload", "{}");
    let commands: [&[&str]; 6] = [
        &["outbox", "list"],
        &["dead-letters", "list"],
        &["dead-letters", "show", "outbox-1"],
        &["dead-letters", "edit", "outbox-1", "--payload-file", &file],
        &["dead-letters", "retry", "outbox-1"],
        &["dead-letters", "drop", "outbox-1", "--note", "n"],
    ];
    for command in commands {
        let missing = kept.run(command);
        assert_eq!(missing.code, 3);
        let message =
            format!("error[not_found]: {}: there is no store\n\nhint: ", kept.path("data/store.db"));
        assert!(missing.stderr.starts_with(&message), "{}", missing.stderr);
    }
    assert!(!Path::new(&kept.path("data")).exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_no_store_has_its_own_exit_code() {
    use std::os::unix::fs::PermissionsExt;

    let kept = Kept::new();
    let path = kept.path("data/store.db");
    fs::create_dir(kept.path("data")).unwrap();
    fs::write(&path, "confidential words, and no database of anything").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let json = kept.run(&["outbox", "list", "--output", "json"]);
    assert_eq!((json.code, &json.json()["error"]["kind"]), (7, &"store.corrupt".into()));
    assert!(!json.stdout.contains("confidential"), "{}", json.stdout);
}

#[test]
fn the_url_of_a_database_is_never_repeated() {
    let kept = Kept::new();
    let message = |url: &str, code: i32, expected: &str| {
        let by_flag = run(&mut command(&["outbox", "list", "--store-url", url, "-vvv"]));
        let by_variable = run(kept.command(&["dead-letters", "list"]).env("WEBMESSAGING_STORE_URL", url));
        for refused in [by_flag, by_variable] {
            assert_eq!(refused.code, code, "{}", refused.stderr);
            assert!(refused.stderr.contains(expected), "{}", refused.stderr);
            let text = format!("{}{}", refused.stdout, refused.stderr);
            assert!(!text.contains("swordfish"), "{text}");
        }
    };
    message("mysql://user:swordfish@localhost/a", 3, "error[store.configuration]: the store's database: ");
    message(
        "postgresql://user:swordfish@127.0.0.1:1/a",
        6,
        "error[store.unavailable]: the store's database: ",
    );
}
