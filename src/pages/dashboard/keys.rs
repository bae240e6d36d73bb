use leptos::prelude::*;

use crate::{
    components::shortcuts::{self, key},
    domain::{
        period::{Comparison, Interval},
        snapshot::Snapshot,
    },
    pages::ranges::RangeQuery,
};

/// A sheet of all keys, behind `?`. What a key does that nothing else on the page does is a link here.
pub fn sheet(query: &RangeQuery, snapshot: &Snapshot) -> AnyView {
    let is_compared = snapshot.comparison.is_some();
    let compare = if is_compared { Comparison::None } else { Comparison::PreviousPeriod };
    let compared = RangeQuery { compare: Some(compare.as_str().to_owned()), ..query.clone() };
    let grouped = RangeQuery {
        interval: Some(next(snapshot.range.interval, snapshot.range.days).as_str().to_owned()),
        ..query.clone()
    };
    let link = |key: &'static str, href: String, text: &'static str| {
        view! { <a href=href data-key=key data-noscroll="">{text}</a> }.into_any()
    };
    let compare = if is_compared { "Hide comparison" } else { "Compare to previous period" };
    let mut entries = vec![
        key("D E W F", "Today, yesterday, last 7, last 28 days"),
        key("T N", "Last 30, last 90 days"),
        key("M P", "Month to date, last month"),
        key("Y L", "Year to date, last 12 months"),
        key("A C", "All time, custom period"),
        key("← →", "Previous, next period"),
        key("I", link("i", grouped.href(), "Next grouping: hours, days, weeks, months")),
    ];
    // Before everything there is nothing.
    if !query.is_all_time() {
        entries.push(key("X", link("x", compared.href(), compare)));
    }
    if query.vendor_id.is_none() {
        // Another page, gone to as such: its field is in the address, and browsers go into it.
        entries.push(key("/", view! { <a href="/products#search" data-key="/">"Search products"</a> }));
    }
    shortcuts::sheet(entries)
}

/// The grouping after this one, of those that suit so many days.
fn next(interval: Interval, days: i64) -> Interval {
    let suits = |interval: Interval| match interval {
        Interval::Hour => days <= 7,
        Interval::Day => days <= 400,
        Interval::Week => days > 7,
        Interval::Month => days > 28,
    };
    let at = Interval::ALL.iter().position(|known| *known == interval).unwrap_or_default();
    let after = Interval::ALL.iter().cycle().skip(at + 1).take(Interval::ALL.len());
    after.copied().find(|interval| suits(*interval)).unwrap_or(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_grouping_is_one_that_suits_the_range() {
        assert_eq!(next(Interval::Hour, 1), Interval::Day);
        assert_eq!(next(Interval::Day, 1), Interval::Hour);
        assert_eq!(next(Interval::Day, 28), Interval::Week);
        assert_eq!(next(Interval::Week, 28), Interval::Day);
        assert_eq!(next(Interval::Month, 365), Interval::Day);
    }
}
