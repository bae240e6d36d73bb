//! What the marketplace's backend sends, many at a time. Everything is known by the marketplace's own ids; amounts are
//! in minor units of the currency of the vendor they belong to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::{MAX_CATEGORY, MAX_NAME, MAX_STOCK, ProductStatus},
    clock::deserialize_instant,
    field_error::{Checks, FieldError},
    money::MAX_AMOUNT,
    order_commands::{MAX_LINES, MAX_QUANTITY, PricedLine, apply_discount},
    orders::OrderStatus,
    returns::RefundReason,
};

/// The most orders, refunds or products of one request, and the most lines over all of its orders.
pub const MAX_ROWS: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderBatch {
    /// At most 10,000, with at most 10,000 lines between them.
    pub orders: Vec<IngestOrder>,
}

/// An order of one vendor or several. What of it was sent before and is left out now stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IngestOrder {
    pub order_id: String,
    pub customer: SentCustomer,
    #[serde(deserialize_with = "deserialize_instant")]
    pub placed_at: Timestamp,
    pub status: OrderStatus,
    /// On the order as a whole, after the lines' own discounts; shared out over all of its lines, which must be of one
    /// currency then.
    #[serde(default)]
    pub discount: i64,
    pub lines: Vec<SentLine>,
}

/// Known by its id alone, or sent whole: new, or to be renamed. A key of one vendor renames nobody, and knows those by
/// their ids alone who have ordered from that vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SentCustomer {
    pub customer_id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub country: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SentLine {
    /// From 1; its place in the list, if it is left out.
    #[serde(default)]
    pub line: Option<i64>,
    pub product_id: String,
    pub quantity: i64,
    /// What one was sold at.
    pub unit_price: i64,
    #[serde(default)]
    pub discount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefundBatch {
    /// At most 10,000.
    pub refunds: Vec<SentRefund>,
}

/// Of one line, or, without `line`, of the order as a whole: then it is an amount alone, shared out over what is left
/// of the lines. Known by its order, line and instant; of the order as a whole by order and instant, at which nothing
/// else of the order may be refunded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SentRefund {
    pub order_id: String,
    #[serde(default)]
    pub line: Option<i64>,
    #[serde(default)]
    pub quantity: i64,
    pub amount: i64,
    #[serde(deserialize_with = "deserialize_instant")]
    pub refunded_at: Timestamp,
    /// Why; left out where nobody said. What was sent with a reason before keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RefundReason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProductBatch {
    /// At most 10,000.
    pub products: Vec<SentProduct>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SentProduct {
    pub product_id: String,
    pub vendor_id: String,
    pub name: String,
    pub category: String,
    pub unit_price: i64,
    pub stock: i64,
    #[serde(default = "active")]
    pub status: ProductStatus,
}

fn active() -> ProductStatus {
    ProductStatus::Active
}

/// What became of what was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ingested {
    pub created: u64,
    /// Known by their ids, and different.
    pub updated: u64,
    /// There already as they were sent, or sent twice.
    pub unchanged: u64,
}

/// Refusals shown at once: a request of ten thousand rows is not answered with ten thousand of them.
const MAX_REFUSALS: usize = 50;

impl OrderBatch {
    /// As it is taken: its names in the form they are kept in.
    pub fn checked(mut self) -> Result<Self, Vec<FieldError>> {
        let mut checks = Checks::default();
        let lines: usize = self.orders.iter().map(|order| order.lines.len()).sum();
        check_count(&mut checks, "orders", self.orders.len());
        checks.require(lines <= MAX_ROWS, "orders", || format!("must have at most {MAX_ROWS} lines between them"));
        checks.finish()?;
        let mut checks = Checks::default();
        for (at, order) in self.orders.iter_mut().enumerate() {
            order.check(&mut checks, &format!("orders[{at}]"));
        }
        finish(checks).map(|()| self)
    }
}

