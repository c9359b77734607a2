//! Rust source with comments and the insides of literals blanked out, so that a rule about code does
//! not stumble over prose or over the name of what it forbids.

/// Blanks comments and literals with spaces; lines and columns stay as they are.
pub(super) fn code_only(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let hidden = hidden_length(rest, after_word);
        let length = if hidden == 0 { first.len_utf8() } else { hidden };
        let (taken, tail) = rest.split_at(length);
        if hidden == 0 {
            out.push_str(taken);
        } else {
            out.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        after_word = hidden == 0 && (first.is_alphanumeric() || first == '_');
        rest = tail;
    }
    out
}

/// The bytes of the comment or literal that `rest` starts with, or 0.
fn hidden_length(rest: &str, after_word: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return string(rest);
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    // `r"`, `br#"`: only where a word starts, as in `for"` the `r` belongs to the word.
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix("cr")).or_else(|| rest.strip_prefix('r'));
    match raw {
        Some(tail) if !after_word => raw_string(tail).map_or(0, |length| rest.len() - tail.len() + length),
        _ => 0,
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut position = 0;
    while let Some(tail) = rest.get(position..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            position += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            position += 2;
            if depth == 0 {
                return position;
            }
        } else {
            position += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (position, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return position + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; a lifetime has no second quote and is code.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, c))) => {
            let from = escaped + c.len_utf8();
            rest.get(from..).and_then(|tail| tail.find('\'')).map_or(0, |end| from + end + 1)
        }
        (Some(_), Some((position, '\''))) => position + 1,
        _ => 0,
    }
}

/// The length of `##"..."##`, if that is what `tail` starts with.
fn raw_string(tail: &str) -> Option<usize> {
    let hashes = tail.len() - tail.trim_start_matches('#').len();
    let body = tail.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |position| position + end.len());
    Some(hashes + 1 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns stay, so the length does; how many blanks there are is not worth counting by hand.
    fn check(source: &str, expected: &str) {
        let masked = code_only(source);
        assert_eq!(masked.chars().count(), source.chars().count(), "{source}");
        assert_eq!(masked.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn code_stays_as_it_is() {
        check("fn a<'b>(c: &'b str) -> r#type {}\n", "fn a<'b>(c: &'b str) -> r#type {}\n");
    }

    #[test]
    fn comments_are_blank() {
        check("a // b\nc", "a \nc");
        check("a /* b /* c */\nd */ e", "a \n e");
        check("a /* open", "a");
    }

    #[test]
    fn literals_are_blank() {
        check(r#"f("a\"b", 'c')"#, "f( , )");
        check("f(r\"a\\\", b)", "f( , b)");
        check("f(br#\"a\"b\"#) c", "f( ) c");
        check(r"('\'', '\n', '\u{7f}') x", "( , , ) x");
        check("(\"// no comment\") x", "( ) x");
        check("(b'\"', \"x\") y", "(b , ) y");
    }
}
