//! Time zones by their names, and a vendor's wall clock for the browser, which has no time zone database.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use serde::{Deserialize, Serialize};

use crate::{field_error::FieldError, text::shown};

/// Offsets from UTC that hold at a set of instants: enough to write those instants as a vendor's clock showed them, on
/// the server and in the browser alike. Other instants get the offset of the nearest earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClock {
    /// Instant (seconds since 1970) from which an offset (seconds east of UTC) holds; ascending.
    offsets: Vec<(i64, i32)>,
}

impl WallClock {
    /// The clock of an IANA zone, exact for `instants`. Server only in effect: without a time zone database it is UTC.
    pub fn covering(time_zone: &str, instants: impl IntoIterator<Item = Timestamp>) -> Self {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let mut instants: Vec<_> = instants.into_iter().collect();
        instants.sort_unstable();
        let mut offsets: Vec<(i64, i32)> = Vec::new();
        for instant in instants {
            let offset = zone.to_offset(instant).seconds();
            if offsets.last().is_none_or(|(_, last)| *last != offset) {
                offsets.push((instant.as_second(), offset));
            }
        }
        Self { offsets }
    }

    /// What the clock showed at `instant`.
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.offset(instant).to_datetime(instant)
    }

    /// How far from UTC the clock was at `instant`.
    pub fn offset(&self, instant: Timestamp) -> Offset {
        let second = instant.as_second();
        let known = self.offsets.iter().rev().find(|(from, _)| *from <= second).or(self.offsets.first());
        known.and_then(|(_, offset)| Offset::from_seconds(*offset).ok()).unwrap_or(Offset::UTC)
    }
}

/// The zone of this IANA name, as IANA writes it: names are found in any case. Server only in effect.
pub fn parse_time_zone(field: &str, text: &str) -> Result<String, FieldError> {
    let refused = || {
        FieldError::new(
            field,
            format!("`{text}` is not the IANA name of a time zone, such as Europe/Berlin", text = shown(text)),
        )
    };
    let zone = TimeZone::get(text).map_err(|_| refused())?;
    zone.iana_name().filter(|_| !zone.is_unknown()).map(str::to_owned).ok_or_else(refused)
}

/// An instant as RFC 3339 writes it; seconds, or parts of them, may be left out. Not taken, though other readers move
/// them to some instant or other: leap seconds (`:60`), which vary by who counts, and offsets of a day or more.
pub fn parse_instant(field: &str, text: &str) -> Result<Timestamp, FieldError> {
    let refused = || {
        FieldError::new(
            field,
            format!("`{}` is not an instant as RFC 3339 writes it, such as 2026-03-01T09:30:00Z", shown(text)),
        )
    };
    if !is_instant(text.as_bytes()) {
        return Err(refused());
    }
    text.parse().map_err(|_| refused())
}

/// Whether a text has the form of an instant, and none of its numbers is one that no clock shows.
fn is_instant(text: &[u8]) -> bool {
    let number = |text: &[u8], most: u8| {
        matches!(text,
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] if (tens - b'0') * 10 + (ones - b'0') <= most)
    };
    let Some((date, rest)) = text.split_at_checked(10) else { return false };
    let is_date = date
        .iter()
        .enumerate()
        .all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    let (time, offset) = match rest {
        [b'T' | b't' | b' ', time @ .., b'Z' | b'z'] => (time, None),
        [b'T' | b't' | b' ', rest @ .., b'+' | b'-', h1, h2, b':', m1, m2] => (rest, Some(([*h1, *h2], [*m1, *m2]))),
        _ => return false,
    };
    let is_offset = offset.is_none_or(|(hours, minutes)| number(&hours, 23) && number(&minutes, 59));
    let is_time = match time {
        [h1, h2, b':', m1, m2, seconds @ ..] => {
            let is_second = match seconds {
                [] => true,
                [b':', s1, s2, part @ ..] => {
                    let is_part = match part {
                        [] => true,
                        [b'.', digits @ ..] => (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
                        _ => false,
                    };
                    number(&[*s1, *s2], 59) && is_part
                }
                _ => false,
            };
            number(&[*h1, *h2], 23) && number(&[*m1, *m2], 59) && is_second
        }
        _ => false,
    };
    is_date && is_time && is_offset
}

/// Reads an instant of a JSON body as `parse_instant` does.
pub fn deserialize_instant<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    parse_instant("", &text).map_err(|invalid| serde::de::Error::custom(invalid.message))
}

/// The same, where it may be `null`. (With `default`, where it may be left out.)
pub fn deserialize_optional_instant<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<std::borrow::Cow<str>>::deserialize(deserializer)? else { return Ok(None) };
    parse_instant("", &text).map(Some).map_err(|invalid| serde::de::Error::custom(invalid.message))
}

