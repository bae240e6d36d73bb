//! What a snapshot costs when nothing is in the cache, against the orders behind it and against the days in its range;
//! and how fast orders come in. `cargo bench --bench figures -- [sqlite|postgres] [POWER]`, with up to 10^POWER orders
//! (6 unless told). Prints the tables of `docs/performance.md`. The orders are made in the database, by the arithmetic
//! below, and their sums by the program's own statements; the sums of the smaller sets are worked out again and
//! compared.

use std::{
    future::Future,
    io::Write,
    time::{Duration, Instant},
};

use jiff::{ToSpan, civil::date};
use serde_json::{Value, json};
use vendorscope::domain::accounts::VendorRef;
use vendorscope_cache::Cache;

use vendorscope::{
    domain::period::{Comparison, DateRange, Interval, day_number},
    server::{
        db::{
            Db,
            rollups::{self, Touched},
            sql,
        },
        import::ImportOptions,
        services::analytics::{Analytics, SnapshotQuery},
        services::import::import_bundle,
    },
};

#[allow(dead_code, unused_imports)]
#[path = "../tests/harness/mod.rs"]
mod harness;

use harness::{Client, TestApp, TestDatabase, Unwatched};

/// Prime, and no divisors of the days, so that every one meets every other.
const PRODUCTS: i64 = 199;
const CUSTOMERS: i64 = 997;
/// The median of so many.
const RUNS: usize = 9;
/// Orders made at a time.
const STEP: i64 = 1_000_000;
/// Up to so many, the sums are compared with the orders.
const VERIFIED: i64 = 100_000;
/// Orders of the eleven years that ranges are cut from.
const ELEVEN_YEARS_ORDERS: i64 = 1_000_000;
const IMPORTED: i64 = 100_000;

#[derive(Clone, Copy)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    async fn database(self) -> TestDatabase {
        match self {
            Self::Sqlite => TestDatabase::sqlite(),
            Self::Postgres => TestDatabase::postgres().await,
        }
    }
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let kind = match words.first().map(String::as_str) {
        None | Some("sqlite") => Kind::Sqlite,
        Some("postgres") => Kind::Postgres,
        Some(other) => panic!("{other}: sqlite or postgres"),
    };
    let power = words.get(1).map_or(6, |word| word.parse().expect("a power of ten"));
    incoming(kind).await;
    by_days(kind, 10_i64.pow(power).min(ELEVEN_YEARS_ORDERS)).await;
    by_orders(kind, power).await;
}

/// Snapshots of a vendor that has sold for a year, with ten times as many orders each time.
async fn by_orders(kind: Kind, power: u32) {
    let database = kind.database().await;
    let db = database.open().await;
    open_market(&db, 1).await;
    println!("\n| orders | 28 days | March | the year |\n| ---: | ---: | ---: | ---: |");
    let mut there = 0;
    for orders in (4..=power).map(|power| 10_i64.pow(power)) {
        sell(&db, there, orders, 365).await;
        there = orders;
        let times = [("2025-03-03", "2025-03-30"), ("2025-03-01", "2025-03-31"), ("2025-01-01", "2025-12-31")]
            .map(|(from, to)| DateRange::parse(from, to).expect("a range"));
        let mut cells = Vec::new();
        for range in times {
            cells.push(shown(snapshot(&db, range).await));
        }
        println!("| {} | {} |", grouped(orders), cells.join(" | "));
    }
}

/// Snapshots of the last days of eleven years.
async fn by_days(kind: Kind, orders: i64) {
    let database = kind.database().await;
    let db = database.open().await;
    open_market(&db, 11).await;
    sell(&db, 0, orders, 4_018).await;
    println!(
        "\n{} orders in eleven years\n\n| days | statements | snapshot |\n| ---: | ---: | ---: |",
        grouped(orders)
    );
    // Not the end of a month, so that months and years are cut.
    let last = date(2025, 12, 17);
    for days in [1, 7, 30, 90, 365, 1_825, 3_650] {
        let range = DateRange::new(last.saturating_sub((days - 1).days()), last).expect("a range");
        let before = db.queries();
        let time = snapshot(&db, range).await;
        println!("| {} | {} | {} |", grouped(days), (db.queries() - before) / (RUNS as u64 + 1), shown(time));
    }
}

/// The time of a snapshot that no cache has.
async fn snapshot(db: &Db, range: DateRange) -> Duration {
    let vendor = VendorRef { id: 1, external_id: "v".to_owned() };
    let interval = Interval::choose(None, range).expect("an interval");
    let query = SnapshotQuery { range, comparison: Comparison::None, interval };
    median(async || {
        let analytics = Analytics::new(db.clone(), Cache::memory());
        drop(analytics.snapshot_json(&vendor, &query).await.expect("a snapshot"));
    })
    .await
}

/// A first time is not counted: it brings pages into memory.
async fn median<Fut: Future<Output = ()>>(work: impl Fn() -> Fut) -> Duration {
    work().await;
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let began = Instant::now();
        work().await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times[RUNS / 2]
}

