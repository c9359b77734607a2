//! The tables of `docs/reference/observability.md`.

const PAGE: &str = include_str!("../../../../docs/reference/observability.md");

/// The rows of the table whose first column has this heading, cell by cell.
pub(crate) fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>()
    };
    let rows: Vec<_> = PAGE
        .lines()
        .skip_while(|line| !line.starts_with(&format!("| {heading} |")))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .collect();
    assert!(!rows.is_empty(), "no table of `{heading}`");
    rows
}

/// What stands between backticks in a cell that lists several, whose outer ones `table` has taken.
pub(crate) fn names(cell: &str) -> Vec<&str> {
    cell.split(", ").map(|name| name.trim_matches('`')).filter(|name| !name.is_empty()).collect()
}
