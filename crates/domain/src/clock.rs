//! Time zones by their names, and a vendor's wall clock for the browser, which has no time zone database.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use serde::{Deserialize, Serialize};

use crate::field_error::FieldError;

/// Offsets from UTC that hold at a set of instants: enough to write those instants as a vendor's clock showed them, on the
/// server and in the browser alike. Other instants get the offset of the nearest earlier one.
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
    let refused = || FieldError::new(field, format!("`{text}` is not the IANA name of a time zone, such as Europe/Berlin"));
    let zone = TimeZone::get(text).map_err(|_| refused())?;
    zone.iana_name().filter(|_| !zone.is_unknown()).map(str::to_owned).ok_or_else(refused)
}

/// Areas of the zones that are named after places.
const AREAS: [&str; 10] =
    ["Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/"];

/// Names to choose a zone from, in order: those of places, and UTC. Others (`Etc/GMT+3`, `EST`) are accepted, and not offered. Server
/// only: empty without a time zone database.
pub fn time_zone_names() -> Vec<String> {
    let known = jiff::tz::db().available().map(|name| name.as_str().to_owned());
    let mut names: Vec<_> = known.filter(|name| name == "UTC" || AREAS.iter().any(|area| name.starts_with(area))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_on_both_sides_of_a_clock_change_read_as_the_vendor_saw_them() {
        let instants: Vec<Timestamp> =
            ["2025-03-30T01:00:00Z", "2025-03-29T23:00:00Z", "2025-03-30T00:00:00Z"].iter().map(|text| text.parse().unwrap()).collect();
        let clock = WallClock::covering("Europe/Berlin", instants.clone());
        let local: Vec<_> = instants.iter().map(|instant| clock.local(*instant).to_string()).collect();
        assert_eq!(local, ["2025-03-30T03:00:00", "2025-03-30T00:00:00", "2025-03-30T01:00:00"]);
    }

    #[test]
    fn zones_of_half_hours_and_beyond_twelve_hours_are_exact() {
        for (zone, shown) in
            [("Asia/Kolkata", "2025-01-01T05:30:00"), ("Pacific/Kiritimati", "2025-01-01T14:00:00"), ("UTC", "2025-01-01T00:00:00")]
        {
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
            assert!(refused.message.contains(&format!("`{name}`")) && refused.message.contains("such as Europe/Berlin"), "{refused}");
        }
    }

    #[test]
    fn every_zone_that_is_offered_is_accepted_as_it_is_written() {
        let names = time_zone_names();
        assert!(names.len() > 300 && names.is_sorted(), "{}", names.len());
        for name in ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Argentina/Buenos_Aires", "Asia/Kathmandu"] {
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
