//! A day of a marketplace, on a clock of its own.

use std::{path::Path, sync::Arc, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use tempfile::TempDir;
use vendorscope::domain::accounts::VendorRef;
use vendorscope_cache::{Cache, Clock, Outcome, store::memory::MemoryStore};

use vendorscope::{
    domain::period::{Comparison, DateRange, Interval},
    server::{
        db::{Db, vendors},
        import::ImportOptions,
        services::analytics::{Analytics, SnapshotQuery},
        services::catalog::Catalog,
        services::import::import_bundle,
        services::product_lists::{ProductParameters, parse_query},
    },
};

use crate::harness::{Market, TestDatabase, Unwatched, northwind};

const VENDORS: usize = 100;
const REQUESTS_PER_HOUR: usize = 7;
const HOURS: u64 = 24;
const HOUR: Duration = Duration::from_secs(3600);

/// Every request at a random moment of its hour, each vendor for its own dashboard: the last 28 days, or a year that is
/// over. Compared with the same requests without a cache. The seed says 95 %.
#[tokio::test]
async fn a_hundred_vendors_with_seven_requests_an_hour_cost_at_least_95_percent_fewer_queries() {
    let database = TestDatabase::sqlite();
    let db = database.open().await;
    let bundle = marketplace(4);
    import_bundle(&db, bundle.path(), ImportOptions::default(), &Unwatched).await.expect("a bundle");
    let vendors = first_vendors(&db).await;
    let mut dice = StdRng::seed_from_u64(95);

    let uncached = {
        let before = db.queries();
        for (place, vendor) in vendors.iter().enumerate() {
            let fresh = Analytics::new(db.clone(), Cache::memory());
            fresh.snapshot_json(vendor, &query(place)).await.expect("a snapshot");
        }
        (db.queries() - before) * REQUESTS_PER_HOUR as u64 * HOURS
    };

    let clock = Clock::manual();
    let analytics = Analytics::new(db.clone(), Cache::over(Arc::new(MemoryStore::default()), clock.clone()));
    let before = db.queries();
    let mut requests = 0_u64;
    for _ in 0..HOURS {
        let mut moments: Vec<_> = (0..VENDORS * REQUESTS_PER_HOUR)
            .map(|request| (HOUR.mul_f64(dice.random_range(0.0..1.0)), request % VENDORS))
            .collect();
        moments.sort_unstable();
        let mut now = Duration::ZERO;
        for (moment, place) in moments {
            clock.advance(moment - now);
            now = moment;
            analytics.snapshot_json(&vendors[place], &query(place)).await.expect("a snapshot");
            requests += 1;
        }
        clock.advance(HOUR - now);
    }
    let cached = db.queries() - before;
    let fewer = 100.0 * (1.0 - cached as f64 / uncached as f64);
    println!("{requests} requests: {cached} queries with the cache, {uncached} without: {fewer:.1} % fewer");
    assert!(cached as f64 <= 0.05 * uncached as f64, "{cached} queries instead of {uncached}: only {fewer:.1} % fewer");
}

/// Cover, what sold lately and the order by either are those of a day: none of it outlives the vendor's midnight, here
/// 23:00 UTC.
#[tokio::test]
async fn lists_and_snapshots_of_a_day_end_with_it() {
    let database = TestDatabase::sqlite();
    let db = database.open().await;
    let bundle = Market::new();
    import_bundle(&db, &bundle.path(), ImportOptions::default(), &Unwatched).await.expect("a bundle");
    let vendor = vendors::find(&db, "eur").await.expect("an answer").expect("a vendor");
    let clock = Clock::manual();
    let cache = Cache::over(Arc::new(MemoryStore::default()), clock.clone());
    let (catalog, analytics) = (Catalog::new(db.clone(), cache.clone()), Analytics::new(db.clone(), cache));
    let low = ProductParameters { stock: Some("low"), ..ProductParameters::default() };
    let queries = [parse_query(&low).expect("a query"), parse_query(&ProductParameters::default()).expect("a query")];
    let outcomes = async || {
        let mut outcomes = Vec::new();
        for query in &queries {
            outcomes.push(catalog.list(&vendor, query).await.expect("a list").outcome);
        }
        outcomes.push(analytics.snapshot_json(&vendor, &query(1)).await.expect("a snapshot").outcome);
        outcomes
    };
    // Ten seconds before midnight of the first day.
    clock.advance(HOUR * 23 - Duration::from_secs(10));
    assert_eq!(outcomes().await, [Outcome::Miss; 3]);
    clock.advance(Duration::from_secs(5));
    assert_eq!(outcomes().await, [Outcome::Hit; 3]);
    clock.advance(Duration::from_secs(5));
    assert_eq!(outcomes().await, [Outcome::Miss; 3], "it is another day");
    clock.advance(Duration::from_secs(60));
    assert_eq!(outcomes().await, [Outcome::Hit; 3]);
}

/// Even vendors look at the 28 days that end on the clock's first day, odd ones at a year that is over.
fn query(place: usize) -> SnapshotQuery {
    let (from, to) = if place.is_multiple_of(2) { ("2025-12-05", "2026-01-01") } else { ("1997-01-01", "1997-12-31") };
    let range = DateRange::parse(from, to).expect("a range");
    SnapshotQuery { range, comparison: Comparison::PreviousPeriod, interval: Interval::Day }
}

async fn first_vendors(db: &Db) -> Vec<VendorRef> {
    let ids = vendors::list_ids(db).await.expect("ids");
    let mut found = Vec::new();
    for id in ids.iter().take(VENDORS) {
        found.push(vendors::find(db, id).await.expect("an answer").expect("a vendor"));
    }
    assert_eq!(found.len(), VENDORS);
    found
}

/// Northwind several times over, with ids of their own.
fn marketplace(times: usize) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["vendors", "products", "customers", "orders", "order_items"] {
        let name = format!("{file}.csv");
        let mut reader = csv::Reader::from_path(northwind().join(&name)).expect("a file");
        let header = reader.headers().expect("a header").clone();
        let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
        write(&folder.path().join(&name), &header, &rows, times);
    }
    folder
}

fn write(path: &Path, header: &csv::StringRecord, rows: &[csv::StringRecord], times: usize) {
    let mut writer = csv::Writer::from_path(path).expect("a file");
    writer.write_record(header).expect("written");
    for copy in 0..times {
        for row in rows {
            let renamed = header.iter().zip(row).map(|(column, value)| {
                if column.ends_with("_id") { format!("{copy}-{value}") } else { value.to_owned() }
            });
            writer.write_record(renamed).expect("written");
        }
    }
    writer.flush().expect("written");
}