impl IngestOrder {
    fn check(&mut self, checks: &mut Checks, path: &str) {
        checks.id(&format!("{path}.orderId"), &self.order_id);
        checks.id(&format!("{path}.customer.customerId"), &self.customer.customer_id);
        match (&mut self.customer.name, &mut self.customer.country) {
            (Some(name), Some(country)) => {
                checks.line(&format!("{path}.customer.name"), name, MAX_NAME);
                checks.line(&format!("{path}.customer.country"), country, MAX_NAME);
            }
            (None, None) => {}
            _ => checks.require(false, &format!("{path}.customer"), || {
                "must hold both of name and country, or neither".to_owned()
            }),
        }
        check_instant(checks, &format!("{path}.placedAt"), self.placed_at);
        check_number(checks, &format!("{path}.discount"), self.discount, 0, MAX_AMOUNT);
        checks.require((1..=MAX_LINES).contains(&self.lines.len()), &format!("{path}.lines"), || {
            format!("must be 1 to {MAX_LINES} lines")
        });
        let mut numbers: Vec<i64> = Vec::with_capacity(self.lines.len());
        for ((at, line), number) in self.lines.iter().enumerate().zip(self.numbers()) {
            let field = |name: &str| format!("{path}.lines[{at}].{name}");
            check_number(checks, &field("line"), number, 1, MAX_QUANTITY);
            checks.require(!numbers.contains(&number), &field("line"), || {
                format!("there is a line {number} before it already")
            });
            numbers.push(number);
            checks.id(&field("productId"), &line.product_id);
            check_number(checks, &field("quantity"), line.quantity, 1, MAX_QUANTITY);
            check_number(checks, &field("unitPrice"), line.unit_price, 0, MAX_AMOUNT);
            check_number(checks, &field("discount"), line.discount, 0, MAX_AMOUNT);
            let gross = line.gross();
            checks.require(gross <= MAX_AMOUNT, &field("quantity"), || {
                format!("comes to more than {MAX_AMOUNT} minor units")
            });
            checks.require(line.discount <= gross, &field("discount"), || {
                format!("is more than the line's gross, {gross} minor units")
            });
        }
        if let Err(invalid) = self.priced() {
            checks.require(false, &format!("{path}.{}", invalid.field), || invalid.message);
        }
    }

    /// The number of each line.
    pub fn numbers(&self) -> impl Iterator<Item = i64> + '_ {
        (1..).zip(&self.lines).map(|(place, line)| line.line.unwrap_or(place))
    }

    /// What each line comes to, in the order they were sent in, the order's discount shared out. Shares go by the
    /// lines' numbers: sent again in another order they are the same.
    pub fn priced(&self) -> Result<Vec<PricedLine>, FieldError> {
        let mut lines: Vec<_> = self
            .numbers()
            .zip(&self.lines)
            .enumerate()
            .map(|(at, (number, line))| (number, at, PricedLine { gross: line.gross(), discount: line.discount }))
            .collect();
        lines.sort_by_key(|(number, ..)| *number);
        let mut priced: Vec<PricedLine> = lines.iter().map(|(.., line)| *line).collect();
        // What is wrong with a line is said of the line.
        if priced.iter().all(|line| (0..=line.gross).contains(&line.discount) && line.gross <= MAX_AMOUNT) {
            apply_discount(self.discount, &mut priced)?;
        }
        let mut as_sent: Vec<_> = lines.iter().map(|(_, at, _)| *at).zip(priced).collect();
        as_sent.sort_by_key(|(at, _)| *at);
        Ok(as_sent.into_iter().map(|(_, line)| line).collect())
    }
}

impl SentLine {
    fn gross(&self) -> i64 {
        self.quantity.saturating_mul(self.unit_price)
    }
}

impl RefundBatch {
    /// As it is taken.
    pub fn checked(self) -> Result<Self, Vec<FieldError>> {
        let mut checks = Checks::default();
        check_count(&mut checks, "refunds", self.refunds.len());
        checks.finish()?;
        let mut checks = Checks::default();
        for (at, refund) in self.refunds.iter().enumerate() {
            let field = |name: &str| format!("refunds[{at}].{name}");
            checks.id(&field("orderId"), &refund.order_id);
            check_number(&mut checks, &field("line"), refund.line.unwrap_or(1), 1, MAX_QUANTITY);
            check_number(&mut checks, &field("quantity"), refund.quantity, 0, MAX_QUANTITY);
            check_number(&mut checks, &field("amount"), refund.amount, 0, MAX_AMOUNT);
            checks.require(refund.amount > 0 || refund.quantity > 0, &field("amount"), || {
                "must be more than 0 where quantity is 0".to_owned()
            });
            checks.require(refund.line.is_some() || refund.quantity == 0, &field("quantity"), || {
                "must be left out where line is: units come back of a line".to_owned()
            });
            check_instant(&mut checks, &field("refundedAt"), refund.refunded_at);
        }
        finish(checks).map(|()| self)
    }
}

