//! Days and hours of a zone's wall clock, as stretches of time: the one place that knows where they begin.
//!
//! A day is every instant at which the clock shows its date. It is one stretch mostly; where a clock goes back over
//! midnight, it is two (St. John's, 2010-11-06). An hour is a stretch of one date and hour under one offset from UTC:
//! where a clock goes back, its hour is there twice, and where the offset changes within an hour, the next one begins
//! with the change and not before (Lord Howe).

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::period::{DateRange, day_number};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 86_400_000_000;

/// From when on an offset holds. All in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetRun {
    /// Since 1970; far in the past for the first offset of a zone.
    pub from_us: i64,
    /// East of UTC.
    pub offset_us: i64,
}

/// An hour of a wall clock. All in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalHour {
    pub start_us: i64,
    /// The first instant after it.
    pub end_us: i64,
    /// The number of its day.
    pub day: i64,
}

/// The offsets that hold between two instants, both included, each different from the one before. The first begins
/// where it really did.
pub fn offset_runs(zone: &TimeZone, first: Timestamp, last: Timestamp) -> Vec<OffsetRun> {
    let offset_at = |at: Timestamp| i64::from(zone.to_offset(at).seconds()) * 1_000_000;
    let just = |at: Timestamp, nanoseconds: i64| at.saturating_add(nanoseconds.nanoseconds()).unwrap_or(at);
    let current = offset_at(first);
    // Changes of nothing but a name or of daylight saving are none here.
    let began = zone.preceding(just(first, 1)).find(|change| offset_at(just(change.timestamp(), -1)) != current);
    let began = began.map_or(Timestamp::MIN, |change| change.timestamp());
    let mut runs = vec![OffsetRun { from_us: began.as_microsecond(), offset_us: current }];
    for change in zone.following(first).take_while(|change| change.timestamp() <= last) {
        let offset_us = offset_at(change.timestamp());
        if runs.last().is_some_and(|run| run.offset_us != offset_us) {
            runs.push(OffsetRun { from_us: change.timestamp().as_microsecond(), offset_us });
        }
    }
    runs
}

/// When the local hour that holds this instant began, in microseconds since 1970.
pub fn hour_start(zone: &TimeZone, instant: Timestamp) -> i64 {
    let us = instant.as_microsecond();
    let run = offset_runs(zone, instant, instant)[0];
    (us - (us + run.offset_us).rem_euclid(HOUR_US)).max(run.from_us)
}

/// Every local hour of a range, by when it begins: 24 a day on most days. A day that a zone left out has none.
pub fn hours(zone: &TimeZone, range: DateRange) -> Vec<LocalHour> {
    let days = day_number(range.from)..=day_number(range.to);
    // No zone is a whole day away from UTC.
    let (first, end) = ((days.start() - 1) * DAY_US, (days.end() + 2) * DAY_US);
    let mut hours = Vec::new();
    for (from, until, offset) in stretches(zone, first, end) {
        let mut start_us = from;
        while start_us < until {
            let local = start_us + offset;
            let end_us = (start_us - local.rem_euclid(HOUR_US) + HOUR_US).min(until);
            let day = local.div_euclid(DAY_US);
            if days.contains(&day) {
                hours.push(LocalHour { start_us, end_us, day });
            }
            start_us = end_us;
        }
    }
    hours
}

/// The place in `hours` of the one that holds what is noted under a day and the start of an hour. Where none does, as
/// when the zone's rules have changed since it was noted, one near it, of that day if the range has any of it; `None`
/// where there are no hours at all.
pub fn find_hour(hours: &[LocalHour], day: i64, hour_us: i64) -> Option<usize> {
    let until = hours.partition_point(|hour| hour.start_us <= hour_us);
    let before = hours[..until].iter().rposition(|hour| hour.day == day);
    let after = || hours[until..].iter().position(|hour| hour.day == day).map(|at| until + at);
    before.or_else(after).or_else(|| (!hours.is_empty()).then(|| until.saturating_sub(1)))
}

