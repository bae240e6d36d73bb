//! What an address of a page says that the page does not understand: an old bookmark, a link with a slip in it. It is
//! left out before the page is made, and the page, as it is without it, says at its top what was left out and what is
//! accepted there. One rule for all pages; the API refuses the same (422), for nobody looks at what a program is told.
//!
//! Only what is one of a few names is left out. Days, searches and places in a list are somebody's own words: another
//! page than the one they asked for would pass for theirs, so those are refused with the form they can be mended in.

use std::str::FromStr;

use axum::{
    extract::Request,
    http::{Uri, uri::PathAndQuery},
};
use strum::VariantNames;

use crate::{
    domain::{
        catalog::ProductStatus,
        market::VendorSort,
        orders::{OrderSort, OrderStatus},
        period::{Comparison, Interval},
        product_lists::{ProductSort, StockLevel},
        returns::{NO_REASON, RefundReason},
    },
    pages::{dashboard::metric_names, orders::STATUS_GROUPS, ranges::RANGE_NAMES},
    server::request::LeftOut,
    server_functions::cache_health::CourseRange,
    words,
};

/// Parameters that are named to whoever opens the page; nobody types more by accident.
const MOST_TOLD: usize = 5;

/// A parameter that is one of a few names.
struct Choice {
    parameter: &'static str,
    /// As they are told; `reads` takes older ones too. Worked out where one is refused only.
    names: fn() -> Vec<&'static str>,
    reads: fn(&str) -> bool,
}

/// What a page's address may say.
struct Address {
    choices: Vec<Choice>,
    /// The other parameters.
    others: &'static [&'static str],
}

/// The request as its page understands it, with what was left out of its address, if anything was.
pub fn understood(mut request: Request) -> (Request, bool) {
    let Some((uri, told)) = without_nonsense(request.uri()) else { return (request, false) };
    *request.uri_mut() = uri;
    request.extensions_mut().insert(LeftOut(told.into()));
    (request, true)
}

/// The address without what is not understood of it, and what to say of that; `None` where all of it is.
fn without_nonsense(uri: &Uri) -> Option<(Uri, Vec<String>)> {
    let query = uri.query().filter(|query| !query.is_empty())?;
    let address = address_of(uri.path())?;
    let (mut kept, mut told) = (Vec::new(), Vec::new());
    for pair in query.split('&') {
        let refused = form_urlencoded::parse(pair.as_bytes()).next().and_then(|(name, value)| {
            address.refusal(&name, &value).map(|accepted| words::left_out(&name, &value, &accepted))
        });
        match refused {
            Some(text) => told.push(text),
            None => kept.push(pair),
        }
    }
    if told.is_empty() {
        return None;
    }
    told.truncate(MOST_TOLD);
    let kept = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{}{kept}", uri.path())).ok()?);
    Some((Uri::from_parts(parts).ok()?, told))
}

impl Address {
    /// What is accepted in place of this, where this is not.
    fn refusal(&self, name: &str, value: &str) -> Option<Vec<&'static str>> {
        if let Some(choice) = self.choices.iter().find(|choice| choice.parameter == name) {
            let value = value.trim();
            // An empty one is a field that nothing was chosen in.
            return (!value.is_empty() && !(choice.reads)(value)).then(choice.names);
        }
        // What forms are sent back with begins with `__`.
        let is_known = name.is_empty() || name.starts_with("__") || self.others.contains(&name);
        // Answers to a form (`saved=1`) are nothing to ask for.
        let asked = self.others.iter().filter(|other| !ANSWERS.contains(other)).copied();
        (!is_known).then(|| self.choices.iter().map(|choice| choice.parameter).chain(asked).collect())
    }
}

/// What a page says that a form has done.
const ANSWERS: [&str; 9] =
    ["saved", "deleted", "changed", "view", "note", "invalidated", "entries", "estimate", "warmed"];

/// `None` of pages that none of whose parameters is one of a few names.
fn address_of(path: &str) -> Option<Address> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (choices, others): (_, &[_]) = match segments[..] {
        [] | ["admin", "vendors", _, "dashboard"] => (
            over_time([METRIC, choice::<OrderStatus>("status")]),
            &["dateFrom", "dateTo", "product", "category", "view", "note"],
        ),
        ["returns"] => (over_time([REASON]), &["dateFrom", "dateTo", "product", "after"]),
        ["products", "new" | "change"] => return None,
        ["products", _] => (over_time([METRIC]), &["dateFrom", "dateTo", "saved"]),
        ["products"] => (
            vec![choice::<ProductStatus>("status"), choice::<StockLevel>("stock"), choice::<ProductSort>("sort")],
            &["search", "category", "after", "deleted", "changed"],
        ),
        ["orders"] => (
            vec![STATUS_OF_ORDERS, yes_or_no("refunded"), yes_or_no("counted"), choice::<OrderSort>("sort")],
            &["dateFrom", "dateTo", "search", "product", "category", "after", "changed"],
        ),
        ["admin", "vendors", _] => (over_time([METRIC]), &["dateFrom", "dateTo"]),
        ["admin"] => (vec![RANGE], &["dateFrom", "dateTo", "currency", "currencies"]),
        ["admin", "vendors"] => (vec![choice::<VendorSort>("sort")], &["search", "after"]),
        ["admin", "cache"] => {
            (vec![COURSE], &["tags", "vendors", "reset", "invalidated", "entries", "estimate", "warmed"])
        }
        _ => return None,
    };
    Some(Address { choices, others })
}