/// One vendor with its products, customers, and the calendar of the `years` that end with 2025.
async fn open_market(db: &Db, years: i16) {
    let first = date(2026 - years, 1, 1);
    let mut statements = vec![
        "INSERT INTO vendors (id, external_id, name, country, time_zone, currency, minor_thousandths, commission_bps) \
         VALUES (1, 'v', 'Vendor', 'Somewhere', 'Etc/UTC', 'EUR', 10, 1000)"
            .to_owned(),
        format!(
            "INSERT INTO products (id, external_id, vendor_id, name, category, unit_price, stock, status) \
             SELECT i, 'p' || i, 1, 'Product ' || i, 'Category ' || (i % 12), 500 + 7 * i, i, 'active' FROM ({}) AS n",
            numbers(0, PRODUCTS)
        ),
        format!(
            "INSERT INTO customers (id, external_id, name, country) \
             SELECT i, 'c' || i, 'Customer ' || i, 'Somewhere' FROM ({}) AS n",
            numbers(0, CUSTOMERS)
        ),
        "CREATE TABLE bench_days (day BIGINT PRIMARY KEY, month BIGINT, year BIGINT)".to_owned(),
        "CREATE TABLE bench_touched (vendor_id BIGINT, order_id BIGINT)".to_owned(),
    ];
    for days in first.series(1.day()).take_while(|day| day.year() < 2026).collect::<Vec<_>>().chunks(100) {
        let rows = days.iter().map(|day| {
            let [day, month, year] = [*day, day.first_of_month(), day.first_of_year()].map(day_number);
            format!("({day}, {month}, {year})")
        });
        statements.push(format!("INSERT INTO bench_days VALUES {}", rows.collect::<Vec<_>>().join(", ")));
    }
    run(db, &statements).await;
}

/// A `SELECT` of the whole numbers beyond `after` and up to `last`, as `i`.
fn numbers(after: i64, last: i64) -> String {
    format!(
        "WITH RECURSIVE n (i) AS (SELECT {after} + 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) \
         SELECT CAST(i AS BIGINT) AS i FROM n"
    )
}

/// Orders of two lines over all products, customers, days and hours; 1 in 25 cancelled, 1 in 20 refunded by half.
async fn sell(db: &Db, there: i64, orders: i64, days: i64) {
    let last_day = day_number(date(2025, 12, 31));
    let first_day = last_day - days + 1;
    let mut from = there;
    while from < orders {
        let to = (from + STEP).min(orders);
        let new = format!("o.id > {from} AND o.id <= {to}");
        let placed = format!("({first_day} + i * 104729 % {days}) * 86400000000 + i * 15485863 % 86400 * 1000000");
        let statements = [
            format!(
                "INSERT INTO orders (id, external_id, customer_id, placed_us, status) \
                 SELECT i, 'o' || i, 1 + i * 7919 % {CUSTOMERS}, {placed}, CASE WHEN i % 25 = 7 THEN 'cancelled' \
                 WHEN i % 40 = 3 THEN 'processing' ELSE 'delivered' END \
                 FROM ({}) AS n",
                numbers(from, to)
            ),
            format!(
                "INSERT INTO vendor_orders (vendor_id, order_id, customer_id, status, placed_us, hour_us, day, month, \
                 year) \
                 SELECT 1, o.id, o.customer_id, o.status, o.placed_us, o.placed_us - o.placed_us % 3600000000, d.day, \
                 d.month, d.year \
                 FROM orders o JOIN bench_days d ON d.day = o.placed_us / 86400000000 WHERE {new} ORDER BY o.id"
            ),
            format!(
                "INSERT INTO order_lines (order_id, line, vendor_id, product_id, quantity, gross, discount, \
                 commission) \
                 SELECT id, line, 1, product, quantity, quantity * (500 + 7 * product), quantity * product, quantity \
                 * (50 + product * 6 / 10) \
                 FROM (SELECT o.id, l.line, 1 + (o.id * 5003 + l.line * 101) % {PRODUCTS} AS product, 1 + o.id % 3 AS \
                 quantity \
                       FROM orders o CROSS JOIN (SELECT 1 AS line UNION ALL SELECT 2) l WHERE {new}) AS sold \
                       ORDER BY id, line"
            ),
            format!(
                "INSERT INTO refunds (vendor_id, order_id, line, quantity, amount, commission, refunded_us, hour_us, \
                 day, month, year) \
                 SELECT 1, o.order_id, l.line, 1, (l.gross - l.discount) / 2, l.commission / 2, o.placed_us, \
                 o.hour_us, o.day, o.month, o.year \
                 FROM vendor_orders o JOIN order_lines l ON l.order_id = o.order_id AND l.line = 1 \
                 WHERE o.vendor_id = 1 AND o.order_id > {from} AND o.order_id <= {to} AND o.order_id % 20 = 0"
            ),
            "DELETE FROM bench_touched".to_owned(),
            format!("INSERT INTO bench_touched SELECT 1, o.id FROM orders o WHERE {new}"),
        ];
        run(db, &statements).await;
        let mut tx = db.write().await.expect("a transaction");
        rollups::add(&mut tx, &Touched::Table("bench_touched")).await.expect("sums");
        tx.commit().await.expect("committed");
        eprintln!("{} orders are there", grouped(to));
        from = to;
    }
    if orders <= VERIFIED {
        let mut tx = db.write().await.expect("a transaction");
        assert_eq!(rollups::verify(&mut tx).await.expect("sums"), [], "the sums are those of the orders");
    }
    if matches!(db.dialect, vendorscope::server::db::Dialect::Postgres) {
        // What autovacuum does by itself, in its own time.
        run(db, &["ANALYZE".to_owned()]).await;
    }
}

