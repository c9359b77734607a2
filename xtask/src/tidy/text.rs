//! Rules for every text file: white space, line ends, size.

use super::{File, Finding};

const MAX_BYTES: u64 = 512 * 1024;

pub(super) fn size(file: &File) -> Option<Finding> {
    let why = "the history keeps every version of it for ever";
    let message = || format!("file of {} KiB, at most {} are allowed", file.size / 1024, MAX_BYTES / 1024);
    (file.size > MAX_BYTES).then(|| Finding::new(&file.path, 1, message(), why))
}

pub(super) fn all(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line, message, why| findings.push(Finding::new(&file.path, line, message, why));
    for (number, line) in (1..).zip(file.text.split('\n')) {
        let body = line.strip_suffix('\r').unwrap_or(line);
        if body != line {
            find(number, "carriage return", "line ends are one character everywhere");
        }
        if body.contains('\t') {
            find(number, "tab", "its width differs from editor to editor");
        }
        if body.ends_with(' ') {
            find(number, "trailing white space", "it is invisible and makes noise in every diff");
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let last = file.text.lines().count();
        find(last, "no newline at the end", "the next line added would change this one too");
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::sample::{file, lines};
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(lines(&all(&file("a.md", text))), expected);
    }

    #[test]
    fn clean_text_passes() {
        check("", &[]);
        check("a\n\nb\n", &[]);
    }

    #[test]
    fn each_fault_is_found_in_its_line() {
        check("a\nb \n", &["2: trailing white space"]);
        check("a\n\tb\n", &["2: tab"]);
        check("a\r\nb\n", &["1: carriage return"]);
        check("a \r\n", &["1: carriage return", "1: trailing white space"]);
        check("a\nb", &["2: no newline at the end"]);
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        let mut file = file("a.bin", "");
        file.size = MAX_BYTES;
        assert_eq!(size(&file), None);
        file.size += 1;
        assert!(size(&file).is_some());
    }
}
