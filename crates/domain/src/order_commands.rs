//! What vendors write about orders: new ones and changes. What is accepted, and what it comes to.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::{
    allocation::share,
    catalog::{MAX_CATEGORY, MAX_NAME},
    clock::deserialize_optional_instant,
    field_error::{Checks, FieldError},
    money::MAX_AMOUNT,
    orders::OrderStatus,
};

/// An order as its vendor notes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOrder {
    pub customer: Buyer,
    /// 1 to 100 lines, numbered from 1 as they come.
    pub lines: Vec<NewLine>,
    /// On the order as a whole, after the lines' own discounts; shared out over the lines. Minor units.
    #[serde(default)]
    pub discount: i64,
    #[serde(default = "processing")]
    pub status: OrderStatus,
    /// Now, if it is left out. Earlier is accepted, later is not.
    #[serde(default, deserialize_with = "deserialize_optional_instant")]
    pub placed_at: Option<Timestamp>,
}

/// Who ordered: `customerId` of someone who has ordered from this vendor before, or `name` and `country` of someone
/// new.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Buyer {
    #[serde(default)]
    pub customer_id: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub country: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLine {
    pub product_id: String,
    pub quantity: i64,
    /// Minor units; the product's, if it is left out.
    #[serde(default)]
    pub unit_price: Option<i64>,
    /// On the line as a whole, in minor units.
    #[serde(default)]
    pub discount: i64,
}

fn processing() -> OrderStatus {
    OrderStatus::Processing
}

/// The most lines of one order.
pub const MAX_LINES: usize = 100;
/// The most units on one line.
pub const MAX_QUANTITY: i64 = 1_000_000_000;
/// How far a vendor's clock may be ahead of this one.
const CLOCK_TOLERANCE_MINUTES: i64 = 5;
/// The first instant accepted: no vendor's local day is before 1970 then.
const FIRST_INSTANT_S: i64 = 86_400;

/// Amounts of a line, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricedLine {
    pub gross: i64,
    /// The line's own, and its share of the order's.
    pub discount: i64,
}

impl NewOrder {
    /// Refuses what no product and no customer could make right; its texts come out in the form they are kept in.
    pub fn checked(mut self, now: Timestamp) -> Result<Self, Vec<FieldError>> {
        let mut checks = Checks::default();
        self.customer.check(&mut checks);
        checks.require((1..=MAX_LINES).contains(&self.lines.len()), "lines", || {
            format!("must be 1 to {MAX_LINES} lines")
        });
        for (at, line) in self.lines.iter().enumerate().take(MAX_LINES) {
            check_quantity(&mut checks, &format!("lines[{at}].quantity"), line.quantity, 1);
            check_amount(&mut checks, &format!("lines[{at}].discount"), Some(line.discount), 0);
            check_amount(&mut checks, &format!("lines[{at}].unitPrice"), line.unit_price, 0);
            let twin = self.lines[..at]
                .iter()
                .position(|other| other.product_id == line.product_id && other.unit_price == line.unit_price);
            if let Some(twin) = twin {
                checks.require(false, &format!("lines[{at}].productId"), || {
                    format!("is on lines[{twin}] at the same price: add the two up")
                });
            }
        }
        check_amount(&mut checks, "discount", Some(self.discount), 0);
        check_instant(&mut checks, "placedAt", self.placed_at, now);
        checks.finish().map(|()| self)
    }

    /// What each line comes to at `unit_prices`, one for each line in order.
    pub fn price(&self, unit_prices: &[i64]) -> Result<Vec<PricedLine>, Vec<FieldError>> {
        let mut checks = Checks::default();
        let mut lines = Vec::with_capacity(self.lines.len());
        for ((at, line), unit_price) in self.lines.iter().enumerate().zip(unit_prices) {
            let gross = line.quantity.saturating_mul(*unit_price);
            checks.require(gross <= MAX_AMOUNT, &format!("lines[{at}].quantity"), || {
                format!("comes to more than {MAX_AMOUNT} minor units, the most that one line may")
            });
            checks.require(line.discount <= gross, &format!("lines[{at}].discount"), || {
                format!("is more than the line's gross, {gross} minor units")
            });
            lines.push(PricedLine { gross, discount: line.discount });
        }
        checks.finish()?;
        apply_discount(self.discount, &mut lines).map_err(|invalid| vec![invalid])?;
        Ok(lines)
    }
}

