use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use crate::{
    field_error::FieldError, order_figures::LineSums, position::Position, returns::RefundReason, snapshot::Totals,
};

/// Where one vendor's part of an order stands.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_order_status)]
pub enum OrderStatus {
    Pending,
    Processing,
    Shipped,
    Delivered,
    Cancelled,
    Failed,
}

impl OrderStatus {
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Processing, Self::Shipped, Self::Delivered, Self::Cancelled, Self::Failed];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether an order of this status counts as a sale: every one but pending, failed and cancelled (the default of
    /// WooCommerce Analytics).
    pub fn is_counted(self) -> bool {
        !matches!(self, Self::Pending | Self::Failed | Self::Cancelled)
    }

    /// Whether a vendor may move its part of an order from this status to `next`. Cancelled and failed are final.
    pub fn may_become(self, next: Self) -> bool {
        use OrderStatus::*;
        matches!(
            (self, next),
            (Pending, Processing | Shipped | Delivered | Cancelled | Failed)
                | (Processing, Shipped | Delivered | Cancelled)
                | (Shipped, Delivered | Cancelled)
        )
    }
}

fn refuse_order_status(text: &str) -> FieldError {
    FieldError::unknown("status", text, OrderStatus::VARIANTS)
}

impl std::fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One vendor's part of an order, as a row of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    pub order_id: String,
    pub placed_at: Timestamp,
    pub status: OrderStatus,
    pub customer_name: String,
    /// Units over this vendor's lines, before refunds.
    pub units: i64,
    /// Gross less discounts of this vendor's lines, before refunds, in minor units.
    pub total: i64,
    /// Of `total`, what was given back, in minor units.
    pub refunded_amount: i64,
    /// What is left to the vendor, in minor units: net sales less commission, as in the figures; 0 where the order does
    /// not count as a sale.
    pub payable: i64,
    /// Days of the vendor's calendar; 0 on the day it was placed.
    pub days_since_placed: i64,
}

/// One vendor's part of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub order_id: String,
    pub placed_at: Timestamp,
    pub status: OrderStatus,
    pub customer_id: String,
    pub customer_name: String,
    pub lines: Vec<OrderLine>,
    /// In the order they were made.
    #[serde(default)]
    pub refunds: Vec<OrderRefund>,
}

/// What was given back of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderRefund {
    pub line: i64,
    pub quantity: i64,
    /// Minor units.
    pub amount: i64,
    pub refunded_at: Timestamp,
    /// `null`: nobody said.
    pub reason: Option<RefundReason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    pub line: i64,
    pub product_id: String,
    pub name: String,
    pub quantity: i64,
    /// Minor units.
    pub gross: i64,
    /// Minor units.
    pub discount: i64,
    pub refunded_quantity: i64,
    /// Minor units.
    pub refunded_amount: i64,
}

impl OrderLine {
    /// Units that can still be refunded.
    pub fn units_left(&self) -> i64 {
        self.quantity - self.refunded_quantity
    }

    /// What can still be refunded, in minor units.
    pub fn amount_left(&self) -> i64 {
        self.gross - self.discount - self.refunded_amount
    }
}

/// How a list of orders is sorted. Orders with the same value are listed by their ids, ascending.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_order_sort)]
pub enum OrderSort {
    /// Newest first.
    #[default]
    PlacedDesc,
    PlacedAsc,
    /// By the order's id.
    OrderAsc,
    OrderDesc,
    /// By the customer's name without regard to case and accents.
    CustomerAsc,
    CustomerDesc,
    /// As `OrderStatus` lists them: pending first, failed last.
    StatusAsc,
    StatusDesc,
    UnitsAsc,
    UnitsDesc,
    TotalAsc,
    TotalDesc,
    /// By what was given back.
    RefundedAsc,
    RefundedDesc,
    PayableAsc,
    PayableDesc,
}

/// What orders are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderColumn {
    Placed,
    Order,
    Customer,
    Status,
    Units,
    Total,
    Refunded,
    Payable,
}

