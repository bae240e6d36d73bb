//! The whole marketplace's figures over one range, by currency: amounts of two currencies are never added up.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use crate::{field_error::FieldError, money::Currency, period::Interval, snapshot::Point};

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

/// How a vendor does, against the time before. Money in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VendorStanding {
    pub vendor_id: String,
    pub name: String,
    pub country: String,
    pub currency: Currency,
    pub net_sales: i64,
    pub previous_net_sales: i64,
    /// Gross sales less discounts: what `returns` are a share of.
    pub sold: i64,
    pub returns: i64,
    pub orders: i64,
    /// Of its newest order ever, counted or not; `null` without one.
    pub last_order_at: Option<Timestamp>,
    /// How many users it has; of those, when one logged in last. Never as old as the figures: 0 and `null` in what is
    /// kept of them.
    #[serde(skip)]
    pub users: i64,
    #[serde(skip)]
    pub last_login_at: Option<Timestamp>,
}

/// How vendors are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_vendor_sort)]
pub enum VendorSort {
    #[default]
    Name,
    /// The most first.
    Orders,
    /// By how much net sales rose, in percent.
    Rising,
    /// By how much they fell.
    Falling,
    /// By the share of sales that came back.
    Returns,
    /// Who has not sold for longest first.
    LastOrder,
    /// Whose users have stayed away for longest first.
    LastLogin,
}

impl VendorSort {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn refuse_vendor_sort(text: &str) -> FieldError {
    FieldError::unknown("sort", text, VendorSort::VARIANTS)
}
