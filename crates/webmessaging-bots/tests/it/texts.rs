//! Texts that are cut, and texts that are filled in.

use std::num::NonZeroUsize;

use proptest::prelude::*;
use webmessaging_bots::{ReadReceipt, Receipts, Template, find_markup, split_text};

fn split(text: &str, max: usize) -> Vec<&str> {
    split_text(text, NonZeroUsize::new(max).unwrap())
}

#[test]
fn cuts_are_between_words_where_they_can_be() {
    assert_eq!(split("", 5), [""; 0]);
    assert_eq!(split("   ", 2), [""; 0]);
    assert_eq!(split("hello", 5), ["hello"]);
    assert_eq!(split("hello world", 5), ["hello", "world"]);
    assert_eq!(split("hello  \n world again", 11), ["hello", "world again"]);
    assert_eq!(split("incomprehensible", 6), ["incomp", "rehens", "ible"]);
    assert_eq!(split("a incomprehensible", 6), ["a", "incomp", "rehens", "ible"]);
    // What people take for one character is not cut.
    assert_eq!(split("ab👩‍👩‍👧", 4), ["ab", "👩‍👩‍", "👧"]);
    assert_eq!(split("abcd🇩🇪", 5), ["abcd", "🇩🇪"]);
    assert_eq!(split("e\u{301}e\u{301}", 3), ["e\u{301}", "e\u{301}"]);
}

#[test]
fn templates_are_checked_before_anything_is_filled_in() {
    for odd in ["{", "}", "a {b", "{}", "{a b}", "{a.b}", "", " ", "<b>{x}</b>", "<{x} y=1>", "{{}"] {
        assert!(Template::new(odd).is_err(), "{odd}");
    }
    let template = Template::new("{{{a}}} {b} {a}").unwrap();
    assert_eq!(template.names(), ["a", "b"]);
    assert_eq!(template.fill([("a", "1"), ("b", "2")]).unwrap(), "{1} 2 1");
    assert!(template.fill([("a", "1")]).unwrap_err().to_string().contains("b is required"));
    assert!(
        template
            .fill([("a", "1"), ("b", "2"), ("a", "3")])
            .unwrap_err()
            .to_string()
            .contains("a is in the list")
    );
    let odd =
        Template::new("{größe}").unwrap().fill([("größe", "&lt;b&gt; \u{61c}x\" onclick=\"y")]).unwrap();
    assert_eq!(odd, "＆lt;b＆gt; x\" onclick＝\"y");
    let long = "x".repeat(4_097);
    let refused = template.fill([("a", &*long), ("b", "")]).unwrap_err().to_string();
    assert_eq!(refused, "a is too long: 4097 characters, at most 4096 characters");
}

#[test]
fn receipts_and_messages_find_each_other_in_any_order() {
    let receipts = Receipts::new();
    let (one, two) = ("c-1".into(), "c-2".into());
    receipts.sent(&one, &"m-1".into());
    receipts.sent(&one, &"m-2".into());
    receipts.sent(&one, &"m-3".into());
    // Of another conversation, and of nobody.
    assert!(receipts.read(ReadReceipt::new("c-2", "m-1")).is_empty());
    assert!(receipts.read(ReadReceipt::new("c-2", "m-9")).is_empty());
    assert_eq!(receipts.read(ReadReceipt::new("c-1", "m-2")), ["m-1".into(), "m-2".into()]);
    assert!(receipts.read(ReadReceipt::new("c-1", "m-2")).is_empty(), "read twice");
    assert_eq!(receipts.unread(&one), ["m-3".into()]);
    assert_eq!(receipts.unmatched().len(), 2);
    // The receipt was faster than the answer to the message: told once, by whatever comes first.
    receipts.sent(&two, &"m-1".into());
    assert_eq!(receipts.unmatched(), [ReadReceipt::new("c-2", "m-9")]);
    assert!(receipts.unread(&two).is_empty());
    assert_eq!(receipts.take_late(), [("c-2".into(), vec!["m-1".into()])]);
    assert!(receipts.take_late().is_empty());
    receipts.read(ReadReceipt::new("c-1", "m-4"));
    receipts.sent(&one, &"m-4".into());
    receipts.sent(&one, &"m-5".into());
    assert_eq!(receipts.read(ReadReceipt::new("c-1", "m-5")), ["m-3".into(), "m-4".into(), "m-5".into()]);
}

/// It would take minutes if the end of a character were looked for again and again.
#[test]
fn a_character_without_end_is_cut_in_one_go() {
    let endless = format!("a{}", "\u{301}".repeat(200_000));
    assert_eq!(split(&endless, 1).len(), 200_001);
}

proptest! {
    /// Nothing but white space at the cuts is lost, nothing is too long, nothing is empty.
    #[test]
    fn a_text_that_is_cut_says_the_same(text in "(\\PC|[ \n\t]|é|🇩🇪|👩‍👩‍👧){0,200}", max in 1..50_usize) {
        let pieces = split(&text, max);
        for piece in &pieces {
            prop_assert!(piece.chars().count() <= max);
            prop_assert!(!piece.trim().is_empty());
        }
        let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(solid(&pieces.concat()), solid(&text));
    }

    #[test]
    fn words_that_fit_are_never_cut(words in proptest::collection::vec("[a-z]{1,9}", 1..40), max in 9..40_usize) {
        let text = words.join(" ");
        let pieces = split(&text, max);
        let again: Vec<_> = pieces.iter().flat_map(|piece| piece.split(' ')).collect();
        prop_assert_eq!(again, words);
    }

    /// Whatever is filled in, what comes out is text, or refused.
    #[test]
    fn what_is_filled_in_never_becomes_markup(value in "(<|>|/|!|&|lt;|lt|quot|amp|script|java|:|\\(|on|\\[x\\]\\(|\\\\|b|\"|'|=| |\u{7}|\u{202e}|é|\\{|\\}|name){0,30}") {
        let template = Template::new("Hello {name}, welcome {name}!").unwrap();
        // What becomes something together with the text around it is refused.
        let Ok(text) = template.fill([("name", &value)]) else { return Ok(()) };
        prop_assert_eq!(find_markup(&text), None);
        let is_odd = text.contains(['<', '>', '\u{7}', '\u{202e}']);
        prop_assert!(!is_odd);
    }
}
