//! What sells better and what sells worse than before, and what happened in the meantime.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use crate::{field_error::FieldError, orders::OrderStatus, own_notes::OwnNote, period::DateRange};

/// Entries of each of the two lists.
pub const MOVERS: usize = 5;

/// Changes between two ranges. Money in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Movers {
    /// The products whose net sales rose most, and those whose fell most.
    pub risers: Vec<ProductChange>,
    pub fallers: Vec<ProductChange>,
    /// The 10 best of the range.
    pub top_products: Vec<ProductChange>,
    /// Every category, the best first.
    pub categories: Vec<CategoryChange>,
    /// Every status that an order of either range has now, by name.
    pub statuses: Vec<StatusChange>,
}

/// Orders placed in two ranges, by the status they have now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StatusChange {
    pub status: OrderStatus,
    pub orders: i64,
    pub previous_orders: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductChange {
    pub product_id: String,
    pub name: String,
    pub units: i64,
    pub previous_units: i64,
    pub net_sales: i64,
    pub previous_net_sales: i64,
}

impl ProductChange {
    pub fn change(&self) -> i64 {
        self.net_sales - self.previous_net_sales
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CategoryChange {
    pub category: String,
    pub net_sales: i64,
    pub previous_net_sales: i64,
}

/// What was changed or happened.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_kind)]
pub enum NoteKind {
    Price,
    SoldOut,
    BackInStock,
    TimeZone,
    Commission,
    /// More than three times what is usually refunded at a time.
    Refund,
}

fn refuse_kind(text: &str) -> FieldError {
    FieldError::unknown("kind", text, NoteKind::VARIANTS)
}

/// Something that explains a change, and that nobody had to write down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Note {
    pub at: Timestamp,
    pub kind: NoteKind,
    /// Of what is of a product.
    pub product_id: Option<String>,
    pub name: Option<String>,
    /// Of what is of an order.
    pub order_id: Option<String>,
    /// Prices in minor units, commission in hundredths of a percent, zones by their names; of a refund what is usual,
    /// and what it was, in minor units.
    pub was: Option<String>,
    pub became: Option<String>,
}

/// Notes of a range, and no more of them than can be read.
pub const MOST_NOTES: usize = 50;

/// Refunds among them, the largest.
pub const MOST_REFUNDS_NOTED: usize = 5;

/// What came in since somebody last looked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewSince {
    /// Orders that count.
    pub orders: i64,
    /// Orders that something was refunded of.
    pub returns: i64,
    /// Products that were sold out in the meantime.
    pub sold_out: i64,
}

/// What happened in a range, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Notes {
    /// At most 50.
    pub notes: Vec<Note>,
    /// How many there are.
    pub total: i64,
    /// What the vendor has noted down itself, the latest day first; at most 50.
    #[serde(default)]
    pub own: Vec<OwnNote>,
}

/// The two ranges that are compared: as many days of each that are over.
pub fn finished(range: DateRange, previous: DateRange, is_unfinished: bool) -> Option<(DateRange, DateRange)> {
    if !is_unfinished {
        return Some((range, previous));
    }
    let days = range.days() - 1;
    let first = |range: DateRange| {
        let to = crate::period::day_from_number(crate::period::day_number(range.from) + days - 1);
        DateRange { from: range.from, to: to.min(range.to) }
    };
    (days > 0).then(|| (first(range), first(previous)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_are_over_are_compared() {
        let range = |from: &str, to: &str| DateRange::parse(from, to).unwrap();
        let (now, before) = (range("2026-11-20", "2026-11-26"), range("2026-11-13", "2026-11-19"));
        assert_eq!(finished(now, before, false), Some((now, before)));
        let shorter = (range("2026-11-20", "2026-11-25"), range("2026-11-13", "2026-11-18"));
        assert_eq!(finished(now, before, true), Some(shorter));
        let today = range("2026-11-26", "2026-11-26");
        assert_eq!(finished(today, range("2026-11-25", "2026-11-25"), true), None);
    }
}