/// Areas of the zones that are named after places.
const AREAS: [&str; 10] = [
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
];

/// Names to choose a zone from, in order: those of places, and UTC. Others (`Etc/GMT+3`, `EST`) are accepted, and not
/// offered. Server only: empty without a time zone database.
pub fn time_zone_names() -> Vec<String> {
    let known = jiff::tz::db().available().map(|name| name.as_str().to_owned());
    let mut names: Vec<_> =
        known.filter(|name| name == "UTC" || AREAS.iter().any(|area| name.starts_with(area))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_of_rfc_3339_and_nothing_is_moved_to_another() {
        for (text, instant) in [
            ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z"),
            ("2026-03-01t09:30:00.123456z", "2026-03-01T09:30:00.123456Z"),
            ("2026-03-01 09:30:59+05:45", "2026-03-01T03:45:59Z"),
            ("2026-03-01T09:30-12:00", "2026-03-01T21:30:00Z"),
            ("2024-02-29T23:59:59+23:59", "2024-02-29T00:00:59Z"),
        ] {
            assert_eq!(parse_instant("at", text), Ok(instant.parse().unwrap()), "{text}");
        }
        for text in [
            "2016-12-31T23:59:60Z",
            "2026-03-01T09:30:00+25:00",
            "2026-03-01T09:30:00+24:00",
            "2026-03-01T09:30:00-23:60",
            "2026-03-01T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-03-01T09:30:00",
            "2026-03-01",
            "2026-03-01T09:30:00+01",
            "2026-03-01T09:30:00+0100",
            "20260301T093000Z",
            "2026-03-01T09:30:00,5Z",
            "2026-03-01T09:30:00.Z",
            "2026-03-01T09:30:00Z[Europe/Berlin]",
            "2026-03-01T09:30:00+01:00[Europe/Berlin]",
            "2026-W09-7T09:30:00Z",
            "+002026-03-01T09:30:00Z",
            "2026-03-01T09:30:00+01:00:30",
            "1740821400",
            "",
            "é",
            "2026-03-01T09:30:00é",
        ] {
            let refused = parse_instant("at", text).unwrap_err();
            assert!(refused.message.starts_with(&format!("`{text}` is not an instant")), "{refused}");
        }
    }

    #[test]
    fn instants_on_both_sides_of_a_clock_change_read_as_the_vendor_saw_them() {
        let instants: Vec<Timestamp> = ["2025-03-30T01:00:00Z", "2025-03-29T23:00:00Z", "2025-03-30T00:00:00Z"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let clock = WallClock::covering("Europe/Berlin", instants.clone());
        let local: Vec<_> = instants.iter().map(|instant| clock.local(*instant).to_string()).collect();
        assert_eq!(local, ["2025-03-30T03:00:00", "2025-03-30T00:00:00", "2025-03-30T01:00:00"]);
    }

    #[test]
    fn zones_of_half_hours_and_beyond_twelve_hours_are_exact() {
        for (zone, shown) in [
            ("Asia/Kolkata", "2025-01-01T05:30:00"),
            ("Pacific/Kiritimati", "2025-01-01T14:00:00"),
            ("UTC", "2025-01-01T00:00:00"),
        ] {
            let instant: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
            assert_eq!(WallClock::covering(zone, [instant]).local(instant).to_string(), shown, "{zone}");
        }
    }

    #[test]
    fn a_zone_goes_by_its_name_at_iana_in_any_case_and_by_no_other() {
        assert_eq!(parse_time_zone("timeZone", "europe/BERLIN").as_deref(), Ok("Europe/Berlin"));
        for name in ["", "Berlin", "Europe/Berlin ", "+02:00", "Etc/Unknown", "Asia/Atlantis", "../../etc/passwd"] {
            let refused = parse_time_zone("timeZone", name).expect_err(name);
            assert_eq!(refused.field, "timeZone");
            assert!(
                refused.message.contains(&format!("`{name}`")) && refused.message.contains("such as Europe/Berlin"),
                "{refused}"
            );
        }
    }

    #[test]
    fn every_zone_that_is_offered_is_accepted_as_it_is_written() {
        let names = time_zone_names();
        assert!(names.len() > 300 && names.is_sorted(), "{}", names.len());
        for name in ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Argentina/Buenos_Aires", "Asia/Kathmandu"]
        {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        for name in &names {
            assert_eq!(parse_time_zone("timeZone", name).as_ref(), Ok(name));
        }
    }

    #[test]
    fn a_clock_that_covers_nothing_is_utc() {
        let instant: Timestamp = "2025-01-01T12:00:00Z".parse().unwrap();
        assert_eq!(WallClock::default().local(instant).to_string(), "2025-01-01T12:00:00");
    }
}
