//! Rollups and snapshots against the raw rows, on both databases.

use jiff::{Timestamp, civil::date, tz::TimeZone};
use rand::{Rng, SeedableRng, rngs::StdRng};
use vendorscope::domain::accounts::VendorRef;
use vendorscope_cache::Cache;

use vendorscope::{
    domain::period::day_number,
    server::{
        db::{
            Db, Tx,
            rollups::{self, Touched},
            sql,
        },
        services::analytics::{Analytics, SnapshotQuery},
    },
};

use crate::harness::databases;

const STATUSES: [&str; 6] = ["pending", "processing", "shipped", "delivered", "cancelled", "failed"];

/// A marketplace of three vendors in three zones that is written to row by row, the way a service does it.
struct Marketplace {
    random: StdRng,
    orders: i64,
    refunds: i64,
}

impl Marketplace {
    async fn open(db: &Db, seed: u64) -> Self {
        let mut tx = db.write().await.unwrap();
        for (id, zone) in [(1, "Europe/Berlin"), (2, "Australia/Lord_Howe"), (3, "Pacific/Kiritimati")] {
            run(
                &mut tx,
                &format!(
                    "INSERT INTO vendors (id, external_id, name, country, time_zone, currency, \
                minor_thousandths) VALUES ({id}, 'v{id}', 'Vendor {id}', 'DE', '{zone}', 'EUR', 10)"
                ),
            )
            .await;
        }
        for id in 1..=9 {
            run(
                &mut tx,
                &format!(
                    "INSERT INTO products (id, external_id, vendor_id, name, category, unit_price, \
                stock, status) VALUES ({id}, 'p{id}', {}, 'Product {id}', 'C{}', 100, {id}, \
                'active')",
                    (id - 1) % 3 + 1,
                    id % 2
                ),
            )
            .await;
            run(
                &mut tx,
                &format!(
                    "INSERT INTO customers (id, external_id, name, country) \
                VALUES ({id}, 'c{id}', 'Customer {id}', 'DE')"
                ),
            )
            .await;
        }
        tx.commit().await.unwrap();
        Self { random: StdRng::seed_from_u64(seed), orders: 0, refunds: 0 }
    }

    /// Any instant of 2016 to 2018, so that orders are backdated as often as not.
    fn instant(&mut self) -> i64 {
        self.random.random_range(1_451_606_400..1_546_300_800_i64) * 1_000_000
    }

    /// One write of some kind, with the sums kept beside it.
    async fn write(&mut self, db: &Db) {
        let mut tx = db.write().await.unwrap();
        match self.random.random_range(0..10) {
            0..=4 => self.place(&mut tx).await,
            5..=7 if self.orders > 0 => self.change_status(&mut tx).await,
            8..=9 if self.orders > 0 => self.refund(&mut tx).await,
            _ => self.place(&mut tx).await,
        }
        tx.commit().await.unwrap();
    }

    async fn place(&mut self, tx: &mut Tx) {
        self.orders += 1;
        let (order, customer, placed) = (self.orders, self.random.random_range(1..=9), self.instant());
        let status = STATUSES[self.random.random_range(0..6)];
        run(
            tx,
            &format!(
                "INSERT INTO orders (id, external_id, customer_id, placed_us, status) \
            VALUES ({order}, 'o{order}', {customer}, {placed}, '{status}')"
            ),
        )
        .await;
        let mut touched = Vec::new();
        for line in 1..=self.random.random_range(1..=4) {
            let product = self.random.random_range(1..=9_i64);
            let (vendor, quantity, gross) =
                ((product - 1) % 3 + 1, self.random.random_range(1..5), self.random.random_range(0..10_000));
            if !touched.contains(&(vendor, order)) {
                touched.push((vendor, order));
                let dated = local(vendor, placed);
                run(
                    tx,
                    &format!(
                        "INSERT INTO vendor_orders (vendor_id, order_id, customer_id, status, placed_us, \
                    hour_us, day, month, year) VALUES ({vendor}, {order}, {customer}, '{status}', {placed}, \
                    {dated})"
                    ),
                )
                .await;
            }
            run(
                tx,
                &format!(
                    "INSERT INTO order_lines (order_id, line, vendor_id, product_id, quantity, gross, \
                discount, commission) VALUES ({order}, {line}, {vendor}, {product}, {quantity}, {gross}, {}, \
                {})",
                    gross / 7,
                    gross / 11
                ),
            )
            .await;
        }
        rollups::add(tx, &Touched::Orders(&touched)).await.unwrap();
    }

