//! What comes back, and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use vendorscope_cache::{Loaded, Payload, Served};

use super::{
    analytics::{Analytics, SnapshotQuery, tags},
    costed, from_json, listing, listing_detail,
    orders::Orders,
};
use crate::{
    domain::{
        accounts::VendorRef,
        field_error::{Checks, FieldError},
        period::DateRange,
        returns::{
            MOST_PRODUCTS, NO_REASON, ProductReturns, ReasonReturns, RefundReason, RefundedPage, RefundedQuery,
            ReturnTotals, Returns,
        },
        snapshot::{ComparisonShown, RangeShown},
    },
    server::{
        AppError,
        cache_keys::{self, SNAPSHOT_TODAY_TTL, SNAPSHOT_TTL},
        cursor,
        db::{
            Db,
            returns::{self, Returned, Within},
            snapshot, vendors,
        },
    },
};

/// Refunds on one page of a list.
const PAGE: usize = 20;
/// The list's name in cursors.
const LIST: &str = "refunds";

impl Analytics {
    /// What came back, as JSON, through the cache; as stale as the snapshot of the same range. `until_hour` is where
    /// the last day of the comparison is cut, by the hour of the vendor's clock.
    pub async fn returns_json(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        until_hour: Option<i8>,
    ) -> Result<Served<Payload>, AppError> {
        self.get_returns(vendor, query, until_hour, |payload| Ok(payload.clone())).await
    }

    /// The same for a page.
    pub async fn returns(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        until_hour: Option<i8>,
    ) -> Result<Served<Returns>, AppError> {
        self.get_returns(vendor, query, until_hour, from_json).await
    }

    async fn get_returns<T>(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        until_hour: Option<i8>,
        decode: fn(&Payload) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        let until_hour = until_hour.filter(|hour| *hour < 24);
        let until = until_hour.map(|hour| format!(":{hour}")).unwrap_or_default();
        let detail = format!("{}:{}:{}{until}", query.range.from, query.range.to, query.comparison.as_str());
        let key = cache_keys::returns_key(&vendor.external_id, &detail);
        let (db, of, query, now) = (self.db.clone(), vendor.clone(), *query, self.cache.now());
        let load = move || costed(async move { load(&db, &of, &query, until_hour, now).await });
        self.cache.get_or_load_decoded(&key, &tags(vendor), load, decode).await
    }
}

async fn load(
    db: &Db,
    vendor: &VendorRef,
    query: &SnapshotQuery,
    until_hour: Option<i8>,
    now: Timestamp,
) -> Result<Loaded, AppError> {
    let (range, previous) = (query.range, query.range.compared(query.comparison));
    let mut tx = db.read().await?;
    let head = snapshot::find_head(&mut tx, vendor.id).await?.ok_or(AppError::NotFound)?;
    let zone = vendors::time_zone(&head.time_zone)?;
    let until_us = previous.zip(until_hour).and_then(|(previous, hour)| {
        let cut = previous.to.at(hour, 0, 0, 0);
        zone.to_ambiguous_timestamp(cut).compatible().ok().map(|at| at.as_microsecond())
    });
    let whole = Within { range, until_us: None };
    let compared = previous.map(|range| Within { range, until_us });
    let returned = returns::list_returned(&mut tx, vendor.id, whole, compared).await?;
    let orders = returns::count_orders(&mut tx, vendor.id, whole, compared).await?;
    let days = snapshot::list_days(&mut tx, vendor.id, range, previous).await?;
    let sold = snapshot::list_products_sold(&mut tx, vendor.id, range).await?;
    tx.commit().await?;

    let units = days.map(|days| days.values().map(|day| day.units).sum::<i64>());
    let sold: BTreeMap<String, i64> = sold.into_iter().map(|product| (product.product_id, product.units)).collect();
    let totals = |which: usize| totals(&returned, which, orders[which], units[which]);
    let has_before = previous.is_some();
    let (products, products_total) = by_product(&returned, &sold, has_before);
    let returns = Returns {
        range: RangeShown { from: range.from, to: range.to, days: range.days(), interval: query.interval },
        comparison: previous.map(|p| ComparisonShown {
            kind: query.comparison,
            from: p.from,
            to: p.to,
            days: p.days(),
        }),
        totals: totals(0),
        previous_totals: has_before.then(|| totals(1)),
        products,
        products_total,
        reasons: by_reason(&returned, has_before),
        computed_at: Timestamp::from_second(now.as_second()).unwrap_or_default(),
    };
    let bytes = serde_json::to_vec(&returns).map_err(|error| AppError::Internal(format!("returns: {error}")))?;
    let ttl = if range.contains(now.to_zoned(zone).date()) { SNAPSHOT_TODAY_TTL } else { SNAPSHOT_TTL };
    Ok(Loaded::new(bytes, ttl))
}

