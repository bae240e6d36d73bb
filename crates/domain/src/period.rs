//! Calendar ranges. A range names whole days of a vendor, both ends included; the instants it covers follow from the
//! vendor's time zone and are the server's business.

use jiff::{
    ToSpan,
    civil::{Date, Weekday, date},
};
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use crate::{field_error::FieldError, text::non_empty};

/// The days any range must lie in.
pub const FIRST_DAY: Date = date(1970, 1, 2);
pub const LAST_DAY: Date = date(2100, 12, 31);
/// The longest range, in years.
pub const MAX_YEARS: i16 = 10;
/// The longest range that may be cut into hours, in days.
pub const MAX_HOURLY_DAYS: i64 = 31;

/// Days from `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateRange {
    pub from: Date,
    pub to: Date,
}

/// The range shown when none is asked for, in days, today among them.
const DEFAULT_DAYS: i64 = 28;

impl DateRange {
    /// Refuses inverted ranges, days outside 1970-01-02 to 2100-12-31, and ranges over ten years.
    pub fn new(from: Date, to: Date) -> Result<Self, FieldError> {
        for (field, day) in [("dateFrom", from), ("dateTo", to)] {
            if !(FIRST_DAY..=LAST_DAY).contains(&day) {
                return Err(FieldError::new(field, format!("`{day}` is out of range: {FIRST_DAY} to {LAST_DAY}")));
            }
        }
        if to < from {
            return Err(FieldError::new(
                "dateTo",
                format!("`{to}` lies before dateFrom `{from}`: the same day or a later one is accepted"),
            ));
        }
        if from.saturating_add(i64::from(MAX_YEARS).years()) <= to {
            return Err(FieldError::new(
                "dateTo",
                format!("`{from}` to `{to}` is longer than {MAX_YEARS} years, the longest range accepted"),
            ));
        }
        Ok(Self { from, to })
    }

    /// Without the days after today: what has not happened is not compared with what has. `None` where nothing is left.
    pub fn begun(self, today: Date) -> Option<Self> {
        (self.from <= today).then(|| Self { to: self.to.min(today), ..self })
    }

    /// As `new`, from `YYYY-MM-DD` texts.
    pub fn parse(from: &str, to: &str) -> Result<Self, FieldError> {
        Self::new(parse_day("dateFrom", from)?, parse_day("dateTo", to)?)
    }

    /// Reads the range of the API and of the pages. Without `today` both dates are required; with it, none of them
    /// means the 28 days that end today. Empty texts, which forms send, count as absent. Both dates may be refused at
    /// once.
    pub fn read(from: Option<&str>, to: Option<&str>, today: Option<Date>) -> Result<Self, Vec<FieldError>> {
        let day = |field: &str, text: Option<&str>| match text {
            Some(text) => parse_day(field, text),
            None => Err(FieldError::new(field, "is missing: a day as YYYY-MM-DD is required")),
        };
        match (non_empty(from), non_empty(to), today) {
            (None, None, Some(today)) => {
                Self::new(today.saturating_sub((DEFAULT_DAYS - 1).days()), today).map_err(|error| vec![error])
            }
            (from, to, _) => match (day("dateFrom", from), day("dateTo", to)) {
                (Ok(from), Ok(to)) => Self::new(from, to).map_err(|error| vec![error]),
                (from, to) => Err([from.err(), to.err()].into_iter().flatten().collect()),
            },
        }
    }

    /// Number of days, both ends included.
    pub fn days(&self) -> i64 {
        day_number(self.to) - day_number(self.from) + 1
    }

    /// From the first day on that there is anything of, up to today; the last ten years of more. Without a first day,
    /// today.
    pub fn all_time(first: Option<Date>, today: Date) -> Self {
        let earliest = today.saturating_sub(i64::from(MAX_YEARS).years()).saturating_add(1.day()).max(FIRST_DAY);
        Self { from: first.unwrap_or(today).clamp(earliest, today), to: today }
    }

    pub fn contains(&self, day: Date) -> bool {
        (self.from..=self.to).contains(&day)
    }

    /// Whole calendar months, if that is what the range is: their number.
    pub(crate) fn whole_months(&self) -> Option<i64> {
        let whole = self.from.day() == 1 && self.to == self.to.last_of_month();
        whole.then(|| {
            i64::from(self.to.year() - self.from.year()) * 12 + i64::from(self.to.month() - self.from.month()) + 1
        })
    }

