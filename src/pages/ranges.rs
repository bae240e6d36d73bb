//! The dashboard's address: which range, compared with what, in which steps. The names are those of the snapshot API.

use jiff::{ToSpan, civil::Date};
use leptos_router::params::ParamsMap;

use crate::domain::{
    accounts::{encode_segment, path_segment},
    period::{Comparison, DateRange},
};

/// The dashboard's address, as it stands there: unchecked, and kept as typed when it is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RangeQuery {
    /// Whose dashboard an admin looks at; `None` for one's own.
    pub vendor_id: Option<String>,
    pub date_from: Option<String>,
    pub date_to: Option<String>,
    pub compare: Option<String>,
    pub interval: Option<String>,
}

impl RangeQuery {
    /// Empty values are what an untouched form field sends: as if absent.
    pub fn of(vendor_id: Option<String>, query: &ParamsMap) -> Self {
        let value = |name| query.get(name).filter(|value| !value.is_empty());
        Self { vendor_id, date_from: value("dateFrom"), date_to: value("dateTo"), compare: value("compare"), interval: value("interval") }
    }

    /// The same comparison over another range, in steps that suit it.
    pub fn with_range(&self, range: DateRange) -> Self {
        Self {
            vendor_id: self.vendor_id.clone(),
            date_from: Some(range.from.to_string()),
            date_to: Some(range.to.to_string()),
            compare: self.compare.clone(),
            interval: None,
        }
    }

    /// The page without a range.
    pub fn path(&self) -> String {
        match &self.vendor_id {
            Some(id) => format!("/admin/vendors/{}/dashboard", path_segment(id)),
            None => "/".to_owned(),
        }
    }

    pub fn href(&self) -> String {
        let mut href = self.path();
        let pairs = [("dateFrom", &self.date_from), ("dateTo", &self.date_to), ("compare", &self.compare), ("interval", &self.interval)];
        for (name, value) in pairs {
            if let Some(value) = value {
                href.push(if href.contains('?') { '&' } else { '?' });
                href.push_str(&format!("{name}={}", encode_segment(value)));
            }
        }
        href
    }
}

/// A range by its name, worked out from today in the vendor's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    pub name: &'static str,
    pub range: DateRange,
}

/// Every preset. All of them include today, except yesterday and last month.
pub fn presets(today: Date) -> [Preset; 10] {
    let last_days = |days: i64| DateRange { from: today.saturating_sub((days - 1).days()), to: today };
    let yesterday = today.saturating_sub(1.day());
    let month_before = today.first_of_month().saturating_sub(1.day());
    let year_before = today.saturating_sub(1.year()).saturating_add(1.day());
    [
        ("Today", last_days(1)),
        ("Yesterday", DateRange { from: yesterday, to: yesterday }),
        ("Last 7 days", last_days(7)),
        ("Last 28 days", last_days(28)),
        ("Last 30 days", last_days(30)),
        ("Last 90 days", last_days(90)),
        ("Month to date", DateRange { from: today.first_of_month(), to: today }),
        ("Last month", DateRange { from: month_before.first_of_month(), to: month_before }),
        ("Year to date", DateRange { from: today.first_of_year(), to: today }),
        ("Last 12 months", DateRange { from: year_before, to: today }),
    ]
    .map(|(name, range)| Preset { name, range })
}

/// The preset that a range is, if it is one. On the first of a month "Today" and "Month to date" are the same: the first wins.
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
        let months = i32::from(range.to.year() - range.from.year()) * 12 + i32::from(range.to.month() - range.from.month());
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
        for (from, to) in
            [("2026-03-01", "2026-03-31"), ("2026-02-03", "2026-02-09"), ("2024-02-01", "2024-02-29"), ("2025-01-01", "2025-12-31")]
        {
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
        let theirs = RangeQuery { vendor_id: Some("a/b".to_owned()), compare: Some("none".to_owned()), ..Default::default() };
        assert_eq!(theirs.href(), "/admin/vendors/a%2Fb/dashboard?compare=none");
    }
}
