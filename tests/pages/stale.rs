use vendorscope::server::db::sql;

use super::open;
use crate::harness::{Client, Market, TestApp, databases};

const SAID: &str = "the database isn&#x27;t responding";

async fn said(client: &Client, path: &str) -> bool {
    let response = open(client, path).await;
    let status = response.status();
    let text = response.text().await.expect("a text");
    assert_eq!(status, 200, "{path}: {text}");
    text.replace("&#39;", "&#x27;").replace('\'', "&#x27;").contains(SAID)
}

/// An instance that can neither see what is pending nor load anew shows what it has, and says so: on every page.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn figures_from_before_are_said_to_be_wherever_they_stand() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
        let march = "dateFrom=2026-03-01&dateTo=2026-03-31";
        let pages = [
            (&vendor, format!("/?{march}")),
            (&vendor, "/orders".to_owned()),
            (&vendor, "/products".to_owned()),
            (&vendor, format!("/returns?{march}")),
            (&admin, format!("/admin?{march}")),
            (&admin, "/admin/vendors".to_owned()),
        ];
        let export = format!("/api/vendor/analytics/export.csv?{march}");
        for (client, path) in &pages {
            assert!(!said(client, path).await, "{path}");
        }
        assert_eq!(vendor.get(&export).await.status(), 200);
        // Whoever is logged in is still known.
        for table in ["outbox", "vendor_orders", "products", "refunds", "sales_days"] {
            let mut tx = app.state().db.write().await.expect("a transaction");
            tx.execute(sql(format!("ALTER TABLE {table} RENAME TO {table}_away"))).await.expect("renamed");
            tx.commit().await.expect("committed");
        }
        let began = std::time::Instant::now();
        while !said(&vendor, &pages[0].1).await {
            assert!(began.elapsed().as_secs() < 20, "it goes on without looking");
        }
        for (client, path) in &pages {
            assert!(said(client, path).await, "{path}");
        }
        // A file would not say it.
        assert!(vendor.get(&export).await.status().is_server_error());
    }
}
