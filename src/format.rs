//! Numbers, money and dates as people read them. Plain code rather than the browser's own formatting, so that the
//! server and the browser write the same text to the letter.

/// What points of a series are called.
mod points;

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
};
pub use points::{axis_label, point_label, point_labels};

use crate::domain::{
    clock::WallClock,
    money::{Currency, divide_rounded},
    period::DateRange,
};
use crate::words;

/// U+2212, as wide as a digit, and read out as "minus".
const MINUS: &str = "−";

/// What stands before an amount: the symbol English readers know the currency by (CLDR, English), else the code and a
/// space that does not break.
fn currency_prefix(currency: Currency) -> String {
    let symbol = match currency.code() {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        "CNY" => "CN¥",
        "INR" => "₹",
        "KRW" => "₩",
        "AUD" => "A$",
        "CAD" => "CA$",
        "NZD" => "NZ$",
        "HKD" => "HK$",
        "TWD" => "NT$",
        "MXN" => "MX$",
        "BRL" => "R$",
        "ILS" => "₪",
        "VND" => "₫",
        "PHP" => "₱",
        code => return format!("{code}\u{a0}"),
    };
    symbol.to_owned()
}

/// An amount in minor units, with all its decimals: `−€1,234.50`.
pub fn money(currency: Currency, amount: i64) -> String {
    let decimal = currency.to_decimal(amount);
    let digits = decimal.trim_start_matches('-');
    let (whole, decimals) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = String::from(if amount < 0 { MINUS } else { "" });
    text.push_str(&currency_prefix(currency));
    text.push_str(&grouped(whole));
    if let Some(decimals) = decimals {
        text.push('.');
        text.push_str(decimals);
    }
    text
}

/// As `money`, or a dash where there is no amount.
pub fn money_or_dash(currency: Currency, amount: Option<i64>) -> String {
    amount.map_or_else(|| "—".to_owned(), |amount| money(currency, amount))
}

/// An amount as short as an axis wants it: whole major units with `k`, `M` or `B` where `step`, the distance between
/// two ticks, allows it without loss, and no decimals unless `step` has some.
pub fn axis_money(currency: Currency, amount: i64, step: i64) -> String {
    let unit = currency.minor_units();
    if step % unit != 0 {
        return money(currency, amount);
    }
    format!(
        "{}{}{}",
        if amount < 0 { MINUS } else { "" },
        currency_prefix(currency),
        axis_digits((amount / unit).abs(), step / unit)
    )
}

/// A number as short as an axis wants it: see `axis_money`.
pub fn axis_count(value: i64, step: i64) -> String {
    format!("{}{}", if value < 0 { MINUS } else { "" }, axis_digits(value.abs(), step))
}

/// A number as an axis wants it; see `axis_money`.
fn axis_digits(value: i64, step: i64) -> String {
    for (size, letter) in [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")] {
        if value >= size && step % (size / 10) == 0 {
            let tenths = value % size / (size / 10);
            let whole = grouped(&(value / size).to_string());
            return if tenths == 0 { format!("{whole}{letter}") } else { format!("{whole}.{tenths}{letter}") };
        }
    }
    grouped(&value.to_string())
}

/// A whole number with thousands separated: `−12,345`.
pub fn count(number: i64) -> String {
    format!("{}{}", if number < 0 { MINUS } else { "" }, grouped(&number.unsigned_abs().to_string()))
}

/// `1 order`, `2 orders`.
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `part` of `whole` in percent with one decimal; `None` where there is nothing to be a part of.
pub fn share(part: i64, whole: i64) -> Option<String> {
    let tenths = divide_rounded(part.checked_mul(1000)?, whole)?;
    Some(percent(tenths))
}

/// `12.34%`, of hundredths of a percent.
pub fn hundredths(number: i64) -> String {
    let minus = if number < 0 { MINUS } else { "" };
    let number = number.unsigned_abs();
    format!("{minus}{}.{:02}%", grouped(&(number / 100).to_string()), number % 100)
}

/// `12.3%`, of tenths of a percent.
pub fn percent(tenths: i64) -> String {
    tenths_text(tenths) + "%"
}

fn tenths_text(tenths: i64) -> String {
    format!(
        "{}{}.{}",
        if tenths < 0 { MINUS } else { "" },
        grouped(&(tenths.unsigned_abs() / 10).to_string()),
        tenths.unsigned_abs() % 10
    )
}

/// A size in bytes: `2.3 MB` (powers of 1,000).
pub fn bytes(size: u64) -> String {
    for (unit, name) in [(1_000_000_000_u64, "GB"), (1_000_000, "MB"), (1_000, "kB")] {
        if size >= unit {
            let tenths = size / (unit / 10);
            return format!("{}.{} {name}", grouped(&(tenths / 10).to_string()), tenths % 10);
        }
    }
    format!("{size} bytes")
}

