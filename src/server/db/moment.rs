use jiff::{Timestamp, tz::TimeZone};

use crate::domain::{local_time::hour_start, period::day_number};

/// An instant, and where it lies on a vendor's clock: worked out once, when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970.
    pub us: i64,
    /// When the local hour began, in microseconds since 1970.
    pub hour_us: i64,
    /// Numbers of the local day, and of the first days of its month and year.
    pub day: i64,
    pub month: i64,
    pub year: i64,
}

impl Moment {
    pub fn new(instant: Timestamp, zone: &TimeZone) -> Self {
        let day = zone.to_datetime(instant).date();
        Self {
            us: instant.as_microsecond(),
            hour_us: hour_start(zone, instant),
            day: day_number(day),
            month: day_number(day.first_of_month()),
            year: day_number(day.first_of_year()),
        }
    }

    /// The five numbers in the order of the columns: the instant, `hour_us`, `day`, `month`, `year`.
    pub fn numbers(&self) -> [i64; 5] {
        [self.us, self.hour_us, self.day, self.month, self.year]
    }
}
