//! `docs/reference/operations.md` and `docs/reference/limits.md` are made from the code.
//!
//! `cargo xtask gen` writes them anew.

use std::fmt::Write;

use expect_test::expect_file;
use webmessaging::model::{RetryClass, limits};
use webmessaging::reference::operations;

#[test]
fn reference_of_operations() {
    let mut page = String::from(
        "# Operations\n\n\
         Every call the toolkit makes. Made from the code by `cargo xtask gen`.\n\n\
         The endpoints of the *design* contract are not in the platform's published API; each of their paths can be\n\
         changed with `ClientBuilder::path`. *Sent again* says when a request whose answer was lost may be repeated.\n\n\
         | operation | request | scopes | sent again | contract | described in |\n|---|---|---|---|---|---|\n",
    );
    for operation in operations() {
        let path = if operation.path.is_empty() { "the presigned URL" } else { operation.path };
        let again = match operation.retry {
            RetryClass::Idempotent => "yes, it has the same effect",
            RetryClass::Repeatable => "yes, what is left unused expires",
            _ => "no",
        };
        let scopes =
            if operation.scopes.is_empty() { "none".to_owned() } else { operation.scopes.join(", ") };
        writeln!(
            page,
            "| `{}` | `{} {path}` | {scopes} | {again} | {} | {} |",
            operation.name, operation.method, operation.contract, operation.source
        )
        .unwrap();
    }
    expect_file!["../../../../docs/reference/operations.md"].assert_eq(&page);
}

#[test]
fn reference_of_limits() {
    let mut page = String::from(
        "# Limits\n\n\
         The numbers the toolkit goes by and where each one comes from; the design documents are tutorials on Genesys Cloud\n\
         web messaging that are not part of the repository. Made from the code by `cargo xtask gen`.\n\n\
         | limit | value | unit | source | checked |\n|---|---|---|---|---|\n",
    );
    for limit in limits::ALL {
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            limit.name, limit.value, limit.unit, limit.source, limit.checked
        )
        .unwrap();
    }
    expect_file!["../../../../docs/reference/limits.md"].assert_eq(&page);
}
