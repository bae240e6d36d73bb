use std::{collections::BTreeMap, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use vendorscope_cache::{Cache, Foresight, Key, Loaded, Origin, Payload, Served, Tag};

use super::{
    costed,
    export::{self, ExportTable, Pieces},
    from_json,
};
use crate::domain::accounts::VendorRef;
use crate::{
    domain::{
        accounts::Vendor,
        clock::WallClock,
        field_error::FieldError,
        local_time::{LocalHour, day_end, find_hour, hours},
        money::Currency,
        period::{Comparison, DateRange, Interval, day_number},
        snapshot::{COVER_DAYS, ComparisonShown, Narrowed, Point, RangeShown, Snapshot, Sums, Totals},
        text::non_empty,
    },
    server::{
        AppError,
        cache_keys::{self, SNAPSHOT_LONGEST_TTL, SNAPSHOT_TODAY_TTL, SNAPSHOT_TTL},
        db::{
            Db, Tx, low_stock,
            snapshot::{self, SalesHour},
            vendors,
        },
        services::warming::Popularity,
    },
};

/// The figures.
pub struct Analytics {
    pub(super) db: Db,
    pub(super) cache: Cache,
    popularity: Popularity,
}

/// Which snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SnapshotQuery {
    pub range: DateRange,
    pub comparison: Comparison,
    pub interval: Interval,
}

impl SnapshotQuery {
    /// Reads the parameters of the API. Without `today` both dates are required; with it, none of them means the 28
    /// days that end today. Empty texts, which forms send, count as absent.
    pub fn parse(
        from: Option<&str>,
        to: Option<&str>,
        compare: Option<&str>,
        interval: Option<&str>,
        today: Option<Date>,
    ) -> Result<Self, Vec<FieldError>> {
        let range = DateRange::read(from, to, today);
        let comparison = non_empty(compare).map_or(Ok(Comparison::default()), |text| text.parse());
        let mut refused = range.as_ref().err().cloned().unwrap_or_default();
        let comparison = comparison.map_err(|e| refused.push(e)).unwrap_or_default();
        let Ok(range) = range else { return Err(refused) };
        match Interval::choose(non_empty(interval), range) {
            Ok(interval) if refused.is_empty() => Ok(Self { range, comparison, interval }),
            Ok(_) => Err(refused),
            Err(invalid) => {
                refused.push(invalid);
                Err(refused)
            }
        }
    }

    /// One day by hours, compared with nothing.
    pub fn by_hour(day: Date) -> Self {
        Self { range: DateRange { from: day, to: day }, comparison: Comparison::None, interval: Interval::Hour }
    }

    /// The days that a stock's cover is reckoned by, up to today.
    pub fn days_of_cover(today: Date) -> Self {
        let range = DateRange { from: today.saturating_sub((COVER_DAYS - 1).days()), to: today };
        Self { range, comparison: Comparison::None, interval: Interval::Day }
    }

    /// The part of the cache key that names this query: calendar days, so that it means the same tomorrow.
    pub(super) fn cache_detail(&self) -> String {
        format!("{}:{}:{}:{}", self.range.from, self.range.to, self.comparison.as_str(), self.interval.as_str())
    }
}

/// Today in the vendor's time zone. A zone that this program's database of zones no longer knows counts as UTC.
pub fn today(vendor: &Vendor) -> Date {
    Timestamp::now().to_zoned(TimeZone::get(&vendor.time_zone).unwrap_or(TimeZone::UTC)).date()
}

/// The hour of the vendor's day that it is, to the nearest full one (0 to 24): up to it the last day of a comparison
/// counts, where the range it is compared with ends today.
pub fn until_hour(time_zone: &str, now: Timestamp) -> i8 {
    let local = WallClock::covering(time_zone, [now]).local(now);
    local.hour() + i8::from(local.minute() >= 30)
}