    async fn change_status(&mut self, tx: &mut Tx) {
        let touched = self.some_part(tx).await;
        let status = STATUSES[self.random.random_range(0..6)];
        rollups::retract(tx, &Touched::Orders(&[touched])).await.unwrap();
        run(
            tx,
            &format!(
                "UPDATE vendor_orders SET status = '{status}' WHERE vendor_id = {} AND order_id = {}",
                touched.0, touched.1
            ),
        )
        .await;
        rollups::add(tx, &Touched::Orders(&[touched])).await.unwrap();
    }

    async fn refund(&mut self, tx: &mut Tx) {
        let touched = self.some_part(tx).await;
        self.refunds += 1;
        let at = self.instant() + self.refunds;
        rollups::retract(tx, &Touched::Orders(&[touched])).await.unwrap();
        run(
            tx,
            &format!(
                "INSERT INTO refunds (vendor_id, order_id, line, quantity, amount, commission, refunded_us, \
            hour_us, day, month, year) SELECT vendor_id, order_id, line, 1, gross / 10, commission / 10, {at}, {} \
            FROM order_lines WHERE vendor_id = {} AND order_id = {} ORDER BY line \
            LIMIT 1",
                local(touched.0, at),
                touched.0,
                touched.1
            ),
        )
        .await;
        rollups::add(tx, &Touched::Orders(&[touched])).await.unwrap();
    }

    async fn some_part(&mut self, tx: &mut Tx) -> (i64, i64) {
        let order = self.random.random_range(1..=self.orders);
        let rows = tx
            .rows(sql(format!("SELECT vendor_id FROM vendor_orders WHERE order_id = {order} ORDER BY vendor_id")))
            .await
            .unwrap();
        let vendor: i64 = sqlx::Row::get(&rows[self.random.random_range(0..rows.len())], "vendor_id");
        (vendor, order)
    }
}

/// hour_us, day, month and year of an instant in the vendor's zone.
fn local(vendor: i64, instant: i64) -> String {
    let zone =
        TimeZone::get(["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Kiritimati"][vendor as usize - 1]).unwrap();
    let at = Timestamp::from_microsecond(instant).unwrap().to_zoned(zone);
    let day = at.date();
    let into_hour =
        i64::from(at.minute()) * 60_000_000 + i64::from(at.second()) * 1_000_000 + instant.rem_euclid(1_000_000);
    format!(
        "{}, {}, {}, {}",
        instant - into_hour,
        day_number(day),
        day_number(day.first_of_month()),
        day_number(date(day.year(), 1, 1))
    )
}

