//! Settings of the command: file, profiles, flags, and what is said when they do not suffice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Emulator, Run, command, run};

/// A folder with a file to upload and a settings file, for its owner alone.
struct Home(tempfile::TempDir);

impl Home {
    fn new(settings: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.0.path().join("a.txt"), "words").unwrap();
        fs::write(home.settings(), settings).unwrap();
        #[cfg(unix)]
        fs::set_permissions(home.settings(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        home
    }

    fn settings(&self) -> PathBuf {
        self.0.path().join("settings.toml")
    }

    fn upload(&self, arguments: &[&str]) -> Command {
        let path = self.0.path().join("a.txt");
        let mut upload =
            command(&["files", "upload", text(&path), "--channel", "channel-1", "--message", "message-1"]);
        upload.args(arguments);
        upload
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The first line of what it complains of.
fn complaint(run: &Run) -> &str {
    run.stderr.lines().next().unwrap_or_default()
}

#[test]
fn a_profile_is_all_it_takes() {
    let emulator = Emulator::start(&[]);
    let home = Home::new(&format!(
        "[default]\nclient_id = 'nobody'\nclient_secret = 'wrong'\nbase_url = '{0}'\n\
         [profiles.demo]\nclient_id = 'demo-client'\nclient_secret = 'demo-secret'\nbase_url = '{0}'",
        emulator.url()
    ));
    let config = ["--config", text(&home.settings())].map(str::to_owned);
    let flags = |more: &[&str]| {
        let all: Vec<&str> = config.iter().map(String::as_str).chain(more.iter().copied()).collect();
        run(&mut home.upload(&all))
    };
    assert_eq!(flags(&[]).code, 5);
    assert_eq!(flags(&["--profile", "demo"]).code, 0);
    // Flags go before the file.
    assert_eq!(flags(&["--client-id", "demo-client", "--client-secret", "demo-secret"]).code, 0);
    assert_eq!(flags(&["--profile", "demo", "--client-secret", "wrong"]).code, 5);

    // The file goes before variables, and variables name file and profile.
    let mut upload = home.upload(&[]);
    upload.env("WEBMESSAGING_CONFIG", home.settings()).env("WEBMESSAGING_PROFILE", "demo");
    assert_eq!(
        run(upload.env("GENESYS_CLIENT_SECRET", "wrong").env("GENESYS_BASE_PATH", "http://127.0.0.1:1")).code,
        0
    );
}

#[test]
fn the_variables_of_the_official_command_line_do() {
    let emulator = Emulator::start(&[]);
    let home = Home::new("");
    let mut upload = home.upload(&["--base-url", emulator.url()]);
    upload.env("GENESYSCLOUD_OAUTHCLIENT_ID", "demo-client");
    assert_eq!(run(upload.env("GENESYSCLOUD_OAUTHCLIENT_SECRET", "demo-secret")).code, 0);
}

#[test]
fn missing_credentials_are_told_with_every_place_they_could_be_in() {
    let home = Home::new("");
    let config = home.settings();
    let upload = run(&mut home.upload(&["--config", text(&config)]));
    assert_eq!(upload.code, 3);
    assert_eq!(
        complaint(&upload),
        format!(
            "error[configuration]: no client id and no client secret: set GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET, \
             or `client_id` and `client_secret` in [default] of {}, or --client-id and --client-secret",
            config.display()
        )
    );
    let json =
        run(home.upload(&["--client-id", "i", "--output", "json"]).env("GENESYS_CLIENTSECRET", "swordfish"));
    let message = json.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("no client secret: set GENESYS_CLIENT_SECRET, "), "{message}");
    assert!(
        message.ends_with("GENESYS_CLIENTSECRET is set, did you mean GENESYS_CLIENT_SECRET?"),
        "{message}"
    );
    assert!(!format!("{}{}", json.stdout, json.stderr).contains("swordfish"));
}

#[test]
fn what_is_wrong_with_settings_is_told_before_anything_is_sent() {
    let home = Home::new("[default]\nclient_secret = 'swordfish'\nclientid = 'i'");
    let settings = home.settings();
    let file = settings.display();
    let flags = ["--config", text(&settings)];
    let refused = |upload: &mut Command, message: &str| {
        let upload = run(upload);
        assert_eq!((upload.code, complaint(&upload)), (3, &*format!("error[configuration]: {message}")));
        assert!(!upload.stderr.contains("swordfish"), "{}", upload.stderr);
    };
    refused(
        &mut home.upload(&flags),
        &format!("{file}:3: there is no key `clientid`, did you mean `client_id`?"),
    );
    refused(&mut home.upload(&["--config", "missing.toml"]), "missing.toml: there is no such file");
    refused(
        home.upload(&["--client-id", "i"]).env("GENESYS_ENVIRONMENT", "mars"),
        "GENESYS_ENVIRONMENT: must be a region such as `eu-west-1` or a domain such as `mypurecloud.ie`",
    );
    refused(
        &mut home.upload(&["--base-url", "mars"]),
        "--base-url: `base_url` must be a plain url such as `https://api.mypurecloud.ie`, without user, query or fragment",
    );
    fs::write(home.settings(), "[default]\n[profiles.a]").unwrap();
    refused(
        &mut home.upload(&[flags[0], flags[1], "--profile", "b"]),
        &format!("there is no profile `b`: {file} has a, default"),
    );
    // What the parser of the arguments can tell is wrong usage.
    assert_eq!(run(&mut home.upload(&["--environment", "mars"])).code, 2);
}
