//! The analytics snapshot: one vendor's business over one range. Definitions of the figures are those of WooCommerce
//! Analytics and Shopify; `docs/figures.md` states each with its source.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    money::{Currency, divide_rounded},
    orders::OrderStatus,
    period::{Comparison, Interval},
};

/// Entries of the top lists.
pub const TOP: usize = 10;
/// Entries of the low-stock list: the products that run out first. The whole list is a listing of its own
/// (`ProductQuery::low_stock`).
pub const LOW_STOCK_SHOWN: usize = 10;
/// The days that the average daily units of `days_of_cover` are taken over, today among them.
pub const COVER_DAYS: i64 = 28;
/// What sells out within so many days is low, however much of it is there: a week, in which most suppliers deliver.
pub const SHORT_COVER_DAYS: i64 = 7;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub vendor_id: String,
    pub vendor_name: String,
    pub currency: Currency,
    /// IANA name; every day in here is a day of this zone.
    pub time_zone: String,
    pub range: RangeShown,
    pub comparison: Option<ComparisonShown>,
    pub totals: Totals,
    pub previous_totals: Option<Totals>,
    /// One point an interval, without gaps; sums to `totals`.
    pub series: Vec<Point>,
    /// The comparison's points: the first beside the first of `series`, and so on. Months differ in length.
    pub previous_series: Option<Vec<Point>>,
    /// Every status, counted as a sale or not.
    pub orders_by_status: Vec<StatusOrders>,
    pub top_products: Vec<ProductSales>,
    pub top_categories: Vec<CategorySales>,
    /// The most urgent: least cover first, then by id; what does not sell comes last.
    pub low_stock: Vec<LowStock>,
    /// How many products are low in all.
    pub low_stock_total: i64,
    pub computed_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RangeShown {
    pub from: Date,
    pub to: Date,
    pub days: i64,
    pub interval: Interval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ComparisonShown {
    pub kind: Comparison,
    pub from: Date,
    pub to: Date,
    pub days: i64,
}

/// Sums over a range. Money in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Unit price × quantity, before discounts and returns.
    pub gross_sales: i64,
    pub discounts: i64,
    /// Refunded value, on the refund's day.
    pub returns: i64,
    /// Gross − discounts − returns.
    pub net_sales: i64,
    /// As stored on each line when it was sold, less its reversal on refunds.
    pub commission: i64,
    /// Net sales − commission; 0 of orders that do not count as sales, and so are not paid.
    pub payable: i64,
    /// Counted orders placed in the range with a line of this vendor.
    pub orders: i64,
    /// Sold less refunded.
    pub units: i64,
    /// Net sales ÷ orders, rounded half away from zero; `null` with no orders.
    pub average_order_value: Option<i64>,
    /// Distinct, with a counted order in the range.
    pub customers: i64,
    /// Of `customers`, those whose first counted order ever with this vendor falls in the range.
    pub new_customers: i64,
    pub returning_customers: i64,
}

/// The part of what a vendor sells that figures are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Narrowed {
    /// The marketplace's id of a product.
    pub product: Option<String>,
    /// A category, by the products that are in it now.
    pub category: Option<String>,
    /// Where orders stand now. Orders of a status that counts in no figure are counted here.
    pub status: Option<OrderStatus>,
}

impl Narrowed {
    /// Whether it leaves nothing out.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is of orders that count as sales, and so are paid.
    pub fn is_paid(&self) -> bool {
        self.status.is_none_or(OrderStatus::is_counted)
    }
}

/// What adds up: the figures of one day, hour or range, before anything is derived from them. Money in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub gross_sales: i64,
    pub discounts: i64,
    pub returns: i64,
    pub commission: i64,
    pub orders: i64,
    pub units: i64,
    pub new_customers: i64,
}

impl Sums {
    pub fn net_sales(&self) -> i64 {
        self.gross_sales - self.discounts - self.returns
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.gross_sales += other.gross_sales;
        self.discounts += other.discounts;
        self.returns += other.returns;
        self.commission += other.commission;
        self.orders += other.orders;
        self.units += other.units;
        self.new_customers += other.new_customers;
    }
}

