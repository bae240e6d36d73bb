//! The dashboard's address: which range, compared with what, in which steps. The names are those of the snapshot API.

use std::sync::LazyLock;

use jiff::{ToSpan, civil::Date};
use leptos_router::params::ParamsMap;

use crate::{
    domain::{
        accounts::{encode_segment, path_segment},
        period::{Comparison, DateRange},
    },
    server_functions::dashboard::{Asked, remember_range},
};

/// The dashboard's address, as it stands there: unchecked, and kept as typed when it is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RangeQuery {
    /// The page, where it is not a dashboard.
    pub page: Option<String>,
    /// Whose dashboard an admin looks at; `None` for one's own.
    pub vendor_id: Option<String>,
    /// A range by its name, which means other days tomorrow.
    pub range: Option<String>,
    pub date_from: Option<String>,
    pub date_to: Option<String>,
    pub compare: Option<String>,
    pub interval: Option<String>,
    /// Which figure the chart shows.
    pub metric: Option<String>,
    /// What the figures are narrowed to.
    pub product: Option<String>,
    pub category: Option<String>,
    pub status: Option<String>,
}

impl RangeQuery {
    /// Empty values are what an untouched form field sends: as if absent.
    pub fn of(vendor_id: Option<String>, query: &ParamsMap) -> Self {
        let value = |name| query.get(name).filter(|value| !value.is_empty());
        Self {
            page: None,
            vendor_id,
            range: value("range"),
            date_from: value("dateFrom"),
            date_to: value("dateTo"),
            compare: value("compare"),
            interval: value("interval"),
            metric: value("metric"),
            product: value("product"),
            category: value("category"),
            status: value("status"),
        }
    }

    /// Of a page of its own, such as `/returns`.
    pub fn of_page(page: impl Into<String>, query: &ParamsMap) -> Self {
        Self { page: Some(page.into()), ..Self::of(None, query) }
    }

    /// Whether the address says nothing of days.
    pub fn has_no_days(&self) -> bool {
        self.range.is_none() && self.date_from.is_none() && self.date_to.is_none()
    }

    /// What the figures are narrowed to, by the names in the address.
    pub fn filters(&self) -> [(&'static str, Option<&str>); 3] {
        [
            ("product", self.product.as_deref()),
            ("category", self.category.as_deref()),
            ("status", self.status.as_deref()),
        ]
    }

    /// The first and the last day asked for, as texts: those of the named range, where today is `today`.
    pub fn days(&self, today: Date) -> (Option<String>, Option<String>) {
        match self.preset(today) {
            Some(preset) => (Some(preset.range.from.to_string()), Some(preset.range.to.to_string())),
            None => (self.date_from.clone(), self.date_to.clone()),
        }
    }

    /// What is to be loaded, where today is `today`; a range by its name is remembered in this browser.
    pub fn asked(self, today: Date) -> Asked {
        if self.is_all_time() {
            remember_range(ALL_TIME);
        } else if let Some(preset) = self.preset(today) {
            remember_range(preset.slug);
        }
        let (date_from, date_to) = self.days(today);
        Asked {
            all_time: self.is_all_time(),
            date_from,
            date_to,
            compare: self.compare,
            interval: self.interval,
            product: self.product,
            category: self.category,
            status: self.status,
        }
    }

    /// The range that is asked for by its name.
    pub fn preset(&self, today: Date) -> Option<Preset> {
        let asked = self.range.as_deref()?;
        presets(today).into_iter().find(|preset| preset.slug == asked)
    }

    /// Whether it is asked for everything there is.
    pub fn is_all_time(&self) -> bool {
        self.range.as_deref() == Some(ALL_TIME)
    }

    /// Everything there is.
    pub fn with_all_time(&self) -> Self {
        let range = Some(ALL_TIME.to_owned());
        Self { range, date_from: None, date_to: None, compare: None, interval: None, ..self.clone() }
    }

    /// The same comparison over another range, in steps that suit it.
    pub fn with_range(&self, range: DateRange) -> Self {
        let (date_from, date_to) = (Some(range.from.to_string()), Some(range.to.to_string()));
        Self { range: None, date_from, date_to, interval: None, ..self.clone() }
    }

    /// The same comparison over a range that goes by a name.
    pub fn with_preset(&self, preset: Preset) -> Self {
        Self { range: Some(preset.slug.to_owned()), date_from: None, date_to: None, interval: None, ..self.clone() }
    }

    /// The page without a range.
    pub fn path(&self) -> String {
        match (&self.page, &self.vendor_id) {
            (Some(page), _) => page.clone(),
            (None, Some(id)) => format!("/admin/vendors/{}/dashboard", path_segment(id)),
            (None, None) => "/".to_owned(),
        }
    }

    pub fn href(&self) -> String {
        let mut href = self.path();
        // A product's own page is of that product as it is.
        let product = self.product.clone().filter(|id| href != format!("/products/{}", path_segment(id)));
        let pairs = [
            ("range", &self.range),
            ("dateFrom", &self.date_from),
            ("dateTo", &self.date_to),
            ("compare", &self.compare),
            ("interval", &self.interval),
            ("metric", &self.metric),
            ("product", &product),
            ("category", &self.category),
            ("status", &self.status),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                href.push(if href.contains('?') { '&' } else { '?' });
                href.push_str(&format!("{name}={}", encode_segment(value)));
            }
        }
        href
    }
}