impl Analytics {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache, popularity: Popularity::default() }
    }

    /// A snapshot's JSON, as the API serves it.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "analytics.snapshot_json", skip_all)]
    pub async fn snapshot_json(&self, vendor: &VendorRef, query: &SnapshotQuery) -> Result<Served<Payload>, AppError> {
        self.get(vendor, query, |payload| Ok(payload.clone())).await
    }

    async fn get<T>(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        decode: fn(&Payload) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        self.popularity.note(&(vendor.clone(), *query), 1).await;
        let (key, tags) = entry(vendor, query);
        self.cache.get_or_load_decoded(&key, &tags, self.loader(vendor, query), decode).await
    }

    /// Asks for what tells whether figures of this vendor that this instance holds are current, before it is known
    /// which will be asked for: see [`Cache::foresee`].
    pub async fn foresee(&self, vendor: &VendorRef) -> Option<Foresight> {
        self.cache.foresee(&tags(vendor)).await
    }

    /// Has the snapshot in the cache and fresh for a while, as far as the cache can be reached. Whether it had to be
    /// loaded.
    pub async fn warm(&self, vendor: &VendorRef, query: &SnapshotQuery) -> Result<bool, AppError> {
        let (key, tags) = entry(vendor, query);
        self.cache.warm(&key, &tags, self.loader(vendor, query)).await
    }

    /// Where these are kept, each with its vendor's id.
    pub fn keys(&self, snapshots: &[(VendorRef, SnapshotQuery)]) -> Vec<(Key, String)> {
        snapshots.iter().map(|(vendor, query)| (entry(vendor, query).0, vendor.external_id.clone())).collect()
    }

    /// How often each snapshot was asked for lately.
    pub fn popularity(&self) -> &Popularity {
        &self.popularity
    }

    fn loader(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
    ) -> impl FnOnce() -> BoxFuture<'static, Result<Loaded, AppError>> + Send + use<> {
        let (db, vendor, query, cache) = (self.db.clone(), vendor.clone(), *query, self.cache.clone());
        move || costed(async move { load(&db, &vendor, &query, cache.now()).await }).boxed()
    }

    /// The figures of one range as CSV: they come to what the snapshot of the same query shows. Straight from the
    /// database: a file says nowhere how old its figures are.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "analytics.export", skip_all)]
    pub async fn export(
        &self,
        vendor: &VendorRef,
        query: &SnapshotQuery,
        table: ExportTable,
    ) -> Result<Pieces, AppError> {
        match table {
            ExportTable::Series => Ok(export::series(compute(&self.db, vendor, query, self.cache.now()).await?.0)),
            ExportTable::Products => {
                let mut tx = self.db.read().await?;
                let currency = currency_of(&mut tx, vendor).await?;
                let products = snapshot::list_products_sold(&mut tx, vendor.id, query.range).await?;
                tx.commit().await?;
                Ok(export::products(products, currency))
            }
            ExportTable::Payable => {
                let mut tx = self.db.read().await?;
                let currency = currency_of(&mut tx, vendor).await?;
                let days = snapshot::list_days(&mut tx, vendor.id, query.range, None).await?;
                tx.commit().await?;
                Ok(export::payable(&days[0], currency, true))
            }
            ExportTable::Orders | ExportTable::Refunds => {
                let mut tx = self.db.read().await?;
                let currency = currency_of(&mut tx, vendor).await?;
                tx.commit().await?;
                let of = if table == ExportTable::Orders { export::orders } else { export::refunds };
                Ok(of(self.db.clone(), vendor.id, query.range, Narrowed::default(), currency))
            }
        }
    }

    /// The same snapshot for a page.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "analytics.snapshot", skip_all)]
    pub async fn snapshot(&self, vendor: &VendorRef, query: &SnapshotQuery) -> Result<Served<Snapshot>, AppError> {
        self.get(vendor, query, from_json).await
    }

    /// The entry that this was served from.
    pub fn origin<T>(&self, vendor: &VendorRef, query: &SnapshotQuery, served: &Served<T>) -> Option<Origin> {
        let (key, tags) = entry(vendor, query);
        Origin::of(&key, &tags, served)
    }
}

/// Where a snapshot is kept, and what makes it stale.
fn entry(vendor: &VendorRef, query: &SnapshotQuery) -> (Key, [Tag; 2]) {
    (cache_keys::snapshot_key(&vendor.external_id, &query.cache_detail()), tags(vendor))
}

