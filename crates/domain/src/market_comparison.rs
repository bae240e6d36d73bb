//! The whole marketplace against the time before, by currency: amounts of two currencies are never added up.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::{Currency, permille};

/// Vendors in each list of those that stand out.
pub const LISTED: usize = 5;
/// The fewest orders, now and before, whose rate of returns says something.
pub const FEWEST_ORDERS: i64 = 10;
/// By how much such a rate has risen at least where it is listed, in tenths of a percentage point.
pub const LEAST_RISE: i64 = 10;

/// A range beside the one it is compared with. Where the range is not over everywhere, each vendor's comparison counts
/// up to the same hour by its own clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MarketComparison {
    /// First and last day of what the range is compared with.
    pub from: Date,
    pub to: Date,
    /// Whether the range is not over for some vendor.
    pub is_unfinished: bool,
    /// By their codes.
    pub currencies: Vec<CurrencyComparison>,
    /// Vendors without a counted order in the range, of all currencies, those with the most orders before first; at
    /// most 5.
    pub silent: Vec<VendorChange>,
    /// How many there are.
    pub silent_total: i64,
    /// Vendors of whose sales a larger part came back than before, the largest rise first; at most 5.
    pub returning: Vec<VendorReturns>,
    /// How many there are.
    pub returning_total: i64,
}

/// Money in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CurrencyComparison {
    pub currency: Currency,
    pub net_sales: i64,
    pub previous_net_sales: i64,
    /// Net sales of one day, hour by hour of each vendor's clock, as far as they have begun for any; empty for more
    /// days.
    pub hours: Vec<i64>,
    /// What stands beside the points of the range; beside its 24 hours where it is one day.
    pub previous: Vec<PreviousPoint>,
    /// By net sales, then id; of those that sold or refunded something; at most 10.
    pub top_vendors: Vec<VendorChange>,
    /// By how much their net sales moved; at most 5 each.
    pub risers: Vec<VendorChange>,
    pub fallers: Vec<VendorChange>,
}

/// Net sales in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PreviousPoint {
    /// Up to the hours that count.
    pub net_sales: i64,
    /// With those after them.
    pub whole: i64,
}

/// A vendor's sales now and before. Money in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VendorChange {
    pub vendor_id: String,
    pub name: String,
    pub currency: Currency,
    pub orders: i64,
    pub previous_orders: i64,
    pub net_sales: i64,
    pub previous_net_sales: i64,
}

impl VendorChange {
    pub fn change(&self) -> i64 {
        self.net_sales - self.previous_net_sales
    }
}

/// Which part of what a vendor sold came back, in tenths of a percent, now and before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VendorReturns {
    pub vendor_id: String,
    pub name: String,
    pub rate: i64,
    pub previous_rate: i64,
}

impl VendorReturns {
    /// In tenths of a percentage point.
    pub fn rise(&self) -> i64 {
        self.rate - self.previous_rate
    }
}

/// One vendor's sums of a range, or of as much of one as counts. Money in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VendorFigures {
    /// Gross sales less discounts: what `returns` are a part of.
    pub sold: i64,
    pub returns: i64,
    pub orders: i64,
}

impl VendorFigures {
    pub fn net_sales(&self) -> i64 {
        self.sold - self.returns
    }

    /// In tenths of a percent; `None` of nothing, and of too few orders to tell.
    pub fn return_rate(&self) -> Option<i64> {
        permille(self.returns, self.sold).filter(|_| self.orders >= FEWEST_ORDERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_one_that_came_back_is_no_news() {
        let figures = |sold, returns, orders| VendorFigures { sold, returns, orders };
        assert_eq!(figures(1_000, 1_000, 1).return_rate(), None);
        assert_eq!(figures(1_000, 125, 10).return_rate(), Some(125));
        assert_eq!(figures(0, 125, 10).return_rate(), None, "there is nothing to be a part of");
    }
}
