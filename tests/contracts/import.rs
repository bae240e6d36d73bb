//! What an import promises, on both databases.

/// What a second bundle changes, and what it leaves alone.
mod again;
/// Local hours and days against jiff's own.
mod days;
/// The demo marketplace.
mod demo;
/// Files as people have them: what is read of them, and on which line something is wrong.
mod files;
/// Files that cannot be taken, and what is said of them.
mod refused;
/// `--shift-to-today`.
mod shifted;

use std::{collections::BTreeMap, fs, path::Path};

use roaring::RoaringTreemap;
use sqlx::Row;
use tempfile::TempDir;
use vendorscope::server::{
    db::{Db, rollups, sql},
    import::{ImportError, ImportOptions, ImportReport},
    services::import::import_bundle,
};

use crate::harness::{Unwatched, databases, northwind};

/// A bundle in a folder of its own, written table by table.
struct Bundle(TempDir);

impl Bundle {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Three vendors with currencies of two, no and three decimals, one customer, two orders that all of them take part
    /// in.
    fn small() -> Self {
        Self::new()
            .with(
                "vendors",
                "vendor_id,name,country,time_zone,currency,commission_bps\n\
                 v-eur,Ton,Germany,Europe/Berlin,EUR,1000\n\
                 v-jpy,Kaze,Japan,Asia/Tokyo,JPY,750\n\
                 v-kwd,Dar,Kuwait,Asia/Kuwait,KWD,\n",
            )
            .with(
                "products",
                "product_id,vendor_id,name,category,unit_price,stock,status\n\
                 p-eur,v-eur,\"Mug, \"\"Fog\"\" & ash: 2\",Mugs,12.50,3,active\n\
                 p-jpy,v-jpy,Pen,Pens,1200,10,active\n\
                 p-kwd,v-kwd,Attar,Perfume,7.250,0,archived\n",
            )
            .with("customers", "customer_id,name,country\nc-1,Anna,Germany\nc-2,Ren,Japan\n")
            .with(
                "orders",
                "order_id,customer_id,placed_at,status\n\
                 o-1,c-1,2026-03-28T23:30:00Z,delivered\n\
                 o-2,c-1,2026-03-29T12:00:00+02:00,processing\n",
            )
            .with(
                "order_items",
                "order_id,line,product_id,quantity,gross,discount\n\
                 o-1,1,p-eur,2,25.00,2.50\n\
                 o-1,2,p-jpy,1,1200,0\n\
                 o-1,3,p-kwd,4,29.000,1.125\n\
                 o-2,1,p-eur,1,12.5,0.00\n",
            )
    }

    fn with(self, table: &str, csv: &str) -> Self {
        self.with_file(&format!("{table}.csv"), csv.as_bytes())
    }

    fn with_file(self, name: &str, content: &[u8]) -> Self {
        fs::write(self.0.path().join(name), content).unwrap();
        self
    }

    fn without(self, table: &str) -> Self {
        fs::remove_file(self.0.path().join(format!("{table}.csv"))).unwrap();
        self
    }

    fn replacing(self, table: &str, from: &str, to: &str) -> Self {
        let csv = fs::read_to_string(self.0.path().join(format!("{table}.csv"))).unwrap();
        assert!(csv.contains(from), "{table} has no {from}");
        self.with(table, &csv.replacen(from, to, 1))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    async fn import(&self, db: &Db) -> Result<ImportReport, ImportError> {
        import_bundle(db, self.path(), ImportOptions::default(), &Unwatched).await
    }

    async fn imported(&self, db: &Db) -> ImportReport {
        self.import(db).await.unwrap_or_else(|error| panic!("{}: {error}", db.dialect.name()))
    }
}

/// The rows of a query whose columns are all integers.
async fn integers(db: &Db, query: &str) -> Vec<Vec<i64>> {
    let mut tx = db.read().await.unwrap();
    let rows = tx.rows(sql(query)).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    rows.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect()).collect()
}

/// The rows of a query of one column of text.
async fn texts(db: &Db, query: &str) -> Vec<String> {
    let mut tx = db.read().await.unwrap();
    tx.rows(sql(query)).await.unwrap_or_else(|error| panic!("{query}: {error}")).iter().map(|row| row.get(0)).collect()
}

async fn count(db: &Db, table: &str) -> i64 {
    integers(db, &format!("SELECT COUNT(*) FROM {table}")).await[0][0]
}

