//! An observer that writes down everything it is shown.

use std::sync::{Arc, Mutex};

use webmessaging_http::Observer;
use webmessaging_http::observe::{
    AttemptEnded, AttemptStarted, BreakerChanged, CallEnded, LoginEnded, WaitCause, WaitEnded, WaitStarted,
};

/// One line for each thing told, made with the accessors.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Vec<String>>>);

impl Witness {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Everything so far, and forgets it.
    pub(crate) fn text(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().map(|line| line + "\n").collect()
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

fn cause(cause: WaitCause) -> String {
    match cause {
        WaitCause::Limit { class, reason } => format!("{class} limit, {reason}"),
        WaitCause::Queue { class } => format!("{class} queue"),
        _ => cause.code().to_owned(),
    }
}

impl Observer for Witness {
    fn attempt_started(&self, attempt: &mut AttemptStarted<'_>) {
        let headers: Vec<_> = attempt.headers().map(|(name, _)| name).collect();
        self.note(format!(
            "{} attempt {} starts: {} {} `{}` {:?} bytes, {}",
            attempt.operation().name,
            attempt.attempt(),
            attempt.method(),
            attempt.host(),
            attempt.path_template(),
            attempt.body_bytes(),
            headers.join(" "),
        ));
    }

    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        self.note(format!(
            "{} attempt {} ends: {} {:?} sent {}, {:?}, {} out, {} in, request {:?}, retry {:?}",
            attempt.operation().name,
            attempt.attempt(),
            attempt.outcome(),
            attempt.status().map(|status| status.as_u16()),
            attempt.sent().as_str(),
            attempt.latency(),
            attempt.sent_bytes(),
            attempt.received_bytes(),
            attempt.request_id(),
            attempt.retry_in(),
        ));
    }

    fn wait_started(&self, wait: &WaitStarted<'_>) {
        let (operation, cause) = (wait.operation().name, cause(wait.cause()));
        self.note(format!("{operation} waits: {cause}, {:?}", wait.expected()));
    }

    fn wait_ended(&self, wait: &WaitEnded<'_>) {
        let (operation, cause) = (wait.operation().name, cause(wait.cause()));
        self.note(format!("{operation} waited: {cause}, {:?}", wait.waited()));
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        self.note(format!(
            "{} ends: {} {:?}, {} attempts, {:?}, waited {:?}, {} out, {} in",
            call.operation().name,
            call.outcome(),
            call.status().map(|status| status.as_u16()),
            call.attempts(),
            call.latency(),
            call.waited(),
            call.sent_bytes(),
            call.received_bytes(),
        ));
    }

    fn login_ended(&self, login: &LoginEnded) {
        let (outcome, taken_over) = (login.outcome(), login.is_taken_over());
        let (lifetime, latency) = (login.lifetime(), login.latency());
        self.note(format!("login: {outcome}, taken over {taken_over}, {lifetime:?}, {latency:?}"));
    }

    fn breaker_changed(&self, change: &BreakerChanged<'_>) {
        self.note(format!("breaker of {}: {} to {}", change.host(), change.from(), change.to()));
    }
}
