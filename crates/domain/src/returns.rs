//! What comes back, and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use crate::{
    field_error::FieldError,
    period::DateRange,
    position::Position,
    snapshot::{ComparisonShown, RangeShown},
};

/// Why something came back.
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
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_reason)]
pub enum RefundReason {
    Damaged,
    NotAsDescribed,
    WrongItem,
    Unwanted,
    Late,
    Other,
}

impl RefundReason {
    pub const ALL: [Self; 6] =
        [Self::Damaged, Self::NotAsDescribed, Self::WrongItem, Self::Unwanted, Self::Late, Self::Other];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// As `parse`, where an empty text means that nobody said.
    pub fn parse_optional(text: &str) -> Result<Option<Self>, FieldError> {
        Some(text.trim()).filter(|text| !text.is_empty()).map(str::parse).transpose()
    }
}

fn refuse_reason(text: &str) -> FieldError {
    FieldError::unknown("reason", text, RefundReason::VARIANTS)
}

/// How long a refund that its vendor has made can be undone, in seconds: long enough to see what one has done, and too
/// short for anybody to have acted on it.
pub const UNDO_SECONDS: i64 = 60;

/// Whether a refund of this instant can still be undone.
pub fn is_undoable(refunded_at: Timestamp, now: Timestamp) -> bool {
    (-1..=UNDO_SECONDS).contains(&(now.as_second() - refunded_at.as_second()))
}

/// Products in a list of what comes back.
pub const MOST_PRODUCTS: usize = 100;

/// What came back in a range, on the days it was refunded, of orders that count: its amounts come to the snapshot's
/// `returns`. Money in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Returns {
    pub range: RangeShown,
    pub comparison: Option<ComparisonShown>,
    pub totals: ReturnTotals,
    pub previous_totals: Option<ReturnTotals>,
    /// The 100 with the highest amount, then by id.
    pub products: Vec<ProductReturns>,
    /// How many products something came back of, in all.
    pub products_total: i64,
    /// The highest amount first.
    pub reasons: Vec<ReasonReturns>,
    pub computed_at: Timestamp,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReturnTotals {
    pub amount: i64,
    pub units: i64,
    /// Sold in the range, before what came back: what `units` are a share of.
    pub units_sold: i64,
    /// Orders that something was refunded of in the range.
    pub orders: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductReturns {
    pub product_id: String,
    pub name: String,
    pub amount: i64,
    pub units: i64,
    /// Sold in the range, before what came back.
    pub units_sold: i64,
    /// Of the comparison; `null` without one.
    pub previous_amount: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReasonReturns {
    /// `null`: nobody said.
    pub reason: Option<RefundReason>,
    pub amount: i64,
    pub units: i64,
    /// Refunded lines.
    pub refunds: i64,
    /// Of the comparison; `null` without one.
    pub previous_amount: Option<i64>,
}

/// One line that was refunded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Refunded {
    pub order_id: String,
    pub line: i64,
    pub product_id: String,
    pub name: String,
    pub units: i64,
    pub amount: i64,
    pub refunded_at: Timestamp,
    pub reason: Option<RefundReason>,
}

/// Which refunds to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundedQuery {
    /// The days they were made on.
    pub range: DateRange,
    /// Any if left out; `Some(None)` are those for which nobody said why.
    pub reason: Option<Option<RefundReason>>,
    /// Of this product, by the marketplace's id.
    pub product: Option<String>,
    /// Where the page before ended.
    pub after: Option<Position>,
}

/// In an address: refunds for which nobody said why.
pub const NO_REASON: &str = "none";

/// One page of what was refunded, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefundedPage {
    pub refunds: Vec<Refunded>,
    /// Give it back as `after` to read on; `null` on the last page.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_and_nothing_means_that_nobody_said() {
        for reason in RefundReason::ALL {
            assert_eq!(RefundReason::parse_optional(reason.as_str()), Ok(Some(reason)));
        }
        assert_eq!(RefundReason::parse_optional(" "), Ok(None));
        assert_eq!(RefundReason::parse_optional("ugly").unwrap_err().field, "reason");
    }
}