impl OrderSort {
    pub const ALL: [Self; 16] = [
        Self::PlacedDesc,
        Self::PlacedAsc,
        Self::OrderAsc,
        Self::OrderDesc,
        Self::CustomerAsc,
        Self::CustomerDesc,
        Self::StatusAsc,
        Self::StatusDesc,
        Self::UnitsDesc,
        Self::UnitsAsc,
        Self::TotalDesc,
        Self::TotalAsc,
        Self::RefundedDesc,
        Self::RefundedAsc,
        Self::PayableDesc,
        Self::PayableAsc,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn column(self) -> OrderColumn {
        match self {
            Self::PlacedDesc | Self::PlacedAsc => OrderColumn::Placed,
            Self::OrderAsc | Self::OrderDesc => OrderColumn::Order,
            Self::CustomerAsc | Self::CustomerDesc => OrderColumn::Customer,
            Self::StatusAsc | Self::StatusDesc => OrderColumn::Status,
            Self::UnitsAsc | Self::UnitsDesc => OrderColumn::Units,
            Self::TotalAsc | Self::TotalDesc => OrderColumn::Total,
            Self::RefundedAsc | Self::RefundedDesc => OrderColumn::Refunded,
            Self::PayableAsc | Self::PayableDesc => OrderColumn::Payable,
        }
    }

    pub fn is_descending(self) -> bool {
        self.as_str().ends_with("_desc")
    }

    /// Whether every order that matches has to be looked at before the first is known, however few are shown: all but
    /// by date, which an index keeps.
    pub fn reads_all(self) -> bool {
        self.column() != OrderColumn::Placed
    }
}

fn refuse_order_sort(text: &str) -> FieldError {
    FieldError::unknown("sort", text, OrderSort::VARIANTS)
}

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderQuery {
    pub status: Option<OrderStatus>,
    /// The first and the last day they were placed on, by the vendor's calendar.
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// An order's id, or a part of its customer's name in any case, with or without accents.
    pub search: Option<String>,
    /// Those that something was given back of, or those that nothing was.
    pub refunded: Option<bool>,
    /// Those that count as sales, as the figures have them, or those that do not.
    pub counted: Option<bool>,
    /// Those with a line of this product, by the marketplace's id.
    pub product: Option<String>,
    /// Those with a line of a product that is in this category now.
    pub category: Option<String>,
    pub sort: OrderSort,
    /// Where the page before ended.
    pub after: Option<Position>,
}

/// What the orders of a list come to, on all of its pages. Amounts in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderSums {
    pub orders: i64,
    pub units: i64,
    pub total: i64,
    pub refunded_amount: i64,
    pub payable: i64,
}

impl<'a> FromIterator<&'a OrderSummary> for OrderSums {
    fn from_iter<I: IntoIterator<Item = &'a OrderSummary>>(orders: I) -> Self {
        orders.into_iter().fold(Self::default(), |sums, order| Self {
            orders: sums.orders + 1,
            units: sums.units + order.units,
            total: sums.total + order.total,
            refunded_amount: sums.refunded_amount + order.refunded_amount,
            payable: sums.payable + order.payable,
        })
    }
}

/// The most orders that are summed up for a list, or sorted by anything but their date.
pub const MOST_SUMMED: i64 = 5_000;

/// One page of a vendor's orders, newest first unless asked for otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPage {
    pub orders: Vec<OrderSummary>,
    /// `null` where more than 5,000 orders match.
    pub sums: Option<OrderSums>,
    /// Of `sums`, what the lines of the product or the category that was asked for come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineSums>,
    /// What the figures have for the days, product, category and status that was asked for: only where both days are
    /// given, orders that count or those of one status are listed, and they are narrowed by nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Totals>,
    /// Give it back as `after` to read on; `null` on the last page.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_from_its_name_and_others_do_not() {
        for status in OrderStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("Shipped".parse::<OrderStatus>().is_err());
    }

    #[test]
    fn every_column_is_sorted_by_both_ways() {
        let sorts = OrderSort::VARIANTS.iter().map(|name| name.parse::<OrderSort>().expect("a name"));
        assert!(sorts.clone().all(|sort| OrderSort::ALL.contains(&sort)));
        let (down, up): (Vec<_>, Vec<_>) = sorts.partition(|sort| sort.is_descending());
        let columns = |sorts: Vec<OrderSort>| sorts.into_iter().map(OrderSort::column).collect::<Vec<_>>();
        assert_eq!(columns(down), columns(up));
        assert_eq!(OrderSort::default().as_str(), "placed_desc");
    }

    #[test]
    fn pending_failed_and_cancelled_orders_do_not_count() {
        let uncounted: Vec<_> = OrderStatus::ALL.into_iter().filter(|s| !s.is_counted()).collect();
        assert_eq!(uncounted, [OrderStatus::Pending, OrderStatus::Cancelled, OrderStatus::Failed]);
    }
}
