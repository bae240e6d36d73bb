use jiff::{Timestamp, ToSpan, civil::Date};

use super::{day, instant, month, range, weekday};
use crate::domain::{
    clock::WallClock,
    period::{DateRange, Interval},
    snapshot::Point,
};

/// What a point of a series covers, in full: `Mon 23 Nov 2026`, `Week of 23 Nov 2026`, `Nov 2026`, `23 Nov 2026,
/// 14:00`.
pub fn point_label(point: &Point, interval: Interval, clock: &WallClock) -> String {
    match (interval, point.start.parse::<Date>(), point.start.parse::<Timestamp>()) {
        (Interval::Hour, _, Ok(at)) => instant(clock, at),
        (Interval::Day, Ok(date), _) => format!("{} {}", weekday(date), day(date)),
        (Interval::Week, Ok(date), _) => format!("Week of {}", day(date)),
        (Interval::Month, Ok(date), _) => format!("{} {}", month(date), date.year()),
        _ => point.start.clone(),
    }
}

/// Whether these days are all of what their interval means by the calendar.
fn is_whole(days: DateRange, interval: Interval) -> bool {
    match interval {
        Interval::Hour | Interval::Day => true,
        Interval::Week => interval.start(days.from) == days.from && days.days() == 7,
        Interval::Month => days.from.day() == 1 && days.to == days.from.last_of_month(),
    }
}

/// The same for a whole series up to the day `to`, where each label is to be another: an hour that a clock showed twice
/// says by which offset from UTC. What is no whole week or month says which days it has.
pub fn point_labels(points: &[Point], interval: Interval, to: Date, clock: &WallClock) -> Vec<String> {
    let starts: Vec<_> = points.iter().map(|point| point.start.parse::<Date>().ok()).collect();
    let days_of = |at: usize| {
        let next = starts.get(at + 1).copied().flatten();
        Some(DateRange { from: starts[at]?, to: next.map_or(to, |next| next.saturating_sub(1.day())) })
    };
    let label = |at: usize| match days_of(at).filter(|days| !is_whole(*days, interval)) {
        Some(days) => range(days),
        None => point_label(&points[at], interval, clock),
    };
    let labels: Vec<String> = (0..points.len()).map(label).collect();
    let is_twice = |at: usize| {
        let same = |other: Option<usize>| other.and_then(|other| labels.get(other)) == Some(&labels[at]);
        same(at.checked_sub(1)) || same(Some(at + 1))
    };
    let told_apart = points.iter().enumerate().map(|(at, point)| match point.start.parse::<Timestamp>() {
        Ok(start) if is_twice(at) => format!("{} (UTC{})", labels[at], clock.offset(start)),
        _ => labels[at].clone(),
    });
    told_apart.collect()
}

/// The same as an axis wants it: `23 Nov`, `Nov ’26`, `14:00`; hours name their day where the axis spans more than
/// one.
pub fn axis_label(point: &Point, interval: Interval, clock: &WallClock, one_day: bool) -> String {
    match (interval, point.start.parse::<Date>(), point.start.parse::<Timestamp>()) {
        (Interval::Hour, _, Ok(at)) => {
            let local = clock.local(at);
            let hour = format!("{:02}:{:02}", local.hour(), local.minute());
            if one_day { hour } else { format!("{} {} {hour}", local.day(), month(local.date())) }
        }
        (Interval::Day | Interval::Week, Ok(date), _) => format!("{} {}", date.day(), month(date)),
        (Interval::Month, Ok(date), _) => format!("{} ’{:02}", month(date), date.year() % 100),
        _ => point.start.clone(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn points_are_named_by_their_interval_and_hours_by_the_vendors_clock() {
        let point = |start: &str| Point::new(start.to_owned(), Default::default());
        let clock = WallClock::covering("Asia/Kolkata", ["2026-11-22T18:30:00Z".parse().unwrap()]);
        for (start, interval, long, short) in [
            ("2026-11-23", Interval::Day, "Mon 23 Nov 2026", "23 Nov"),
            ("2026-11-23", Interval::Week, "Week of 23 Nov 2026", "23 Nov"),
            ("2026-11-01", Interval::Month, "Nov 2026", "Nov ’26"),
            ("2026-11-22T18:30:00Z", Interval::Hour, "23 Nov 2026, 00:00", "00:00"),
        ] {
            assert_eq!(point_label(&point(start), interval, &clock), long);
            assert_eq!(axis_label(&point(start), interval, &clock, true), short);
        }
    }

    #[test]
    fn what_is_no_whole_week_or_month_says_which_days_it_has() {
        let labels = |starts: &[&str], interval, to| {
            let points: Vec<_> =
                starts.iter().map(|start| Point::new((*start).to_owned(), Default::default())).collect();
            point_labels(&points, interval, to, &WallClock::default())
        };
        assert_eq!(
            labels(&["2026-11-09", "2026-11-16", "2026-11-23"], Interval::Week, date(2026, 11, 26)),
            ["Week of 9 Nov 2026", "Week of 16 Nov 2026", "23–26 Nov 2026"]
        );
        assert_eq!(
            labels(&["2026-10-22", "2026-10-29"], Interval::Week, date(2026, 11, 4)),
            ["22–28 Oct 2026", "29 Oct – 4 Nov 2026"]
        );
        assert_eq!(
            labels(&["2026-10-15", "2026-11-01"], Interval::Month, date(2026, 11, 30)),
            ["15–31 Oct 2026", "Nov 2026"]
        );
    }
}
