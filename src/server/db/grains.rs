//! A range of days as few sums: whole years, months and days, added and taken away.
//!
//! What is kept by grain can be added up, and so can be taken away again: all of a year but its first and last day is
//! the year less two days, three sums of each product instead of seventy. Between two days there are many ways, along
//! days, months and years, forth and back; the one that costs least is taken.

use jiff::{ToSpan, civil::Date};

use super::Dialect;
use crate::domain::period::{DateRange, day_number};

/// As the column `grain` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grain {
    Day = 0,
    Month = 1,
    Year = 2,
}

impl Grain {
    /// How many rows one of these has, in those of a day: roughly, where many are sold to many. (Where there are few
    /// rows, any way does.)
    fn cost(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Month => 6,
            Self::Year => 12,
        }
    }
}

/// From one start of a grain to another, forth (added) or back (taken away).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Leg {
    grain: Grain,
    from: Date,
    to: Date,
}

impl Leg {
    fn cost(&self) -> i64 {
        let months = |day: Date| i64::from(day.year()) * 12 + i64::from(day.month());
        let steps = match self.grain {
            Grain::Day => day_number(self.to) - day_number(self.from),
            Grain::Month => months(self.to) - months(self.from),
            Grain::Year => i64::from(self.to.year()) - i64::from(self.from.year()),
        };
        steps.abs() * self.grain.cost()
    }

    /// Whether all days of the other are days of this one.
    fn covers(&self, other: &Self) -> bool {
        self.from.min(self.to) <= other.from.min(other.to) && other.from.max(other.to) <= self.from.max(self.to)
    }

    /// Whether it is one day, month or year, added: one row a product.
    fn is_one(&self) -> bool {
        self.from < self.to && self.cost() == self.grain.cost()
    }
}

/// A `SELECT` of what each product sold in a range: `product_id`, `units`, `net` and `entries`, one row a product. `$1`
/// is the vendor; the others are appended to `parameters`.
pub fn product_sums(range: DateRange, dialect: Dialect, parameters: &mut Vec<i64>) -> String {
    let mut legs = legs(range);
    // PostgreSQL adds up in numbers without a limit, which takes longer than all the rest: where nearly everything is
    // one month or year, its sums are taken as they are, and only what else there is is added up before it meets them.
    let all: i64 = legs.iter().map(Leg::cost).sum();
    let whole = legs.iter().position(|leg| leg.is_one() && 2 * leg.cost() > all);
    let whole = whole.map(|place| legs.remove(place));
    let is_all_in_whole = whole.is_some_and(|whole| legs.iter().all(|leg| whole.covers(leg)));
    let mut select = |leg: &Leg| {
        let first = parameters.len() + 1;
        parameters.push(day_number(leg.from.min(leg.to)));
        // By a start and not a range of them the key finds one product as well.
        let starts = match leg.is_one() {
            true => format!("start = ${first}"),
            false => {
                parameters.push(day_number(leg.from.max(leg.to)));
                format!("start >= ${first} AND start < ${}", first + 1)
            }
        };
        let sign = if leg.from < leg.to { "" } else { "-" };
        format!(
            "SELECT product_id, {sign}units AS units, {sign}net AS net, {sign}entries AS entries FROM product_sales \
             WHERE vendor_id = $1 AND grain = {} AND {starts}",
            leg.grain as u8
        )
    };
    let whole = whole.map(|leg| select(&leg));
    let rest: Vec<_> = legs.iter().map(select).collect();
    let rest = format!(
        "SELECT product_id, CAST(SUM(units) AS BIGINT) AS units, CAST(SUM(net) AS BIGINT) AS net, \
         CAST(SUM(entries) AS BIGINT) AS entries FROM ({}) AS grains GROUP BY product_id",
        rest.join(" UNION ALL ")
    );
    match whole {
        None => rest,
        Some(whole) if legs.is_empty() => whole,
        // A FULL JOIN, which PostgreSQL carries out by hashing and never by loops: 28 ms became 20, and a plan that it
        // made for all ranges, which expects one row of each list, would take 30 ms and not more than a second. SQLite
        // joins by loops alone.
        Some(whole) if dialect == Dialect::Postgres => {
            let sum = |column: &str| format!("COALESCE(w.{column}, 0) + COALESCE(r.{column}, 0) AS {column}");
            format!(
                "SELECT COALESCE(w.product_id, r.product_id) AS product_id, {}, {}, {} \
                 FROM ({whole}) AS w FULL JOIN ({rest}) AS r ON r.product_id = w.product_id",
                sum("units"),
                sum("net"),
                sum("entries")
            )
        }
        Some(whole) => {
            let sums = format!(
                "WITH rest AS MATERIALIZED ({rest}) \
                 SELECT w.product_id, w.units + COALESCE(r.units, 0) AS units, w.net + COALESCE(r.net, 0) AS net, \
                 w.entries + COALESCE(r.entries, 0) AS entries \
                 FROM ({whole}) AS w LEFT JOIN rest r ON r.product_id = w.product_id"
            );
            // What sold on a day sold in its month and its year.
            if is_all_in_whole {
                return sums;
            }
            format!(
                "{sums} UNION ALL SELECT r.product_id, r.units, r.net, r.entries FROM rest r \
                 WHERE NOT EXISTS ({whole} AND product_id = r.product_id)"
            )
        }
    }
}

