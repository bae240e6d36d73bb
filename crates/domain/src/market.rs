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

/// A vendor as it stands in the list: how it does, and who may log in for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ListedVendor {
    #[serde(flatten)]
    pub standing: VendorStanding,
    /// How many users it has.
    pub users: i64,
    /// When one of them logged in last; `null` where none ever did.
    pub last_login_at: Option<Timestamp>,
}

impl From<VendorStanding> for ListedVendor {
    fn from(standing: VendorStanding) -> Self {
        Self { users: standing.users, last_login_at: standing.last_login_at, standing }
    }
}

/// A page of vendors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VendorPage {
    /// The 28 days that figures are of, each vendor's own; `previous…` is of the 28 before.
    pub date_from: Date,
    pub date_to: Date,
    pub vendors: Vec<ListedVendor>,
    /// What `after` is to be for the page behind this one; `null` on the last.
    pub next: Option<String>,
}

/// How a list of vendors is sorted. Equals are listed by name, then id. Some have an older name too, without `_asc` and
/// `_desc`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, strum::IntoStaticStr, strum::EnumString, strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_vendor_sort)]
pub enum VendorSort {
    /// Currency by currency, the one with the most orders first: amounts of two are never compared.
    #[default]
    NetSalesDesc,
    NetSalesAsc,
    #[strum(to_string = "name_asc", serialize = "name")]
    NameAsc,
    NameDesc,
    CountryAsc,
    CountryDesc,
    /// By how net sales changed, in percent; those that sold nothing before stand last, both ways.
    #[strum(to_string = "change_desc", serialize = "rising")]
    ChangeDesc,
    #[strum(to_string = "change_asc", serialize = "falling")]
    ChangeAsc,
    #[strum(to_string = "orders_desc", serialize = "orders")]
    OrdersDesc,
    OrdersAsc,
    /// By the share of sales that came back; those without sales stand last, both ways.
    #[strum(to_string = "returns_desc", serialize = "returns")]
    ReturnsDesc,
    ReturnsAsc,
    /// Who has not sold for longest first.
    #[strum(to_string = "last_order_asc", serialize = "last_order")]
    LastOrderAsc,
    LastOrderDesc,
    /// Whose users have stayed away for longest first.
    #[strum(to_string = "last_login_asc", serialize = "last_login")]
    LastLoginAsc,
    LastLoginDesc,
    UsersDesc,
    UsersAsc,
}

impl VendorSort {
    /// For each column the way that most people mean first.
    pub const ALL: [Self; 18] = [
        Self::NetSalesDesc,
        Self::NetSalesAsc,
        Self::NameAsc,
        Self::NameDesc,
        Self::CountryAsc,
        Self::CountryDesc,
        Self::ChangeDesc,
        Self::ChangeAsc,
        Self::OrdersDesc,
        Self::OrdersAsc,
        Self::ReturnsDesc,
        Self::ReturnsAsc,
        Self::LastOrderAsc,
        Self::LastOrderDesc,
        Self::LastLoginAsc,
        Self::LastLoginDesc,
        Self::UsersDesc,
        Self::UsersAsc,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn is_descending(self) -> bool {
        self.as_str().ends_with("_desc")
    }
}

fn refuse_vendor_sort(text: &str) -> FieldError {
    FieldError::unknown("sort", text, VendorSort::VARIANTS)
}
