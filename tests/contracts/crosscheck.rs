//! Every figure of a snapshot, over HTTP, against a second tool: `scripts/crosscheck.py` works the same figures out of
//! the bundle's CSV files with DuckDB. Real sales that nobody here wrote, in zones of half hours and of +14 hours, and
//! on days when clocks change; and made up ones with what those lack: refunds, discounts on whole orders, commission.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use vendorscope::server::db::rollups;

use crate::harness::{TestApp, TestDatabase, complete_journey, databases, northwind};

/// A marketplace with discounts on orders, refunds and commission.
mod refunded;

use refunded::{Refunded, VENDORS};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn northwind_agrees_with_duckdb() {
    agrees(northwind(), northwind_queries()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn complete_journey_agrees_with_duckdb() {
    agrees(complete_journey(), complete_journey_queries()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refunds_and_discounts_on_sqlite_agree_with_duckdb() {
    refunds_agree(&TestDatabase::sqlite(), 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refunds_and_discounts_on_postgres_agree_with_duckdb() {
    refunds_agree(&TestDatabase::postgres().await, 26).await;
}

struct Query {
    vendor: String,
    from: &'static str,
    to: &'static str,
    compare: &'static str,
    interval: &'static str,
}

fn query(
    vendor: impl ToString,
    from: &'static str,
    to: &'static str,
    compare: &'static str,
    interval: &'static str,
) -> Query {
    Query { vendor: vendor.to_string(), from, to, compare, interval }
}

/// Every vendor: all of its sales, a month, and a week that is cut on both sides.
fn northwind_queries() -> Vec<Query> {
    (1..=29)
        .flat_map(|vendor| {
            [
                query(vendor, "1996-07-01", "1998-05-31", "previous_year", "month"),
                query(vendor, "1998-03-01", "1998-03-31", "previous_period", "day"),
                query(vendor, "1997-12-25", "1998-01-14", "previous_period", "week"),
                query(vendor, "1998-02-03", "1998-02-12", "previous_weeks", "day"),
            ]
        })
        .collect()
}

/// The largest vendors, and of each unusual zone the largest.
fn complete_journey_queries() -> Vec<Query> {
    const ST_JOHNS: u32 = 69;
    const BERLIN: u32 = 2;
    const NEW_YORK: u32 = 544;
    const LORD_HOWE: u32 = 764;
    const KIRITIMATI: u32 = 103;
    const KOLKATA: u32 = 1251;
    let year = |vendor| query(vendor, "2017-01-01", "2017-12-31", "none", "month");
    let hours_of = |vendor, day| query(vendor, day, day, "previous_period", "hour");
    let mut queries = vec![
        query(ST_JOHNS, "2017-03-01", "2017-03-31", "previous_period", "day"),
        query(ST_JOHNS, "2017-06-30", "2017-06-30", "previous_period", "hour"),
        query(BERLIN, "2017-12-01", "2017-12-31", "previous_period", "week"),
        query(BERLIN, "2017-01-01", "2017-01-31", "previous_year", "day"),
        query(NEW_YORK, "2017-08-15", "2017-09-17", "previous_period", "day"),
        query(KIRITIMATI, "2017-01-01", "2017-01-01", "previous_period", "hour"),
        query(KIRITIMATI, "2017-12-31", "2018-01-01", "previous_period", "hour"),
        query(KOLKATA, "2017-07-01", "2017-09-30", "previous_period", "week"),
        query(KOLKATA, "2017-02-28", "2017-02-28", "previous_period", "hour"),
        query(LORD_HOWE, "2017-04-01", "2017-04-30", "previous_period", "day"),
        query(236, "2017-09-25", "2017-10-08", "previous_period", "week"),
        query(4, "2017-05-01", "2017-05-31", "previous_period", "day"),
    ];
    queries.extend([ST_JOHNS, BERLIN, NEW_YORK, LORD_HOWE, KIRITIMATI, KOLKATA].map(year));
    // Clocks change: in North America, in Europe, and by half an hour on Lord Howe Island.
    queries.extend(
        [ST_JOHNS, NEW_YORK]
            .into_iter()
            .flat_map(|vendor| ["2017-03-12", "2017-11-05"].map(|day| hours_of(vendor, day))),
    );
    queries.extend(["2017-03-26", "2017-10-29"].map(|day| hours_of(BERLIN, day)));
    queries.extend(["2017-04-02", "2017-10-01"].map(|day| hours_of(LORD_HOWE, day)));
    queries.extend(["2017-04-02", "2017-10-01"].map(|day| query(LORD_HOWE, day, day, "previous_period", "day")));
    queries
}

/// Every vendor: two years, months and weeks with refunds of sales before them, and days on which clocks change.
fn refunded_queries() -> Vec<Query> {
    VENDORS
        .iter()
        .flat_map(|vendor| {
            [
                query(vendor.id, "2023-01-01", "2024-12-31", "previous_year", "month"),
                query(vendor.id, "2024-02-01", "2024-02-29", "previous_period", "day"),
                query(vendor.id, "2024-03-20", "2024-04-14", "previous_year", "week"),
                query(vendor.id, "2023-11-17", "2024-03-10", "previous_period", "week"),
                query(vendor.id, "2024-03-31", "2024-03-31", "previous_period", "hour"),
                query(vendor.id, "2024-04-07", "2024-04-07", "previous_period", "hour"),
                query(vendor.id, "2024-10-06", "2024-10-06", "previous_year", "hour"),
                query(vendor.id, "2024-11-03", "2024-11-03", "none", "hour"),
            ]
        })
        .collect()
}

async fn refunds_agree(database: &TestDatabase, seed: u64) {
    let market = Refunded::new(seed);
    let queries = refunded_queries();
    let expected = duckdb(&market.whole(), &queries);
    let sum = |figure: &str| {
        expected.iter().map(|snapshot| snapshot["totals"][figure].as_i64().expect("a number")).sum::<i64>()
    };
    assert!(sum("returns") > 0 && sum("discounts") > 0 && sum("commission") > 0, "there is something to disagree on");
    assert!(
        expected.iter().any(|snapshot| snapshot["lowStock"][0]["daysOfCover"].as_f64() > Some(0.0)),
        "and something sold lately"
    );
    let app = TestApp::builder().database(database).bundle(market.bundle()).unlimited().spawn().await;
    market.send(&app).await;
    compare(&app, database, &queries, &expected).await;
    let db = &app.state().db;
    assert_eq!(rollups::verify(&mut db.write().await.expect("a transaction")).await.expect("sums"), []);
}

/// On either database: DuckDB needs minutes for a million lines, and says the same for both.
async fn agrees(bundle: PathBuf, queries: Vec<Query>) {
    let queries: &'static [Query] = queries.leak();
    let of_duckdb = {
        let bundle = bundle.clone();
        tokio::task::spawn_blocking(move || duckdb(&bundle, queries))
    };
    let databases = databases().await;
    let imported =
        databases.iter().map(|database| TestApp::builder().database(database).bundle(bundle.clone()).spawn());
    let (expected, apps) = tokio::join!(of_duckdb, futures::future::join_all(imported));
    let expected = expected.expect("what DuckDB finds");
    for (app, database) in apps.iter().zip(&databases) {
        compare(app, database, queries, &expected).await;
    }
}

async fn compare(app: &TestApp, database: &TestDatabase, queries: &[Query], expected: &[Value]) {
    let admin = app.log_in_as_admin().await;
    let mut sold = 0;
    for (Query { vendor, from, to, compare, interval }, expected) in queries.iter().zip(expected) {
        let path = format!(
            "/api/vendor/analytics/snapshot?vendorId={vendor}&dateFrom={from}&dateTo={to}&compare={compare}\
             &interval={interval}"
        );
        let mut actual = admin.get_json(&path).await;
        let fields = actual.as_object_mut().expect("an object");
        assert!(fields.remove("computedAt").is_some_and(|at| at.is_string()), "{path}");
        // One by one, so that a difference is named.
        for (name, expected) in expected.as_object().expect("an object") {
            assert_eq!(
                fields.remove(name).as_ref(),
                Some(expected),
                "`{name}` of vendor {vendor}, {from} to {to}, on {}",
                database.url()
            );
        }
        assert!(fields.is_empty(), "nothing checks {fields:?}");
        sold += expected["totals"]["orders"].as_i64().expect("a number");
    }
    assert_eq!(expected.len(), queries.len());
    assert!(sold > 0, "the ranges hold sales");
}

/// The snapshots as DuckDB finds them, in the order of the queries.
fn duckdb(bundle: &Path, queries: &[Query]) -> Vec<Value> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = project.join(".venv/bin/python");
    assert!(python.exists(), "{} is not there: scripts/setup --tests makes it", python.display());
    let queries: Vec<Value> = queries
        .iter()
        .map(
            |q| json!({ "vendor": q.vendor, "from": q.from, "to": q.to, "compare": q.compare, "interval": q.interval }),
        )
        .collect();
    let mut process = Command::new(python)
        .arg(project.join("scripts/crosscheck.py"))
        .arg(bundle)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut input = process.stdin.take().expect("a pipe");
    input.write_all(Value::from(queries).to_string().as_bytes()).expect("Python reads the queries");
    drop(input);
    let output = process.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "scripts/crosscheck.py: {}", output.status);
    serde_json::from_slice(&output.stdout).expect("scripts/crosscheck.py prints JSON")
}
