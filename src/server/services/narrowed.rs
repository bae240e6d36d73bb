//! The snapshot of a part of what a vendor sells.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use vendorscope_cache::{Loaded, Payload, Served};

use super::{
    analytics::{Analytics, SnapshotQuery, currency_of, daily, hourly, tags},
    export::{self, ExportTable, Pieces},
    from_json, listing_detail,
};
use crate::{
    domain::{
        accounts::VendorRef,
        field_error::{Checks, FieldError},
        period::{DateRange, Interval, day_number},
        snapshot::{ComparisonShown, Narrowed, Point, RangeShown, Snapshot, Sums, Totals},
        text::non_empty,
    },
    server::{
        AppError,
        cache_keys::{self, SNAPSHOT_TODAY_TTL, SNAPSHOT_TTL},
        db::{
            Db, Tx, customers,
            narrowed::{self, Customers},
            snapshot::{self, SalesHour},
            vendors,
        },
    },
};

/// Reads what figures are to be narrowed to; empty texts, which forms send, count as absent.
pub fn parse_narrowed(
    product: Option<&str>,
    category: Option<&str>,
    status: Option<&str>,
) -> Result<Narrowed, Vec<FieldError>> {
    let mut checks = Checks::default();
    let status = non_empty(status).and_then(|text| checks.accept(text.parse()));
    let owned = |text| non_empty(text).map(str::to_owned);
    checks.finish().map(|()| Narrowed { product: owned(product), category: owned(category), status })
}

impl Analytics {
    /// The snapshot of a part, for a page. Of no part it is the whole.
    pub async fn narrowed(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        narrowed: &Narrowed,
    ) -> Result<Served<Snapshot>, AppError> {
        if narrowed.is_whole() {
            return self.snapshot(vendor, query).await;
        }
        self.get_narrowed(vendor, query, narrowed, from_json).await
    }

    /// A table of a part as CSV: it comes to what the snapshot of the same part shows.
    pub async fn export_part(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        narrowed: &Narrowed,
        table: ExportTable,
    ) -> Result<Pieces, AppError> {
        if table == ExportTable::Series {
            return Ok(export::series(self.narrowed(vendor, query, narrowed).await?.value));
        }
        let range = query.range;
        let mut tx = self.db.read().await?;
        let currency = currency_of(&mut tx, vendor).await?;
        let pieces = match table {
            ExportTable::Products => {
                let products = narrowed::list_products(&mut tx, vendor.id, range, narrowed).await?;
                export::products(products.into_iter().map(|(product, _)| product).collect(), currency)
            }
            ExportTable::Payable => {
                let [sold, _] = narrowed::list_hours(&mut tx, vendor.id, range, None, narrowed).await?;
                export::payable(&by_day(&sold), currency, narrowed.is_paid())
            }
            ExportTable::Orders => export::orders(self.db.clone(), vendor.id, range, narrowed.clone(), currency),
            ExportTable::Refunds => export::refunds(self.db.clone(), vendor.id, range, narrowed.clone(), currency),
            ExportTable::Series => unreachable!("returned above"),
        };
        tx.commit().await?;
        Ok(pieces)
    }

    /// The same as JSON, as the API serves it.
    pub async fn narrowed_json(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        narrowed: &Narrowed,
    ) -> Result<Served<Payload>, AppError> {
        if narrowed.is_whole() {
            return self.snapshot_json(vendor, query).await;
        }
        self.get_narrowed(vendor, query, narrowed, |payload| Ok(payload.clone())).await
    }

    async fn get_narrowed<T>(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        narrowed: &Narrowed,
        decode: fn(&Payload) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        let detail = format!("{}:{}", query.cache_detail(), listing_detail(narrowed));
        let key = cache_keys::snapshot_key(&vendor.external_id, &detail);
        let (db, cache, of) = (self.db.clone(), self.cache.clone(), vendor.clone());
        let (query, narrowed) = (*query, narrowed.clone());
        let load = move || async move { load(&db, &of, &query, &narrowed, cache.now()).await };
        self.cache.get_or_load_decoded(&key, &tags(vendor), load, decode).await
    }
}

/// The figures of a range, or of a part of what was sold in it.
pub(super) async fn totals_of(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    narrowed: &Narrowed,
) -> Result<Totals, AppError> {
    if !narrowed.is_whole() {
        let [sold, _] = narrowed::list_hours(tx, vendor_id, range, None, narrowed).await?;
        let [customers, _] = narrowed::list_customers(tx, vendor_id, range, None, narrowed).await?;
        let totals = totals(&sold, &customers);
        return Ok(if narrowed.is_paid() { totals } else { totals.unpaid() });
    }
    let [days, _] = snapshot::list_days(tx, vendor_id, range, None).await?;
    let mut sums = Sums::default();
    days.into_values().for_each(|day| sums += day);
    Ok(Totals::new(sums, customers::count_all(tx, vendor_id, range).await?))
}

