use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use vendorscope_cache::{Cache, Loaded, Payload, Served};

use super::{analytics::daily, costed, from_json};
use crate::{
    domain::{
        accounts::VendorRef,
        market::{CurrencyMetrics, MarketMetrics, MarketRange, TOP_VENDORS, VendorSales},
        money::divide_rounded,
        period::{DateRange, Interval},
        snapshot::Sums,
    },
    server::{
        AppError,
        cache_keys::{self, ADMIN_METRICS_TTL},
        db::{
            Db,
            marketplace::{self, VendorSums},
            vendors,
        },
    },
};

/// Figures of the whole marketplace.
pub struct Marketplace {
    pub(super) db: Db,
    pub(super) cache: Cache,
}

/// Today in UTC: the marketplace has no calendar of its own.
pub fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

impl Marketplace {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// The figures' JSON, as the API serves it, through the cache: stale with every vendor's sales.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "marketplace.metrics_json", skip_all)]
    pub async fn metrics_json(&self, range: DateRange) -> Result<Served<Payload>, AppError> {
        self.get(range, |payload| Ok(payload.clone())).await
    }

    async fn get<T>(
        &self,
        range: DateRange,
        decode: fn(&Payload) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        let key = cache_keys::admin_metrics_key(&format!("{}:{}", range.from, range.to));
        let db = self.db.clone();
        let load = move || costed(async move { load(&db, range).await });
        self.cache.get_or_load_decoded(&key, &[cache_keys::marketplace_tag()], load, decode).await
    }

    /// When a vendor's newest order was placed, counted or not.
    pub async fn last_order(&self, vendor: &VendorRef) -> Result<Option<Timestamp>, AppError> {
        Ok(vendors::find_last_order(&self.db, vendor.id).await?)
    }

    /// The same for a page.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "marketplace.metrics", skip_all)]
    pub async fn metrics(&self, range: DateRange) -> Result<Served<MarketMetrics>, AppError> {
        self.get(range, from_json).await
    }
}

async fn load(db: &Db, range: DateRange) -> Result<Loaded, AppError> {
    let mut tx = db.read().await?;
    let vendors = marketplace::list_vendors(&mut tx, range).await?;
    let days = marketplace::list_days(&mut tx, range).await?;
    tx.commit().await?;
    let metrics = compute(range, vendors, &days)?;
    let bytes = serde_json::to_vec(&metrics).map_err(|error| AppError::Internal(format!("metrics: {error}")))?;
    Ok(Loaded::new(bytes, ADMIN_METRICS_TTL))
}

fn compute(
    range: DateRange,
    vendors: Vec<VendorSums>,
    days: &BTreeMap<String, BTreeMap<i64, Sums>>,
) -> Result<MarketMetrics, AppError> {
    let interval = match Interval::automatic(range) {
        // Vendors' hours differ.
        Interval::Hour => Interval::Day,
        interval => interval,
    };
    let count = |vendors: &[VendorSums]| vendors.iter().filter(|vendor| vendor.sums.orders > 0).count() as i64;
    let (all, active_vendors) = (vendors.len() as i64, count(&vendors));
    let mut by_currency: BTreeMap<String, Vec<VendorSums>> = BTreeMap::new();
    for vendor in vendors {
        by_currency.entry(vendor.currency.clone()).or_default().push(vendor);
    }
    let empty = BTreeMap::new();
    let mut currencies = by_currency
        .into_iter()
        .map(|(code, vendors)| {
            let currency = vendors::currency(&code)?;
            let mut sums = Sums::default();
            vendors.iter().for_each(|vendor| sums += vendor.sums);
            Ok(CurrencyMetrics {
                currency,
                gross_sales: sums.gross_sales,
                discounts: sums.discounts,
                returns: sums.returns,
                net_sales: sums.net_sales(),
                commission: sums.commission,
                orders: sums.orders,
                units: sums.units,
                average_order_value: divide_rounded(sums.net_sales(), sums.orders),
                active_vendors: count(&vendors),
                series: daily(range, &range.starts(interval), days.get(&code).unwrap_or(&empty)),
                top_vendors: top(vendors),
            })
        })
        .collect::<Result<Vec<_>, AppError>>()?;
    currencies.sort_by_key(|metrics| (std::cmp::Reverse(metrics.orders), metrics.currency.code().to_owned()));
    Ok(MarketMetrics {
        range: MarketRange { from: range.from, to: range.to, days: range.days(), interval },
        vendors: all,
        active_vendors,
        currencies,
        computed_at: Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default(),
    })
}

fn top(vendors: Vec<VendorSums>) -> Vec<VendorSales> {
    let sold = vendors.into_iter().filter(|vendor| vendor.sums != Sums::default());
    let mut sales: Vec<_> = sold
        .map(|vendor| VendorSales {
            vendor_id: vendor.vendor_id,
            name: vendor.name,
            orders: vendor.sums.orders,
            net_sales: vendor.sums.net_sales(),
        })
        .collect();
    sales.sort_by(|a, b| b.net_sales.cmp(&a.net_sales).then_with(|| a.vendor_id.cmp(&b.vendor_id)));
    sales.truncate(TOP_VENDORS);
    sales
}
