//! How a range and the one it is compared with are cut, so that what stands beside each other is fair.

use jiff::{ToSpan, civil::Date};

use crate::period::{Comparison, DateRange, Interval, day_number};

impl DateRange {
    /// Whether the months of a range and of this one, which it is compared with, are cut by the calendar: whole months
    /// beside whole months, or the same dates of another year.
    pub fn is_beside_by_calendar(&self, of: &Self) -> bool {
        let months = of.whole_months();
        (months.is_some() && months == self.whole_months()) || of.compared(Comparison::PreviousYear) == Some(*self)
    }

    /// First days of what stands beside the intervals of `of`, which is compared with this range: spans of as many days
    /// each, and by month the same months where they are cut by the calendar. Where this range is the longer one, the
    /// rest has spans of its own.
    pub fn starts_beside(&self, interval: Interval, of: &Self) -> Vec<Date> {
        if interval == Interval::Month && self.is_beside_by_calendar(of) {
            return self.starts(interval);
        }
        let first = day_number(of.from);
        let beside = of.starts(interval).into_iter().map(|start| day_number(start) - first);
        let step = match interval {
            Interval::Hour | Interval::Day => 1,
            Interval::Week => 7,
            Interval::Month => 31,
        };
        let rest = (of.days()..self.days()).step_by(step);
        let places = beside.chain(rest).take_while(|place| *place < self.days());
        places.map(|place| self.from.saturating_add(place.days())).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn range(from: &str, to: &str) -> DateRange {
        DateRange::parse(from, to).unwrap()
    }

    /// How many days each span from one of these days to the next has, up to the end of a range.
    fn lengths(starts: &[Date], range: DateRange) -> Vec<i64> {
        let ends = starts.iter().skip(1).map(|start| day_number(*start)).chain([day_number(range.to) + 1]);
        starts.iter().zip(ends).map(|(start, end)| end - day_number(*start)).collect()
    }

    #[test]
    fn a_week_is_compared_with_as_many_days_as_it_has() {
        let (now, before) = (range("2026-11-09", "2026-11-26"), range("2026-10-22", "2026-11-08"));
        assert_eq!(now.compared(Comparison::PreviousPeriod), Some(before));
        let beside = before.starts_beside(Interval::Week, &now);
        assert_eq!(beside, [date(2026, 10, 22), date(2026, 10, 29), date(2026, 11, 5)]);
        assert_eq!(lengths(&beside, before), lengths(&now.starts(Interval::Week), now));
    }

    #[test]
    fn whole_months_and_years_are_compared_by_the_calendar() {
        let months =
            range("2026-01-01", "2026-06-30").starts_beside(Interval::Month, &range("2026-07-01", "2026-12-31"));
        assert_eq!(months.last(), Some(&date(2026, 6, 1)));
        let now = range("2026-01-15", "2026-03-10");
        let before = now.compared(Comparison::PreviousYear).unwrap();
        let months = before.starts_beside(Interval::Month, &now);
        assert_eq!(months, [date(2025, 1, 15), date(2025, 2, 1), date(2025, 3, 1)]);
        // By week it is the same dates, on whichever days of the week those were.
        let weeks = now.starts(Interval::Week);
        let beside: Vec<_> = weeks.iter().map(|start| start.saturating_sub(1.year())).collect();
        assert_eq!(before.starts_beside(Interval::Week, &now), beside);
    }

    #[test]
    fn whatever_stands_beside_each_other_is_of_as_many_days_but_at_the_end() {
        let first = date(2023, 11, 20);
        for start in (0..500_i64).step_by(11) {
            for length in [1, 2, 6, 7, 8, 18, 27, 28, 30, 31, 45, 61, 92, 100, 183, 365, 366, 731] {
                let from = first.saturating_add(start.days());
                let now = DateRange { from, to: from.saturating_add((length - 1).days()) };
                for comparison in Comparison::ALL {
                    let Some(before) = now.compared(comparison) else { continue };
                    for interval in [Interval::Day, Interval::Week, Interval::Month] {
                        let case = format!("{now} {before} {interval:?}");
                        let (starts, beside) = (now.starts(interval), before.starts_beside(interval, &now));
                        let (these, those) = (lengths(&starts, now), lengths(&beside, before));
                        // None is left out, and none counts twice.
                        assert_eq!((beside[0], those.iter().sum::<i64>()), (before.from, before.days()), "{case}");
                        assert!(those.iter().all(|days| *days > 0), "{case}: {those:?}");
                        if interval == Interval::Month && before.is_beside_by_calendar(&now) {
                            assert_eq!(these.len(), those.len(), "{case}");
                            continue;
                        }
                        // The last of either may be shorter: a year or a month may.
                        let last = these.len().min(those.len()) - 1;
                        assert_eq!(these[..last], those[..last], "{case}");
                        let is_as_long = now.days() == before.days();
                        assert!(!is_as_long || these == those, "{case}: {these:?} {those:?}");
                    }
                }
            }
        }
    }
}
