//! The exit codes in the help are those of the documentation.

use crate::process::{command, run};

const PAGE: &str = include_str!("../../../../docs/reference/exit-codes.md");

#[test]
fn the_help_and_the_page_name_the_same_codes() {
    let help = run(&mut command(&["files", "upload", "--help"])).stdout;
    for code in [0, 1, 2, 3, 4, 5, 6, 130] {
        assert!(PAGE.contains(&format!("| {code} | ")), "{code} is not in the page");
        assert!(help.contains(&format!("{code} ")), "{code} is not in the help");
    }
}
