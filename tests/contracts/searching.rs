//! Names are found without regard to case, accents and width: alike on both databases, whoever wrote them, and where
//! they were there before this program kept what it searches.

use serde_json::{Value, json};
use vendorscope::server::{
    db::sql,
    services::{marketplace::today, standings::StandingParameters},
};

use crate::harness::{Client, Market, TestApp, databases};

const NAMES: [&str; 7] = ["Émile", "Östlund", "Ärmel", "Жук", "Hauptstraße", "50% Off_Now", "Søren"];

/// What is asked for, and which of the names are found.
const SEARCHES: [(&str, &[usize]); 15] = [
    ("émile", &[0]),
    ("EMILE", &[0]),
    ("e\u{301}m", &[0]),
    ("östlund", &[1]),
    ("OSTLUND", &[1]),
    ("ärmel", &[2]),
    ("жук", &[3]),
    ("ЖУК", &[3]),
    ("STRASSE", &[4]),
    ("straße", &[4]),
    ("%", &[5]),
    ("_", &[5]),
    ("ＯＦＦ", &[5]),
    ("soren", &[]),
    ("SØREN", &[6]),
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The names that a list shows for a search.
async fn found(client: &Client, list: &str, name: &str, search: &str) -> Vec<String> {
    let page = client.get_json(&format!("/api/vendor/{list}?search={}", encoded(search))).await;
    let mut names: Vec<String> = page[list]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row[name].as_str().expect("a text").to_owned())
        .collect();
    names.sort();
    names
}

fn expected(of: &[usize]) -> Vec<String> {
    let mut names: Vec<_> = of.iter().map(|at| NAMES[*at].to_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn products_and_orders_are_found_whatever_their_case_and_accents() {
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("jpy").await;
        for name in NAMES {
            let product = json!({ "name": name, "category": "Things", "unitPrice": 100, "stock": 10 });
            let product: Value = client.post("/api/vendor/products", &product).await.json().await.expect("JSON");
            let order = json!({ "customer": { "name": name, "country": "Japan" },
                "lines": [{ "productId": product["productId"], "quantity": 1 }] });
            assert_eq!(client.post("/api/vendor/orders", &order).await.status(), 201, "{name}");
        }
        for (search, names) in SEARCHES {
            assert_eq!(
                found(&client, "products", "name", search).await,
                expected(names),
                "{search} on {}",
                database.url()
            );
            assert_eq!(
                found(&client, "orders", "customerName", search).await,
                expected(names),
                "{search} on {}",
                database.url()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_imported_is_found_and_what_is_renamed_is_found_by_its_new_name_alone() {
    for database in databases().await {
        let market = Market::new();
        market.write("customers", "customer_id,name,country\nc1,Émile,Germany\nc2,Жук,Japan\n");
        let app = TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await;
        let (client, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
        assert_eq!(found(&client, "orders", "customerName", "emile").await, ["Émile"]);
        assert_eq!(found(&client, "orders", "customerName", "жук").await, ["Жук", "Жук"]);
        let renamed = json!({ "products": [{ "productId": "e1", "vendorId": "eur", "name": "Ärmelschoner",
            "category": "Mugs", "unitPrice": 1250, "stock": 9 }] });
        assert_eq!(admin.post("/api/ingest/products", &renamed).await.status(), 200);
        assert_eq!(found(&client, "products", "name", "ärmel").await, ["Ärmelschoner"]);
        assert_eq!(found(&client, "products", "name", "mug").await, Vec::<String>::new());
        let input = json!({ "name": "Östlund", "category": "Mugs", "unitPrice": 1250, "stock": 9 });
        assert_eq!(client.put("/api/vendor/products/e1", &input).await.status(), 200);
        assert_eq!(found(&client, "products", "name", "östl").await, ["Östlund"]);
        assert_eq!(found(&client, "products", "name", "ärmel").await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vendors_are_found_by_name_and_id() {
    for database in databases().await {
        let market = Market::new();
        market.write(
            "vendors",
            "vendor_id,name,country,time_zone,currency,commission_bps\n\
             eur,Töpferei Straße,Germany,Europe/Berlin,EUR,1000\nnyc,Hudson,United States,America/New_York,EUR,500\n\
             jpy,Kaze,Japan,Asia/Tokyo,JPY,750\nkwd,Dar,Kuwait,Asia/Kuwait,KWD,0\n",
        );
        let app = TestApp::builder().database(&database).bundle(market.path()).spawn().await;
        for (search, ids) in [("TOPFEREI", &["eur"][..]), ("töpferei strasse", &["eur"]), ("NYC", &["nyc"]), ("%", &[])]
        {
            let asked = StandingParameters { search: Some(search), ..Default::default() };
            let page = app.state().marketplace.standings(today(), &asked).await.expect("a page");
            assert_eq!(
                page.vendors.iter().map(|vendor| vendor.vendor_id.as_str()).collect::<Vec<_>>(),
                ids,
                "{search}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_from_before_are_found_after_the_next_migration() {
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).spawn().await;
        let db = &app.state().db;
        let mut tx = db.write().await.expect("a transaction");
        // More than one step takes, and as a program that knew nothing of searches left them.
        let rows: Vec<String> = (0..2_500).map(|at| format!("('old{at}', 'Émile {at}', 'France')")).collect();
        tx.execute(sql(format!("INSERT INTO customers (external_id, name, country) VALUES {}", rows.join(", "))))
            .await
            .expect("rows");
        tx.execute(sql("UPDATE products SET search_text = NULL, name = 'ÉMILE'")).await.expect("rows");
        tx.commit().await.expect("committed");
        db.migrate().await.expect("nothing is missing");
        let mut tx = db.read().await.expect("a transaction");
        for table in ["vendors", "products", "customers"] {
            let missing =
                tx.rows(sql(format!("SELECT id FROM {table} WHERE search_text IS NULL"))).await.expect("rows");
            assert_eq!(missing.len(), 0, "{table}");
        }
        tx.commit().await.expect("committed");
        let client = app.log_in_as_vendor("eur").await;
        assert_eq!(found(&client, "products", "name", "emile").await, ["ÉMILE", "ÉMILE"]);
    }
}
