//! The whole life of a transfer, and everything that can happen to its bytes and its URL.

use std::sync::Mutex;
use std::time::Duration;

use webmessaging_emulator::{Fault, Route};
use webmessaging_http::{ErrorKind, Sent, Source, Timeouts};
use webmessaging_model::{ScanVerdict, TransferId, TransferStatus};

use crate::setup::Setup;
use crate::transfer_setup::{ORGANIZATION, SIZE, Transfers, full, payload, source};

const DAY: Duration = Duration::from_secs(86_400);

/// Transfers a file with faults on the way and expects it to arrive whole.
async fn arrives(faults: impl IntoIterator<Item = (Route, Fault)>) -> Transfers {
    let transfers = Transfers::new().await;
    for (route, fault) in faults {
        transfers.setup.emulator.inject(route, fault);
    }
    let finished = transfers.transfer().await.unwrap();
    assert_eq!(finished.verdict(), ScanVerdict::Clean);
    transfers
}

/// A day, but for some minutes.
fn but(minutes: u64) -> Duration {
    Duration::from_secs(DAY.as_secs() - minutes * 60)
}

fn expired() -> Fault {
    Fault::status(403).body("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
}

#[tokio::test]
async fn a_file_goes_from_announcement_to_verdict() {
    let transfers = Transfers::new().await;
    let finished = transfers.transfer().await.unwrap();
    assert_eq!(finished.verdict(), ScanVerdict::Clean);
    assert_eq!(finished.state.status, Some(TransferStatus::Complete));
    assert!(finished.download_uri().is_some());
    let uploaded = finished.uploaded.as_ref().unwrap();
    assert_eq!((uploaded.size_bytes, uploaded.urls), (SIZE as u64, 1));
    assert_eq!(uploaded.sha256, finished.state.sha256);
    // Announced, sent, looked at after 2, 6 and 14 seconds.
    assert_eq!(transfers.counts(), (1, 0, 1, 3));
    assert_eq!(transfers.actions(), ["transfer.created", "transfer.uploaded", "transfer.finished"]);

    let put = &transfers.setup.requests(Route::PutTransfer)[0];
    let mut names: Vec<_> = put.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "host"]);
    assert_eq!(put.headers["content-type"], "application/pdf");
    assert_eq!(put.headers["content-length"], SIZE.to_string());
    for route in [Route::CreateTransfer, Route::GetTransfer] {
        let headers = &transfers.setup.requests(route)[0].headers;
        assert_eq!(headers["x-genesys-organization-id"], ORGANIZATION);
    }
}

#[tokio::test]
async fn each_step_stands_on_its_own() {
    let transfers = Transfers::new().await;
    let manager = &transfers.manager;
    let transfer = manager.create(payload("report.pdf", SIZE)).await.unwrap();
    let id = &transfer.transfer_id;
    assert_eq!(manager.status(id).await.unwrap().status, Some(TransferStatus::Created));
    assert_eq!(manager.renew(id).await.unwrap().transfer_id, *id);
    let uploaded = manager.upload(&transfer, source(SIZE)).await.unwrap();
    let state = manager.status(id).await.unwrap();
    assert_eq!((state.verdict(), state.download_uri().is_none()), (ScanVerdict::Pending, true));
    let state = manager.wait(id).sha256(uploaded.sha256.unwrap()).await.unwrap();
    assert_eq!(state.verdict(), ScanVerdict::Clean);
}

#[tokio::test]
async fn a_429_is_waited_out_on_every_step() {
    let busy = || Fault::status(429).header("retry-after", "3");
    let routes = [Route::CreateTransfer, Route::PutTransfer, Route::GetTransfer];
    let transfers = arrives(routes.map(|route| (route, busy()))).await;
    let (create, renew, put, get) = transfers.counts();
    assert_eq!((create, renew, put), (2, 0, 2));
    assert!(get > 1);
}

#[tokio::test]
async fn a_url_that_expired_while_it_waited_for_its_turn_is_renewed_before_the_first_byte() {
    let transfers = Transfers::new().await;
    let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
    // 29 minutes remain, which is not enough to begin with.
    transfers.setup.pass(but(29));
    let uploaded = transfers.manager.upload(&transfer, source(SIZE)).await.unwrap();
    assert_eq!((uploaded.urls, transfers.counts()), (1, (1, 1, 1, 0)));
    assert_eq!(transfers.actions(), ["transfer.created", "transfer.renewed expiring", "transfer.uploaded"]);
}