/// `units` are those sold less those that came back, as sums keep them.
fn totals(returned: &[Returned], which: usize, orders: i64, units: i64) -> ReturnTotals {
    let sum = |of: fn(&Returned) -> i64| returned.iter().filter(|row| row.which == which).map(of).sum::<i64>();
    let back = sum(|row| row.units);
    ReturnTotals { amount: sum(|row| row.amount), units: back, units_sold: units + back, orders }
}

/// The products that most came back of, and how many there are in all.
fn by_product(returned: &[Returned], sold: &BTreeMap<String, i64>, has_before: bool) -> (Vec<ProductReturns>, i64) {
    let mut products: BTreeMap<&str, ProductReturns> = BTreeMap::new();
    for row in returned {
        let product = products.entry(&row.product_id).or_insert_with(|| ProductReturns {
            product_id: row.product_id.clone(),
            name: row.name.clone(),
            amount: 0,
            units: 0,
            units_sold: sold.get(&row.product_id).copied().unwrap_or_default(),
            previous_amount: has_before.then_some(0),
        });
        match (row.which, &mut product.previous_amount) {
            (0, _) => {
                product.amount += row.amount;
                product.units += row.units;
                product.units_sold += row.units;
            }
            (_, Some(before)) => *before += row.amount,
            _ => {}
        }
    }
    // What came back before and not now is no more than a part of what the others are compared with.
    let mut products: Vec<_> =
        products.into_values().filter(|product| product.amount > 0 || product.units > 0).collect();
    products.sort_by(|a, b| b.amount.cmp(&a.amount).then_with(|| a.product_id.cmp(&b.product_id)));
    let total = products.len() as i64;
    products.truncate(MOST_PRODUCTS);
    (products, total)
}

fn by_reason(returned: &[Returned], has_before: bool) -> Vec<ReasonReturns> {
    let mut reasons: BTreeMap<Option<RefundReason>, ReasonReturns> = BTreeMap::new();
    for row in returned {
        let reason = reasons.entry(row.reason).or_insert(ReasonReturns {
            reason: row.reason,
            amount: 0,
            units: 0,
            refunds: 0,
            previous_amount: has_before.then_some(0),
        });
        match (row.which, &mut reason.previous_amount) {
            (0, _) => {
                reason.amount += row.amount;
                reason.units += row.units;
                reason.refunds += row.refunds;
            }
            (_, Some(before)) => *before += row.amount,
            _ => {}
        }
    }
    let mut reasons: Vec<_> = reasons.into_values().collect();
    reasons.sort_by_key(|reason| (std::cmp::Reverse(reason.amount), reason.reason));
    reasons
}

/// Reads which refunds an address asks for.
pub fn parse_query(
    range: DateRange,
    reason: Option<&str>,
    product: Option<&str>,
    after: Option<&str>,
) -> Result<RefundedQuery, Vec<FieldError>> {
    let mut checks = Checks::default();
    let non_empty = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let reason = match non_empty(reason).as_deref() {
        None => None,
        Some(NO_REASON) => Some(None),
        Some(text) => checks.accept(text.parse::<RefundReason>()).map(Some),
    };
    let after = non_empty(after).and_then(|text| checks.accept(cursor::decode(LIST, false, &text)));
    checks.finish().map(|()| RefundedQuery { range, reason, product: non_empty(product), after })
}

