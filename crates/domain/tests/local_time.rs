//! Every zone of the time zone database, at each of its changes: every instant is in exactly one day and one hour of
//! that day.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use vendorscope_domain::{
    local_time::{LocalHour, day_end, find_hour, hour_start, hours},
    period::{DateRange, FIRST_DAY, LAST_DAY, day_from_number, day_number},
};

const HOUR_US: i64 = 3_600_000_000;

fn at(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).expect("an instant")
}

/// What the clock shows, asked of jiff alone: the number of the day, the hour, and the offset.
fn shown(zone: &TimeZone, us: i64) -> (i64, i8, i32) {
    let (offset, local) = (zone.to_offset(at(us)), zone.to_datetime(at(us)));
    (day_number(local.date()), local.hour(), offset.seconds())
}

/// The days around each change of a zone's offset, as far as the program goes; one a year is enough where a rule
/// repeats for ever.
fn days_of_changes(zone: &TimeZone) -> Vec<Date> {
    let first = FIRST_DAY.to_zoned(TimeZone::UTC).expect("a day").timestamp();
    let mut days: Vec<Date> = zone
        .following(first)
        .take_while(|change| zone.to_datetime(change.timestamp()).date() < LAST_DAY.saturating_sub(3.days()))
        .filter(|change| change.timestamp().to_zoned(TimeZone::UTC).year() <= 2040)
        .flat_map(|change| {
            let before = zone.to_datetime(change.timestamp().saturating_sub(1.second()).expect("an instant")).date();
            [before, zone.to_datetime(change.timestamp()).date()]
        })
        .filter(|day| *day > FIRST_DAY.saturating_add(3.days()))
        .collect();
    days.push(jiff::civil::date(2026, 6, 15));
    days.sort();
    days.dedup();
    days
}

/// Whether hours follow each other, are all of the range, and hold what the clock says they hold.
fn check_hours(zone: &TimeZone, name: &str, range: DateRange, hours: &[LocalHour]) {
    for pair in hours.windows(2) {
        assert!(pair[0].end_us <= pair[1].start_us, "{name} {range}: {pair:?}");
    }
    for hour in hours {
        assert!(hour.start_us < hour.end_us && hour.end_us - hour.start_us <= HOUR_US, "{name} {range}: {hour:?}");
        let first = shown(zone, hour.start_us);
        // One hour of one day under one offset, at both ends and in between.
        for us in [hour.end_us - 1, (hour.start_us + hour.end_us) / 2] {
            assert_eq!(shown(zone, us), first, "{name} {range}: {hour:?}");
        }
        assert_eq!(first.0, hour.day, "{name} {range}: {hour:?}");
    }
}

#[test]
fn every_instant_is_in_one_hour_of_one_day_in_every_zone_at_each_of_its_changes() {
    let (mut zones, mut changes, mut instants) = (0, 0, 0_u64);
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).expect("a zone");
        let name = name.as_str();
        zones += 1;
        for day in days_of_changes(&zone) {
            changes += 1;
            let range = DateRange::new(day.saturating_sub(1.days()), day.saturating_add(1.days())).expect("a range");
            let of_all = hours(&zone, range);
            check_hours(&zone, name, range, &of_all);
            // Each day by itself has the same hours that it has among others.
            let mut one_by_one: Vec<LocalHour> = (day_number(range.from)..=day_number(range.to))
                .flat_map(|day| hours(&zone, DateRange { from: day_from_number(day), to: day_from_number(day) }))
                .collect();
            one_by_one.sort_by_key(|hour| hour.start_us);
            assert_eq!(one_by_one, of_all, "{name} {range}");
            // Every ten minutes, and at both ends of every hour: an instant is in the range exactly where its date is,
            // in one hour, which begins where `hour_start` says.
            let begin = (day_number(range.from) - 1) * 24 * HOUR_US;
            let ends = of_all.iter().flat_map(|hour| [hour.start_us - 1, hour.start_us, hour.end_us - 1, hour.end_us]);
            for (number, us) in (0..5 * 24 * 6).map(|tenth| begin + tenth * 600_000_000 + 1).chain(ends).enumerate() {
                let (day, ..) = shown(&zone, us);
                let holding = of_all.partition_point(|hour| hour.start_us <= us);
                let holding = of_all[..holding].last().filter(|hour| us < hour.end_us);
                assert_eq!(holding.is_some(), range.contains(day_from_number(day)), "{name} {range} {}", at(us));
                let Some(hour) = holding else { continue };
                instants += 1;
                if number % 5 == 0 || number > 720 {
                    assert_eq!((hour.day, hour.start_us), (day, hour_start(&zone, at(us))), "{name} {}", at(us));
                    assert_eq!(
                        find_hour(&of_all, day, hour.start_us).map(|at| of_all[at]),
                        Some(*hour),
                        "{name} {}",
                        at(us)
                    );
                }
                if number % 41 == 0 {
                    let end = day_end(&zone, at(us));
                    assert!(
                        shown(&zone, end).0 != day && shown(&zone, end - 1).0 == day,
                        "{name} {} ends {}",
                        at(us),
                        at(end)
                    );
                }
            }
        }
    }
    println!("{zones} zones, {changes} days of changes, {instants} instants");
    assert!(zones > 500 && changes > 20_000, "{zones} zones, {changes} days");
}
