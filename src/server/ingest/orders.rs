use std::collections::HashSet;

use crate::{
    domain::{
        field_error::FieldError,
        ingest::{IngestOrder, Ingested, OrderBatch},
    },
    server::{
        db::Tx,
        import::{
            ImportError, lock_out_others,
            tables::{self, Cell},
            work::Work,
            write_staged,
        },
    },
};

use super::{IngestResult, begin, distinct, fill, lock_vendors, named, own, place};

/// The vendors that an order in the bundle is, or was, sold by.
const VENDORS: &str = "SELECT p.vendor_id FROM bundle_items b JOIN products p ON p.external_id = b.product_id
                       UNION SELECT l.vendor_id FROM bundle_orders b JOIN orders o ON o.external_id = b.order_id
                             JOIN order_lines l ON l.order_id = o.id";

/// New orders, and known ones as they are now, of any number of vendors. They leave stock alone: the marketplace says
/// what there is with its products. `only`: the one vendor that may be written for.
pub async fn take_orders(tx: &mut Tx, batch: &OrderBatch, only: Option<&str>) -> Result<IngestResult, ImportError> {
    let sent = &batch.orders;
    let kept = distinct(
        sent,
        |order| &order.order_id,
        |at, first| {
            FieldError::new(format!("orders[{at}].orderId"), format!("is that of orders[{first}] too, which differs"))
        },
    )?;
    lock_out_others(tx).await?;
    let mut work = begin(tx).await?;
    stage_customers(&mut work, sent, &kept).await?;
    let lines = stage_orders(&mut work, sent, &kept).await?;
    own::check_orders(&mut work, sent, &lines, only).await?;
    refuse_discounts_over_currencies(&mut work, sent, &kept).await?;
    lock_vendors(&mut work, VENDORS).await?;
    work.create_keyed("import_known", "order_id BIGINT PRIMARY KEY").await?;
    let known = work
        .run(
            "INSERT INTO import_known SELECT o.id FROM bundle_orders b \
            JOIN orders o ON o.external_id = b.order_id GROUP BY o.id",
        )
        .await?;
    let vendors_changed = write_staged(&mut work, lines.len() as u64, 0, VENDORS).await.map_err(|error| {
        named(error, |table, line| match (table, lines.get(line - 1)) {
            ("order_items", Some((order, at))) => format!("orders[{order}].lines[{at}]"),
            _ => format!("orders[{}]", line - 1),
        })
    })?;
    let updated = work
        .count(
            "SELECT COUNT(*) FROM import_known k WHERE k.order_id IN (SELECT order_id FROM import_orders)
             OR k.order_id IN (SELECT order_id FROM import_lines WHERE state > 0)",
        )
        .await?;
    work.finish().await?;
    let created = kept.len() as u64 - known;
    Ok(IngestResult {
        ingested: Ingested { created, updated, unchanged: sent.len() as u64 - created - updated },
        vendors_changed,
    })
}

/// Those that were sent with their names.
async fn stage_customers(work: &mut Work<'_>, sent: &[IngestOrder], kept: &[usize]) -> Result<(), ImportError> {
    let whole: Vec<(usize, [&str; 3])> = kept
        .iter()
        .filter_map(|at| {
            let customer = &sent[*at].customer;
            Some((*at, [customer.customer_id.as_str(), customer.name.as_deref()?, customer.country.as_deref()?]))
        })
        .collect();
    let customers: Vec<_> = whole.iter().map(|(_, customer)| *customer).collect();
    let distinct = distinct(
        &customers,
        |customer| customer[0],
        |at, first| {
            FieldError::new(
                format!("orders[{}].customer", whole[at].0),
                format!("differs from orders[{}].customer, of the same id", whole[first].0),
            )
        },
    )?;
    let mut cells = Vec::with_capacity(distinct.len() * 4);
    for at in distinct {
        cells.push(place(whole[at].0));
        cells.extend(whole[at].1.map(|text| Cell::Text(text.to_owned())));
    }
    fill(work, &tables::CUSTOMERS, cells).await?;
    Ok(())
}

/// Returns where each line stands in the request: its order, and its place in it.
async fn stage_orders(
    work: &mut Work<'_>,
    sent: &[IngestOrder],
    kept: &[usize],
) -> Result<Vec<(usize, usize)>, ImportError> {
    let (mut orders, mut items, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for at in kept {
        let order = &sent[*at];
        orders.extend([
            place(*at),
            Cell::Text(order.order_id.clone()),
            Cell::Text(order.customer.customer_id.clone()),
            Cell::Integer(order.placed_at.as_microsecond()),
            Cell::Text(order.status.as_str().to_owned()),
        ]);
        let priced = order.priced().map_err(|invalid| ImportError::Invalid(vec![invalid]))?;
        for (((in_order, line), number), priced) in order.lines.iter().enumerate().zip(order.numbers()).zip(priced) {
            items.extend([
                place(lines.len()),
                Cell::Text(order.order_id.clone()),
                Cell::Integer(number),
                Cell::Text(line.product_id.clone()),
                Cell::Integer(line.quantity),
                Cell::Integer(priced.gross),
                tables::NO_STEP,
                Cell::Integer(priced.discount),
                tables::NO_STEP,
            ]);
            lines.push((*at, in_order));
        }
    }
    fill(work, &tables::ORDERS, orders).await?;
    fill(work, &tables::ORDER_ITEMS, items).await?;
    // An import counts in thousandths, for files do not know the currency.
    work.run(
        "UPDATE bundle_items SET gross = gross * v.minor_thousandths, discount = discount * v.minor_thousandths
         FROM products AS p JOIN vendors AS v ON v.id = p.vendor_id WHERE p.external_id = bundle_items.product_id",
    )
    .await?;
    Ok(lines)
}

async fn refuse_discounts_over_currencies(
    work: &mut Work<'_>,
    sent: &[IngestOrder],
    kept: &[usize],
) -> Result<(), ImportError> {
    if kept.iter().all(|at| sent[*at].discount == 0) {
        return Ok(());
    }
    let mixed: HashSet<String> = work
        .texts(
            "SELECT b.order_id FROM bundle_items b JOIN products p ON p.external_id = b.product_id \
             JOIN vendors v ON v.id = p.vendor_id
             GROUP BY b.order_id HAVING COUNT(DISTINCT v.currency) > 1",
        )
        .await?
        .into_iter()
        .collect();
    let refused: Vec<_> = kept
        .iter()
        .filter(|at| sent[**at].discount > 0 && mixed.contains(&sent[**at].order_id))
        .map(|at| {
            FieldError::new(
                format!("orders[{at}].discount"),
                "cannot be shared out over lines of several currencies: send it line by line",
            )
        })
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(ImportError::Invalid(refused)) }
}
