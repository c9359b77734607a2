//! What somebody may have meant.

use crate::settings::keys::KEYS;

/// Below this likeness a suggestion is a guess: one letter is already 0.71 like a word of eight that begins with it.
const LIKENESS_MIN: f64 = 0.8;

/// `, did you mean ..?` with the candidate that is most like a name, or nothing when none is.
pub(super) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let likely = candidates.into_iter().map(|candidate| (strsim::jaro(name, candidate), candidate));
    let likely = likely.filter(|(likeness, _)| *likeness > LIKENESS_MIN);
    let nearest = likely.max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map(|(_, found)| format!(", did you mean `{found}`?")).unwrap_or_default()
}

/// The same among the keys: those of the table that `name` is in, or, at the top, also those that may have been meant to
/// stand in a table.
pub(super) fn did_you_mean_key(name: &str) -> String {
    let names = || KEYS.iter().flat_map(|key| [Some(key.name), key.alias]).flatten();
    if let Some((table, last)) = name.rsplit_once('.') {
        let within = names().filter_map(|name| name.strip_prefix(table)?.strip_prefix('.'));
        return did_you_mean(last, within).replace("mean `", &format!("mean `{table}."));
    }
    let tables = names().filter_map(|name| Some(name.split_once('.')?.0));
    let at_top = did_you_mean(name, names().filter(|name| !name.contains('.')).chain(tables));
    if !at_top.is_empty() {
        return at_top;
    }
    let elsewhere = names().find(|key| key.ends_with(&format!(".{name}")));
    elsewhere.map(|key| format!(", did you mean `{key}`?")).unwrap_or_default()
}
