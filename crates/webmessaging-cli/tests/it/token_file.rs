//! Two processes, one token file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use webmessaging_emulator::{Emulator, Fault, Route};

use crate::process::command;

/// An upload with settings that share a token.
fn upload(folder: &Path, emulator: &Emulator) -> Command {
    let settings = folder.join("config.toml");
    fs::write(
        &settings,
        format!(
            "[default]\nclient_id = 'demo-client'\nclient_secret = 'demo-secret'\nbase_url = '{}'\n\
             token_file = 'tokens.json'",
            emulator.base_url()
        ),
    )
    .unwrap();
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o600)).unwrap();
    let file = folder.join("hello.txt");
    fs::write(&file, "hello").unwrap();
    let mut command =
        command(&["files", "upload", file.to_str().unwrap(), "--channel", "c", "--message", "m"]);
    command.args(["--config", settings.to_str().unwrap()]).stdout(Stdio::null());
    command
}

async fn exit_code(mut child: Child) -> Option<i32> {
    tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_log_in_once() {
    let (folder, emulator) = (TempDir::new().unwrap(), Emulator::builder().start().await.unwrap());
    // While one logs in, the other comes to the lock.
    emulator.inject(Route::Token, Fault::delay(Duration::from_millis(300)));
    let start = || upload(folder.path(), &emulator).spawn().unwrap();
    let (one, other) = (start(), start());
    assert_eq!(tokio::join!(exit_code(one), exit_code(other)), (Some(0), Some(0)));
    assert_eq!((emulator.count(Route::Token), emulator.count(Route::PutUpload)), (1, 2));
    let mode = fs::metadata(folder.path().join("tokens.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_while_it_logs_in_locks_nobody_out() {
    let (folder, emulator) = (TempDir::new().unwrap(), Emulator::builder().start().await.unwrap());
    emulator.inject(Route::Token, Fault::delay(Duration::from_secs(3_600)));
    let mut killed = upload(folder.path(), &emulator).spawn().unwrap();
    while emulator.count(Route::Token) == 0 {
        tokio::task::yield_now().await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let next = upload(folder.path(), &emulator).spawn().unwrap();
    assert_eq!(exit_code(next).await, Some(0));
    assert_eq!(emulator.count(Route::Token), 2);
}