/// Everything that an import writes, after a look at whether the sums are those of the rows; under the marketplace's
/// own ids. Sums of nothing are left out, for they may be there or not.
async fn everything(db: &Db) -> Vec<String> {
    assert_eq!(rollups::verify(&mut db.write().await.unwrap()).await.unwrap(), [], "{}", db.dialect.name());
    let parts = "JOIN vendors v ON v.id = t.vendor_id";
    let mut all = Vec::new();
    for (table, columns, from) in [
        (
            "vendors",
            "external_id, name, country, time_zone, currency, minor_thousandths, commission_bps, low_stock_threshold",
            "vendors",
        ),
        (
            "products",
            "t.external_id, v.external_id, t.name, category, unit_price, stock, status",
            &format!("products t {parts}"),
        ),
        ("customers", "external_id, name, country", "customers"),
        (
            "orders",
            "t.external_id, c.external_id, placed_us, status",
            "orders t JOIN customers c ON c.id = t.customer_id",
        ),
        (
            "vendor_orders",
            "v.external_id, o.external_id, c.external_id, t.status, t.placed_us, hour_us, day, month, year",
            &format!(
                "vendor_orders t {parts} JOIN orders o ON o.id = t.order_id JOIN customers c ON c.id = t.customer_id"
            ),
        ),
        (
            "order_lines",
            "v.external_id, o.external_id, line, p.external_id, quantity, gross, discount, commission",
            &format!("order_lines t {parts} JOIN orders o ON o.id = t.order_id JOIN products p ON p.id = t.product_id"),
        ),
        (
            "refunds",
            "v.external_id, o.external_id, line, quantity, amount, commission, refunded_us, hour_us, day, month, year",
            &format!("refunds t {parts} JOIN orders o ON o.id = t.order_id"),
        ),
        (
            "sales_days",
            "v.external_id, day, gross, discounts, returns, commission, orders, units, new_customers",
            &format!(
                "sales_days t {parts} WHERE gross <> 0 OR discounts <> 0 OR returns <> 0 OR commission <> 0 OR orders \
                 <> 0 OR units <> 0 OR new_customers <> 0"
            ),
        ),
        (
            "sales_hours",
            "v.external_id, hour_us, gross, discounts, returns, commission, orders, units",
            &format!(
                "sales_hours t {parts} WHERE gross <> 0 OR discounts <> 0 OR returns <> 0 OR commission <> 0 OR \
                 orders <> 0 OR units <> 0"
            ),
        ),
        ("status_days", "v.external_id, day, status, orders", &format!("status_days t {parts} WHERE orders <> 0")),
        (
            "product_sales",
            "v.external_id, day, p.external_id, units, net, entries",
            &format!("product_sales t {parts} JOIN products p ON p.id = t.product_id WHERE entries <> 0"),
        ),
        (
            "first_orders",
            "v.external_id, c.external_id, day",
            &format!("first_orders t {parts} JOIN customers c ON c.id = t.customer_id"),
        ),
    ] {
        let columns: Vec<_> = columns.split(", ").map(|column| format!("CAST({column} AS TEXT)")).collect();
        all.extend(texts(db, &format!("SELECT '{table}: ' || {} FROM {from}", columns.join(" || ', ' || "))).await);
    }
    all.extend(customers_of_days(db).await);
    all.extend(products_of_days(db).await);
    all.sort();
    all
}

async fn names(db: &Db, table: &str) -> BTreeMap<u64, String> {
    let names = texts(db, &format!("SELECT CAST(id AS TEXT) || ' ' || external_id FROM {table}")).await;
    let named = |text: &String| text.split_once(' ').map(|(id, name)| (id.parse().unwrap(), name.to_owned()));
    names.iter().filter_map(named).collect()
}

async fn customers_of_days(db: &Db) -> Vec<String> {
    let names = names(db, "customers").await;
    let query = "SELECT v.external_id, day, customers FROM customer_days t JOIN vendors v ON v.id = t.vendor_id";
    let mut tx = db.read().await.unwrap();
    let mut days = Vec::new();
    for row in tx.rows(sql(query)).await.unwrap() {
        let customers = RoaringTreemap::deserialize_from(&row.get::<Vec<u8>, _>("customers")[..]).unwrap();
        let mut customers: Vec<_> = customers.iter().map(|id| names[&id].as_str()).collect();
        customers.sort_unstable();
        let (vendor, day) = (row.get::<String, _>("external_id"), row.get::<i64, _>("day"));
        days.push(format!("customer_days: {vendor}, {day}, {}", customers.join(" ")));
    }
    days
}

