//! Refunds line by line, undone over the API; what lists of orders come to; prices by percent.

use reqwest::Method;
use serde_json::{Value, json};
use vendorscope::server::db::rollups;

use super::{answered, problem, refused_fields};
use crate::harness::{Client, Market, TestApp, contents, databases};

const ORDERS: &str = "/api/vendor/orders";

async fn apps() -> Vec<(TestApp, Client)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        apps.push((app, client));
    }
    apps
}

async fn stocks(client: &Client) -> [i64; 2] {
    let mut stocks = [0; 2];
    for (stock, product) in stocks.iter_mut().zip(["e1", "e2"]) {
        *stock = client.get_json(&format!("/api/vendor/products/{product}")).await["stock"].as_i64().expect("a number");
    }
    stocks
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_says_whether_its_units_go_back_into_stock_and_all_of_it_can_be_undone() {
    for (app, client) in apps().await {
        let lines = json!([{ "productId": "e1", "quantity": 2 }, { "productId": "e2", "quantity": 2 }]);
        let order = json!({ "customer": { "customerId": "c1" }, "lines": lines });
        let sold = answered(client.post(ORDERS, &order).await, 201).await;
        assert_eq!(stocks(&client).await, [98, 1]);
        let path = format!("{ORDERS}/{}/refunds", sold["orderId"].as_str().expect("an id"));
        let broken = json!({ "lines": [{ "line": 1, "quantity": 1, "restock": false }, { "line": 2, "quantity": 2 }] });
        let refunded = answered(client.post(&path, &broken).await, 201).await;
        assert_eq!(stocks(&client).await, [98, 3], "the broken one is gone");
        let whole = json!({ "lines": [{ "line": 1, "quantity": 1, "restock": true }], "restock": false });
        answered(client.post(&path, &whole).await, 201).await;
        assert_eq!(stocks(&client).await, [99, 3], "a line comes before the refund");

        let at = refunded["refunds"][0]["refundedAt"].as_str().expect("an instant");
        let request = |client: &Client| client.request(Method::DELETE, &format!("{path}/{at}"));
        let undo = |client: &Client| request(client).send();
        let undo_once = |client: &Client| request(client).header("idempotency-key", "undo-1").send();
        problem(undo(&app.log_in_as_vendor("jpy").await).await.expect("an answer"), 404, "not_found").await;
        let undone = answered(undo_once(&client).await.expect("an answer"), 200).await;
        let again = answered(undo_once(&client).await.expect("an answer"), 200).await;
        assert_eq!(again, undone, "sent twice, done once");
        assert_eq!(undone["refunds"].as_array().expect("a list").len(), 1, "the other stands: {undone}");
        assert_eq!(stocks(&client).await, [99, 1], "only what had gone back is taken again");
        problem(undo(&client).await.expect("an answer"), 409, "conflict").await;
        let db = &app.state().db;
        let verified = rollups::verify(&mut db.write().await.expect("a transaction")).await;
        assert_eq!(verified.expect("sums"), [], "{}", db.dialect.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_says_what_all_of_its_orders_come_to() {
    for (_app, client) in apps().await {
        let sums = async |query: &str| client.get_json(&format!("{ORDERS}{query}")).await["sums"].clone();
        let come_to = |orders: i64, units: i64, total: i64, refunded: i64, payable: i64| json!({ "orders": orders, "units": units, "total": total, "refundedAmount": refunded, "payable": payable });
        // A tenth is commission; the one that is pending does not count yet.
        assert_eq!(sums("").await, come_to(3, 7, 7_400, 0, 5_400));
        answered(client.post(&format!("{ORDERS}/o1/refunds"), &json!({ "amount": 125 })).await, 201).await;
        assert_eq!(sums("").await, come_to(3, 7, 7_400, 125, 5_288), "at once");
        assert_eq!(sums("?status=delivered").await, come_to(1, 2, 2_250, 125, 1_913));
        assert_eq!(sums("?refunded=false&search=ren").await, come_to(2, 5, 5_150, 0, 3_375));
        assert_eq!(sums("?product=e1&dateTo=2026-03-11").await, come_to(1, 2, 2_250, 125, 1_913));
        assert_eq!(sums("?search=nobody").await, come_to(0, 0, 0, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_change_by_percent_all_of_them_or_none() {
    for (app, client) in apps().await {
        let change = |changes: Value| {
            let body = json!({ "productIds": ["e1", "e2"], "changes": changes });
            client.request(Method::PATCH, "/api/vendor/products/bulk").json(&body).send()
        };
        let price = async |id: &str| client.get_json(&format!("/api/vendor/products/{id}")).await["unitPrice"].clone();
        // 1093.75 and 612.5: to the nearest, halves up.
        answered(change(json!({ "unitPriceChangeBps": -1_250, "stock": 9 })).await.expect("an answer"), 200).await;
        assert_eq!((price("e1").await, price("e2").await), (json!(1_094), json!(613)));
        let audit = app.log_in_as_admin().await.get_json("/api/admin/audit?action=products_change").await;
        let [was, became] = ["was", "became"].map(|side| audit["entries"][0][side].as_str().expect("JSON").to_owned());
        assert!(was.contains("1250") && became.contains("1094") && became.contains("613"), "{was} {became}");

        let mut dear = client.get_json("/api/vendor/products/e2").await;
        dear["unitPrice"] = json!(90_000_000_000_i64);
        assert_eq!(client.put("/api/vendor/products/e2", &dear).await.status(), 200);
        let before = contents(&app.state().db).await;
        for changes in [
            json!({ "unitPriceChangeBps": 1 }),
            json!({ "unitPriceChangeBps": 0 }),
            json!({ "unitPriceChangeBps": -9_901 }),
            json!({ "unitPriceChangeBps": 500, "unitPrice": 1 }),
        ] {
            let refused = change(changes.clone()).await.expect("an answer");
            assert_eq!(refused_fields(refused).await, ["changes.unitPriceChangeBps"], "{changes}");
        }
        assert_eq!(contents(&app.state().db).await, before);
    }
}
