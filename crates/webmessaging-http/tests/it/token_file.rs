//! Access tokens in a file: one login for all who share it, and nobody else gets to read it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use webmessaging_http::{Client, Credentials, ErrorKind, FileTokenCache};
use webmessaging_model::RetryClass;

use crate::script::{Call, Script, Seen, Step, client_of, client_that, done, status, token};
use crate::witness::Witness;

const FILE: &str = "tokens.json";

fn sharing(folder: &TempDir, next: impl Fn(&Seen) -> Step + Send + Sync + 'static) -> (Client, Script) {
    let cache = FileTokenCache::new(folder.path().join(FILE));
    client_that(next, |builder| builder.token_cache(cache))
}

/// A client whose login gives this token.
fn logging_in(folder: &TempDir, value: &'static str) -> (Client, Script) {
    sharing(folder, move |seen| if seen.is_login() { token(value, 86_400) } else { done() })
}

async fn call(client: &Client) {
    client.send(&Call(RetryClass::Once)).await.unwrap();
}

fn bearers(script: &Script) -> Vec<String> {
    script.calls().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn two_clients_with_one_file_log_in_once() {
    let folder = TempDir::new().unwrap();
    let (one, first) = logging_in(&folder, "t");
    let (other, second) = logging_in(&folder, "t");
    tokio::join!(call(&one), call(&other));
    assert_eq!(first.logins() + second.logins(), 1);
    // And whoever comes later finds it, too.
    let (late, third) = logging_in(&folder, "late");
    call(&late).await;
    assert_eq!((third.logins(), bearers(&third)), (0, vec!["Bearer t".to_owned()]));
}

#[tokio::test]
async fn the_file_is_its_owners_alone_and_nothing_is_left_beside_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("not/there/yet").join(FILE);
    let (client, _) = client_that(
        |seen| if seen.is_login() { token("t", 86_400) } else { done() },
        |builder| builder.token_cache(FileTokenCache::new(&path)),
    );
    call(&client).await;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let mut names: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["tokens.json", "tokens.json.lock"]);
}

#[tokio::test]
async fn a_file_that_others_can_read_is_refused() {
    let folder = TempDir::new().unwrap();
    let (client, _) = logging_in(&folder, "t");
    call(&client).await;
    let path = folder.path().join(FILE);
    for wrong in [0o644, 0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(wrong)).unwrap();
        let (client, script) = logging_in(&folder, "u");
        let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(&format!("mode {wrong:o}")), "{error}");
        assert!(script.seen().is_empty());
    }
}

#[tokio::test]
async fn a_damaged_file_is_replaced() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE);
    for content in ["", "{\"tokens\":{\"", "[1]", "<html>", "{\"tokens\":{\"a\":{\"access_token\":7}}}"] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let (client, script) = logging_in(&folder, "t");
        call(&client).await;
        assert_eq!(script.logins(), 1, "{content}");
        let (client, script) = logging_in(&folder, "u");
        call(&client).await;
        assert_eq!(script.logins(), 0, "{content}");
    }
}