/// Every write to a vendor's data renews the vendor's tag.
pub(super) fn tags(vendor: &VendorRef) -> [Tag; 2] {
    [cache_keys::vendor_tag(&vendor.external_id), cache_keys::analytics_tag()]
}

async fn load(db: &Db, vendor: &VendorRef, query: &SnapshotQuery, now: Timestamp) -> Result<Loaded, AppError> {
    let (mut snapshot, zone) = compute(db, vendor, query, now).await?;
    let today = now.to_zoned(zone.clone()).date();
    // At midnight another day is today, and days of cover are those of other days.
    let until_midnight = until_midnight(&zone, now);
    let to_json = |snapshot: &Snapshot| {
        serde_json::to_vec(snapshot).map_err(|error| AppError::Internal(format!("snapshot: {error}")))
    };
    let bytes = to_json(&snapshot)?;
    snapshot.computed_at = Timestamp::UNIX_EPOCH;
    let ttl = if query.range.contains(today) { SNAPSHOT_TODAY_TTL } else { SNAPSHOT_TTL };
    Ok(Loaded::new(bytes, ttl).adaptive(&to_json(&snapshot)?, SNAPSHOT_LONGEST_TTL).ending_in(until_midnight))
}

/// Works a snapshot out: at most seven statements, all of them from one state of the database. Returns it with the
/// vendor's zone.
async fn compute(
    db: &Db,
    vendor: &VendorRef,
    query: &SnapshotQuery,
    now: Timestamp,
) -> Result<(Snapshot, TimeZone), AppError> {
    let (range, previous) = (query.range, query.range.compared(query.comparison));
    let mut tx = db.read().await?;
    let head = snapshot::find_head(&mut tx, vendor.id).await?.ok_or(AppError::NotFound)?;
    let zone = vendors::time_zone(&head.time_zone)?;
    let currency = vendors::currency(&head.currency)?;
    let today = now.to_zoned(zone.clone()).date();

    let [days, previous_days] = snapshot::list_days(&mut tx, vendor.id, range, previous).await?;
    let (series, previous_series) = if query.interval == Interval::Hour {
        let [sold, previously_sold] = snapshot::list_hours(&mut tx, vendor.id, range, previous).await?;
        (hourly(range, &zone, &sold), previous.map(|previous| hourly(previous, &zone, &previously_sold)))
    } else {
        let beside = |previous: DateRange| previous.starts_beside(query.interval, &range);
        (
            daily(range, &range.starts(query.interval), &days),
            previous.map(|previous| daily(previous, &beside(previous), &previous_days)),
        )
    };
    let (mut series, mut previous_series) = (series, previous_series);
    let (distinct, sales) = snapshot::list_day_values(&mut tx, vendor.id, query.interval, range, previous).await?;
    let note = |series: &mut Vec<Point>, counts: &[i64]| {
        series.iter_mut().zip(counts).for_each(|(point, count)| point.customers = Some(*count));
    };
    note(&mut series, &distinct.by_interval[0]);
    previous_series.iter_mut().for_each(|series| note(series, &distinct.by_interval[1]));
    // What sold is added up while the database is asked for the rest.
    let (sales, rest) = tokio::join!(sales, async {
        let orders_by_status = snapshot::list_statuses(&mut tx, vendor.id, range).await?;
        Ok::<_, AppError>((orders_by_status, low_stock::list_most_urgent(&mut tx, vendor.id, today).await?))
    });
    let (orders_by_status, (low_stock, low_stock_total)) = rest?;
    let (top_products, top_categories) = snapshot::list_top(&mut tx, vendor.id, &sales?).await?;
    tx.commit().await?;

    let snapshot = Snapshot {
        vendor_id: vendor.external_id.clone(),
        vendor_name: head.name,
        currency,
        time_zone: head.time_zone,
        range: RangeShown { from: range.from, to: range.to, days: range.days(), interval: query.interval },
        comparison: previous.map(|p| ComparisonShown {
            kind: query.comparison,
            from: p.from,
            to: p.to,
            days: p.days(),
        }),
        totals: Totals::new(total(&days), distinct.totals[0]),
        previous_totals: previous.map(|_| Totals::new(total(&previous_days), distinct.totals[1])),
        series,
        previous_series,
        orders_by_status,
        top_products,
        top_categories,
        low_stock,
        low_stock_total,
        computed_at: Timestamp::from_second(now.as_second()).unwrap_or_default(),
    };
    Ok((snapshot, zone))
}