impl Totals {
    /// `customers`: distinct ones over the whole range, which no sum of days gives.
    pub fn new(sums: Sums, customers: i64) -> Self {
        let net_sales = sums.net_sales();
        Self {
            gross_sales: sums.gross_sales,
            discounts: sums.discounts,
            returns: sums.returns,
            net_sales,
            commission: sums.commission,
            payable: net_sales - sums.commission,
            orders: sums.orders,
            units: sums.units,
            average_order_value: divide_rounded(net_sales, sums.orders),
            customers,
            new_customers: sums.new_customers,
            returning_customers: customers - sums.new_customers,
        }
    }

    /// The same of orders that do not count as sales: nothing of them is paid, and no commission is taken.
    #[must_use]
    pub fn unpaid(self) -> Self {
        Self { commission: 0, payable: 0, ..self }
    }

    /// Whether all that is left of net sales after the commission is paid.
    pub fn is_paid(&self) -> bool {
        self.payable == self.net_sales - self.commission
    }
}

impl Snapshot {
    /// Makes it one of orders that do not count as sales.
    pub fn make_unpaid(&mut self) {
        self.totals = self.totals.unpaid();
        self.previous_totals = self.previous_totals.map(Totals::unpaid);
        let points = self.series.iter_mut().chain(self.previous_series.iter_mut().flatten());
        points.for_each(|point| point.payable = 0);
    }
}

/// One interval of a series. Money in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// First day of the interval (`YYYY-MM-DD`); for hours, the instant it begins (RFC 3339, UTC).
    pub start: String,
    pub gross_sales: i64,
    pub discounts: i64,
    pub returns: i64,
    pub net_sales: i64,
    /// Net sales less commission; 0 of orders that do not count as sales.
    pub payable: i64,
    pub orders: i64,
    pub units: i64,
    /// Distinct ones with a counted order in the interval; they do not add up. Left out by hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers: Option<i64>,
}

impl Point {
    pub fn new(start: String, sums: Sums) -> Self {
        Self {
            start,
            gross_sales: sums.gross_sales,
            discounts: sums.discounts,
            returns: sums.returns,
            net_sales: sums.net_sales(),
            payable: sums.net_sales() - sums.commission,
            orders: sums.orders,
            units: sums.units,
            customers: None,
        }
    }
}

/// Customers of a range whose last day counts up to an hour, and of that part of its last day alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CustomersUntil {
    pub customers: i64,
    pub of_last_day: i64,
    /// Of `of_last_day`, those whose first counted order ever was on that day.
    pub new_on_last_day: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StatusOrders {
    pub status: OrderStatus,
    pub orders: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductSales {
    pub product_id: String,
    pub name: String,
    pub units: i64,
    pub net_sales: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CategorySales {
    pub category: String,
    pub units: i64,
    pub net_sales: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LowStock {
    pub product_id: String,
    pub name: String,
    pub stock: i64,
    pub threshold: i64,
    /// Stock ÷ average daily units of the last 28 days, to one decimal; `null` when nothing sold in them.
    pub days_of_cover: Option<f64>,
}

/// How many days a stock lasts where so many units sold in `COVER_DAYS`, to one decimal; `None` where none did.
pub fn days_of_cover(stock: i64, sold: i64) -> Option<f64> {
    let tenths = divide_rounded(stock.checked_mul(10 * COVER_DAYS)?, sold.max(0))?;
    Some(tenths as f64 / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_lasts_as_long_as_what_sold_lately_lets_it() {
        assert_eq!(days_of_cover(3, 56), Some(1.5));
        assert_eq!([days_of_cover(7, 0), days_of_cover(7, -1)], [None, None]);
        assert_eq!(days_of_cover(0, 5), Some(0.0));
    }

    #[test]
    fn net_sales_payable_and_the_average_are_derived_from_the_sums() {
        let sums = Sums {
            gross_sales: 1_000,
            discounts: 100,
            returns: 50,
            commission: 85,
            orders: 4,
            units: 7,
            new_customers: 1,
        };
        let totals = Totals::new(sums, 3);
        assert_eq!((totals.net_sales, totals.payable, totals.average_order_value), (850, 765, Some(213)));
        assert_eq!((totals.customers, totals.returning_customers), (3, 2));
        assert_eq!(Totals::default().average_order_value, None);
    }
}
