//! Refunds as vendors write them: what is accepted, and what is given back of which line.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    allocation::{proportion, share},
    clock::deserialize_optional_instant,
    field_error::{Checks, FieldError},
    order_commands::{MAX_LINES, check_amount, check_instant, check_quantity},
    orders::OrderLine,
    returns::RefundReason,
};

/// Money and goods given back: of `lines`, or an `amount` on the order as a whole, which is shared out over what is
/// left of its lines and takes no units back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRefund {
    #[serde(default)]
    pub lines: Option<Vec<LineRefund>>,
    /// Minor units.
    #[serde(default)]
    pub amount: Option<i64>,
    /// Whether the units go back into stock, where their line does not say otherwise.
    #[serde(default = "yes")]
    pub restock: bool,
    /// Now, if it is left out. Not before the order was placed, and not later than now.
    #[serde(default, deserialize_with = "deserialize_optional_instant")]
    pub refunded_at: Option<Timestamp>,
    /// Why; left out where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RefundReason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineRefund {
    pub line: i64,
    /// Units that come back; 0 where only money does.
    pub quantity: i64,
    /// Minor units; what the units were sold for, if it is left out.
    #[serde(default)]
    pub amount: Option<i64>,
    /// Whether the units of this line go back into stock; what the refund says, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restock: Option<bool>,
}

fn yes() -> bool {
    true
}

/// What a refund gives back of one line. The amount is in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundedLine {
    pub line: i64,
    pub quantity: i64,
    /// Of these units, how many go back into stock.
    pub restocked: i64,
    pub amount: i64,
}

impl NewRefund {
    /// Refuses what no order could make right.
    pub fn check(&self, now: Timestamp) -> Result<(), Vec<FieldError>> {
        let mut checks = Checks::default();
        match (&self.lines, self.amount) {
            (Some(lines), None) => {
                checks.require((1..=MAX_LINES).contains(&lines.len()), "lines", || {
                    format!("must be 1 to {MAX_LINES} lines")
                });
                for (at, line) in lines.iter().enumerate().take(MAX_LINES) {
                    line.check(&mut checks, &format!("lines[{at}]"));
                    if let Some(twin) = lines[..at].iter().position(|other| other.line == line.line) {
                        checks.require(false, &format!("lines[{at}].line"), || {
                            format!("is named by lines[{twin}] already")
                        });
                    }
                }
            }
            (None, Some(amount)) => check_amount(&mut checks, "amount", Some(amount), 1),
            _ => checks.require(false, "lines", || "either lines or amount is required, and not both".to_owned()),
        }
        check_instant(&mut checks, "refundedAt", self.refunded_at, now);
        checks.finish()
    }

    /// What it gives back of each of `lines`, which are all that the vendor has of the order. Never more than is left
    /// of a line.
    pub fn plan(&self, lines: &[OrderLine]) -> Result<Vec<RefundedLine>, Vec<FieldError>> {
        let Some(wanted) = &self.lines else {
            return allocate(self.amount.unwrap_or_default(), lines).map_err(|invalid| vec![invalid]);
        };
        let mut checks = Checks::default();
        let planned = wanted.iter().enumerate().filter_map(|(at, wanted)| {
            let Some(line) = lines.iter().find(|line| line.line == wanted.line) else {
                checks.require(false, &format!("lines[{at}].line"), || {
                    format!("the order has no line {} of yours", wanted.line)
                });
                return None;
            };
            let (units_left, left) = (line.units_left(), line.amount_left());
            checks.require(wanted.quantity <= units_left, &format!("lines[{at}].quantity"), || {
                format!("is more than is left of line {}: {units_left} of {} units", line.line, line.quantity)
            });
            // The last units take what is left, so that the parts of a line come to the line.
            let worth = match wanted.quantity {
                all if all == units_left => left,
                some => proportion(line.gross - line.discount, some.min(line.quantity), line.quantity).min(left),
            };
            let amount = wanted.amount.unwrap_or(worth);
            checks.require(amount <= left, &format!("lines[{at}].amount"), || {
                format!("is more than is left of line {}: {left} minor units", line.line)
            });
            let restocked = if wanted.restock.unwrap_or(self.restock) { wanted.quantity } else { 0 };
            Some(RefundedLine { line: line.line, quantity: wanted.quantity, restocked, amount })
        });
        let planned: Vec<_> = planned.collect();
        checks.finish()?;
        Ok(planned)
    }
}

