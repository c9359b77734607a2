//! Long texts, cut into messages.

use std::num::NonZeroUsize;

use unicode_segmentation::UnicodeSegmentation;

/// Cuts a text into pieces of so many characters (Unicode scalar values) at most: between words where it can, else between what people take for characters,
/// else anywhere. White space at a cut is left out; everything else is kept, in order. A text that fits stays as it is, and one of nothing but white space has
/// no pieces.
///
/// Nothing is cut that nobody asks to be: [`Message::text`](crate::Message::text) refuses what is too long.
///
/// # Examples
/// ```
/// use webmessaging_bots::split_text;
///
/// let pieces = split_text("Your parcel is on its way.", 12.try_into()?);
/// assert_eq!(pieces, ["Your parcel", "is on its", "way."]);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
pub fn split_text(text: &str, characters_max: NonZeroUsize) -> Vec<&str> {
    let max = characters_max.get();
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.char_indices().nth(max).map(|(at, _)| at) {
        let cut = last_cut(rest, end);
        let (piece, behind) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        let piece = piece.trim_end();
        if !piece.trim_start().is_empty() {
            pieces.push(piece);
        }
        rest = behind.trim_start();
    }
    if !rest.trim().is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// The best place for a cut in front of `end`, which is within the text.
fn last_cut(text: &str, end: usize) -> usize {
    let space =
        |at: usize| text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(char::is_whitespace);
    // White space right behind the last character that fits makes it fit.
    if space(end) {
        return end;
    }
    let fits = text.get(..end).unwrap_or(text);
    let word = fits.char_indices().rev().find(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
    if let Some(at) = word.filter(|&at| !fits.get(..at).unwrap_or_default().trim().is_empty()) {
        return at;
    }
    // Whether there is one at the end depends on the character behind it, and on nothing further.
    let behind = text.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let near = text.get(..end + behind).unwrap_or(text);
    // One that is longer than a message is cut all the same.
    near.grapheme_indices(true).map(|(at, _)| at).rfind(|&at| at > 0 && at <= end).unwrap_or(end)
}