/// The name in addresses of the range from the first day on that there is anything of: which day that is, only the
/// server knows.
pub const ALL_TIME: &str = "all";

/// What such a range is called: the longest that is shown may not be all of it.
pub fn all_time_name(range: DateRange) -> &'static str {
    let is_longest = DateRange::new(range.from.saturating_sub(1.day()), range.to).is_err();
    if is_longest { "Last 10 years" } else { "All time" }
}

/// A range by its name, worked out from today in the vendor's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    pub name: &'static str,
    /// In an address.
    pub slug: &'static str,
    /// On the keyboard.
    pub key: &'static str,
    pub range: DateRange,
}

/// Every preset. All of them include today, except yesterday and last month.
pub fn presets(today: Date) -> [Preset; 10] {
    let last_days = |days: i64| DateRange { from: today.saturating_sub((days - 1).days()), to: today };
    let yesterday = today.saturating_sub(1.day());
    let month_before = today.first_of_month().saturating_sub(1.day());
    let year_before = today.saturating_sub(1.year()).saturating_add(1.day());
    [
        ("Today", "today", "d", last_days(1)),
        ("Yesterday", "yesterday", "e", DateRange { from: yesterday, to: yesterday }),
        ("Last 7 days", "last_7_days", "w", last_days(7)),
        ("Last 28 days", "last_28_days", "f", last_days(28)),
        ("Last 30 days", "last_30_days", "t", last_days(30)),
        ("Last 90 days", "last_90_days", "n", last_days(90)),
        ("Month to date", "month_to_date", "m", DateRange { from: today.first_of_month(), to: today }),
        ("Last month", "last_month", "p", DateRange { from: month_before.first_of_month(), to: month_before }),
        ("Year to date", "year_to_date", "y", DateRange { from: today.first_of_year(), to: today }),
        ("Last 12 months", "last_12_months", "l", DateRange { from: year_before, to: today }),
    ]
    .map(|(name, slug, key, range)| Preset { name, slug, key, range })
}

/// What `range` may be in an address.
pub static RANGE_NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    // The same on every day.
    presets(Date::constant(2000, 1, 1)).iter().map(|preset| preset.slug).chain([ALL_TIME]).collect()
});

/// The preset that a range is, if it is one. On the first of a month "Today" and "Month to date" are the same: the
/// first wins.
pub fn preset_name(range: DateRange, today: Date) -> Option<&'static str> {
    presets(today).into_iter().find(|preset| preset.range == range).map(|preset| preset.name)
}

/// The range just before, of the same kind: whole months for whole months, else as many days.
pub fn earlier(range: DateRange) -> Option<DateRange> {
    range.compared(Comparison::PreviousPeriod)
}

/// The range just after; `None` where it would begin after today.
pub fn later(range: DateRange, today: Date) -> Option<DateRange> {
    let from = range.to.saturating_add(1.day());
    let whole_months = range.from == range.from.first_of_month() && range.to == range.to.last_of_month();
    let to = if whole_months {
        let months =
            i32::from(range.to.year() - range.from.year()) * 12 + i32::from(range.to.month() - range.from.month());
        from.saturating_add(months.months()).last_of_month()
    } else {
        range.to.saturating_add(range.days().days())
    };
    (from <= today).then_some(DateRange { from, to })
}

