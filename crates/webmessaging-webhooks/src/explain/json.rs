//! JSON as other programs would write it: the same content, order of keys kept, in the styles of their standard libraries.

use std::fmt::{self, Write};

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Any JSON, its keys in the order they came in.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Fields(Vec<(String, Self)>),
}

/// What is escaped beyond what JSON asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    Nothing,
    Slash,
    NonAscii,
    NonAsciiAndSlash,
    Html,
    /// Upper-case hexadecimal, and quotes and plus signs, too.
    NonAsciiAndHtml,
}

/// One way of writing JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) name: &'static str,
    between: &'static str,
    behind_key: &'static str,
    indent: Option<&'static str>,
    is_sorted: bool,
    escape: Escape,
    /// `1.0` is written `1`.
    has_short_floats: bool,
    end: &'static str,
}

const COMPACT: Style = Style {
    name: "compact",
    between: ",",
    behind_key: ":",
    indent: None,
    is_sorted: false,
    escape: Escape::Nothing,
    has_short_floats: false,
    end: "",
};

const PRETTY: Style = Style {
    name: "pretty, two spaces",
    behind_key: ": ",
    indent: Some("  "),
    has_short_floats: true,
    ..COMPACT
};

const SPACED: Style = Style {
    name: "one line with spaces and escaped non-ASCII, as Python writes it",
    between: ", ",
    behind_key: ": ",
    escape: Escape::NonAscii,
    ..COMPACT
};

/// The likely ones first.
pub(super) const STYLES: &[Style] = &[
    COMPACT,
    Style { name: "compact, numbers as JavaScript writes them", has_short_floats: true, ..COMPACT },
    Style { name: "compact, keys sorted", is_sorted: true, ..COMPACT },
    PRETTY,
    Style { name: "pretty, two spaces, keys sorted", is_sorted: true, ..PRETTY },
    Style { name: "pretty, four spaces", indent: Some("    "), ..PRETTY },
    Style { name: "pretty, tabs", indent: Some("\t"), ..PRETTY },
    Style { name: "one line with spaces", escape: Escape::Nothing, ..SPACED },
    SPACED,
    Style { name: "one line with spaces, keys sorted", is_sorted: true, ..SPACED },
    Style { name: "compact, slashes escaped", escape: Escape::Slash, ..COMPACT },
    Style { name: "compact, non-ASCII escaped", escape: Escape::NonAscii, ..COMPACT },
    Style {
        name: "compact, slashes and non-ASCII escaped, as PHP writes it",
        escape: Escape::NonAsciiAndSlash,
        ..COMPACT
    },
    Style { name: "compact, < > & escaped", escape: Escape::Html, ..COMPACT },
    Style {
        name: "compact, keys sorted, < > & escaped, as Go writes it",
        is_sorted: true,
        escape: Escape::Html,
        ..COMPACT
    },
    Style {
        name: "compact, keys sorted, < > & escaped and a newline, as Go's encoder writes it",
        is_sorted: true,
        escape: Escape::Html,
        end: "\n",
        ..COMPACT
    },
    Style {
        name: "compact, everything unusual escaped, as .NET writes it",
        escape: Escape::NonAsciiAndHtml,
        ..COMPACT
    },
    Style {
        name: "pretty, four spaces, non-ASCII escaped",
        indent: Some("    "),
        escape: Escape::NonAscii,
        ..PRETTY
    },
    Style { name: "pretty, two spaces, non-ASCII escaped", escape: Escape::NonAscii, ..PRETTY },
];

impl Style {
    pub(super) fn write(&self, node: &Node) -> Vec<u8> {
        let mut out = String::new();
        self.node(node, 0, &mut out);
        out.push_str(self.end);
        out.into_bytes()
    }

    fn node(&self, node: &Node, depth: usize, out: &mut String) {
        match node {
            Node::Null => out.push_str("null"),
            Node::Bool(true) => out.push_str("true"),
            Node::Bool(false) => out.push_str("false"),
            Node::Unsigned(number) => out.push_str(&number.to_string()),
            Node::Signed(number) => out.push_str(&number.to_string()),
            Node::Float(number) => out.push_str(&self.float(*number)),
            Node::Text(text) => self.text(text, out),
            Node::List(nodes) => {
                self.group(['[', ']'], nodes, depth, out, |node, out| self.node(node, depth + 1, out));
            }
            Node::Fields(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                if self.is_sorted {
                    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                }
                self.group(['{', '}'], &fields, depth, out, |(name, node), out| {
                    self.text(name, out);
                    out.push_str(self.behind_key);
                    self.node(node, depth + 1, out);
                });
            }
        }
    }

    fn group<T>(
        &self,
        [open, close]: [char; 2],
        members: &[T],
        depth: usize,
        out: &mut String,
        write: impl Fn(&T, &mut String),
    ) {
        out.push(open);
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                out.push_str(self.between);
            }
            self.line(depth + 1, out);
            write(member, out);
        }
        if !members.is_empty() {
            self.line(depth, out);
        }
        out.push(close);
    }

    fn line(&self, depth: usize, out: &mut String) {
        if let Some(indent) = self.indent {
            out.push('\n');
            for _ in 0..depth {
                out.push_str(indent);
            }
        }
    }

    fn float(&self, number: f64) -> String {
        if self.has_short_floats && number.fract() == 0.0 && number.abs() < 1e21 {
            return format!("{number:.0}");
        }
        serde_json::to_string(&number).unwrap_or_default()
    }

    fn text(&self, text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            match character {
                '"' if self.escape != Escape::NonAsciiAndHtml => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '/' if matches!(self.escape, Escape::Slash | Escape::NonAsciiAndSlash) => out.push_str("\\/"),
                character if character < ' ' || self.escape.covers(character) => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        // Writing to a string does not fail.
                        let _ = match self.escape {
                            Escape::NonAsciiAndHtml => write!(out, "\\u{unit:04X}"),
                            _ => write!(out, "\\u{unit:04x}"),
                        };
                    }
                }
                character => out.push(character),
            }
        }
        out.push('"');
    }
}

impl Escape {
    fn covers(self, character: char) -> bool {
        match self {
            Self::Nothing | Self::Slash => false,
            Self::NonAscii | Self::NonAsciiAndSlash => !character.is_ascii(),
            Self::Html => matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            Self::NonAsciiAndHtml => {
                !character.is_ascii() || matches!(character, '"' | '<' | '>' | '&' | '\'' | '+' | '`')
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Fields(fields))
    }
}