fn month(date: Date) -> &'static str {
    words::MONTHS[usize::from(date.month().unsigned_abs() - 1) % 12]
}

fn weekday(date: Date) -> &'static str {
    match date.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

/// `23 Nov 2026`.
pub fn day(date: Date) -> String {
    format!("{} {} {}", date.day(), month(date), date.year())
}

/// `23 Nov 2026`, `1–23 Nov 2026`, `27 Oct – 23 Nov 2026`, `27 Dec 2025 – 23 Jan 2026`.
pub fn range(range: DateRange) -> String {
    let (from, to) = (range.from, range.to);
    if from == to {
        day(from)
    } else if from.year() != to.year() {
        format!("{} – {}", day(from), day(to))
    } else if from.month() != to.month() {
        format!("{} {} – {}", from.day(), month(from), day(to))
    } else {
        format!("{}–{}", from.day(), day(to))
    }
}

/// `23 Nov 2026, 14:05` on the vendor's clock.
pub fn instant(clock: &WallClock, at: Timestamp) -> String {
    let local = clock.local(at);
    format!("{}, {:02}:{:02}", day(local.date()), local.hour(), local.minute())
}

/// `14:05 UTC` for today, `23 Nov, 14:05 UTC` for another day.
pub fn utc(at: Timestamp, now: Timestamp) -> String {
    let [local, today] = [at, now].map(|at| WallClock::default().local(at));
    let time = format!("{:02}:{:02} UTC", local.hour(), local.minute());
    if local.date() == today.date() { time } else { format!("{} {}, {time}", local.day(), month(local.date())) }
}

/// A time that has passed, or is left: `12 s`, `3 min`, `2 h 5 min`, `4 days`.
pub fn seconds(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How long a stock lasts: `1.5 days`; words where there is nothing to divide.
pub fn cover(stock: i64, days_of_cover: Option<f64>) -> String {
    match days_of_cover {
        _ if stock <= 0 => "Sold out".to_owned(),
        Some(days) if days < 10.0 => format!("{days:.1} days"),
        Some(days) => format!("{} days", count(days.round() as i64)),
        None => "not selling".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn money_has_its_currencys_symbol_or_code_and_decimals() {
        for (code, amount, text) in [
            ("EUR", 123_450, "€1,234.50"),
            ("EUR", -5, "−€0.05"),
            ("USD", 0, "$0.00"),
            ("JPY", 1_234_567, "¥1,234,567"),
            ("KWD", 1_250, "KWD\u{a0}1.250"),
            ("CHF", -100_000, "−CHF\u{a0}1,000.00"),
            ("GBP", 99_999, "£999.99"),
        ] {
            assert_eq!(money(currency(code), amount), text);
        }
    }

    #[test]
    fn axis_amounts_are_short_and_never_rounded() {
        let euro = currency("EUR");
        for (amount, step, text) in [
            (0, 50_000, "€0"),
            (150_000, 50_000, "€1.5k"),
            (200_000, 50_000, "€2k"),
            (125_000, 25_000, "€1,250"),
            (-50_000, 50_000, "−€500"),
            (250_000_000, 50_000_000, "€2.5M"),
            (150, 50, "€1.50"),
        ] {
            assert_eq!(axis_money(euro, amount, step), text);
        }
        assert_eq!(axis_money(currency("JPY"), 20_000, 5_000), "¥20k");
    }

    #[test]
    fn counts_are_grouped_from_the_right() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-12_345_678, "−12,345,678")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "order", "orders"), "1 order");
        assert_eq!(counted(1_200, "order", "orders"), "1,200 orders");
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!(share(1, 3).as_deref(), Some("33.3%"));
        assert_eq!(share(-1, 8).as_deref(), Some("−12.5%"));
        assert_eq!(share(1, 0), None);
    }

    #[test]
    fn ranges_say_month_and_year_once_where_once_is_enough() {
        for (from, to, text) in [
            (date(2026, 11, 23), date(2026, 11, 23), "23 Nov 2026"),
            (date(2026, 11, 1), date(2026, 11, 23), "1–23 Nov 2026"),
            (date(2026, 10, 27), date(2026, 11, 23), "27 Oct – 23 Nov 2026"),
            (date(2025, 12, 27), date(2026, 1, 23), "27 Dec 2025 – 23 Jan 2026"),
        ] {
            assert_eq!(range(DateRange { from, to }), text);
        }
    }

    #[test]
    fn sizes_take_the_largest_unit_that_fits() {
        assert_eq!([bytes(999), bytes(2_457_600), bytes(1_000)], ["999 bytes", "2.4 MB", "1.0 kB"]);
    }

    #[test]
    fn cover_is_in_words_where_it_is_no_number() {
        assert_eq!(cover(2, Some(1.5)), "1.5 days");
        assert_eq!(cover(2, None), "not selling");
        assert_eq!(cover(400, Some(112.4)), "112 days");
        assert_eq!(cover(0, Some(0.0)), "Sold out");
    }
}