/// Shares a discount on the whole order out over its lines.
pub fn apply_discount(discount: i64, lines: &mut [PricedLine]) -> Result<(), FieldError> {
    let nets: Vec<i64> = lines.iter().map(|line| line.gross - line.discount).collect();
    let net: i64 = nets.iter().sum();
    if discount > net {
        return Err(FieldError::new("discount", format!("is more than the lines come to, {net} minor units")));
    }
    lines.iter_mut().zip(share(discount, &nets)).for_each(|(line, share)| line.discount += share);
    Ok(())
}

impl Buyer {
    fn check(&mut self, checks: &mut Checks) {
        match (&self.customer_id, &mut self.name, &mut self.country) {
            (Some(_), None, None) => {}
            (None, Some(name), Some(country)) => {
                checks.line("customer.name", name, MAX_NAME);
                checks.line("customer.country", country, MAX_CATEGORY);
            }
            _ => checks.require(false, "customer", || {
                "must hold customerId (of someone who has ordered from you before), or name and country of someone \
                 new"
                .to_owned()
            }),
        }
    }
}

/// A change to one vendor's part of an order: what is left out stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderChange {
    #[serde(default, deserialize_with = "crate::catalog::given")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub status: Option<OrderStatus>,
    /// When it was placed, if that was noted wrongly. Earlier is accepted, later than now is not.
    #[serde(default, deserialize_with = "deserialize_optional_instant")]
    pub placed_at: Option<Timestamp>,
}

impl OrderChange {
    pub fn check(&self, now: Timestamp) -> Result<(), Vec<FieldError>> {
        let mut checks = Checks::default();
        checks.require(*self != Self::default(), "status", || {
            "is missing: at least one of status, placedAt is required".to_owned()
        });
        check_instant(&mut checks, "placedAt", self.placed_at, now);
        checks.finish()
    }
}

pub(crate) fn check_quantity(checks: &mut Checks, field: &str, quantity: i64, least: i64) {
    checks.require((least..=MAX_QUANTITY).contains(&quantity), field, || format!("must be {least} to {MAX_QUANTITY}"));
}

pub(crate) fn check_amount(checks: &mut Checks, field: &str, amount: Option<i64>, least: i64) {
    let accepted = amount.is_none_or(|amount| (least..=MAX_AMOUNT).contains(&amount));
    checks.require(accepted, field, || format!("must be {least} to {MAX_AMOUNT} minor units"));
}

pub(crate) fn check_instant(checks: &mut Checks, field: &str, instant: Option<Timestamp>, now: Timestamp) {
    let latest = now.saturating_add(CLOCK_TOLERANCE_MINUTES.minutes()).unwrap_or(now);
    let accepted = instant.is_none_or(|instant| instant.as_second() >= FIRST_INSTANT_S && instant <= latest);
    checks.require(accepted, field, || "must be from 1970-01-02 to now".to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orders_discount_is_shared_in_proportion_to_what_its_lines_come_to() {
        let order = NewOrder {
            customer: Buyer::default(),
            lines: [(2, 0), (1, 100)]
                .map(|(quantity, discount)| NewLine { product_id: String::new(), quantity, unit_price: None, discount })
                .into(),
            discount: 100,
            status: OrderStatus::Processing,
            placed_at: None,
        };
        let priced = order.price(&[100, 200]).unwrap();
        assert_eq!(priced, [PricedLine { gross: 200, discount: 67 }, PricedLine { gross: 200, discount: 133 }]);
        assert_eq!(order.price(&[10, 100]).unwrap_err()[0].field, "discount");
        assert_eq!(order.price(&[MAX_AMOUNT, 200]).unwrap_err()[0].field, "lines[0].quantity");
    }
}