    /// The range that this one is compared with. `None` for no comparison, and where there are no such days (before
    /// 1970).
    ///
    /// Previous period: whole calendar months compare with as many whole months before, anything else with as many days
    /// just before. Previous weeks: as many days, so many whole weeks earlier that the two do not overlap: each day
    /// beside the same day of the week. Previous year: the same dates a year earlier, 29 February with 28 February.
    pub fn compared(&self, comparison: Comparison) -> Option<Self> {
        let (from, to) = match comparison {
            Comparison::None => return None,
            Comparison::PreviousYear => (self.from.saturating_sub(1.year()), self.to.saturating_sub(1.year())),
            Comparison::PreviousWeeks => {
                let days = (self.days() + 6) / 7 * 7;
                (self.from.saturating_sub(days.days()), self.to.saturating_sub(days.days()))
            }
            Comparison::PreviousPeriod => match self.whole_months() {
                Some(months) => (self.from.saturating_sub(months.months()), self.from.saturating_sub(1.day())),
                None => (self.from.saturating_sub(self.days().days()), self.from.saturating_sub(1.day())),
            },
        };
        (from >= FIRST_DAY).then_some(Self { from, to })
    }

    /// First days of the intervals that the range is cut into, the first of them moved up to the range's own first day.
    /// Weeks begin on Monday (ISO 8601). Not for hours, which depend on the time zone.
    pub fn starts(&self, interval: Interval) -> Vec<Date> {
        let mut starts = Vec::new();
        let mut day = self.from;
        while day <= self.to {
            starts.push(day);
            let next = match interval {
                Interval::Week => interval.start(day).saturating_add(7.days()),
                Interval::Month => interval.start(day).saturating_add(1.month()),
                Interval::Hour | Interval::Day => day.saturating_add(1.day()),
            };
            day = next;
        }
        starts
    }
}

impl std::fmt::Display for DateRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

/// Reads `YYYY-MM-DD`, and nothing looser.
pub fn parse_day(field: &str, text: &str) -> Result<Date, FieldError> {
    let refused = || FieldError::new(field, format!("`{text}` is not a day: YYYY-MM-DD, such as 2025-01-31"));
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return Err(refused());
    }
    text.parse().map_err(|_| refused())
}

/// Days since 1970-01-01: how days are stored.
pub fn day_number(day: Date) -> i64 {
    // Both ends are civil dates, so this counts calendar days, whatever clocks did.
    day.since((jiff::Unit::Day, date(1970, 1, 1))).map(|span| i64::from(span.get_days())).unwrap_or_default()
}

/// The inverse of `day_number`, held inside 1970-01-01 to 2100-12-31.
pub fn day_from_number(number: i64) -> Date {
    date(1970, 1, 1).saturating_add(number.clamp(0, 47_846).days())
}

#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_comparison)]
pub enum Comparison {
    #[default]
    PreviousPeriod,
    PreviousWeeks,
    PreviousYear,
    None,
}

impl Comparison {
    pub const ALL: [Self; 4] = [Self::PreviousPeriod, Self::PreviousWeeks, Self::PreviousYear, Self::None];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn refuse_comparison(text: &str) -> FieldError {
    FieldError::unknown("compare", text, Comparison::VARIANTS)
}

/// What one point of a series covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Interval {
    Hour,
    Day,
    Week,
    Month,
}

impl Interval {
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// `auto`: hours for one day, days up to 92 of them, weeks up to a year, months beyond.
    pub fn automatic(range: DateRange) -> Self {
        match range.days() {
            1 => Self::Hour,
            2..=92 => Self::Day,
            93..=366 => Self::Week,
            _ => Self::Month,
        }
    }

    /// Reads `auto` or an interval's name, and refuses hours for ranges over 31 days.
    pub fn choose(text: Option<&str>, range: DateRange) -> Result<Self, FieldError> {
        let text = match text {
            None | Some("auto") => return Ok(Self::automatic(range)),
            Some(text) => text,
        };
        let interval = Self::ALL.into_iter().find(|interval| interval.as_str() == text).ok_or_else(|| {
            FieldError::new("interval", format!("`{text}` is not accepted: one of auto, hour, day, week, month"))
        })?;
        if interval == Self::Hour && range.days() > MAX_HOURLY_DAYS {
            return Err(FieldError::new("interval", format!("`hour` is accepted for at most {MAX_HOURLY_DAYS} days")));
        }
        Ok(interval)
    }