/// How long it is still today there.
pub(super) fn until_midnight(zone: &TimeZone, now: Timestamp) -> Duration {
    Duration::from_micros(day_end(zone, now).saturating_sub(now.as_microsecond()).unsigned_abs())
}

pub(super) async fn currency_of(tx: &mut Tx, vendor: &VendorRef) -> Result<Currency, AppError> {
    vendors::find_currency(tx, vendor.id).await?.ok_or(AppError::NotFound)
}

fn total(buckets: &BTreeMap<i64, Sums>) -> Sums {
    buckets.values().fold(Sums::default(), |mut total, sums| {
        total += *sums;
        total
    })
}

/// One point for each of `starts`, the first of which is the range's own: up to the next one, and to the range's end.
pub(super) fn daily(range: DateRange, starts: &[Date], days: &BTreeMap<i64, Sums>) -> Vec<Point> {
    let ends = starts.iter().skip(1).map(|start| day_number(*start)).chain([day_number(range.to) + 1]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let mut sums = Sums::default();
            days.range(day_number(*start)..end).for_each(|(_, day)| sums += *day);
            Point::new(start.to_string(), sums)
        })
        .collect()
}

/// One point for every local hour of the range: 24 a day on most days, 23 or 25 where clocks change. Each row falls
/// into the point that holds it, so that rows of a zone that the vendor has left add none.
pub(super) fn hourly(range: DateRange, zone: &TimeZone, sold: &[SalesHour]) -> Vec<Point> {
    let grid = hours(zone, range);
    let mut sums = vec![Sums::default(); grid.len()];
    for row in sold {
        if let Some(at) = find_hour(&grid, row.day, row.hour_us) {
            sums[at] += row.sums;
        }
    }
    let start = |hour: &LocalHour| Timestamp::from_microsecond(hour.start_us).unwrap_or_default().to_string();
    grid.iter().zip(sums).map(|(hour, sums)| Point::new(start(hour), sums)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str) -> DateRange {
        DateRange::parse(from, to).unwrap()
    }

    #[test]
    fn weeks_and_months_sum_their_days_and_gaps_are_zero() {
        let sold = |day: &str, gross_sales| (day_number(day.parse().unwrap()), Sums { gross_sales, ..Sums::default() });
        let days = BTreeMap::from([sold("2025-01-05", 1), sold("2025-01-06", 10), sold("2025-02-28", 100)]);
        let gross = |interval| {
            let range = range("2025-01-01", "2025-03-31");
            daily(range, &range.starts(interval), &days).iter().map(|p| p.gross_sales).collect::<Vec<_>>()
        };
        assert_eq!(gross(Interval::Month), [11, 100, 0]);
        assert_eq!(gross(Interval::Week)[..3], [1, 10, 0]);
        assert_eq!(gross(Interval::Day).len(), 90);
    }

    #[test]
    fn every_wrong_parameter_is_named_at_once() {
        let fields = |result: Result<SnapshotQuery, Vec<FieldError>>| {
            result.unwrap_err().into_iter().map(|i| i.field).collect::<Vec<_>>()
        };
        assert_eq!(fields(SnapshotQuery::parse(None, None, None, None, None)), ["dateFrom", "dateTo"]);
        assert_eq!(
            fields(SnapshotQuery::parse(Some("x"), Some("2025-01-01"), Some("y"), None, None)),
            ["dateFrom", "compare"]
        );
        assert_eq!(
            fields(SnapshotQuery::parse(Some("2025-01-01"), Some("2025-01-02"), Some("y"), Some("z"), None)),
            ["compare", "interval"]
        );
    }

    #[test]
    fn without_dates_a_page_shows_28_days_up_to_today() {
        let today = crate::domain::period::day_from_number(20_000);
        let query = SnapshotQuery::parse(None, Some(""), None, None, Some(today)).unwrap();
        assert_eq!((query.range.days(), query.range.to, query.comparison), (28, today, Comparison::PreviousPeriod));
    }
}
