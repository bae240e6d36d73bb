//! What a snapshot reads does not grow with the number of orders: no plan of its statements scans orders, their lines
//! or refunds.

use futures::StreamExt;
use sqlx::Row;
use vendorscope::domain::accounts::VendorRef;
use vendorscope_cache::Cache;

use vendorscope::server::{
    db::{
        Db, Dialect, low_stock,
        rollups::{self, Touched},
        snapshot, sql,
    },
    import::ImportOptions,
    services::import::import_bundle,
    services::{
        analytics::{Analytics, SnapshotQuery},
        export::ExportTable,
        marketplace::Marketplace,
    },
};

use crate::harness::{TestDatabase, Unwatched, databases, northwind};

/// Tables that grow with every order.
const RAW: [&str; 4] = ["orders", "vendor_orders", "order_lines", "refunds"];

/// Reads everything that a dashboard and the marketplace's page read.
async fn read_everything(db: &Db) {
    let vendor = VendorRef { id: 7, external_id: "7".to_owned() };
    let analytics = Analytics::new(db.clone(), Cache::memory());
    for (from, to, interval) in [
        ("1996-07-01", "1998-05-31", "auto"),
        ("1997-03-05", "1997-03-20", "hour"),
        ("1996-12-15", "1998-02-10", "week"),
    ] {
        let query = SnapshotQuery::parse(Some(from), Some(to), None, Some(interval), None).expect("a query");
        analytics.snapshot(&vendor, &query).await.expect("figures");
        assert!(analytics.export(&vendor, &query, ExportTable::Products).await.expect("a file").count().await > 0);
        Marketplace::new(db.clone(), Cache::memory()).metrics(query.range).await.expect("figures");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_a_snapshot_reads_orders_lines_or_refunds() {
    for database in databases().await {
        let db = database.open().await;
        import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.expect("an import");
        // Gone, so that whatever reads them fails.
        let mut tx = db.write().await.expect("a transaction");
        for table in RAW {
            tx.execute(sql(format!("ALTER TABLE {table} RENAME TO hidden_{table}"))).await.expect("renamed");
        }
        tx.commit().await.expect("committed");
        read_everything(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_single_orders_are_found_by_index() {
    for database in databases().await {
        let db = database.open().await;
        import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.expect("an import");
        for query in [
            "SELECT vo.placed_us FROM vendor_orders vo JOIN orders o ON o.id = vo.order_id \
             JOIN customers c ON c.id = vo.customer_id \
             WHERE vo.vendor_id = 7 AND (vo.placed_us, vo.order_id) < (900000000000000, 5) \
             ORDER BY vo.placed_us DESC, vo.order_id DESC LIMIT 51",
            "SELECT o.id FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id WHERE o.external_id = '10248' \
             AND vo.vendor_id = 7",
            "SELECT l.line FROM order_lines l LEFT JOIN refunds r ON r.order_id = l.order_id AND r.line = l.line \
             WHERE l.order_id = 5 AND l.vendor_id = 7",
        ] {
            let scans = scans(&db, query).await;
            assert!(scans.is_empty(), "{}: {query}: {scans:?}", db.dialect.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_by_name_are_read_in_the_order_of_an_index() {
    for database in databases().await {
        let db = database.open().await;
        import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.expect("an import");
        let query = "SELECT p.id FROM products p WHERE p.vendor_id = 7 AND p.status <> 'deleted' \
                     ORDER BY COALESCE(p.search_text, p.name), p.external_id LIMIT 51";
        let mut tx = db.write().await.expect("a transaction");
        let (explain, column) = match db.dialect {
            Dialect::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
            Dialect::Postgres => {
                for way in ["enable_seqscan", "enable_sort", "enable_bitmapscan"] {
                    tx.execute(sql(format!("SET LOCAL {way} = off"))).await.expect("a setting");
                }
                ("EXPLAIN", "QUERY PLAN")
            }
        };
        let plan = tx.rows(sql(format!("{explain} {query}"))).await.expect("a plan");
        let plan: Vec<String> = plan.iter().map(|row| row.get(column)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("products_by_name"), "{}: {plan}", db.dialect.name());
        assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{}: {plan}", db.dialect.name());
    }
}

/// The few orders of a write are looked up, however many there are: SQLite would as soon go through all of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_write_adds_to_the_sums_reads_no_other_orders() {
    for database in databases().await {
        let db = database.open().await;
        import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.expect("an import");
        let mut tx = db.write().await.expect("a transaction");
        tx.execute(sql("CREATE TABLE written (vendor_id BIGINT, order_id BIGINT, PRIMARY KEY (vendor_id, order_id))"))
            .await
            .expect("a table");
        tx.commit().await.expect("committed");
        let one_order = Touched::Orders(&[(7, 5)]);
        for statement in
            rollups::statements(&Touched::Table("written")).into_iter().chain(rollups::statements(&one_order))
        {
            let statement = statement.replace("$1", "7").replace("$2", "5");
            // What may be read from end to end is what was written, and what a statement has made of that.
            let mut scans = scans(&db, &statement).await;
            scans.retain(|line| {
                [" o", " l", " r", " f", " x"]
                    .iter()
                    .any(|alias| line.ends_with(alias) || line.contains(&format!("{alias} ")))
            });
            assert!(scans.is_empty(), "{}: {statement}: {scans:?}", db.dialect.name());
        }
    }
}

/// A plan that is kept for all parameters expects one row where there are thousands: whichever it is, it is slow for
/// some vendors.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_planned_for_its_own_parameters_on_postgresql() {
    let database = TestDatabase::postgres().await;
    drop(database.open().await);
    let db = Db::connect(database.url(), 1).await.expect("a connection");
    for vendor in 1..=10 {
        let mut tx = db.read().await.expect("a transaction");
        let query = sql("SELECT name FROM products WHERE vendor_id = $1").bind(vendor);
        tx.rows(query).await.expect("an answer");
        tx.commit().await.expect("an end");
    }
    let mut tx = db.write().await.expect("a transaction");
    let plans = "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT name%'";
    let plans = tx.rows(sql(plans)).await.expect("an answer");
    let plans: Vec<(i64, i64)> = plans.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(plans, [(10, 0)]);
}

/// The table is four times as large, and a snapshot needs all products of a vendor. (What PostgreSQL does goes by what it
/// last counted in a table.)
#[tokio::test(flavor = "multi_thread")]
async fn what_a_snapshot_needs_of_all_products_sqlite_reads_from_indexes_alone() {
    let database = TestDatabase::sqlite();
    let db = database.open().await;
    import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.expect("an import");
    let (top, _) = snapshot::top(db.dialect, 7, &Default::default());
    let (low, _) = low_stock::most_urgent(7, "1998-05-06".parse().expect("a day"));
    let mut tx = db.read().await.expect("a transaction");
    for (text, index) in [(top, "products_by_vendor"), (low, "products_by_stock")] {
        let plan = tx.rows(sql(format!("EXPLAIN QUERY PLAN {text}"))).await.expect("a plan");
        let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        let expected = format!("SEARCH p USING COVERING INDEX {index}");
        assert!(plan.iter().any(|line| line.starts_with(&expected)), "{plan:#?}");
    }
}

/// To start them takes longer than a snapshot does. Here everything is as PostgreSQL wants it before it uses them.
#[tokio::test(flavor = "multi_thread")]
async fn no_statement_starts_workers_on_postgresql() {
    let database = TestDatabase::postgres().await;
    let db = database.open().await;
    import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.expect("an import");
    for mut tx in [db.read().await.expect("a transaction"), db.write().await.expect("a transaction")] {
        for setting in ["parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"] {
            tx.execute(sql(format!("SET LOCAL {setting} = 0"))).await.expect("a setting");
        }
        let plan = tx.rows(sql("EXPLAIN SELECT SUM(gross) FROM order_lines")).await.expect("a plan");
        let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        assert!(lines.iter().any(|line| line.contains("Seq Scan")), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("Gather")), "{lines:#?}");
    }
}

/// The lines of a plan that read one of the raw tables from end to end, or all that a vendor has in it.
async fn scans(db: &Db, query: &str) -> Vec<String> {
    let reads_raw = |line: &str, before: &str| RAW.iter().any(|table| line.contains(&format!("{before}{table}")));
    match db.dialect {
        Dialect::Sqlite => {
            let mut tx = db.read().await.expect("a transaction");
            let plan = tx.rows(sql(format!("EXPLAIN QUERY PLAN {query}"))).await.expect("a plan");
            let lines = plan.iter().map(|row| row.get::<String, _>("detail"));
            lines.filter(|line| line.starts_with("SCAN") || line.ends_with("(vendor_id=?)")).collect()
        }
        Dialect::Postgres => {
            let mut tx = db.write().await.expect("a transaction");
            // Northwind is small enough to be read whole: asked for what it does where that is forbidden.
            tx.execute(sql("SET LOCAL enable_seqscan = off")).await.expect("a setting");
            let plan = tx.rows(sql(format!("EXPLAIN {query}"))).await.expect("a plan");
            let lines = plan.iter().map(|row| row.get::<String, _>(0));
            lines.filter(|line| line.contains("Seq Scan") && reads_raw(line, " on ")).collect()
        }
    }
}