impl LineRefund {
    fn check(&self, checks: &mut Checks, path: &str) {
        check_quantity(checks, &format!("{path}.quantity"), self.quantity, 0);
        check_amount(checks, &format!("{path}.amount"), self.amount, 0);
        checks.require(
            self.quantity > 0 || self.amount.is_some_and(|amount| amount != 0),
            &format!("{path}.amount"),
            || "must be more than 0 where quantity is 0".to_owned(),
        );
    }
}

fn allocate(amount: i64, lines: &[OrderLine]) -> Result<Vec<RefundedLine>, FieldError> {
    let left: Vec<i64> = lines.iter().map(OrderLine::amount_left).collect();
    let whole: i64 = left.iter().sum();
    if amount > whole {
        return Err(FieldError::new("amount", format!("is more than is left of the order: {whole} minor units")));
    }
    let shares = lines.iter().zip(share(amount, &left));
    Ok(shares
        .filter(|(_, share)| *share > 0)
        .map(|(line, amount)| RefundedLine { line: line.line, quantity: 0, restocked: 0, amount })
        .collect())
}

/// Whether an order may have a refund of this day: that of the order, or a later one, whatever the time of day. Numbers
/// of days by the vendor's calendar. It holds for whoever writes either of the two: a refund, or the order's date.
pub fn refund_may_be_of(refund_day: i64, order_day: i64) -> bool {
    refund_day >= order_day
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of `quantity` units that came to `net`, of which `refunded` units and minor units have gone back.
    fn line(line: i64, quantity: i64, net: i64, refunded: (i64, i64)) -> OrderLine {
        OrderLine {
            line,
            product_id: String::new(),
            name: String::new(),
            quantity,
            gross: net + 10,
            discount: 10,
            refunded_quantity: refunded.0,
            refunded_amount: refunded.1,
        }
    }

    fn of_line(line: i64, quantity: i64, amount: Option<i64>) -> NewRefund {
        NewRefund {
            lines: Some(vec![LineRefund { line, quantity, amount, restock: None }]),
            amount: None,
            restock: true,
            refunded_at: None,
            reason: None,
        }
    }

    #[test]
    fn parts_of_a_line_come_to_the_line() {
        let (mut refunded, mut parts) = ((0, 0), Vec::new());
        for _ in 0..3 {
            let planned = of_line(1, 1, None).plan(&[line(1, 3, 100, refunded)]).unwrap();
            refunded = (refunded.0 + planned[0].quantity, refunded.1 + planned[0].amount);
            parts.push(planned[0].amount);
        }
        assert_eq!((parts, refunded), (vec![33, 33, 34], (3, 100)));
    }

    #[test]
    fn more_than_is_left_is_refused_by_field() {
        let lines = [line(1, 3, 100, (2, 50))];
        let field = |refund: NewRefund| refund.plan(&lines).unwrap_err()[0].field.clone();
        assert_eq!(field(of_line(1, 2, None)), "lines[0].quantity");
        assert_eq!(field(of_line(1, 1, Some(51))), "lines[0].amount");
        assert_eq!(field(of_line(2, 1, None)), "lines[0].line");
        let half = RefundedLine { line: 1, quantity: 1, restocked: 1, amount: 50 };
        assert_eq!(of_line(1, 1, None).plan(&lines).unwrap(), [half]);
        let mut broken = of_line(1, 1, None);
        broken.lines.iter_mut().flatten().for_each(|line| line.restock = Some(false));
        assert_eq!(broken.plan(&lines).unwrap(), [RefundedLine { restocked: 0, ..half }], "its line says otherwise");
    }

    #[test]
    fn an_amount_on_the_order_is_shared_over_what_is_left_of_its_lines() {
        let lines = [line(1, 1, 300, (0, 0)), line(2, 1, 300, (1, 300)), line(3, 2, 600, (0, 0))];
        let refund =
            |amount| NewRefund { lines: None, amount: Some(amount), restock: true, refunded_at: None, reason: None };
        let amounts = |amount| {
            refund(amount).plan(&lines).unwrap().iter().map(|line| (line.line, line.amount)).collect::<Vec<_>>()
        };
        assert_eq!(amounts(100), [(1, 33), (3, 67)]);
        assert_eq!(amounts(900), [(1, 300), (3, 600)]);
        assert_eq!(refund(901).plan(&lines).unwrap_err()[0].field, "amount");
    }
}