impl Orders {
    /// A page of 20 refunded lines, newest first, through the cache.
    pub async fn list_refunded(
        &self,
        vendor: &VendorRef,
        query: &RefundedQuery,
    ) -> Result<Served<RefundedPage>, AppError> {
        let key = cache_keys::refunds_key(&vendor.external_id, &listing_detail(query));
        let tags = [cache_keys::vendor_tag(&vendor.external_id), cache_keys::orders_tag(&vendor.external_id)];
        let (db, vendor_id, query) = (self.db.clone(), vendor.id, query.clone());
        let load = move || costed(async move { load_page(&db, vendor_id, &query).await });
        self.cache.get_or_load_decoded(&key, &tags, load, from_json).await
    }
}

async fn load_page(db: &Db, vendor_id: i64, query: &RefundedQuery) -> Result<Loaded, AppError> {
    let mut tx = db.read().await?;
    let mut listed = returns::list_refunded(&mut tx, vendor_id, query, PAGE as i64 + 1).await?;
    tx.commit().await?;
    let more = listed.len() > PAGE;
    listed.truncate(PAGE);
    let next = listed.last().filter(|_| more).map(|(_, position)| cursor::encode(LIST, position));
    let refunds: Vec<_> = listed.into_iter().map(|(refunded, _)| refunded).collect();
    let (is_one_of_many, is_empty) = (query.product.is_some() || query.after.is_some(), refunds.is_empty());
    let bytes = serde_json::to_vec(&RefundedPage { refunds, next })
        .map_err(|error| AppError::Internal(format!("refund listing: {error}")))?;
    Ok(listing(bytes, is_one_of_many, is_empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_reasons_come_to_the_same_and_to_the_totals() {
        let row = |which, id: &str, reason, units, amount| Returned {
            which,
            product_id: id.to_owned(),
            name: id.to_owned(),
            reason,
            refunds: 1,
            units,
            amount,
        };
        let returned = [
            row(0, "a", Some(RefundReason::Damaged), 1, 500),
            row(0, "a", None, 0, 100),
            row(0, "b", Some(RefundReason::Damaged), 2, 900),
            row(1, "a", None, 1, 200),
            row(1, "c", Some(RefundReason::Late), 1, 50),
        ];
        let (products, total) = by_product(&returned, &BTreeMap::from([("a".to_owned(), 9)]), true);
        let shown: Vec<_> =
            products.iter().map(|p| (p.product_id.as_str(), p.amount, p.units_sold, p.previous_amount)).collect();
        assert_eq!((shown, total), (vec![("b", 900, 2, Some(0)), ("a", 600, 10, Some(200))], 2));
        let reasons: Vec<_> =
            by_reason(&returned, true).iter().map(|r| (r.reason, r.amount, r.previous_amount)).collect();
        let expected = [
            (Some(RefundReason::Damaged), 1_400, Some(0)),
            (None, 100, Some(200)),
            (Some(RefundReason::Late), 0, Some(50)),
        ];
        assert_eq!(reasons, expected);
        let totals = totals(&returned, 0, 2, 40);
        assert_eq!((totals.amount, totals.units, totals.units_sold), (1_500, 3, 43));
    }

    #[test]
    fn an_address_asks_for_a_reason_or_for_none() {
        let range = DateRange::parse("2026-01-01", "2026-01-31").unwrap();
        let reason = |text| parse_query(range, Some(text), None, None).map(|query| query.reason);
        assert_eq!(reason(""), Ok(None));
        assert_eq!(reason("none"), Ok(Some(None)));
        assert_eq!(reason("late"), Ok(Some(Some(RefundReason::Late))));
        assert_eq!(reason("ugly").unwrap_err()[0].field, "reason");
    }
}
