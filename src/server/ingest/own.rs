//! What a key that is made for one vendor may name. Whatever else there is in the marketplace is refused before
//! anything is said of it, in the words for what there is none of: whoever has such a key learns nothing of others.

use std::collections::{HashMap, HashSet};

use crate::{
    domain::{
        field_error::FieldError,
        ingest::{IngestOrder, SentProduct, SentRefund},
    },
    server::{
        db::{
            DbError,
            rows::{int, text},
            sql,
        },
        import::{ImportError, work::Work},
    },
};

/// The most rows that are named.
const MOST_NAMED: usize = 20;

/// Customers, orders and their lines are staged; `lines` says where each of these stands. An order that is there must
/// be all of the vendor's, and so must be every product.
pub(super) async fn check_orders(
    work: &mut Work<'_>,
    sent: &[IngestOrder],
    lines: &[(usize, usize)],
    only: Option<&str>,
) -> Result<(), ImportError> {
    let Some(only) = only else { return Ok(()) };
    let foreign_orders = "SELECT b.csv_line FROM bundle_orders b JOIN orders o ON o.external_id = b.order_id
                          WHERE EXISTS (SELECT 1 FROM order_lines l JOIN vendors v ON v.id = l.vendor_id
                                        WHERE l.order_id = o.id AND v.external_id <> $1)";
    let foreign_products = "SELECT b.csv_line FROM bundle_items b
                            WHERE NOT EXISTS (SELECT 1 FROM products p JOIN vendors v ON v.id = p.vendor_id
                                              WHERE p.external_id = b.product_id AND v.external_id = $1)";
    let mut refused = Vec::new();
    for at in places(work, foreign_orders, only).await? {
        if let Some(order) = sent.get(at) {
            refused.push(none_of(format!("orders[{at}].orderId"), "order", &order.order_id, only));
        }
    }
    for (order, line) in places(work, foreign_products, only).await?.into_iter().filter_map(|at| lines.get(at)) {
        let id = &sent[*order].lines[*line].product_id;
        refused.push(none_of(format!("orders[{order}].lines[{line}].productId"), "product", id, only));
    }
    end(refused)?;
    check_customers(work, sent, only).await
}

/// Customers are the whole marketplace's. One who has ordered from the vendor is named by the id, or as what is there.
/// One who has not must be new, or be sent as what is there: then nothing is told that was not known.
async fn check_customers(work: &mut Work<'_>, sent: &[IngestOrder], only: &str) -> Result<(), ImportError> {
    const CUSTOMERS: &str = "bundle_orders b LEFT JOIN customers c ON c.external_id = b.customer_id
                             LEFT JOIN bundle_customers s ON s.customer_id = b.customer_id";
    let own = "EXISTS (SELECT 1 FROM vendor_orders o JOIN vendors v ON v.id = o.vendor_id
                       WHERE v.external_id = $1 AND o.customer_id = c.id)";
    let differs = "(s.name, s.country) <> (c.name, c.country)";
    let foreign =
        format!("SELECT b.csv_line FROM {CUSTOMERS} WHERE (s.customer_id IS NULL OR {differs}) AND NOT {own}");
    let renamed = format!("SELECT b.csv_line FROM {CUSTOMERS} WHERE {differs} AND {own}");
    let mut refused = Vec::new();
    for (at, order) in places(work, &foreign, only).await?.into_iter().filter_map(|at| Some((at, sent.get(at)?))) {
        let field = format!("orders[{at}].customer.customerId");
        refused.push(none_of(field, "customer", &order.customer.customer_id, only));
    }
    for (at, order) in places(work, &renamed, only).await?.into_iter().filter_map(|at| Some((at, sent.get(at)?))) {
        let message = format!(
            "customer `{}` has another name or country: send the id alone; {}, and renames nobody",
            order.customer.customer_id,
            alone(only)
        );
        refused.push(FieldError::new(format!("orders[{at}].customer"), message));
    }
    end(refused)
}

/// Products are staged.
pub(super) async fn check_products(
    work: &mut Work<'_>,
    sent: &[SentProduct],
    only: Option<&str>,
) -> Result<(), ImportError> {
    let Some(only) = only else { return Ok(()) };
    let mut refused: Vec<FieldError> = sent
        .iter()
        .enumerate()
        .filter(|(_, product)| product.vendor_id != only)
        .map(|(at, _)| FieldError::new(format!("products[{at}].vendorId"), alone(only)))
        .collect();
    let foreign = "SELECT b.csv_line FROM bundle_products b JOIN products p ON p.external_id = b.product_id
                   JOIN vendors v ON v.id = p.vendor_id WHERE b.vendor_id = $1 AND v.external_id <> $1";
    for at in places(work, foreign, only).await? {
        if let Some(product) = sent.get(at) {
            refused.push(none_of(format!("products[{at}].productId"), "product", &product.product_id, only));
        }
    }
    end(refused)
}

/// The orders that are named stand in `import_named`. Of one that is only in part the vendor's, its own lines may be
/// named.
pub(super) async fn check_refunds(
    work: &mut Work<'_>,
    sent: &[SentRefund],
    only: Option<&str>,
) -> Result<(), ImportError> {
    let Some(only) = only else { return Ok(()) };
    let lines = "SELECT o.external_id, l.line, v.external_id AS vendor
                 FROM import_named n CROSS JOIN orders o CROSS JOIN order_lines l CROSS JOIN vendors v
                 WHERE o.external_id = n.order_id AND l.order_id = o.id AND v.id = l.vendor_id";
    let (mut own, mut shared): (HashMap<String, HashSet<i64>>, HashSet<String>) = Default::default();
    for row in work.tx.rows(sql(lines)).await? {
        let order = text(&row, "external_id")?;
        if text(&row, "vendor")? == only {
            own.entry(order).or_default().insert(int(&row, "line")?);
        } else {
            shared.insert(order);
        }
    }
    let refused = sent.iter().enumerate().filter_map(|(at, refund)| match (own.get(&refund.order_id), refund.line) {
        (None, _) => Some(none_of(format!("refunds[{at}].orderId"), "order", &refund.order_id, only)),
        (Some(own), Some(line)) if !own.contains(&line) => {
            Some(none_of(format!("refunds[{at}].line"), "line", &line.to_string(), only))
        }
        (Some(_), None) if shared.contains(&refund.order_id) => {
            let message = format!("is required: {}, and the order is not all of it", alone(only));
            Some(FieldError::new(format!("refunds[{at}].line"), message))
        }
        _ => None,
    });
    end(refused.collect())
}

/// Where rows of the request stand that `query` finds by their `csv_line`; `$1` is the vendor.
async fn places(work: &mut Work<'_>, query: &str, only: &str) -> Result<Vec<usize>, DbError> {
    let rows =
        work.tx.rows(sql(format!("{query} ORDER BY b.csv_line LIMIT {MOST_NAMED}")).bind(only.to_owned())).await?;
    rows.iter().map(|row| Ok(usize::try_from(int(row, "csv_line")?).unwrap_or(1).max(1) - 1)).collect()
}

fn none_of(field: String, what: &str, id: &str, only: &str) -> FieldError {
    FieldError::new(field, format!("there is no such {what} as `{id}`: {}", alone(only)))
}

fn alone(only: &str) -> String {
    format!("this key writes for vendor `{only}` alone")
}

fn end(mut refused: Vec<FieldError>) -> Result<(), ImportError> {
    refused.truncate(MOST_NAMED);
    if refused.is_empty() { Ok(()) } else { Err(ImportError::Invalid(refused)) }
}