fn choice<T: FromStr + VariantNames>(parameter: &'static str) -> Choice {
    Choice { parameter, names: || T::VARIANTS.to_vec(), reads: |text| text.parse::<T>().is_ok() }
}

/// What every page over a range of days has, and what this one has beside it.
fn over_time<const N: usize>(more: [Choice; N]) -> Vec<Choice> {
    [RANGE, choice::<Comparison>("compare"), INTERVAL].into_iter().chain(more).collect()
}

const INTERVAL: Choice = Choice {
    parameter: "interval",
    names: || std::iter::once("auto").chain(Interval::ALL.map(Interval::as_str)).collect(),
    reads: |text| text == "auto" || Interval::ALL.iter().any(|interval| interval.as_str() == text),
};

const RANGE: Choice =
    Choice { parameter: "range", names: || RANGE_NAMES.to_vec(), reads: |text| RANGE_NAMES.contains(&text) };

const METRIC: Choice =
    Choice { parameter: "metric", names: metric_names, reads: |text| metric_names().contains(&text) };

const REASON: Choice = Choice {
    parameter: "reason",
    names: || RefundReason::VARIANTS.iter().copied().chain([NO_REASON]).collect(),
    reads: |text| text == NO_REASON || text.parse::<RefundReason>().is_ok(),
};

const STATUS_OF_ORDERS: Choice = Choice {
    parameter: "status",
    names: || OrderStatus::VARIANTS.iter().copied().chain(STATUS_GROUPS).collect(),
    reads: |text| STATUS_GROUPS.contains(&text) || text.parse::<OrderStatus>().is_ok(),
};

const COURSE: Choice = Choice {
    parameter: "range",
    names: || CourseRange::ALL.map(CourseRange::as_str).to_vec(),
    reads: |text| CourseRange::parse(text).is_some(),
};

fn yes_or_no(parameter: &'static str) -> Choice {
    Choice { parameter, names: || vec!["true", "false"], reads: |text| matches!(text, "true" | "false") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of an address, and how much was left out.
    fn left(address: &str) -> (String, usize) {
        let uri: Uri = address.parse().unwrap();
        match without_nonsense(&uri) {
            Some((uri, told)) => (uri.to_string(), told.len()),
            None => (address.to_owned(), 0),
        }
    }

    #[test]
    fn what_is_understood_stays_as_it_was_written() {
        for address in [
            "/",
            "/?range=all&compare=none&interval=auto&metric=payable&status=shipped",
            "/?dateFrom=2026-13-01&dateTo=&product=a%20b&category=x%26y&view=saved&__err=x",
            "/admin/vendors/a%2Fb/dashboard?range=last_month",
            "/products?sort=at_risk&stock=low&status=&search=%C3%A9&after=x",
            "/products?sort=rising",
            "/products/e1?range=today&metric=units&saved=1",
            "/products/change?pick[0]=a&action=nonsense",
            "/orders?status=uncounted&refunded=true&counted=false&sort=payable_asc&changed=2",
            "/returns?reason=none&after=x",
            "/admin/cache?range=7d&tags=vendor%3A1&reset=ask",
            "/admin/cache?invalidated=1&entries=0&estimate=true",
            "/admin?currency=EUR&currencies=all",
            "/admin/users?page=2",
        ] {
            assert_eq!(left(address), (address.to_owned(), 0));
        }
    }

    #[test]
    fn nonsense_is_left_out_and_the_rest_stays() {
        for (address, kept, count) in [
            ("/?range=nonsense&compare=x&interval=y&metric=z&status=lost", "/", 5),
            ("/?from=2026-01-01&range=today&to=2026-01-02", "/?range=today", 2),
            ("/products?sort=newest&search=a%20b", "/products?search=a%20b", 1),
            ("/orders?page=3&counted=yes&status=shipped", "/orders?status=shipped", 2),
            ("/returns?reason=ugly&range=last_7_days", "/returns?range=last_7_days", 1),
            ("/products/e%2F1?metric=x&dateFrom=2026-01-01", "/products/e%2F1?dateFrom=2026-01-01", 1),
            ("/admin/vendors?sort=x&search=a", "/admin/vendors?search=a", 1),
            ("/admin/vendors/a?range=x&compare=y&dateFrom=2026-01-01", "/admin/vendors/a?dateFrom=2026-01-01", 2),
            ("/admin/vendors?page=2", "/admin/vendors", 1),
            ("/admin?from=2026-01-01&range=today", "/admin?range=today", 1),
            ("/admin/cache?range=today&warmed=2&x=y", "/admin/cache?warmed=2", 2),
            ("/?a=1&b=1&c=1&d=1&e=1&f=1&g=1", "/", MOST_TOLD),
        ] {
            assert_eq!(left(address), (kept.to_owned(), count));
        }
    }
}