/// The cheapest way from the first day of the range to the one after its last.
fn legs(range: DateRange) -> Vec<Leg> {
    let (from, until) = (range.from, range.to.saturating_add(1.day()));
    let leg = |grain, from, to| Leg { grain, from, to };
    let mut ways = vec![vec![leg(Grain::Day, from, until)]];
    for first in months_around(from) {
        for last in months_around(until) {
            let around = |middle: Vec<Leg>| {
                [vec![leg(Grain::Day, from, first)], middle, vec![leg(Grain::Day, last, until)]].concat()
            };
            ways.push(around(vec![leg(Grain::Month, first, last)]));
            for first_year in years_around(first) {
                for last_year in years_around(last) {
                    ways.push(around(vec![
                        leg(Grain::Month, first, first_year),
                        leg(Grain::Year, first_year, last_year),
                        leg(Grain::Month, last_year, last),
                    ]));
                }
            }
        }
    }
    let cost = |way: &Vec<Leg>| way.iter().map(Leg::cost).sum::<i64>();
    let cheapest = ways.into_iter().min_by_key(cost).unwrap_or_default();
    cheapest.into_iter().filter(|leg| leg.from != leg.to).collect()
}

/// The starts of the month that a day is in and of the next one: only the first where that is the day itself.
fn months_around(day: Date) -> Vec<Date> {
    let start = day.first_of_month();
    if start == day { vec![start] } else { vec![start, day.last_of_month().saturating_add(1.day())] }
}

/// The same of years.
fn years_around(day: Date) -> Vec<Date> {
    let start = day.first_of_year();
    if start == day { vec![start] } else { vec![start, day.last_of_year().saturating_add(1.day())] }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// `+` or `-`, the grain, and its first and last day, both included.
    fn ways(from: &str, to: &str) -> Vec<String> {
        let shown = |leg: Leg| {
            let (first, last) = (leg.from.min(leg.to), leg.from.max(leg.to).saturating_sub(1.day()));
            format!("{}{:?} {first} {last}", if leg.from < leg.to { '+' } else { '-' }, leg.grain)
        };
        legs(DateRange::parse(from, to).unwrap()).into_iter().map(shown).collect()
    }

    #[test]
    fn what_is_nearly_whole_is_the_whole_less_the_rest() {
        assert_eq!(ways("2017-01-01", "2017-12-31"), ["+Year 2017-01-01 2017-12-31"]);
        assert_eq!(ways("2017-03-10", "2017-03-12"), ["+Day 2017-03-10 2017-03-12"]);
        assert_eq!(ways("2017-03-02", "2017-03-31"), ["-Day 2017-03-01 2017-03-01", "+Month 2017-03-01 2017-03-31"]);
        assert_eq!(
            ways("2017-01-02", "2017-12-30"),
            ["-Day 2017-01-01 2017-01-01", "+Year 2017-01-01 2017-12-31", "-Day 2017-12-31 2017-12-31"]
        );
        assert_eq!(
            ways("2015-11-29", "2018-02-02"),
            [
                "+Day 2015-11-29 2015-11-30",
                "+Month 2015-12-01 2015-12-31",
                "+Year 2016-01-01 2017-12-31",
                "+Month 2018-01-01 2018-01-31",
                "+Day 2018-02-01 2018-02-02",
            ]
        );
    }

    /// By a range of starts SQLite would go through the month once for each product of the days.
    #[test]
    fn whether_a_product_sold_in_the_whole_is_looked_up_by_its_key() {
        let sums = |from: &str, to: &str, dialect| {
            let mut parameters = vec![7];
            (product_sums(DateRange::parse(from, to).unwrap(), dialect, &mut parameters), parameters)
        };
        let (text, parameters) = sums("2017-03-01", "2017-04-02", Dialect::Sqlite);
        let (_, lookup) = text.split_once("NOT EXISTS").unwrap();
        assert!(lookup.contains("grain = 1 AND start = $2 AND product_id = r.product_id"), "{lookup}");
        assert_eq!(parameters[1], day_number("2017-03-01".parse().unwrap()));
        // Of all that is taken away from a whole something sold in it; PostgreSQL asks of neither.
        for (from, to, dialect) in [
            ("2017-01-02", "2017-12-30", Dialect::Sqlite),
            ("2017-03-02", "2017-03-31", Dialect::Sqlite),
            ("2017-03-01", "2017-04-02", Dialect::Postgres),
        ] {
            let (text, _) = sums(from, to, dialect);
            assert!(!text.contains("NOT EXISTS"), "{text}");
        }
    }

    #[test]
    fn every_day_of_any_range_counts_once_and_no_other_day_counts() {
        let first: Date = "2015-10-28".parse().unwrap();
        for start in (0..800).step_by(7) {
            for length in [1, 2, 27, 28, 29, 31, 59, 90, 183, 364, 365, 366, 500, 1_000, 3_650] {
                let from = first + start.days();
                let range = DateRange { from, to: from + (length - 1).days() };
                let mut counted: BTreeMap<i64, i64> = BTreeMap::new();
                for leg in legs(range) {
                    let sign = if leg.from < leg.to { 1 } else { -1 };
                    let days = day_number(leg.from.min(leg.to))..day_number(leg.from.max(leg.to));
                    days.for_each(|day| *counted.entry(day).or_default() += sign);
                }
                counted.retain(|_, count| *count != 0);
                let expected = (day_number(range.from)..=day_number(range.to)).map(|day| (day, 1)).collect();
                assert_eq!(counted, expected, "{range:?}");
            }
        }
    }
}