/// What a comparison is called in running text.
pub fn comparison_name(kind: Comparison) -> &'static str {
    match kind {
        Comparison::PreviousPeriod => "Previous period",
        Comparison::PreviousWeeks => "Same weekdays before",
        Comparison::PreviousYear => "Previous year",
        Comparison::None => "No comparison",
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn range(from: &str, to: &str) -> DateRange {
        DateRange::parse(from, to).unwrap()
    }

    #[test]
    fn presets_are_explicit_days_counted_from_the_vendors_today() {
        let expected = [
            ("Today", "2026-03-31", "2026-03-31"),
            ("Yesterday", "2026-03-30", "2026-03-30"),
            ("Last 7 days", "2026-03-25", "2026-03-31"),
            ("Last 28 days", "2026-03-04", "2026-03-31"),
            ("Last 30 days", "2026-03-02", "2026-03-31"),
            ("Last 90 days", "2026-01-01", "2026-03-31"),
            ("Month to date", "2026-03-01", "2026-03-31"),
            ("Last month", "2026-02-01", "2026-02-28"),
            ("Year to date", "2026-01-01", "2026-03-31"),
            ("Last 12 months", "2025-04-01", "2026-03-31"),
        ];
        for (preset, (name, from, to)) in presets(date(2026, 3, 31)).into_iter().zip(expected) {
            assert_eq!((preset.name, preset.range), (name, range(from, to)));
        }
    }

    #[test]
    fn every_preset_is_a_range_the_api_accepts_on_a_leap_day_too() {
        for preset in presets(date(2028, 2, 29)) {
            assert!(DateRange::new(preset.range.from, preset.range.to).is_ok(), "{preset:?}");
        }
    }

    #[test]
    fn everything_there_is_has_a_name_and_no_comparison() {
        let query = RangeQuery {
            compare: Some("previous_year".to_owned()),
            interval: Some("day".to_owned()),
            category: Some("Mugs".to_owned()),
            ..Default::default()
        };
        assert_eq!(query.with_all_time().href(), "/?range=all&category=Mugs");
        assert_eq!(all_time_name(range("2024-11-26", "2026-11-25")), "All time");
        assert_eq!(all_time_name(range("2016-11-26", "2026-11-25")), "Last 10 years", "there may be more");
    }

    #[test]
    fn arrows_move_by_whole_months_or_by_as_many_days_and_stop_at_today() {
        let today = date(2026, 11, 23);
        assert_eq!(later(range("2026-01-01", "2026-01-31"), today), Some(range("2026-02-01", "2026-02-28")));
        assert_eq!(later(range("2025-11-01", "2025-12-31"), today), Some(range("2026-01-01", "2026-02-28")));
        assert_eq!(later(range("2026-11-01", "2026-11-07"), today), Some(range("2026-11-08", "2026-11-14")));
        assert_eq!(later(range("2026-11-17", "2026-11-23"), today), None);
        assert_eq!(earlier(range("2026-03-01", "2026-03-31")), Some(range("2026-02-01", "2026-02-28")));
    }

    #[test]
    fn later_undoes_earlier() {
        let today = date(2026, 11, 23);
        for (from, to) in [
            ("2026-03-01", "2026-03-31"),
            ("2026-02-03", "2026-02-09"),
            ("2024-02-01", "2024-02-29"),
            ("2025-01-01", "2025-12-31"),
        ] {
            let range = range(from, to);
            assert_eq!(earlier(range).and_then(|before| later(before, today)), Some(range));
        }
    }

    #[test]
    fn an_address_holds_what_was_chosen_and_nothing_else() {
        assert_eq!(RangeQuery::default().href(), "/");
        let query = RangeQuery { compare: Some("previous_year".to_owned()), ..Default::default() };
        assert_eq!(
            query.with_range(range("2026-01-01", "2026-01-31")).href(),
            "/?dateFrom=2026-01-01&dateTo=2026-01-31&compare=previous_year"
        );
        let odd = RangeQuery { date_from: Some("a&b=c".to_owned()), ..Default::default() };
        assert_eq!(odd.href(), "/?dateFrom=a%26b%3Dc");
        let named = query.with_preset(presets(date(2026, 3, 31))[7]);
        assert_eq!(named.href(), "/?range=last_month&compare=previous_year");
        assert_eq!(
            named.days(date(2026, 4, 1)),
            (Some("2026-03-01".to_owned()), Some("2026-03-31".to_owned())),
            "a month later"
        );
        let theirs =
            RangeQuery { vendor_id: Some("a/b".to_owned()), compare: Some("none".to_owned()), ..Default::default() };
        assert_eq!(theirs.href(), "/admin/vendors/a%2Fb/dashboard?compare=none");
    }
}