#[tokio::test]
async fn oauth_clients_do_not_get_each_others_tokens() {
    let folder = TempDir::new().unwrap();
    let cache = FileTokenCache::new(folder.path().join(FILE));
    let of = |id: &str, value: &'static str, scopes: &'static [&'static str]| {
        let cache = cache.clone();
        client_of(Credentials::new(id, "secret"), [token(value, 86_400), done()], |builder| {
            builder.token_cache(cache).scopes(scopes.iter().copied())
        })
    };
    for (id, value, scopes) in [("a", "ta", &[][..]), ("b", "tb", &[]), ("a", "tas", &["x:read"])] {
        let (client, script) = of(id, value, scopes);
        call(&client).await;
        assert_eq!(bearers(&script), [format!("Bearer {value}")]);
    }
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_not_taken_over() {
    let folder = TempDir::new().unwrap();
    let (client, _) = sharing(&folder, |seen| if seen.is_login() { token("short", 9) } else { done() });
    call(&client).await;
    let (client, script) = logging_in(&folder, "long");
    call(&client).await;
    assert_eq!(bearers(&script), ["Bearer long"]);
}

/// What the platform has refused must not come back from the file, and what another process got in the meantime is
/// as good as a login.
#[tokio::test]
async fn a_refused_token_is_replaced_once_for_everybody() {
    let folder = TempDir::new().unwrap();
    let (early, _) = logging_in(&folder, "old");
    call(&early).await;
    let next = |seen: &Seen| match seen.header("authorization") {
        Some("Bearer old") => status(401),
        _ if seen.is_login() => token("new", 86_400),
        _ => done(),
    };
    let (one, first) = sharing(&folder, next);
    let (other, second) = sharing(&folder, next);
    call(&one).await;
    call(&other).await;
    assert_eq!((first.logins(), second.logins()), (1, 0));
    assert_eq!(bearers(&second), ["Bearer new"]);
}

/// Each process renews ahead of the end, and finds that one of them has done it.
#[tokio::test]
async fn an_early_renewal_of_one_is_taken_over_by_the_other() {
    let folder = TempDir::new().unwrap();
    let (one, first) = sharing(&folder, |seen| if seen.is_login() { token("a", 86_400) } else { done() });
    let (other, second) = sharing(&folder, |seen| if seen.is_login() { token("b", 86_400) } else { done() });
    call(&one).await;
    call(&other).await;
    for script in [&first, &second] {
        script.clock.advance(Duration::from_secs(86_400 - 60));
    }
    // The one whose login would give `b` is first this time; the renewals go on beside the calls.
    for (client, script) in [(&other, &second), (&one, &first)] {
        for _ in 0..1_000 {
            call(client).await;
            if bearers(script).last().is_some_and(|bearer| bearer == "Bearer b") {
                break;
            }
            // The file is worked on by a thread of its own; this is a way there and back.
            tokio::task::spawn_blocking(|| {}).await.unwrap();
        }
        assert_eq!(bearers(script).last().unwrap(), "Bearer b");
    }
    assert_eq!((first.logins(), second.logins()), (1, 1));
}

#[tokio::test]
async fn a_lock_that_somebody_keeps_does_not_keep_us_for_ever() {
    let folder = TempDir::new().unwrap();
    let held = fs::File::create(folder.path().join("tokens.json.lock")).unwrap();
    held.lock().unwrap();
    let (client, script) = logging_in(&folder, "t");
    call(&client).await;
    assert_eq!(script.logins(), 1);
    let waited: Duration = script.clock.sleeps().iter().sum();
    assert_eq!(waited, Duration::from_secs(30));
}

#[tokio::test]
async fn a_cache_in_trouble_is_done_without() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    // A folder would have to be where a file is.
    let cache = FileTokenCache::new(folder.path().join("file").join(FILE));
    let (client, script) = client_that(
        |seen| if seen.is_login() { token("t", 86_400) } else { done() },
        |builder| builder.token_cache(cache),
    );
    call(&client).await;
    assert_eq!(script.logins(), 1);
}

#[tokio::test]
async fn what_is_no_file_is_refused_without_waiting_for_it() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [folder.path().join("folder"), pipe] {
        let (client, script) = client_that(
            |seen| if seen.is_login() { token("t", 86_400) } else { done() },
            |builder| builder.token_cache(FileTokenCache::new(path)),
        );
        let error = client.send(&Call(RetryClass::Once)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("is not a file"), "{error}");
        assert!(script.seen().is_empty());
    }
}

#[tokio::test]
async fn a_login_of_another_process_is_told_as_taken_over() {
    let (folder, witness) = (TempDir::new().unwrap(), Witness::default());
    let cache = || FileTokenCache::new(folder.path().join(FILE));
    let well = |seen: &Seen| if seen.is_login() { token("t", 86_400) } else { done() };
    for _ in 0..2 {
        let (client, _) = client_that(well, |builder| builder.token_cache(cache()).observer(witness.clone()));
        call(&client).await;
    }
    let logins: Vec<_> = witness
        .lines()
        .iter()
        .filter(|line| line.starts_with("login: "))
        .map(|line| line.split(", ").take(2).collect::<Vec<_>>().join(", "))
        .collect();
    assert_eq!(logins, ["login: ok, taken over false", "login: ok, taken over true"]);
}
