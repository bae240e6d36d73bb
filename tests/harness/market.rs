use std::fs;

use sqlx::{Column, Row};
use tempfile::TempDir;
use vendorscope::server::db::{Db, sql};

/// A marketplace small enough to reckon by hand, as a bundle in a folder of its own. Vendors `eur` (Berlin, 10 %),
/// `nyc` (EUR too, New York, 5 %), `jpy` (Tokyo), `kwd` (Kuwait); products `e1` 12.50 and `e2` 7.00 of `eur`, `n1`
/// 10.00, `j1` 1200, `k1` 7.250; customers `c1` Anna and `c2` Ren; orders `o1` (eur and nyc, delivered), `o2` (eur,
/// processing), `o3` (eur, pending).
pub struct Market(TempDir);

impl Market {
    pub fn new() -> Self {
        let market = Self(tempfile::tempdir().expect("a temporary folder"));
        market.write(
            "vendors",
            "vendor_id,name,country,time_zone,currency,commission_bps\n\
             eur,Ton,Germany,Europe/Berlin,EUR,1000\nnyc,Hudson,United States,America/New_York,EUR,500\n\
             jpy,Kaze,Japan,Asia/Tokyo,JPY,750\nkwd,Dar,Kuwait,Asia/Kuwait,KWD,0\n",
        );
        market.write(
            "products",
            "product_id,vendor_id,name,category,unit_price,stock,status\n\
             e1,eur,Mug,Mugs,12.50,100,active\ne2,eur,Bowl,Bowls,7.00,3,active\n\
             n1,nyc,Notebook,Paper,10.00,100,active\n\
             j1,jpy,Pen,Pens,1200,100,active\nk1,kwd,Attar,Perfume,7.250,100,active\n",
        );
        market.write("customers", "customer_id,name,country\nc1,Anna,Germany\nc2,Ren,Japan\n");
        market.write(
            "orders",
            "order_id,customer_id,placed_at,status\n\
             o1,c1,2026-03-10T12:00:00Z,delivered\no2,c2,2026-03-12T12:00:00Z,processing\n\
             o3,c2,2026-03-14T12:00:00Z,pending\n",
        );
        market.write(
            "order_items",
            "order_id,line,product_id,quantity,gross,discount\n\
             o1,1,e1,2,25.00,2.50\no1,2,n1,1,10.00,0\no2,1,e1,3,37.50,0\no3,1,e2,2,14.00,0\n",
        );
        market
    }

    /// Writes a table anew.
    pub fn write(&self, table: &str, csv: &str) {
        fs::write(self.0.path().join(format!("{table}.csv")), csv).expect("a file");
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.0.path().to_owned()
    }
}

/// Every row of every table that writes of orders, products and ingestion may touch: equal before and after what
/// changed nothing.
pub async fn contents(db: &Db) -> Vec<String> {
    let mut all = Vec::new();
    let mut tx = db.read().await.expect("a transaction");
    for table in [
        "vendors",
        "products",
        "customers",
        "orders",
        "vendor_orders",
        "order_lines",
        "refunds",
        "sales_days",
        "sales_hours",
        "status_days",
        "product_sales",
        "product_days",
        "customer_days",
        "first_orders",
        "idempotency_keys",
    ] {
        for row in tx.rows(sql(format!("SELECT * FROM {table}"))).await.expect("rows") {
            let cells: Vec<String> = (0..row.len())
                .map(|at| {
                    let number = row.try_get::<Option<i64>, _>(at).map(|number| format!("{number:?}"));
                    let text = || row.try_get::<Option<String>, _>(at).map(|text| format!("{text:?}"));
                    let bytes = || row.try_get::<Option<Vec<u8>>, _>(at).map(|bytes| format!("{bytes:?}"));
                    let cell = number.or_else(|_| text()).or_else(|_| bytes());
                    format!("{}={}", row.column(at).name(), cell.expect("a number, a text or bytes"))
                })
                .collect();
            all.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    all.sort();
    all
}