async fn load(
    db: &Db,
    vendor: &VendorRef,
    query: &SnapshotQuery,
    narrowed: &Narrowed,
    now: Timestamp,
) -> Result<Loaded, AppError> {
    let (range, previous) = (query.range, query.range.compared(query.comparison));
    let mut tx = db.read().await?;
    let head = snapshot::find_head(&mut tx, vendor.id).await?.ok_or(AppError::NotFound)?;
    let [sold, sold_before] = narrowed::list_hours(&mut tx, vendor.id, range, previous, narrowed).await?;
    let [customers, customers_before] = narrowed::list_customers(&mut tx, vendor.id, range, previous, narrowed).await?;
    let orders_by_status = narrowed::list_statuses(&mut tx, vendor.id, range, narrowed).await?;
    let products = narrowed::list_products(&mut tx, vendor.id, range, narrowed).await?;
    tx.commit().await?;
    let (top_products, top_categories) = narrowed::top(products);
    let zone = vendors::time_zone(&head.time_zone)?;
    let series = |range: DateRange, starts: &[Date], sold: &[SalesHour], customers: &Customers| match query.interval {
        Interval::Hour => hourly(range, &zone, sold),
        _ => with_customers(daily(range, starts, &by_day(sold)), range, starts, customers),
    };
    let beside = |previous: DateRange| previous.starts_beside(query.interval, &range);
    let is_empty = sold.is_empty() && sold_before.is_empty() && orders_by_status.iter().all(|of| of.orders == 0);
    let today = now.to_zoned(zone.clone()).date();
    let mut snapshot = Snapshot {
        vendor_id: vendor.external_id.clone(),
        vendor_name: head.name,
        currency: vendors::currency(&head.currency)?,
        time_zone: head.time_zone,
        range: RangeShown { from: range.from, to: range.to, days: range.days(), interval: query.interval },
        comparison: previous.map(|p| ComparisonShown {
            kind: query.comparison,
            from: p.from,
            to: p.to,
            days: p.days(),
        }),
        totals: totals(&sold, &customers),
        previous_totals: previous.map(|_| totals(&sold_before, &customers_before)),
        series: series(range, &range.starts(query.interval), &sold, &customers),
        previous_series: previous.map(|previous| series(previous, &beside(previous), &sold_before, &customers_before)),
        orders_by_status,
        top_products,
        top_categories,
        // Stock is of no range, and a part of it is a list of its own.
        low_stock: Vec::new(),
        low_stock_total: 0,
        computed_at: Timestamp::from_second(now.as_second()).unwrap_or_default(),
    };
    if !narrowed.is_paid() {
        snapshot.make_unpaid();
    }
    let bytes = serde_json::to_vec(&snapshot).map_err(|error| AppError::Internal(format!("snapshot: {error}")))?;
    if is_empty {
        // Of a product or a category that there is not, perhaps: of those there are as many as anybody can think of.
        return Ok(Loaded::passing(bytes));
    }
    let ttl = if range.contains(today) { SNAPSHOT_TODAY_TTL } else { SNAPSHOT_TTL };
    Ok(Loaded::new(bytes, ttl).not_standing_in())
}

fn by_day(sold: &[SalesHour]) -> BTreeMap<i64, Sums> {
    let mut days: BTreeMap<i64, Sums> = BTreeMap::new();
    for hour in sold {
        *days.entry(hour.day).or_default() += hour.sums;
    }
    days
}

fn totals(sold: &[SalesHour], customers: &Customers) -> Totals {
    let mut sums = Sums { new_customers: customers.new.len() as i64, ..Default::default() };
    sold.iter().for_each(|hour| sums += hour.sums);
    let distinct: BTreeSet<_> = customers.by_day.values().flatten().collect();
    Totals::new(sums, distinct.len() as i64)
}

/// The points with how many customers each had.
fn with_customers(mut series: Vec<Point>, range: DateRange, starts: &[Date], customers: &Customers) -> Vec<Point> {
    let ends = starts.iter().skip(1).map(|start| day_number(*start)).chain([day_number(range.to) + 1]);
    for ((point, start), end) in series.iter_mut().zip(starts).zip(ends) {
        let distinct: BTreeSet<_> =
            customers.by_day.range(day_number(*start)..end).flat_map(|(_, customers)| customers).collect();
        point.customers = Some(distinct.len() as i64);
    }
    series
}