/// Products by the distance of their ids, each with units, net sales and entries: see `src/server/db/product_days.rs`.
async fn products_of_days(db: &Db) -> Vec<String> {
    let names = names(db, "products").await;
    let query = "SELECT v.external_id, day, products FROM product_days t JOIN vendors v ON v.id = t.vendor_id";
    let mut tx = db.read().await.unwrap();
    let mut days = Vec::new();
    for row in tx.rows(sql(query)).await.unwrap() {
        let kept: Vec<(i64, i64, i64, i64)> = postcard::from_bytes(&row.get::<Vec<u8>, _>("products")).unwrap();
        let (vendor, day) = (row.get::<String, _>("external_id"), row.get::<i64, _>("day"));
        let mut id = 0;
        for (distance, units, net, entries) in kept {
            id += distance;
            let product = &names[&(id as u64)];
            days.push(format!("product_days: {vendor}, {day}, {product}, {units}, {net}, {entries}"));
        }
    }
    days
}

#[tokio::test(flavor = "multi_thread")]
async fn northwind_comes_to_the_totals_everybody_quotes_in_its_lines_and_in_its_daily_sums() {
    for database in databases().await {
        let db = database.open().await;
        let report = import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.unwrap();

        assert_eq!((report.vendors, report.products, report.customers), (29, 77, 91));
        assert_eq!((report.orders, report.lines, report.refunds), (830, 2_155, 0));
        assert_eq!(report.changed, 29 + 77 + 91 + 830 + 2_155 + count(&db, "vendor_orders").await as u64);
        assert_eq!(report.vendors_changed.len(), 29);

        let lines = "SELECT COUNT(*), COUNT(DISTINCT order_id), CAST(SUM(gross) AS BIGINT), CAST(SUM(gross - \
            discount) AS BIGINT) FROM order_lines";
        assert_eq!(integers(&db, lines).await, [[2_155, 830, 135_445_859, 126_579_276]]);
        // All of Northwind's orders are shipped or processing: each counts.
        let sums = "SELECT CAST(SUM(gross) AS BIGINT), CAST(SUM(gross - discounts - returns) AS BIGINT), \
            CAST(SUM(units) AS BIGINT) FROM sales_days";
        assert_eq!(integers(&db, sums).await, [[135_445_859, 126_579_276, 51_317]]);
        // July 1996, days 9678 to 9708.
        let july = "SELECT CAST(SUM(gross) AS BIGINT) FROM sales_days WHERE day BETWEEN 9678 AND 9708";
        assert_eq!(integers(&db, july).await, [[3_019_210]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_kept_in_minor_units_and_commission_is_rounded_half_up_on_each_line() {
    for database in databases().await {
        let db = database.open().await;
        Bundle::small().imported(&db).await;
        let lines = "SELECT l.gross, l.discount, l.commission FROM order_lines l \
            JOIN orders o ON o.id = l.order_id ORDER BY o.external_id, l.line";
        // 22.50 EUR at 10 %; 1200 JPY at 7.5 %; 27.875 KWD at the default, nothing; 12.50 EUR at 10 %.
        assert_eq!(
            integers(&db, lines).await,
            [[2_500, 250, 225], [1_200, 0, 90], [29_000, 1_125, 0], [1_250, 0, 125]]
        );
        // Two decimals throughout, as some write them, are the same: of yen there are no others.
        let two = Bundle::small().replacing("order_items", "1,1200,0", "1,1200.00,0.00");
        let two = two.replacing("products", "Pens,1200,", "Pens,1200.00,");
        assert_eq!(two.imported(&db).await.changed, 0);
        assert_eq!(
            texts(&db, "SELECT name FROM products WHERE external_id = 'p-eur'").await,
            ["Mug, \"Fog\" & ash: 2"]
        );
        let thresholds = "SELECT commission_bps, low_stock_threshold FROM vendors ORDER BY external_id";
        assert_eq!(integers(&db, thresholds).await, [[1_000, 5], [750, 5], [0, 5]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gzipped_files_are_read_like_plain_ones_and_other_files_are_left_alone() {
    for database in databases().await {
        let db = database.open().await;
        let bundle = Bundle::small();
        let orders = fs::read(bundle.path().join("orders.csv")).unwrap();
        // Two gzip members, one after the other.
        let (start, end) = orders.split_at(orders.len() / 2);
        let gzipped = [gzip(start), gzip(end)].concat();
        let bundle = bundle
            .without("orders")
            .with_file("orders.csv.gz", &gzipped)
            .with("payouts", "whatever\n")
            .with("notes", "1");
        bundle.imported(&db).await;

        let plain = database_like(&db).await;
        Bundle::small().imported(&plain.1).await;
        assert_eq!(everything(&db).await, everything(&plain.1).await);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Another empty database of the same kind.
async fn database_like(db: &Db) -> (crate::harness::TestDatabase, Db) {
    use vendorscope::server::db::Dialect;
    let database = match db.dialect {
        Dialect::Sqlite => crate::harness::TestDatabase::sqlite(),
        Dialect::Postgres => crate::harness::TestDatabase::postgres().await,
    };
    let db = database.open().await;
    (database, db)
}
