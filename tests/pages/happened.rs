//! What happened to products and terms, noted by the database whoever changes them; and many changed at once.

use reqwest::Method;
use serde_json::{Value, json};
use vendorscope::server::{import::ImportOptions, services::import::import_bundle};

use super::{location, open, submit};
use crate::harness::{Client, Market, TestApp, Unwatched, contents, databases};

async fn text(client: &Client, path: &str) -> String {
    let response = open(client, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("a text")
}

async fn change(client: &Client, product: &str, field: &str, value: Value) {
    let path = format!("/api/vendor/products/{product}");
    let mut product = client.get_json(&path).await;
    product[field] = value;
    assert_eq!(client.put(&path, &product).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn prices_stock_zones_and_commission_are_noted_by_whatever_way_they_change() {
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        assert!(!text(&client, "/").await.contains("What happened"), "nothing has");
        change(&client, "e1", "unitPrice", json!(1_300)).await;
        change(&client, "e1", "name", json!("Mug & <saucer>")).await;
        // All three bowls are sold, and one comes back.
        let bowls = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e2", "quantity": 3 }] });
        let sold: Value = client.post("/api/vendor/orders", &bowls).await.json().await.expect("an order");
        let page = text(&client, "/").await;
        assert!(page.contains("price changed from €12.50 to €13.00") && page.contains("sold out"), "{page}");
        assert!(page.contains("Mug &amp; &lt;saucer>") || page.contains("Mug &amp; &lt;saucer&gt;"), "{page}");
        assert!(!page.contains("back in stock"), "{page}");
        let refunds = format!("/api/vendor/orders/{}/refunds", sold["orderId"].as_str().expect("an id"));
        let back = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
        assert_eq!(client.post(&refunds, &back).await.status(), 201);
        assert!(text(&client, "/").await.contains("back in stock"), "at once");
        // The marketplace's own ways in.
        market.write(
            "vendors",
            "vendor_id,name,country,time_zone,currency,commission_bps\neur,Ton,Germany,Europe/Rome,EUR,1250\n\
             nyc,Hudson,United \
             States,America/New_York,EUR,500\njpy,Kaze,Japan,Asia/Tokyo,JPY,750\nkwd,Dar,Kuwait,Asia/Kuwait,KWD,0\n",
        );
        let db = &app.state().db;
        import_bundle(db, &market.path(), ImportOptions::default(), &Unwatched).await.expect("an import");
        // An instance hears of an import that another process made as soon as it looks.
        let mut all = String::new();
        for _ in 0..400 {
            all = text(&client, "/").await;
            if all.contains("Europe/Rome") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        for told in [
            "Time zone changed from Europe/Berlin to Europe/Rome",
            "Commission changed from 10.00% to 12.50%",
            "price changed from €13.00 to €12.50",
        ] {
            assert!(all.contains(told), "{}: {told}: {all}", db.dialect.name());
        }
        // Not on other days, and not to others.
        assert!(!text(&client, "/?dateFrom=2026-03-01&dateTo=2026-03-31").await.contains("What happened"));
        assert!(!text(&app.log_in_as_vendor("nyc").await, "/").await.contains("What happened"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_products_change_after_a_look_at_what_is_touched() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let list = text(&client, "/products").await;
    assert!(list.contains("name=\"pick[0]\"") && list.contains("action=\"/products/change\""), "{list}");
    let before = contents(&app.state().db).await;
    let page = text(&client, "/products/change?pick[0]=e1&pick[1]=e2&action=stock&value=7").await;
    assert!(page.contains("Set the stock of 2 products to 7?") && page.contains(">Change 2 products<"), "{page}");
    assert_eq!(contents(&app.state().db).await, before, "a look changes nothing");
    let form = |value: &'static str| {
        [
            ("form[products][0][id]", "e1"),
            ("form[products][1][id]", "e2"),
            ("form[action]", "stock"),
            ("form[value]", value),
        ]
    };
    assert_eq!(location(&submit(&client, "/_fn/product/change", &form("7")).await), "/products?changed=2");
    assert!(text(&client, "/products?changed=2").await.contains("2 products changed."));
    for product in ["e1", "e2"] {
        assert_eq!(client.get_json(&format!("/api/vendor/products/{product}")).await["stock"], 7);
    }
    // All of them, or none.
    let mixed = [("form[products][0][id]", "e1"), ("form[products][1][id]", "n1"), ("form[action]", "archive")];
    let refused = client.request(Method::POST, "/_fn/product/change").form(&mixed).send().await.expect("an answer");
    assert_eq!(refused.status(), 404);
    assert_eq!(client.get_json("/api/vendor/products/e1").await["status"], "active");
    assert_eq!(open(&client, "/products/change?pick[0]=n1&action=archive").await.status(), 404, "another's");
    for (query, told) in [
        ("pick[0]=e1&action=stock&value=-1", "Enter a whole number"),
        ("pick[0]=e1&action=category&value=", "Enter a category"),
        ("action=archive", "Select at least one row first."),
    ] {
        assert!(text(&client, &format!("/products/change?{query}")).await.contains(told), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_orders_change_together_and_those_that_may_not_are_left_out_before() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let page = text(&client, "/orders/change?pick[0]=o1&pick[1]=o2&pick[2]=o3&status=cancelled").await;
        assert!(page.contains("Cancel 2 orders of €51.50?") && page.contains("1 order can't change"), "{page}");
        assert!(!page.contains("value=\"o1\""), "what is delivered is not sent: {page}");
        let before = contents(&app.state().db).await;
        let all = [("form[orders][0][id]", "o2"), ("form[orders][1][id]", "o1"), ("form[status]", "cancelled")];
        let refused = client.request(Method::POST, "/_fn/order/change").form(&all).send().await.expect("an answer");
        assert_eq!(refused.status(), 409, "all of them, or none");
        assert_eq!(contents(&app.state().db).await, before);
        let both = [("form[orders][0][id]", "o2"), ("form[orders][1][id]", "o3"), ("form[status]", "cancelled")];
        assert_eq!(location(&submit(&client, "/_fn/order/change", &both).await), "/orders?changed=2");
        for order in ["o2", "o3"] {
            assert_eq!(client.get_json(&format!("/api/vendor/orders/{order}")).await["status"], "cancelled");
        }
        let db = &app.state().db;
        let verified = vendorscope::server::db::rollups::verify(&mut db.write().await.expect("a transaction")).await;
        assert_eq!(verified.expect("sums"), [], "{}", db.dialect.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_narrowed_dashboard_tells_what_happened_to_what_it_shows() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    change(&client, "e1", "unitPrice", json!(1_300)).await;
    change(&client, "e2", "unitPrice", json!(900)).await;
    let (mug, bowl) = ("price changed from €12.50 to €13.00", "price changed from €7.00 to €9.00");
    for (narrowed, has_mug, has_bowl) in [
        ("", true, true),
        ("?product=e1", true, false),
        ("?category=Bowls", false, true),
        ("?product=e1&category=Bowls", false, false),
        ("?status=pending", true, true),
    ] {
        let page = text(&client, &format!("/{narrowed}")).await;
        assert_eq!((page.contains(mug), page.contains(bowl)), (has_mug, has_bowl), "{narrowed}: {page}");
    }
}
