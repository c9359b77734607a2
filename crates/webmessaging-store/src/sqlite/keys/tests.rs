//! The keys against a look at all rows.

use proptest::prelude::*;
use webmessaging_model::Timestamp;

use super::*;
use crate::inbox::Accepted;
use crate::sqlite::inbox::accept;
use crate::sqlite::open::writer;
use crate::sqlite::session::Session;

/// What is done in one transaction.
#[derive(Debug, Clone)]
enum Step {
    Accept {
        content: u8,
        id: Option<u8>,
    },
    /// Deletes one of the rows, but never the newest; or begins to, and fails.
    Purge {
        which: usize,
        fails: bool,
    },
}

#[derive(Debug, Clone)]
struct Transaction {
    process: usize,
    is_opened_anew: bool,
    steps: Vec<Step>,
    is_taken_back: bool,
}

fn transactions() -> impl Strategy<Value = Vec<Transaction>> {
    let step = prop_oneof![
        4 => (0..60_u8, prop::option::of(0..60_u8)).prop_map(|(content, id)| Step::Accept { content, id }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(which, fails)| Step::Purge { which, fails }),
    ];
    let steps = prop::collection::vec(step, 1..6);
    let transaction = (0..2_usize, prop::bool::weighted(0.1), steps, prop::bool::weighted(0.2)).prop_map(
        |(process, is_opened_anew, steps, is_taken_back)| Transaction {
            process,
            is_opened_anew,
            steps,
            is_taken_back,
        },
    );
    prop::collection::vec(transaction, 1..40)
}

#[derive(Debug, Clone)]
struct Kept {
    row: i64,
    content: u8,
    id: Option<u8>,
}

fn delivery(content: u8, id: Option<u8>) -> NewDelivery {
    // The same text for both, so that one is not taken for the other.
    let delivery = NewDelivery::new("genesys", content.to_string(), "event", Timestamp::UNIX_EPOCH);
    if let Some(id) = id { delivery.delivery_id(id.to_string()) } else { delivery }
}

fn perform(session: &Session, step: &Step, kept: &mut Vec<Kept>) {
    match *step {
        Step::Accept { content, id } => {
            let is_known = kept.iter().any(|kept| kept.content == content || (id.is_some() && kept.id == id));
            match accept(session, &delivery(content, id)).unwrap() {
                Accepted::New(row) => {
                    assert!(!is_known, "{content} {id:?} was taken twice: {kept:?}");
                    kept.push(Kept { row: row.get(), content, id });
                }
                Accepted::Duplicate { .. } => assert!(is_known, "{content} {id:?} is new: {kept:?}"),
            }
        }
        Step::Purge { which, fails } if kept.len() > 1 => {
            let which = which % (kept.len() - 1);
            let Kept { row, content, id } = kept[which];
            session.execute_batch("savepoint job").unwrap();
            session.execute("delete from deliveries where id = ?1", [row]).unwrap();
            session.keys().settle_row(session, row).unwrap();
            let (content, id) = (content.to_string(), id.map(|id| id.to_string()));
            Pair::new("genesys", &content, id.as_deref()).remove(session, row).unwrap();
            if fails {
                session.keys().forget_job();
                session.execute_batch("rollback to job").unwrap();
            } else {
                kept.remove(which);
            }
            session.execute_batch("release job").unwrap();
        }
        Step::Purge { .. } => {}
    }
}

fn count(session: &Session, sql: &str) -> i64 {
    session.query_row(sql, [], |row| row.get(0)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two processes, transactions that are taken back, rows that are deleted: with so few keys in memory that they move all
    /// the time, what is known and what is not is as if all were looked through.
    #[test]
    fn a_delivery_is_known_as_long_as_its_row_is_there(transactions in transactions()) {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let path = folder.path().join("store.db");
            let session = Session::new(writer(&path, std::time::Duration::ZERO, None).unwrap());
            // A commit that is not flushed is as visible.
            session.pragma_update(None, "synchronous", "off").unwrap();
            *session.keys() = Keys::new(6);
            session
        };
        let mut processes = [open(), open()];
        let mut kept = Vec::new();
        for transaction in &transactions {
            let session = &mut processes[transaction.process];
            if transaction.is_opened_anew {
                *session = open();
            }
            let before = kept.clone();
            session.execute_batch("begin immediate").unwrap();
            session.keys().begin();
            for step in &transaction.steps {
                perform(session, step, &mut kept);
            }
            session.keys().settle(session).unwrap();
            if transaction.is_taken_back {
                session.execute_batch("rollback").unwrap();
                session.keys().forget();
                kept = before;
            } else {
                session.execute_batch("commit").unwrap();
            }
            prop_assert!(session.keys().fresh.len() < 40);
        }
        let strays = "select count(*) from delivery_keys where delivery_id not in (select id from deliveries)";
        prop_assert_eq!(count(&processes[0], strays), 0);
    }
}

#[test]
fn all_keys_move_within_half_of_what_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let session = Session::new(writer(&path, std::time::Duration::ZERO, None).unwrap());
    *session.keys() = Keys::new(80);
    for number in 0..120_u8 {
        session.execute_batch("begin immediate").unwrap();
        session.keys().begin();
        assert!(matches!(accept(&session, &delivery(number, None)).unwrap(), Accepted::New(_)));
        session.keys().settle(&session).unwrap();
        session.execute_batch("commit").unwrap();
    }
    assert_eq!(count(&session, "select up_to from delivery_keys_settled"), 80);
    assert_eq!(count(&session, "select count(*) from delivery_keys"), 80);
    assert_eq!(session.keys().fresh.len(), 40);
}

#[test]
fn what_could_not_be_read_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let open = || Session::new(writer(&path, std::time::Duration::ZERO, None).unwrap());
    assert!(matches!(accept(&open(), &delivery(1, None)).unwrap(), Accepted::New(_)));
    let session = open();
    session.execute_batch("alter table delivery_keys_settled rename to elsewhere").unwrap();
    accept(&session, &delivery(1, None)).unwrap_err();
    session.execute_batch("alter table elsewhere rename to delivery_keys_settled").unwrap();
    assert!(matches!(accept(&session, &delivery(1, None)).unwrap(), Accepted::Duplicate { .. }));
}