/// The first instant after this one at which the clock shows another date, in microseconds since 1970.
pub fn day_end(zone: &TimeZone, instant: Timestamp) -> i64 {
    let now = instant.as_microsecond();
    let today = zone.to_datetime(instant).date();
    let today = day_number(today);
    for (from, until, offset) in stretches(zone, now, now + 3 * DAY_US) {
        let midnight = (today + 1) * DAY_US - offset;
        if (from + offset).div_euclid(DAY_US) != today {
            return from;
        }
        if midnight < until {
            return midnight;
        }
    }
    now + DAY_US
}

/// The time between two instants, the second excluded, cut where the offset changes: from, until, offset.
fn stretches(zone: &TimeZone, first: i64, end: i64) -> Vec<(i64, i64, i64)> {
    let at = |us: i64| Timestamp::from_microsecond(us).unwrap_or_default();
    let runs = offset_runs(zone, at(first), at(end - 1));
    let ends = runs.iter().skip(1).map(|run| run.from_us).chain([end]);
    runs.iter().zip(ends).map(|(run, until)| (run.from_us.max(first), until, run.offset_us)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(zone: &str, day: &str) -> Vec<String> {
        let hours = hours(&TimeZone::get(zone).unwrap(), DateRange::parse(day, day).unwrap());
        hours.iter().map(|hour| Timestamp::from_microsecond(hour.start_us).unwrap().to_string()).collect()
    }

    #[test]
    fn an_hour_does_not_begin_before_its_offset() {
        let spring = starts("Australia/Lord_Howe", "2026-10-04");
        assert_eq!(
            (spring.len(), &spring[1..4]),
            (24, &["2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"].map(String::from)[..])
        );
        let autumn = starts("Australia/Lord_Howe", "2026-04-05");
        assert_eq!(
            (autumn.len(), &autumn[1..4]),
            (25, &["2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"].map(String::from)[..])
        );
        assert_eq!(starts("America/Caracas", "2007-12-09").len(), 25);
        assert_eq!(starts("Asia/Pyongyang", "2015-08-14").len(), 25);
    }

    #[test]
    fn a_day_that_a_clock_came_back_to_is_two_stretches() {
        // 00:01 on the 7th went back to 23:01 on the 6th.
        let (sixth, seventh) = (starts("America/St_Johns", "2010-11-06"), starts("America/St_Johns", "2010-11-07"));
        assert_eq!(sixth[23..], ["2010-11-07T01:30:00Z", "2010-11-07T02:31:00Z"]);
        assert_eq!(seventh[..2], ["2010-11-07T02:30:00Z", "2010-11-07T03:30:00Z"]);
    }

    #[test]
    fn a_day_ends_where_the_clock_shows_another_date() {
        let end = |zone: &str, at: &str| {
            let end = day_end(&TimeZone::get(zone).unwrap(), at.parse().unwrap());
            Timestamp::from_microsecond(end).unwrap().to_string()
        };
        assert_eq!(end("Europe/Berlin", "2026-10-25T10:00:00Z"), "2026-10-25T23:00:00Z");
        assert_eq!(end("America/St_Johns", "2010-11-07T02:00:00Z"), "2010-11-07T02:30:00Z");
        assert_eq!(end("America/St_Johns", "2010-11-07T02:30:30Z"), "2010-11-07T02:31:00Z");
        assert_eq!(end("America/St_Johns", "2010-11-07T02:45:00Z"), "2010-11-07T03:30:00Z");
    }

    #[test]
    fn what_was_noted_by_other_rules_is_found_in_its_day() {
        let hours =
            hours(&TimeZone::get("Asia/Kolkata").unwrap(), DateRange::parse("2026-03-10", "2026-03-10").unwrap());
        let us = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        let day = hours[0].day;
        assert_eq!(find_hour(&hours, day, us("2026-03-09T18:30:00Z")), Some(0));
        assert_eq!(find_hour(&hours, day, us("2026-03-09T19:00:00Z")), Some(0));
        assert_eq!(find_hour(&hours, day, us("2026-03-09T10:00:00Z")), Some(0));
        assert_eq!(find_hour(&hours, day, us("2026-03-11T10:00:00Z")), Some(23));
        assert_eq!(find_hour(&[], day, 0), None);
    }
}
