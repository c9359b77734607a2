//! What goes wrong, and what has to come of it.

use std::time::Duration;

use webmessaging::http::ErrorKind;
use webmessaging::model::LimitClass;
use webmessaging_emulator::{Fault, Route};

use super::cases::Case;

/// What comes of a call, and after how many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Done(usize),
    Failed(ErrorKind, usize),
}

use Expected::{Done, Failed};

/// Faults that meet the first requests of an operation.
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) faults: fn() -> Vec<Fault>,
    pub(crate) expected: fn(&Case) -> Expected,
}

pub(crate) const PROFILES: &[Profile] = &[
    Profile { name: "nothing wrong", faults: Vec::new, expected: |_| Done(1) },
    Profile {
        name: "two answers 503",
        faults: || vec![Fault::status(503), Fault::status(503).html("<h1>busy</h1>")],
        expected: |case| repeated(case, 2, ErrorKind::Server),
    },
    Profile {
        name: "one answer 429",
        faults: || vec![Fault::status(429).header("retry-after", "7")],
        // Whoever is turned away has not been let in: any operation may come back.
        expected: |_| Done(2),
    },
    Profile {
        name: "429 without end",
        faults: || vec![Fault::status(429).header("retry-after", "1"); 9],
        expected: |_| Failed(ErrorKind::RateLimited, 4),
    },
    Profile {
        name: "a connection that breaks before the effect",
        faults: || vec![Fault::drop_before()],
        expected: |case| repeated(case, 1, ErrorKind::Interrupted),
    },
    Profile {
        name: "a connection that breaks after the effect",
        faults: || vec![Fault::drop_after()],
        expected: |case| repeated(case, 1, ErrorKind::Interrupted),
    },
    Profile {
        name: "an answer that breaks off",
        faults: || vec![Fault::truncate_answer(5)],
        expected: |case| if case.is_read { repeated(case, 1, ErrorKind::Interrupted) } else { Done(1) },
    },
    Profile {
        name: "an answer that is shorter than it says",
        faults: || vec![Fault::WrongLength { bytes: 10 }],
        expected: |case| repeated(case, 1, ErrorKind::Interrupted),
    },
    Profile {
        name: "an answer that is longer than it says",
        faults: || vec![Fault::WrongLength { bytes: -5 }],
        expected: |case| if case.is_read { Failed(ErrorKind::UnexpectedAnswer, 1) } else { Done(1) },
    },
    Profile {
        name: "an answer in drips",
        faults: || vec![Fault::DripAnswer { bytes: 16, every: Duration::from_millis(1) }],
        expected: |_| Done(1),
    },
    Profile {
        name: "an answer that takes a while",
        faults: || vec![Fault::delay(Duration::from_millis(5))],
        expected: |_| Done(1),
    },
    Profile {
        name: "a page in place of the answer",
        faults: || vec![Fault::HtmlPage("<!doctype html><p>sign in</p>".to_owned())],
        expected: |case| if case.is_read { Failed(ErrorKind::UnexpectedAnswer, 1) } else { Done(1) },
    },
    Profile { name: "500", faults: || vec![Fault::status(500)], expected: |_| Failed(ErrorKind::Server, 1) },
    Profile {
        name: "400",
        faults: || vec![Fault::status(400)],
        expected: |_| Failed(ErrorKind::Rejected, 1),
    },
    Profile {
        name: "404",
        faults: || vec![Fault::status(404)],
        expected: |case| of_the_thing(case, ErrorKind::NotFound),
    },
    Profile {
        name: "409",
        faults: || vec![Fault::status(409)],
        // A webhook that is there already is what was wanted.
        expected: |case| match case.route {
            Route::CreateWebhook | Route::CreatePlatformWebhook => Done(1),
            _ => of_the_thing(case, ErrorKind::Conflict),
        },
    },
    Profile {
        name: "403",
        faults: || vec![Fault::status(403)],
        // A store that does not say why may have meant the URL: one other URL is worth a try.
        expected: |case| if is_storage(case) { Done(2) } else { Failed(ErrorKind::Permission, 1) },
    },
    Profile {
        name: "401",
        faults: || vec![Fault::status(401)],
        expected: |case| match case.operation.limit {
            // A token can be withdrawn before its time; credentials and signatures are right or wrong.
            LimitClass::Platform => Done(2),
            LimitClass::Login => Failed(ErrorKind::Authentication, 1),
            _ => Failed(ErrorKind::Rejected, 1),
        },
    },
    Profile {
        name: "410",
        faults: || vec![Fault::status(410)],
        expected: |case| if is_storage(case) { Done(2) } else { of_the_thing(case, ErrorKind::Rejected) },
    },
    Profile {
        name: "a redirect",
        faults: || vec![Fault::status(307).header("location", "http://127.0.0.1:1/elsewhere")],
        expected: |_| Failed(ErrorKind::UnexpectedAnswer, 1),
    },
];

/// After so many faults of this kind: done, where the operation may be sent again.
fn repeated(case: &Case, faults: usize, kind: ErrorKind) -> Expected {
    if case.operation.retry.is_harmless() { Done(faults + 1) } else { Failed(kind, 1) }
}

/// What an answer says of the thing that was asked for; of a login it says nothing.
fn of_the_thing(case: &Case, kind: ErrorKind) -> Expected {
    let is_login = case.operation.limit == LimitClass::Login;
    Failed(if is_login { ErrorKind::UnexpectedAnswer } else { kind }, 1)
}

fn is_storage(case: &Case) -> bool {
    case.operation.limit == LimitClass::Storage
}
