//! What the interface says, in one place: to be read in one go, and translated. Short, plain, in the words of the
//! trade, and the same everywhere. Labels that stand on one page only and name nothing but themselves stay there.

pub const LIVE: &str = "Live";
pub const RECONNECTING: &str = "Reconnecting…";
pub const PAUSED: &str = "Paused";
pub const READ_THE_CHART: &str = "Read the chart point by point";

// What went wrong.
pub const UNREACHABLE: &str = "Can't reach Vendorscope. Check your connection; we'll keep trying.";
pub const NOT_RESPONDING: &str = "Vendorscope isn't responding. These figures are from before; we'll keep trying.";
pub const TOO_MANY: &str = "Too many requests. We'll try again in a moment.";
pub const NOT_LOADED: &str = "That couldn't be loaded.";

/// `Updated 12 seconds ago`
pub fn updated(seconds: u64) -> String {
    match seconds {
        0 => "Updated just now".to_owned(),
        seconds => format!("Updated {} ago", age(seconds)),
    }
}

/// How long, in the largest unit that fits: `12 seconds`, `3 min`, `2 h`.
pub fn age(seconds: u64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        0..60 => format!("{seconds} seconds"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// `2026-11-26`, as a date field has it, as pages write it: `26 Nov 2026`.
pub fn day(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?);
    let month = MONTHS.get(month.checked_sub(1)?)?;
    Some(format!("{} {month} {}", day.trim_start_matches('0'), year.trim_start_matches('0')))
}

pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Logins, accounts and users.
#[cfg(feature = "ssr")]
mod accounts;
/// What only pages say, which are made on the server.
#[cfg(feature = "ssr")]
mod pages;

#[cfg(feature = "ssr")]
pub use {accounts::*, pages::*};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_take_the_largest_unit_that_fits() {
        assert_eq!(
            [updated(0), updated(1), updated(12)],
            ["Updated just now", "Updated 1 second ago", "Updated 12 seconds ago"]
        );
        assert_eq!([age(59), age(60), age(7_300)], ["59 seconds", "1 min", "2 h"]);
    }

    #[test]
    fn a_day_is_written_as_pages_write_it() {
        assert_eq!(day("2026-09-01").as_deref(), Some("1 Sep 2026"));
        assert_eq!([day(""), day("2026-13-01"), day("2026-00-01")], [None, None, None]);
    }

    #[test]
    fn a_refused_range_is_told_in_words_of_people() {
        let told = range_refused(
            "dateTo",
            "`2026-01-01` lies before dateFrom `2026-12-31`: the same day or a later one is accepted",
        );
        assert_eq!(told, "The end date must be on or after the start date.");
        assert_eq!(range_refused("dateFrom", "`2025-02-30` is not a day"), "Start date: `2025-02-30` is not a day");
    }
}
