use std::collections::BTreeSet;

use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use serde_json::{Value, json};
use vendorscope::{
    domain::accounts::{KeyScope, Role},
    server::{
        db::rollups,
        identity::accounts::{Accounts, Actor, KeyOrder},
        services::Sender,
    },
};

use crate::harness::{Client, PASSWORD, Program, RedisServer, TestApp, TestDatabase, databases};

const VENDOR: &str = "7";
const KILLS: usize = 20;
/// Requests on their way when it is killed.
const WRITERS: usize = 6;
/// Acknowledged before it is killed, each time a different number.
const ACKNOWLEDGED: usize = 4;
const LOW_STOCK: &str = "/api/vendor/products?stock=low";
const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-12-31";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_survives_every_kill_and_shows_in_the_figures() {
    for database in databases().await {
        let redis = RedisServer::start();
        let key = prepare(&database).await;
        let mut acknowledged = BTreeSet::new();
        for kill in 0..KILLS {
            let mut program = Program::serve(&database, &redis.url());
            let client = Client::new(program.address);
            // In the cache, of which nothing may be left that is older than a write.
            assert_eq!(
                shown(&client, &key).await.intersection(&acknowledged).count(),
                acknowledged.len(),
                "before kill {kill}"
            );
            write_until_killed(&mut program, &key, kill, &mut acknowledged).await;
        }
        let program = Program::serve(&database, &redis.url());
        let client = Client::new(program.address);
        let figures = shown(&client, &key).await;
        let lost: Vec<_> = acknowledged.difference(&figures).collect();
        assert!(lost.is_empty(), "{}: acknowledged and not in the figures: {lost:?}", database.url());
        for id in &acknowledged {
            let path = format!("/api/vendor/products/{id}");
            let product =
                client.request(reqwest::Method::GET, &path).bearer_auth(&key).send().await.expect("an answer");
            assert_eq!(product.status(), 200, "{}: {id} was acknowledged and is gone", database.url());
        }
        let db = database.open().await;
        let mut tx = db.write().await.expect("a transaction");
        assert_eq!(rollups::verify(&mut tx).await.expect("verified"), [], "{}", database.url());
    }
}

/// A marketplace, and a key for one of its vendors.
async fn prepare(database: &TestDatabase) -> String {
    let app = TestApp::builder().database(database).northwind().spawn().await;
    let accounts: &Accounts = &app.state().accounts;
    let user = accounts.add_user("vendor@example.com", PASSWORD, Role::Vendor, Some(VENDOR)).await.expect("a new user");
    let order = KeyOrder { name: "a test".to_owned(), scope: KeyScope::Write, vendor_id: None, days: None };
    let sender = Sender::of_form("vendor@example.com", None, None);
    accounts.create_key(&user, PASSWORD, &order, &sender, Actor::COMMAND_LINE).await.expect("a key").secret
}

/// Writes products that are low on stock, which the snapshot lists, and changes orders; kills the program in the middle
/// of it.
async fn write_until_killed(program: &mut Program, key: &str, round: usize, acknowledged: &mut BTreeSet<String>) {
    let client = Client::new(program.address);
    let orders = open_orders(&client, key).await;
    let mut enough = ACKNOWLEDGED + round % 5;
    let mut writing: FuturesUnordered<_> = (0..WRITERS).map(|writer| write(&client, key, round, writer)).collect();
    let mut next = WRITERS;
    let mut killed = false;
    let writes = async {
        while let Some(done) = writing.next().await {
            if let Some(id) = done {
                acknowledged.insert(id);
                enough = enough.saturating_sub(1);
            }
            if enough == 0 && !killed {
                program.kill();
                killed = true;
            }
            if !killed {
                writing.push(write(&client, key, round, next));
                next += 1;
            }
        }
    };
    tokio::join!(writes, join_all(orders.iter().map(|order| change(&client, key, order))));
    assert!(killed);
}

/// The id of the product, once it has been acknowledged.
async fn write(client: &Client, key: &str, round: usize, number: usize) -> Option<String> {
    let product = json!({
        "name": format!("Written in round {round}, \
            {number}"), "category": "Tests", "unitPrice": 100, "stock": 0, "lowStockThreshold": 5,
        "status": "active",
    });
    let request = client.request(reqwest::Method::POST, "/api/vendor/products").bearer_auth(key).json(&product);
    let response = request.send().await.ok()?;
    if response.status() != 201 {
        return None;
    }
    // The status was the acknowledgement; that its body is cut short makes no difference to that, but to what we know
    // of it.
    let body: Value = response.json().await.ok()?;
    body["productId"].as_str().map(str::to_owned)
}

async fn change(client: &Client, key: &str, order: &str) {
    let path = format!("/api/vendor/orders/{order}");
    let request =
        client.request(reqwest::Method::PATCH, &path).bearer_auth(key).json(&json!({ "status": "delivered" }));
    // Whatever comes of it, sums and rows agree afterwards.
    let _ = request.send().await;
}

/// Some orders that may still be delivered.
async fn open_orders(client: &Client, key: &str) -> Vec<String> {
    let response = client
        .request(reqwest::Method::GET, "/api/vendor/orders?status=shipped")
        .bearer_auth(key)
        .send()
        .await
        .expect("an answer");
    let page: Value = response.json().await.expect("JSON");
    let orders = page["orders"].as_array().expect("a list");
    orders.iter().take(2).map(|order| order["orderId"].as_str().expect("an id").to_owned()).collect()
}

/// The products that are low on stock: all that the list has, which are as many as the snapshot counts.
async fn shown(client: &Client, key: &str) -> BTreeSet<String> {
    let ask = async |path: &str| {
        let response = client.request(reqwest::Method::GET, path).bearer_auth(key).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        response.json::<Value>().await.expect("JSON")
    };
    // Asked several times at once, as a page and its scripts do.
    let snapshot = join_all((0..3).map(|_| ask(SNAPSHOT))).await.pop().expect("an answer");
    let (mut products, mut path) = (BTreeSet::new(), LOW_STOCK.to_owned());
    loop {
        let page = ask(&path).await;
        let ids = page["products"].as_array().expect("a list").iter();
        products.extend(ids.map(|product| product["productId"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{LOW_STOCK}&after={next}");
    }
    assert_eq!(snapshot["lowStockTotal"], products.len(), "the snapshot and the list");
    products
}