#[tokio::test]
async fn a_url_with_31_minutes_left_is_good_enough() {
    let transfers = Transfers::new().await;
    let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
    transfers.setup.pass(but(31));
    transfers.manager.upload(&transfer, source(SIZE)).await.unwrap();
    assert_eq!(transfers.counts(), (1, 0, 1, 0));
}

#[tokio::test]
async fn a_platform_whose_urls_are_short_is_not_asked_for_one_more_each_time() {
    let short = Duration::from_secs(600);
    let transfers = Transfers::with(|emulator| emulator.transfer_url_lifetime(short)).await;
    transfers.transfer().await.unwrap();
    assert_eq!(transfers.counts().1, 0);
}

#[tokio::test]
async fn a_url_that_ends_during_the_wait_after_a_429_is_renewed() {
    let timeouts = Timeouts::default().call(2 * DAY);
    let transfers = Transfers::on(Setup::with(|e| e, |client| client.timeouts(timeouts)).await);
    let wait = DAY.as_secs().to_string();
    let busy = Fault::status(429).header("retry-after", &wait);
    transfers.setup.emulator.inject(Route::PutTransfer, busy);
    let finished = transfers.transfer().await.unwrap();
    assert_eq!(finished.uploaded.unwrap().urls, 2);
    assert_eq!(transfers.counts().1, 1);
}

#[tokio::test]
async fn a_url_that_ends_before_the_first_byte_or_in_the_middle_is_renewed() {
    // Only the store's clock moves: our own says that the URL is fresh.
    for bytes in [0, SIZE as u64 / 2, SIZE as u64 - 1] {
        let hour = Duration::from_secs(3_600);
        let transfers = Transfers::with(|emulator| emulator.transfer_url_lifetime(hour)).await;
        let late = Fault::advance_clock_in_body(bytes, hour);
        transfers.setup.emulator.inject(Route::PutTransfer, late);
        assert_eq!(transfers.transfer().await.unwrap().verdict(), ScanVerdict::Clean);
        let (create, renew, put, _) = transfers.counts();
        assert_eq!((create, renew, put), (1, 1, 2), "after {bytes} bytes");
        assert_eq!(transfers.actions()[1], "transfer.renewed link_expired");
    }
}

#[tokio::test]
async fn a_403_and_a_410_renew() {
    let gone = Fault::status(410).body("<Error><Code>Gone</Code></Error>");
    let unclear = Fault::status(403).body("<Error><Code>AccessDenied</Code></Error>");
    for (fault, cause) in [(expired(), "link_expired"), (gone, "link_expired"), (unclear, "rejected")] {
        let transfers = arrives([(Route::PutTransfer, fault)]).await;
        assert_eq!(transfers.actions()[1], format!("transfer.renewed {cause}"));
        let ids: std::collections::BTreeSet<_> =
            transfers.events().into_iter().map(|(_, subject, _)| subject).collect();
        assert_eq!(ids.len(), 1, "the transfer keeps its id");
    }
}

#[tokio::test]
async fn a_store_that_refuses_every_url_ends_the_transfer() {
    let transfers = Transfers::new().await;
    for _ in 0..3 {
        transfers.setup.emulator.inject(Route::PutTransfer, expired());
    }
    let error = transfers.transfer().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::LinkExpired, 3));
    // One look, whether the bytes are there all the same.
    assert_eq!(transfers.counts(), (1, 2, 3, 1));
    assert_eq!(transfers.actions().last().unwrap(), "operation.failed link_expired");
}

#[tokio::test]
async fn a_connection_cut_anywhere_starts_again_at_the_first_byte() {
    for bytes in [0, SIZE as u64 / 2, SIZE as u64 * 999 / 1000] {
        let transfers = arrives([(Route::PutTransfer, Fault::drop_body_after(bytes))]).await;
        assert_eq!(transfers.counts().2, 2, "cut after {bytes} bytes");
        assert_eq!(transfers.setup.requests(Route::PutTransfer)[1].body_bytes, SIZE as u64);
    }
}

#[tokio::test]
async fn a_lost_answer_after_the_last_byte_stores_them_once() {
    let transfers = arrives([(Route::PutTransfer, Fault::drop_after())]).await;
    assert_eq!(transfers.counts().2, 2);
    assert_eq!(transfers.setup.emulator.state().transfers.len(), 1);
}

/// A store that has looked at the bytes of the first attempt takes none of a second one.
#[tokio::test]
async fn a_lost_answer_whose_bytes_are_taken_no_second_time_is_a_success() {
    let transfers = arrives([
        (Route::PutTransfer, Fault::drop_after()),
        (Route::PutTransfer, Fault::status(409).body("<Error><Code>InvalidObjectState</Code></Error>")),
    ])
    .await;
    assert_eq!(transfers.counts().2, 2);
    assert_eq!(transfers.actions(), ["transfer.created", "transfer.uploaded", "transfer.finished"]);
}