    /// First day of the week or month that `day` lies in; `day` itself for days and hours.
    pub fn start(self, day: Date) -> Date {
        match self {
            Self::Hour | Self::Day => day,
            Self::Week => day.saturating_sub(i64::from(day.weekday().since(Weekday::Monday)).days()),
            Self::Month => day.first_of_month(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str) -> DateRange {
        DateRange::parse(from, to).unwrap()
    }

    #[test]
    fn whole_months_compare_with_whole_months_and_other_ranges_with_as_many_days() {
        for (from, to, before_from, before_to) in [
            ("2025-03-01", "2025-03-31", "2025-02-01", "2025-02-28"),
            ("2025-01-01", "2025-12-31", "2024-01-01", "2024-12-31"),
            ("2025-02-01", "2025-03-31", "2024-12-01", "2025-01-31"),
            ("2025-03-10", "2025-03-16", "2025-03-03", "2025-03-09"),
            ("2025-01-01", "2025-01-30", "2024-12-02", "2024-12-31"),
        ] {
            assert_eq!(
                range(from, to).compared(Comparison::PreviousPeriod),
                Some(range(before_from, before_to)),
                "{from} {to}"
            );
        }
    }

    #[test]
    fn by_weeks_every_day_is_compared_with_the_same_day_of_the_week() {
        for (from, to, before_from, before_to) in [
            ("2026-11-26", "2026-11-26", "2026-11-19", "2026-11-19"),
            ("2026-11-01", "2026-11-30", "2026-09-27", "2026-10-26"),
            ("2026-10-30", "2026-11-26", "2026-10-02", "2026-10-29"),
        ] {
            let (now, before) = (range(from, to), range(before_from, before_to));
            assert_eq!(now.compared(Comparison::PreviousWeeks), Some(before), "{from} {to}");
            assert_eq!(now.from.weekday(), before.from.weekday());
            assert!(before.to < now.from);
        }
    }

    #[test]
    fn the_previous_year_of_29_february_is_28_february() {
        assert_eq!(
            range("2024-02-29", "2024-02-29").compared(Comparison::PreviousYear),
            Some(range("2023-02-28", "2023-02-28"))
        );
    }

    #[test]
    fn ranges_inverted_impossible_or_over_ten_years_are_refused_by_field() {
        for (from, to, field) in [
            ("2025-02-01", "2025-01-31", "dateTo"),
            ("2025-02-30", "2025-03-01", "dateFrom"),
            ("2025-1-1", "2025-03-01", "dateFrom"),
            ("2025-01-01", "2025-01-01T00:00", "dateTo"),
            ("2015-01-01", "2025-01-01", "dateTo"),
            ("1969-01-01", "1970-01-05", "dateFrom"),
        ] {
            assert_eq!(DateRange::parse(from, to).unwrap_err().field, field, "{from} {to}");
        }
        assert_eq!(range("2015-01-01", "2024-12-31").days(), 3653);
    }

    #[test]
    fn all_time_begins_with_the_first_day_there_is_and_is_never_longer_than_is_accepted() {
        let today = date(2028, 2, 29);
        for (first, from) in [
            (Some(date(2024, 5, 6)), date(2024, 5, 6)),
            (Some(date(1996, 7, 4)), date(2018, 3, 1)),
            // A clock was wrong.
            (Some(date(2028, 3, 1)), today),
            (None, today),
        ] {
            let range = DateRange::all_time(first, today);
            assert_eq!((range.from, range.to), (from, today), "{first:?}");
            assert!(DateRange::new(range.from, range.to).is_ok(), "{first:?}");
        }
    }

    #[test]
    fn weeks_begin_on_monday_and_the_first_and_last_are_cut_to_the_range() {
        let starts = range("2025-01-01", "2025-01-14").starts(Interval::Week);
        assert_eq!(starts, [date(2025, 1, 1), date(2025, 1, 6), date(2025, 1, 13)]);
    }

    #[test]
    fn day_numbers_go_there_and_back() {
        for day in [FIRST_DAY, date(2024, 2, 29), LAST_DAY] {
            assert_eq!(day_from_number(day_number(day)), day);
        }
        assert_eq!(day_number(date(2025, 1, 1)), 20_089);
    }
}