async fn run(db: &Db, statements: &[String]) {
    let mut tx = db.write().await.expect("a transaction");
    for statement in statements {
        tx.execute(sql(statement.as_str())).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    tx.commit().await.expect("committed");
}

/// How fast orders come in: as a bundle, and sent to the API by so many at a time.
async fn incoming(kind: Kind) {
    println!("| | |\n| --- | ---: |");
    let bundle = bundle();
    let database = kind.database().await;
    let db = database.open().await;
    let began = Instant::now();
    let report = import_bundle(&db, bundle.path(), ImportOptions::default(), &Unwatched).await.expect("an import");
    let rows = report.products + report.customers + report.orders + report.lines;
    println!("| `import`: {} orders of two lines | {} rows/s |", grouped(IMPORTED), rate(rows, began.elapsed()));
    drop(db);
    let app = TestApp::builder().database(&database).unlimited().spawn().await;
    let admin = app.log_in_as_admin().await;
    let mut number = IMPORTED;
    for (orders, requests) in [(5_000, 4), (100, 50), (1, 200)] {
        let began = Instant::now();
        for _ in 0..requests {
            send(&admin, number, number + orders).await;
            number += orders;
        }
        let sent = orders.unsigned_abs() * requests;
        println!(
            "| `POST /api/ingest/orders`, {} at a time, of two lines | {} orders/s |",
            grouped(orders),
            rate(sent, began.elapsed())
        );
    }
}

fn bundle() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let table = |name: &str, header: &str, rows: &mut dyn Iterator<Item = String>| {
        let file = std::fs::File::create(folder.path().join(format!("{name}.csv"))).expect("a file");
        let mut file = std::io::BufWriter::new(file);
        writeln!(file, "{header}").expect("written");
        rows.for_each(|row| writeln!(file, "{row}").expect("written"));
        file.flush().expect("written");
    };
    table(
        "vendors",
        "vendor_id,name,country,time_zone,currency",
        &mut std::iter::once("v,Vendor,Somewhere,Europe/Berlin,EUR".to_owned()),
    );
    let product = |i| format!("p{i},v,Product {i},Category {},{}.00,100,active", i % 12, 5 + i);
    table("products", "product_id,vendor_id,name,category,unit_price,stock,status", &mut (1..=PRODUCTS).map(product));
    table(
        "customers",
        "customer_id,name,country",
        &mut (1..=CUSTOMERS).map(|i| format!("c{i},Customer {i},Somewhere")),
    );
    let order = |i| format!("o{i},c{},{},delivered", 1 + i * 7919 % CUSTOMERS, placed(i));
    table("orders", "order_id,customer_id,placed_at,status", &mut (0..IMPORTED).map(order));
    let lines =
        |i| (1..=2).map(move |line| format!("o{i},{line},p{},1,12.50,0.50", 1 + (i * 5003 + line * 101) % PRODUCTS));
    table("order_items", "order_id,line,product_id,quantity,gross,discount", &mut (0..IMPORTED).flat_map(lines));
    folder
}

async fn send(admin: &Client, from: i64, to: i64) {
    let lines = |i: i64| -> Vec<Value> {
        let line = |line: i64| {
            json!({ "productId": format!("p{}", 1 + (i * 5003 + line * 101) % PRODUCTS),
            "quantity": 1, "unitPrice": 1_250 })
        };
        (1..=2).map(line).collect()
    };
    let order = |i: i64| {
        let customer = json!({ "customerId": format!("c{}", 1 + i * 7919 % CUSTOMERS) });
        json!({ "orderId": format!("o{i}"), "customer": customer, "placedAt": placed(i), "status": "delivered",
            "lines": lines(i) })
    };
    let body = json!({ "orders": (from..to).map(order).collect::<Vec<_>>() });
    let answer = admin.post("/api/ingest/orders", &body).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
}

fn placed(i: i64) -> String {
    let day = date(2025, 1, 1) + (i * 104_729 % 365).days();
    format!("{day}T{:02}:{:02}:00Z", i % 24, i % 60)
}

fn rate(what: u64, time: Duration) -> String {
    grouped((what as f64 / time.as_secs_f64()) as i64)
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(",")
}