async fn run(tx: &mut Tx, text: &str) {
    tx.execute(sql(text)).await.unwrap_or_else(|error| panic!("{text}: {error}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_history_of_writes_the_sums_are_those_of_the_raw_rows() {
    for database in databases().await {
        let db = &database.open().await;
        let mut marketplace = Marketplace::open(db, 42).await;
        for step in 0..120 {
            marketplace.write(db).await;
            if step % 20 == 19 {
                let mut tx = db.write().await.unwrap();
                assert_eq!(rollups::verify(&mut tx).await.unwrap(), [], "{} after {step} writes", database.url());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_the_table_whose_sums_were_tampered_with() {
    for database in databases().await {
        let db = &database.open().await;
        let mut marketplace = Marketplace::open(db, 7).await;
        for _ in 0..10 {
            marketplace.write(db).await;
        }
        let mut tx = db.write().await.unwrap();
        run(&mut tx, "UPDATE sales_days SET gross = gross + 1 WHERE vendor_id = 1").await;
        let differences = rollups::verify(&mut tx).await.unwrap();
        assert_eq!(differences.iter().map(|d| d.table).collect::<Vec<_>>(), ["sales_days"], "{}", database.url());
        assert_eq!(rollups::verify(&mut tx).await.unwrap(), [], "verify leaves mended sums in its transaction");
        run(
            &mut tx,
            "UPDATE customer_days SET customers = (SELECT customers FROM customer_days WHERE vendor_id = 2 \
            ORDER BY day LIMIT 1) WHERE vendor_id = 1",
        )
        .await;
        let differences = rollups::verify(&mut tx).await.unwrap();
        assert_eq!(differences.iter().map(|d| d.table).collect::<Vec<_>>(), ["customer_days"], "{}", database.url());
        run(&mut tx, "DELETE FROM product_days WHERE vendor_id = 2 AND day % 2 = 0").await;
        let differences = rollups::verify(&mut tx).await.unwrap();
        assert_eq!(differences.iter().map(|d| d.table).collect::<Vec<_>>(), ["product_days"], "{}", database.url());
    }
}

/// What the release before kept as rows of customers, and of products by month and year, is gone when its database is
/// opened.
#[tokio::test(flavor = "multi_thread")]
async fn who_bought_and_what_sold_on_which_day_is_worked_out_once_after_the_migration() {
    for database in databases().await {
        let db = &database.open().await;
        let mut marketplace = Marketplace::open(db, 3).await;
        for _ in 0..10 {
            marketplace.write(db).await;
        }
        let mut tx = db.write().await.unwrap();
        for table in ["customer_days", "product_days"] {
            run(&mut tx, &format!("DELETE FROM {table}")).await;
            run(&mut tx, &format!("INSERT INTO pending_work (name) VALUES ('{table}')")).await;
        }
        tx.commit().await.unwrap();
        db.migrate().await.unwrap();
        assert_eq!(rollups::verify(&mut db.write().await.unwrap()).await.unwrap(), [], "{}", database.url());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_costs_at_most_seven_statements_and_its_series_sums_to_its_totals() {
    for database in databases().await {
        let db = &database.open().await;
        let mut marketplace = Marketplace::open(db, 1).await;
        for _ in 0..150 {
            marketplace.write(db).await;
        }
        for vendor in 1..=3 {
            for (from, to, interval) in [
                ("2016-01-01", "2018-12-31", "auto"),
                ("2016-11-30", "2018-02-01", "week"),
                ("2017-01-15", "2017-12-30", "day"),
                ("2017-09-20", "2017-10-10", "hour"),
            ] {
                let context = format!("{} vendor {vendor} {from} {to} {interval}", database.url());
                let query =
                    SnapshotQuery::parse(Some(from), Some(to), Some("previous_year"), Some(interval), None).unwrap();
                let analytics = Analytics::new(db.clone(), Cache::memory());
                let before = db.queries();
                let snapshot = analytics
                    .snapshot(&VendorRef { id: vendor, external_id: format!("v{vendor}") }, &query)
                    .await
                    .unwrap()
                    .value;
                assert!(db.queries() - before <= 7, "{context}: {} statements", db.queries() - before);
                let sum = |field: fn(&vendorscope::domain::snapshot::Point) -> i64| {
                    snapshot.series.iter().map(field).sum::<i64>()
                };
                let totals = snapshot.totals;
                assert_eq!(
                    (
                        sum(|p| p.gross_sales),
                        sum(|p| p.discounts),
                        sum(|p| p.returns),
                        sum(|p| p.net_sales),
                        sum(|p| p.orders),
                        sum(|p| p.units)
                    ),
                    (
                        totals.gross_sales,
                        totals.discounts,
                        totals.returns,
                        totals.net_sales,
                        totals.orders,
                        totals.units
                    ),
                    "{context}"
                );
                assert_eq!(snapshot.top_products.iter().map(|p| p.units).sum::<i64>(), totals.units, "{context}");
                assert_eq!(
                    snapshot.top_categories.iter().map(|c| c.net_sales).sum::<i64>(),
                    totals.net_sales,
                    "{context}"
                );
                let counted: i64 =
                    snapshot.orders_by_status.iter().filter(|s| s.status.is_counted()).map(|s| s.orders).sum();
                assert_eq!(counted, totals.orders, "{context}");
                assert!(totals.new_customers <= totals.customers, "{context}");
            }
        }
    }
}
