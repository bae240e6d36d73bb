//! What a list of orders has to do with the figures: every figure is made of orders that a list shows, and of what came
//! back on the same days.

use serde::{Deserialize, Serialize};

use crate::{orders::OrderQuery, period::DateRange, snapshot::Narrowed};

/// What some lines of the orders of a list come to. The amount in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LineSums {
    pub units: i64,
    /// Gross less discounts.
    pub total: i64,
}

impl OrderQuery {
    /// The days and the part that the figures of a list are of. `None` where it shows other orders than any figure is
    /// made of: of no whole range, those that do not count, or what was searched for.
    pub fn figures(&self) -> Option<(DateRange, Narrowed)> {
        let range = DateRange::new(self.from?, self.to?).ok()?;
        let is_of_figures = match (self.counted, self.status) {
            (Some(true), status) => status.is_none_or(|status| status.is_counted()),
            // Orders of one status are counted where figures are narrowed to it, whichever it is.
            (None, status) => status.is_some(),
            (Some(false), _) => false,
        };
        let is_otherwise_whole = self.search.is_none() && self.refunded.is_none();
        (is_of_figures && is_otherwise_whole).then(|| {
            let narrowed =
                Narrowed { product: self.product.clone(), category: self.category.clone(), status: self.status };
            (range, narrowed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::OrderStatus;

    #[test]
    fn a_list_has_figures_where_it_shows_the_orders_they_are_made_of() {
        let day = |text: &str| text.parse().ok();
        let counted = OrderQuery {
            from: day("2026-11-01"),
            to: day("2026-11-26"),
            counted: Some(true),
            product: Some("e1".to_owned()),
            ..Default::default()
        };
        let (range, narrowed) = counted.figures().unwrap();
        assert_eq!(
            (range.to_string(), narrowed.product.as_deref()),
            ("2026-11-01 to 2026-11-26".to_owned(), Some("e1"))
        );
        let pending = OrderQuery { counted: None, status: Some(OrderStatus::Pending), ..counted.clone() };
        assert_eq!(pending.figures().unwrap().1.status, Some(OrderStatus::Pending), "as figures narrowed to it have");
        for other in [
            OrderQuery { from: None, ..counted.clone() },
            OrderQuery { counted: None, ..counted.clone() },
            OrderQuery { counted: Some(false), ..counted.clone() },
            OrderQuery { status: Some(OrderStatus::Pending), ..counted.clone() },
            OrderQuery { search: Some("Anna".to_owned()), ..counted.clone() },
            OrderQuery { refunded: Some(true), ..counted.clone() },
        ] {
            assert_eq!(other.figures(), None, "{other:?}");
        }
    }
}
