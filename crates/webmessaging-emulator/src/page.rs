//! Pages of a list, in the platform's full shape.

use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::Refusal;

/// Entities of a page unless the caller says otherwise.
const PAGE_SIZE: usize = 25;

/// The largest page that can be asked for.
const PAGE_SIZE_MAX: usize = 100;

/// A larger page number is no page of anything.
const PAGE_NUMBER_MAX: usize = 1_000_000_000;

/// Which page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PageQuery {
    size: usize,
    number: usize,
}

impl PageQuery {
    /// Reads `pageSize` and `pageNumber`, or says what is wrong with them; other parameters are left alone.
    fn parse(query: Option<&str>) -> Result<Self, String> {
        let number = |name, default, max| parameter(query.unwrap_or_default(), name, default, max);
        Ok(Self {
            size: number("pageSize", PAGE_SIZE, PAGE_SIZE_MAX)?,
            number: number("pageNumber", 1, PAGE_NUMBER_MAX)?,
        })
    }
}

/// The page of `items` that `query` asks for. Its URIs are relative to the host and begin with `path`.
///
/// A page behind the last one is empty.
pub(crate) fn page<T>(
    path: &str,
    query: Option<&str>,
    items: &[T],
    show: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    filtered_page(path, "", query, items, show)
}

/// The same of a list that was asked for with a filter, which its URIs repeat: encoded, with a `&` at its end.
pub(crate) fn filtered_page<T>(
    path: &str,
    filter: &str,
    query: Option<&str>,
    items: &[T],
    show: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    let PageQuery { size, number } = PageQuery::parse(query)
        .map_err(|message| Refusal::new(StatusCode::BAD_REQUEST, "invalid.query.param.value", message))?;
    let total = items.len();
    let count = total.div_ceil(size);
    let last = count.max(1);
    let uri = |number: usize| format!("{path}?{filter}pageSize={size}&pageNumber={number}");
    let entities: Vec<Value> =
        items.iter().skip((number - 1).saturating_mul(size)).take(size).map(show).collect();
    let mut page = json!({
        "entities": entities,
        "pageSize": size,
        "pageNumber": number,
        "total": total,
        "pageCount": count,
        "firstUri": uri(1),
        "selfUri": uri(number),
        "lastUri": uri(last),
    });
    if let Value::Object(fields) = &mut page {
        if number > 1 {
            fields.insert("previousUri".to_owned(), uri((number - 1).min(last)).into());
        }
        if number < count {
            fields.insert("nextUri".to_owned(), uri(number + 1).into());
        }
    }
    Ok(page)
}

/// A positive number that occurs at most once.
fn parameter(query: &str, name: &'static str, default: usize, max: usize) -> Result<usize, String> {
    let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(default),
        (Some((_, value)), None) => value,
        (Some(_), Some(_)) => return Err(format!("{name} is repeated")),
    };
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|number| is_number && (1..=max).contains(number));
    number.ok_or_else(|| format!("{name} must be a number from 1 to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(total: usize, query: &str) -> Value {
        let items: Vec<usize> = (1..=total).collect();
        page("/list", Some(query), &items, |item| json!(item)).unwrap()
    }

    /// The entities and the numbers of the linked pages: first, previous, next, last.
    fn check(total: usize, query: &str, entities: &[usize], links: [Option<usize>; 4]) {
        let page = of(total, query);
        assert_eq!(page["entities"], json!(entities), "{query}");
        let size = page["pageSize"].as_u64().unwrap();
        for (name, number) in ["firstUri", "previousUri", "nextUri", "lastUri"].into_iter().zip(links) {
            let uri = number.map(|number| format!("/list?pageSize={size}&pageNumber={number}"));
            assert_eq!(page.get(name).and_then(Value::as_str), uri.as_deref(), "{query}: {name}");
        }
    }

    #[test]
    fn every_page_names_its_neighbours() {
        check(5, "pageSize=2", &[1, 2], [Some(1), None, Some(2), Some(3)]);
        check(5, "pageSize=2&pageNumber=2", &[3, 4], [Some(1), Some(1), Some(3), Some(3)]);
        check(5, "pageNumber=3&pageSize=2&more=1", &[5], [Some(1), Some(2), None, Some(3)]);
        check(4, "pageNumber=2&pageSize=2", &[3, 4], [Some(1), Some(1), None, Some(2)]);
    }

    #[test]
    fn a_page_behind_the_end_is_empty_and_leads_back() {
        check(5, "pageSize=2&pageNumber=4", &[], [Some(1), Some(3), None, Some(3)]);
        check(5, "pageSize=2&pageNumber=1000000000", &[], [Some(1), Some(3), None, Some(3)]);
        check(0, "", &[], [Some(1), None, None, Some(1)]);
        assert_eq!((of(0, "")["total"].clone(), of(0, "")["pageCount"].clone()), (json!(0), json!(0)));
    }

    #[test]
    fn a_page_has_twenty_five_entities_unless_told() {
        let page = of(26, "");
        assert_eq!(page["entities"].as_array().unwrap().len(), 25);
        assert_eq!((&page["pageSize"], &page["pageNumber"]), (&json!(25), &json!(1)));
        assert_eq!((&page["total"], &page["pageCount"]), (&json!(26), &json!(2)));
    }

    #[test]
    fn anything_but_a_number_in_range_is_refused() {
        let refused = |query: &str| PageQuery::parse(Some(query)).unwrap_err();
        for value in ["0", "101", "+5", "-1", "", "five", "99999999999999999999999"] {
            let message = "pageSize must be a number from 1 to 100";
            assert_eq!(refused(&format!("pageSize={value}")), message, "{value}");
        }
        for value in ["0", "1000000001"] {
            let message = "pageNumber must be a number from 1 to 1000000000";
            assert_eq!(refused(&format!("pageNumber={value}")), message, "{value}");
        }
        assert_eq!(refused("pageSize=5&pageSize=5"), "pageSize is repeated");
        assert_eq!(PageQuery::parse(Some("pageSize=100")).unwrap(), PageQuery { size: 100, number: 1 });
        assert_eq!(PageQuery::parse(None).unwrap(), PageQuery { size: 25, number: 1 });
    }
}
