//! The whole marketplace's figures over one range, by currency: amounts of two currencies are never added up.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{money::Currency, period::Interval, snapshot::Point};

/// Vendors in a list of the best.
pub const TOP_VENDORS: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MarketMetrics {
    pub range: MarketRange,
    /// Vendors of the marketplace, whether they sold or not.
    pub vendors: i64,
    /// Those that sold something in the range.
    pub active_vendors: i64,
    /// Every currency that vendors sell in, the one with the most orders first.
    pub currencies: Vec<CurrencyMetrics>,
    pub computed_at: Timestamp,
}

/// Days are each vendor's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MarketRange {
    pub from: Date,
    pub to: Date,
    pub days: i64,
    /// `day`, `week` or `month`.
    pub interval: Interval,
}

/// Sums over the vendors of one currency, as their own dashboards define them. Money in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CurrencyMetrics {
    pub currency: Currency,
    pub gross_sales: i64,
    pub discounts: i64,
    pub returns: i64,
    pub net_sales: i64,
    /// What the marketplace earns.
    pub commission: i64,
    /// Vendors' orders: one that two vendors have a part in counts for each.
    pub orders: i64,
    pub units: i64,
    /// Net sales ÷ orders, rounded half away from zero; `null` with no orders.
    pub average_order_value: Option<i64>,
    pub active_vendors: i64,
    /// By net sales, then id; of those that sold or refunded something.
    pub top_vendors: Vec<VendorSales>,
    /// One point an interval, without gaps; sums to the figures above.
    pub series: Vec<Point>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VendorSales {
    pub vendor_id: String,
    pub name: String,
    pub orders: i64,
    pub net_sales: i64,
}