impl ProductBatch {
    /// As it is taken: its names in the form they are kept in.
    pub fn checked(mut self) -> Result<Self, Vec<FieldError>> {
        let mut checks = Checks::default();
        check_count(&mut checks, "products", self.products.len());
        checks.finish()?;
        let mut checks = Checks::default();
        for (at, product) in self.products.iter_mut().enumerate() {
            let field = |name: &str| format!("products[{at}].{name}");
            checks.id(&field("productId"), &product.product_id);
            checks.id(&field("vendorId"), &product.vendor_id);
            checks.line(&field("name"), &mut product.name, MAX_NAME);
            checks.line(&field("category"), &mut product.category, MAX_CATEGORY);
            check_number(&mut checks, &field("unitPrice"), product.unit_price, 0, MAX_AMOUNT);
            check_number(&mut checks, &field("stock"), product.stock, 0, MAX_STOCK);
        }
        finish(checks).map(|()| self)
    }
}

fn finish(checks: Checks) -> Result<(), Vec<FieldError>> {
    checks.finish().map_err(|mut refused| {
        refused.truncate(MAX_REFUSALS);
        refused
    })
}

fn check_count(checks: &mut Checks, field: &str, count: usize) {
    checks.require((1..=MAX_ROWS).contains(&count), field, || format!("must be 1 to {MAX_ROWS}"));
}

fn check_number(checks: &mut Checks, field: &str, number: i64, least: i64, most: i64) {
    checks.require((least..=most).contains(&number), field, || format!("must be {least} to {most}"));
}

fn check_instant(checks: &mut Checks, field: &str, instant: Timestamp) {
    let accepted = INSTANTS_US.contains(&instant.as_microsecond());
    checks.require(accepted, field, || "must be from 1970-01-02 to 2100-12-31".to_owned());
}

/// Instants from the second day of 1970, so that no local day has a negative number, to the end of 2100.
pub const INSTANTS_US: std::ops::Range<i64> = 86_400_000_000..4_133_980_800_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_over_of_a_discount_goes_to_the_lowest_number_in_whatever_order_lines_are_sent() {
        let sent = |numbers: [i64; 3]| {
            let line = |number| format!(r#"{{"line":{number},"productId":"p","quantity":1,"unitPrice":100}}"#);
            let batch = order(&format!("[{}]", numbers.map(line).join(",")));
            batch.orders[0].priced().unwrap().iter().map(|line| line.discount).collect::<Vec<_>>()
        };
        assert_eq!(sent([1, 2, 3]), [4, 3, 3]);
        assert_eq!(sent([3, 1, 2]), [3, 4, 3]);
    }

    fn order(lines: &str) -> OrderBatch {
        let order =
            r#"{"orderId":"o","customer":{"customerId":"c"},"placedAt":"2026-01-01T00:00:00Z","status":"shipped""#;
        let order = format!(r#"{{"orders":[{order},"discount":10,"lines":{lines}}}]}}"#);
        serde_json::from_str(&order).unwrap()
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said_of_its_place_and_field() {
        for (lines, field) in [
            ("[]", "orders[0].lines"),
            (r#"[{"productId":"p","quantity":0,"unitPrice":500}]"#, "orders[0].lines[0].quantity"),
            (r#"[{"productId":"p","quantity":1,"unitPrice":-1}]"#, "orders[0].lines[0].unitPrice"),
            (r#"[{"productId":"p","quantity":1,"unitPrice":100,"discount":101}]"#, "orders[0].lines[0].discount"),
            (
                r#"[{"productId":"p","quantity":1,"unitPrice":100},
                    {"line":1,"productId":"q","quantity":1,"unitPrice":1}]"#,
                "orders[0].lines[1].line",
            ),
            (r#"[{"productId":"p","quantity":9000000,"unitPrice":90000}]"#, "orders[0].lines[0].quantity"),
            (r#"[{"productId":"p","quantity":1,"unitPrice":9}]"#, "orders[0].discount"),
        ] {
            let refused = order(lines).checked().unwrap_err();
            assert!(refused.iter().any(|invalid| invalid.field == field), "{lines}: {refused:?}");
        }
        assert!(order(r#"[{"productId":"p","quantity":1,"unitPrice":10}]"#).checked().is_ok());
    }
}
