//! The comparison where the last day of the range is not over: its own last day counts up to the same hour.

use jiff::Timestamp;

use crate::domain::{
    period::Interval,
    snapshot::{CustomersUntil, Point, Snapshot, Sums, Totals},
};

/// A point before something was taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholePoint {
    sums: Sums,
    customers: Option<i64>,
}

impl WholePoint {
    fn of(point: &Point) -> Self {
        Self { sums: sums(point), customers: point.customers }
    }

    /// It has its figures, and nobody asks for its days.
    pub fn point(self) -> Point {
        Point { customers: self.customers, ..Point::new(String::new(), self.sums) }
    }
}

/// Takes from the comparison those who came on its last day after the hour that counts and not earlier; `new` is how
/// many were new on all of that day.
pub fn cut_customers(snapshot: &mut Snapshot, new: i64, until: &CustomersUntil) {
    if let Some(totals) = &mut snapshot.previous_totals {
        totals.customers = until.customers;
        totals.new_customers += until.new_on_last_day - new;
        totals.returning_customers = totals.customers - totals.new_customers;
    }
    let is_daily = snapshot.range.interval == Interval::Day;
    if let Some(last) = snapshot.previous_series.as_mut().and_then(|series| series.last_mut()) {
        // Of a week or a month that ends within a day, nobody has counted them.
        last.customers = is_daily.then_some(until.of_last_day);
    }
}

/// The last point of the comparison, which is going to be cut; hours are not.
pub fn last_whole(snapshot: &Snapshot) -> Option<WholePoint> {
    let is_hourly = snapshot.range.interval == Interval::Hour;
    snapshot.previous_series.as_ref().filter(|_| !is_hourly).and_then(|series| series.last()).map(WholePoint::of)
}

/// Takes from the comparison what its last day, `day` by hours, had after the hours that count: so two periods of the
/// same length stand side by side, the later of which is not over. Customers are cut apart
/// (`cut_customers`).
pub fn cut_comparison(snapshot: &mut Snapshot, day: &Snapshot, counts: impl Fn(Timestamp) -> bool) {
    let mut late = Sums::default();
    for point in &day.series {
        if point.start.parse().is_ok_and(|at| !counts(at)) {
            late += sums(point);
        }
    }
    if let Some(totals) = &mut snapshot.previous_totals {
        let cut = Sums {
            gross_sales: totals.gross_sales - late.gross_sales,
            discounts: totals.discounts - late.discounts,
            returns: totals.returns - late.returns,
            commission: totals.commission - late.commission,
            orders: totals.orders - late.orders,
            units: totals.units - late.units,
            new_customers: totals.new_customers,
        };
        *totals = Totals::new(cut, totals.customers);
    }
    let is_hourly = snapshot.range.interval == Interval::Hour;
    if let Some(last) = snapshot.previous_series.as_mut().filter(|_| !is_hourly).and_then(|series| series.last_mut()) {
        last.gross_sales -= late.gross_sales;
        last.discounts -= late.discounts;
        last.returns -= late.returns;
        last.net_sales -= late.net_sales();
        last.payable -= late.net_sales() - late.commission;
        last.orders -= late.orders;
        last.units -= late.units;
    }
}

fn sums(point: &Point) -> Sums {
    Sums {
        gross_sales: point.gross_sales,
        discounts: point.discounts,
        returns: point.returns,
        commission: point.net_sales - point.payable,
        orders: point.orders,
        units: point.units,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        money::Currency,
        period::Comparison,
        snapshot::{ComparisonShown, RangeShown},
    };

    fn snapshot(interval: Interval, series: Vec<Point>, previous: Option<Vec<Point>>, totals: Totals) -> Snapshot {
        let (from, to) = ("2026-11-26".parse().unwrap(), "2026-11-26".parse().unwrap());
        Snapshot {
            vendor_id: "1".to_owned(),
            vendor_name: "Verde".to_owned(),
            currency: Currency::parse("EUR").unwrap(),
            time_zone: "UTC".to_owned(),
            range: RangeShown { from, to, days: 1, interval },
            comparison: Some(ComparisonShown { kind: Comparison::PreviousPeriod, from, to, days: 1 }),
            totals: Totals::default(),
            previous_totals: Some(totals),
            series,
            previous_series: previous,
            orders_by_status: Vec::new(),
            top_products: Vec::new(),
            top_categories: Vec::new(),
            low_stock: Vec::new(),
            low_stock_total: 0,
            computed_at: "2026-11-26T09:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_last_day_of_the_comparison_counts_up_to_the_hour_that_it_is() {
        let hour = |hour: i8, gross_sales, commission, orders| {
            Point::new(
                format!("2026-11-25T{hour:02}:00:00Z"),
                Sums { gross_sales, commission, orders, units: orders, ..Default::default() },
            )
        };
        let of_day = Sums { gross_sales: 1_000, commission: 100, orders: 4, units: 4, ..Default::default() };
        // Not everything is sold at one commission.
        let hours = vec![hour(8, 250, 5, 1), hour(9, 250, 35, 1), hour(20, 500, 60, 2)];
        let mut day = snapshot(Interval::Hour, hours, None, Totals::default());
        day.totals = Totals::new(of_day, 4);
        let whole = Sums { gross_sales: 9_000, commission: 900, orders: 36, units: 36, ..Default::default() };
        let last = Point::new("2026-11-25".to_owned(), of_day);
        let mut shown = snapshot(Interval::Day, Vec::new(), Some(vec![last]), Totals::new(whole, 30));
        cut_comparison(&mut shown, &day, |at| at < "2026-11-25T09:00:00Z".parse().unwrap());
        let before = shown.previous_totals.unwrap();
        assert_eq!((before.net_sales, before.orders, before.commission, before.payable), (8_250, 33, 805, 7_445));
        let last = &shown.previous_series.unwrap()[0];
        assert_eq!((last.net_sales, last.payable, last.orders), (250, 245, 1), "its point too");
    }

    #[test]
    fn who_came_later_on_the_last_day_of_the_comparison_is_not_counted() {
        let sums = Sums { new_customers: 10, ..Default::default() };
        let last = Point { customers: Some(4), ..Point::new("2026-11-25".to_owned(), sums) };
        let mut shown = snapshot(Interval::Day, Vec::new(), Some(vec![last]), Totals::new(sums, 30));
        let until = CustomersUntil { customers: 28, of_last_day: 1, new_on_last_day: 1 };
        cut_customers(&mut shown, 3, &until);
        let before = shown.previous_totals.unwrap();
        assert_eq!((before.customers, before.new_customers, before.returning_customers), (28, 8, 20));
        assert_eq!(shown.previous_series.unwrap()[0].customers, Some(1));
    }
}
