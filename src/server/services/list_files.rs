//! Lists of products and orders as files: every row that matches, in the order of the list, a piece at a time.

use futures::stream::{self, StreamExt};

use super::{
    analytics::currency_of,
    catalog::Catalog,
    export::{Pieces, as_text, piece},
    order_lists,
    orders::Orders,
    product_lists,
};
use crate::{
    domain::{
        accounts::VendorRef,
        catalog::Product,
        money::Currency,
        orders::{MOST_SUMMED, OrderQuery},
        product_lists::{PriceChange, ProductQuery, RecentSales, StockCover},
    },
    server::{
        AppError,
        db::{self, Db, vendors},
    },
};

/// Rows that are read from the database at a time.
const ROWS_AT_ONCE: usize = 500;

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Catalog {
    /// Every product that the query matches, on whichever page it stands; straight from the database. `Invalid` for
    /// `sort` as for a page of them.
    pub async fn file(&self, vendor: &VendorRef, query: &ProductQuery) -> Result<Pieces, AppError> {
        let mut tx = self.db.read().await?;
        let currency = currency_of(&mut tx, vendor).await?;
        let zone = vendors::find_time_zone(&mut tx, vendor.id).await?.ok_or(AppError::NotFound)?;
        let today = self.cache.now().to_zoned(zone).date();
        let is_too_long =
            query.reads_all() && db::product_lists::sum_products(&mut tx, vendor.id, query, today).await?.is_none();
        tx.commit().await?;
        if is_too_long {
            return Err(product_lists::too_many(query.sort));
        }
        let (db, vendor_id, is_low) = (self.db.clone(), vendor.id, query.stock.is_some());
        let mut names = vec![
            "productId",
            "name",
            "category",
            "status",
            "currency",
            "unitPrice",
            "stock",
            "lowStockThreshold",
            "units",
            "previousUnits",
            "previousPrice",
            "priceChangedAt",
            "daysOfCover",
        ];
        if is_low {
            names.push("salesAtRisk");
        }
        let first = Some((Some(header(&names)), ProductQuery { after: None, ..query.clone() }));
        let pieces = stream::try_unfold(first, move |turn| {
            let db: Db = db.clone();
            async move {
                let Some((header, query)) = turn else { return Ok::<_, AppError>(None) };
                let mut tx = db.read().await?;
                let limit = ROWS_AT_ONCE as i64;
                let listed = db::product_lists::list_products(&mut tx, vendor_id, &query, today, limit).await?;
                let ids: Vec<&str> = listed.iter().map(|(product, _)| product.product_id.as_str()).collect();
                let sold = db::product_lists::list_recent(&mut tx, vendor_id, today, &ids).await?;
                let changed = db::product_lists::list_price_changes(&mut tx, vendor_id, &ids).await?;
                tx.commit().await?;
                let last = listed.last().filter(|_| listed.len() == ROWS_AT_ONCE).map(|(_, at)| at.clone());
                // One transaction: all that were listed are there.
                let rows = listed.iter().filter_map(|(product, _)| {
                    let (recent, cover) = sold.get(&product.product_id)?;
                    let mut row = product_row(product, recent, changed.get(&product.product_id), cover, currency);
                    row.extend(is_low.then(|| currency.to_decimal(cover.sales_at_risk)));
                    Some(row)
                });
                let piece = piece(header.into_iter().chain(rows))?;
                Ok(Some((piece, last.map(|after| (None, ProductQuery { after: Some(after), ..query })))))
            }
        });
        Ok(pieces.boxed())
    }
}

fn product_row(
    product: &Product,
    recent: &RecentSales,
    changed: Option<&PriceChange>,
    cover: &StockCover,
    currency: Currency,
) -> Vec<String> {
    vec![
        as_text(&product.product_id),
        as_text(&product.name),
        as_text(&product.category),
        product.status.as_str().to_owned(),
        currency.code().to_owned(),
        currency.to_decimal(product.unit_price),
        product.stock.to_string(),
        product.low_stock_threshold.map(|threshold| threshold.to_string()).unwrap_or_default(),
        recent.units.to_string(),
        recent.previous_units.to_string(),
        changed.map(|change| currency.to_decimal(change.previous_price)).unwrap_or_default(),
        changed.map(|change| change.changed_at.to_string()).unwrap_or_default(),
        cover.days_of_cover.map(|days| format!("{days:.1}")).unwrap_or_default(),
    ]
}

impl Orders {
    /// Every order that the query matches, on whichever page it stands; straight from the database. `Invalid` for
    /// `sort` as for a page of them.
    pub async fn file(&self, vendor: &VendorRef, query: &OrderQuery) -> Result<Pieces, AppError> {
        let mut tx = self.db.read().await?;
        let currency = currency_of(&mut tx, vendor).await?;
        let zone = vendors::find_time_zone(&mut tx, vendor.id).await?.ok_or(AppError::NotFound)?;
        let today = self.cache.now().to_zoned(zone).date();
        let reads_all = query.sort.reads_all();
        let is_too_long = reads_all && db::order_lists::count_orders(&mut tx, vendor.id, query).await? > MOST_SUMMED;
        tx.commit().await?;
        if is_too_long {
            return Err(order_lists::too_many(query.sort));
        }
        let (db, vendor_id) = (self.db.clone(), vendor.id);
        let names = [
            "orderId",
            "placedAt",
            "customer",
            "status",
            "units",
            "currency",
            "total",
            "refundedAmount",
            "payable",
            "daysSincePlaced",
        ];
        let first = Some((Some(header(&names)), OrderQuery { after: None, ..query.clone() }));
        let pieces = stream::try_unfold(first, move |turn| {
            let db: Db = db.clone();
            async move {
                let Some((header, query)) = turn else { return Ok::<_, AppError>(None) };
                let mut tx = db.read().await?;
                let listed =
                    db::order_lists::list_orders(&mut tx, vendor_id, &query, today, ROWS_AT_ONCE as i64).await?;
                tx.commit().await?;
                let last = listed.last().filter(|_| listed.len() == ROWS_AT_ONCE).map(|(_, at)| at.clone());
                let rows = listed.iter().map(|(order, _)| {
                    vec![
                        as_text(&order.order_id),
                        order.placed_at.to_string(),
                        as_text(&order.customer_name),
                        order.status.as_str().to_owned(),
                        order.units.to_string(),
                        currency.code().to_owned(),
                        currency.to_decimal(order.total),
                        currency.to_decimal(order.refunded_amount),
                        currency.to_decimal(order.payable),
                        order.days_since_placed.to_string(),
                    ]
                });
                let piece = piece(header.into_iter().chain(rows))?;
                Ok(Some((piece, last.map(|after| (None, OrderQuery { after: Some(after), ..query })))))
            }
        });
        Ok(pieces.boxed())
    }
}