#[tokio::test]
async fn bad_input_is_refused_with_every_rule_before_anything_is_sent() {
    let transfers = Transfers::new().await;
    let mut wrong = payload("report.pdf", 5);
    wrong.access_policy_directives.retention_days = 0;
    wrong.storage_bucket_reference.clear();
    let error = transfers.manager.transfer(wrong, Source::bytes("a", "plain words")).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::InvalidInput, Sent::No));
    let paths: Vec<_> = error.violations().unwrap().iter().map(|violation| &*violation.path).collect();
    let retention = "accessPolicyDirectives.retentionDays";
    assert_eq!(paths, ["storageBucketReference", retention, "fileSize", "mimeType"]);
    assert_eq!(transfers.counts(), (0, 0, 0, 0));
    assert_eq!(transfers.actions(), ["operation.failed invalid_input"]);
}

#[tokio::test]
async fn canceling_says_how_far_it_came() {
    let transfers = Transfers::new().await;
    let transfer = || transfers.manager.transfer(payload("report.pdf", SIZE), source(SIZE));
    let error = transfer().cancel_on(std::future::ready(())).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Canceled, Sent::No));

    let (cancel, canceled) = tokio::sync::oneshot::channel::<()>();
    let cancel = Mutex::new(Some(cancel));
    let during = transfer()
        .on_progress(move |_| drop(cancel.lock().unwrap().take()))
        .cancel_on(async { drop(canceled.await) });
    let error = during.await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Canceled, Sent::Maybe));
    assert_eq!(
        transfers.actions(),
        ["operation.failed canceled", "transfer.created", "operation.failed canceled"]
    );
}

#[tokio::test]
async fn nothing_shows_a_presigned_query() {
    let transfers = Transfers::new().await;
    let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
    let (_, query) = transfer.upload_uri.expose().split_once('?').unwrap();
    transfers.setup.emulator.inject(Route::PutTransfer, Fault::status(400));
    let error = transfers.manager.upload(&transfer, source(SIZE)).await.unwrap_err();
    let finished = transfers.transfer().await.unwrap();
    let (_, download) = finished.download_uri().unwrap().expose().split_once('?').unwrap();
    let shown = format!("{transfer:?} {error} {error:?} {finished:?} {}", transfers.recorded());
    for secret in query.split('&').chain(download.split('&')) {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn a_transfer_that_waits_for_its_bytes_is_kept_fresh_until_it_is_dropped() {
    let transfers = Transfers::new().await;
    let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
    let mut fresh = transfers.manager.keep_fresh(&transfer);
    let renewed = fresh.changed().await.unwrap();
    assert_eq!(renewed.transfer_id, transfer.transfer_id);
    assert!(renewed.expires_at > transfer.expires_at);
    // A clock that skips waits comes to the next renewal at once; by then half an hour was left each time.
    let first = transfers.setup.clock.sleeps()[0];
    assert_eq!(first.as_secs().div_ceil(60), (DAY.as_secs() / 60) - 30);
    drop(fresh);
}

#[tokio::test]
async fn a_renewal_of_what_is_gone_ends_the_renewals() {
    let transfers = Transfers::new().await;
    let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
    transfers.setup.emulator.inject(Route::RenewTransfer, Fault::status(404));
    let mut fresh = transfers.manager.keep_fresh(&transfer);
    assert!(fresh.changed().await.is_some());
    assert_eq!(fresh.failure().unwrap().kind(), ErrorKind::NotFound);
    assert!(fresh.changed().await.is_none());
}

/// A journal that keeps nothing: what was done is done, and the caller hears that it is not on record.
#[tokio::test]
async fn what_cannot_be_recorded_is_said_to_be_done() {
    let transfers = Transfers::new().await;
    let manager = transfers.manager.clone().journal(full());
    let error = manager.create(payload("report.pdf", SIZE)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NotRecorded, Sent::Yes));
    let id = TransferId::new(error.subject().unwrap());
    assert_eq!(manager.status(&id).await.unwrap().status, Some(TransferStatus::Created));
    assert!(error.to_string().contains(id.as_str()), "{error}");
    let transfer = transfers.manager.create(payload("report.pdf", SIZE)).await.unwrap();
    let error = manager.upload(&transfer, source(SIZE)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRecorded);
    let error = manager.wait(&transfer.transfer_id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRecorded);
}
