//! What the marketplace's backend sends, as a bundle in memory: put into the temporary tables of an import, and from
//! there on an import like any other, in the caller's transaction. What is refused is named by its place in the
//! request, and then nothing is written.

use std::{collections::HashMap, hash::Hash};

use crate::{
    domain::{
        field_error::FieldError,
        ingest::{Ingested, ProductBatch},
    },
    server::{
        db::Tx,
        import::{
            ImportError, Progress, lock_out_others, staging,
            tables::{self, Cell, Table},
            work::Work,
            write_staged,
        },
    },
};

mod orders;
/// What a key of one vendor may name.
mod own;
mod refunds;
/// A vendor that moves.
mod zone;

pub use orders::take_orders;
pub use refunds::take_refunds;
pub use zone::move_to_zone;

/// What became of a request, and the marketplace's ids of the vendors whose figures or products changed, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestResult {
    pub ingested: Ingested,
    pub vendors_changed: Vec<String>,
}

/// New products, and known ones as they are now. A product that its vendor has deleted stays deleted. `only`: the one
/// vendor that may be written for.
pub async fn take_products(tx: &mut Tx, batch: &ProductBatch, only: Option<&str>) -> Result<IngestResult, ImportError> {
    let sent = &batch.products;
    let kept = distinct(
        sent,
        |product| &product.product_id,
        |at, first| {
            FieldError::new(
                format!("products[{at}].productId"),
                format!("is that of products[{first}] too, which differs"),
            )
        },
    )?;
    lock_out_others(tx).await?;
    let mut work = begin(tx).await?;
    let mut cells = Vec::new();
    for at in &kept {
        let product = &sent[*at];
        cells.extend([
            place(*at),
            Cell::Text(product.product_id.clone()),
            Cell::Text(product.vendor_id.clone()),
            Cell::Text(product.name.clone()),
            Cell::Text(product.category.clone()),
            Cell::Integer(product.unit_price),
            tables::NO_STEP,
            Cell::Integer(product.stock),
            Cell::Text(product.status.as_str().to_owned()),
        ]);
    }
    fill(&mut work, &tables::PRODUCTS, cells).await?;
    own::check_products(&mut work, sent, only).await?;
    work.run(
        "UPDATE bundle_products SET unit_price = unit_price * v.minor_thousandths FROM vendors AS v
         WHERE v.external_id = bundle_products.vendor_id",
    )
    .await?;
    let vendors = "SELECT v.id FROM vendors v JOIN bundle_products b ON b.vendor_id = v.external_id";
    lock_vendors(&mut work, vendors).await?;
    let known =
        work.count("SELECT COUNT(*) FROM bundle_products b JOIN products p ON p.external_id = b.product_id").await?;
    let before = work.changed;
    let vendors_changed = write_staged(&mut work, 0, 0, vendors)
        .await
        .map_err(|error| named(error, |_, line| format!("products[{}]", line - 1)))?;
    // One row written for each product that was new or different.
    let written = work.changed - before;
    work.finish().await?;
    let created = kept.len() as u64 - known;
    let updated = written - created;
    Ok(IngestResult {
        ingested: Ingested { created, updated, unchanged: sent.len() as u64 - created - updated },
        vendors_changed,
    })
}

struct Unwatched;

impl Progress for Unwatched {
    fn phase(&self, _: &str, _: u64) {}
    fn done(&self, _: u64) {}
}

/// An import whose temporary tables are all there, and empty.
async fn begin(tx: &mut Tx) -> Result<Work<'_>, ImportError> {
    let mut work = Work::within(tx, &Unwatched);
    for table in [
        &tables::VENDORS,
        &tables::PRODUCTS,
        &tables::CUSTOMERS,
        &tables::ORDERS,
        &tables::ORDER_ITEMS,
        &tables::REFUNDS,
    ] {
        work.create(table.staging, &table.definition.join(", ")).await?;
    }
    Ok(work)
}

/// Returns how many rows there are.
async fn fill(work: &mut Work<'_>, table: &Table, cells: Vec<Cell>) -> Result<u64, ImportError> {
    let rows = staging::insert(work, table.staging, table.definition.len(), cells).await?;
    work.analyze(table.staging).await?;
    Ok(rows)
}

/// `vendors` is a `SELECT` of the database's ids.
async fn lock_vendors(work: &mut Work<'_>, vendors: &str) -> Result<(), ImportError> {
    let lock = format!("SELECT id FROM vendors WHERE id IN ({vendors}) ORDER BY id{}", work.tx.dialect.for_update());
    work.run(&lock).await?;
    Ok(())
}

/// The place of a row in the request, as the number of a line: the first is 1.
fn place(at: usize) -> Cell {
    Cell::Integer(i64::try_from(at).unwrap_or(i64::MAX - 1) + 1)
}

/// The places of the rows to take: where the same was sent twice, the first. `refused` says why two rows of one key
/// that differ are.
fn distinct<'a, T: PartialEq, K: Hash + Eq>(
    rows: &'a [T],
    key: impl Fn(&'a T) -> K,
    refused: impl Fn(usize, usize) -> FieldError,
) -> Result<Vec<usize>, ImportError> {
    let mut first: HashMap<K, usize> = HashMap::with_capacity(rows.len());
    let (mut kept, mut differing) = (Vec::with_capacity(rows.len()), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        match first.get(&key(row)) {
            None => {
                first.insert(key(row), at);
                kept.push(at);
            }
            Some(before) if rows[*before] != *row => differing.push(refused(at, *before)),
            Some(_) => {}
        }
    }
    if differing.is_empty() { Ok(kept) } else { Err(ImportError::Invalid(differing)) }
}

/// A refused row of a temporary table as a refused field of the request. `path` says where the row stands, by table and
/// line.
fn named(error: ImportError, path: impl Fn(&str, usize) -> String) -> ImportError {
    let ImportError::Row { file, line, message } = error else { return error };
    let table = file.trim_end_matches(".csv");
    let (column, message) = message.split_once(": ").unwrap_or(("", &message));
    let field = match column {
        "customer_id" => "customer.customerId".to_owned(),
        "gross" => "unitPrice".to_owned(),
        column => camel_case(column),
    };
    let path = path(table, usize::try_from(line).unwrap_or(1).max(1));
    ImportError::Invalid(vec![FieldError::new(format!("{path}.{field}"), message)])
}

fn camel_case(column: &str) -> String {
    let mut words = column.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (start, rest) = word.split_at(word.len().min(1));
        name + &start.to_ascii_uppercase() + rest
    })
}
