//! Random histories over HTTP, each by its seed: whatever is done in whatever order, figures are those of the orders.

use jiff::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use vendorscope::{
    domain::period::day_number,
    server::{
        db::{rollups, rows, sql},
        import::ImportOptions,
        services::import::import_bundle,
    },
};

use crate::harness::{Client, Market, TestApp, TestDatabase, Unwatched, contents, databases};

const SEEDS: [u64; 3] = [1, 20_261_123, 0xC0FFEE];
const STEPS: usize = 45;
const VENDORS: [&str; 4] = ["eur", "nyc", "jpy", "kwd"];
const PRODUCTS: [&str; 5] = ["e1", "e2", "n1", "j1", "k1"];
const STATUSES: [&str; 6] = ["pending", "processing", "shipped", "delivered", "cancelled", "failed"];
const ZONES: [&str; 4] = ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Kiritimati", "America/St_Johns"];
/// All that a history may date anything.
const RANGE: &str = "dateFrom=2024-12-01&dateTo=2026-03-31";

struct History {
    random: StdRng,
    app: TestApp,
    admin: Client,
    vendors: Vec<Client>,
    market: Market,
    /// Batches that were taken, to be sent again.
    taken: Vec<(&'static str, Value)>,
    sent: usize,
}

impl History {
    async fn begin(database: &TestDatabase, seed: u64) -> Self {
        let market = Market::new();
        let app = TestApp::builder().database(database).bundle(market.path()).spawn().await;
        let mut vendors = Vec::new();
        for vendor in VENDORS {
            vendors.push(app.log_in_as_vendor(vendor).await);
        }
        let admin = app.log_in_as_admin().await;
        Self { random: StdRng::seed_from_u64(seed), app, admin, vendors, market, taken: Vec::new(), sent: 0 }
    }

    /// Some second of 2025 and of the first weeks of 2026.
    fn instant(&mut self) -> String {
        Timestamp::from_second(self.random.random_range(1_735_689_600..1_771_000_000)).expect("an instant").to_string()
    }

    async fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..25 => self.create().await,
            25..38 => self.change_status().await,
            38..48 => self.backdate().await,
            48..60 => self.refund_lines().await,
            60..67 => self.refund_amount().await,
            67..80 => self.ingest_orders().await,
            80..86 => self.ingest_refunds().await,
            86..92 => self.send_again().await,
            92..96 => self.restock().await,
            _ => self.move_a_vendor().await,
        }
    }

    async fn create(&mut self) {
        let vendor = self.random.random_range(0..VENDORS.len());
        let own = [&["e1", "e2"][..], &["n1"], &["j1"], &["k1"]][vendor];
        let lines: Vec<Value> = own
            .iter()
            .map(|product| {
                json!({ "productId": product, "quantity": self.random.random_range(1..4),
                "discount": self.random.random_range(0..300) })
            })
            .collect();
        let customer = match self.random.random_range(0..3) {
            0 => json!({ "customerId": "c1" }),
            1 => json!({ "customerId": "c2" }),
            _ => json!({ "name": "Someone", "country": "Somewhere" }),
        };
        let (placed_at, status) = (self.instant(), *STATUSES.choose(&mut self.random).expect("one"));
        let body = json!({ "customer": customer, "lines": lines, "discount": self.random.random_range(0..200),
            "status": status, "placedAt": placed_at });
        self.told(self.vendors[vendor].post("/api/vendor/orders", &body).await).await;
    }

    /// A random vendor, and an order of its own as it stands.
    async fn some_order(&mut self) -> Option<(Client, String, Value)> {
        let vendor = self.vendors.choose(&mut self.random).expect("one").clone();
        let page = vendor.get_json("/api/vendor/orders").await;
        let order = page["orders"].as_array().expect("a list").choose(&mut self.random)?["orderId"]
            .as_str()
            .expect("an id")
            .to_owned();
        let path = format!("/api/vendor/orders/{order}");
        let order = vendor.get_json(&path).await;
        Some((vendor, path, order))
    }

    async fn change_status(&mut self) {
        let Some((vendor, path, _)) = self.some_order().await else { return };
        let status = *STATUSES.choose(&mut self.random).expect("one");
        self.told(vendor.patch(&path, &json!({ "status": status })).await).await;
    }

    async fn backdate(&mut self) {
        let Some((vendor, path, _)) = self.some_order().await else { return };
        let placed_at = self.instant();
        self.told(vendor.patch(&path, &json!({ "placedAt": placed_at })).await).await;
    }

    async fn refund_lines(&mut self) {
        let Some((vendor, path, order)) = self.some_order().await else { return };
        let lines: Vec<Value> = order["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| json!({ "line": line["line"], "quantity": self.random.random_range(1..3) }))
            .collect();
        let body = json!({ "lines": lines, "restock": self.random.random_bool(0.5), "refundedAt": self.refunded_at() });
        self.told(vendor.post(&format!("{path}/refunds"), &body).await).await;
    }

    async fn refund_amount(&mut self) {
        let Some((vendor, path, _)) = self.some_order().await else { return };
        let body = json!({ "amount": self.random.random_range(1..1_500), "refundedAt": self.refunded_at() });
        self.told(vendor.post(&format!("{path}/refunds"), &body).await).await;
    }

    /// After every order of a history.
    fn refunded_at(&mut self) -> String {
        Timestamp::from_second(self.random.random_range(1_771_000_000..1_774_000_000)).expect("an instant").to_string()
    }

    async fn ingest_orders(&mut self) {
        self.sent += 1;
        let orders: Vec<Value> = (0..self.random.random_range(1..5))
            .map(|number| {
                // Now and then one that was sent before, and is different now.
                let batch =
                    if self.random.random_bool(0.3) { self.random.random_range(1..=self.sent) } else { self.sent };
                let lines: Vec<Value> = (0..self.random.random_range(1..4))
                    .map(|_| {
                        let product = *PRODUCTS.choose(&mut self.random).expect("one");
                        let line = json!(PRODUCTS.iter().position(|one| *one == product).expect("there") + 1);
                        json!({ "line": line, "productId": product, "quantity": self.random.random_range(1..5),
                            "unitPrice": self.random.random_range(100..2_000) })
                    })
                    .fold(Vec::new(), |mut lines: Vec<Value>, line| {
                        if lines.iter().all(|other| other["line"] != line["line"]) {
                            lines.push(line);
                        }
                        lines
                    });
                json!({
                    "orderId": format!("s{batch}-{number}"),
                    "customer": { "customerId": format!("s{number}"), "name": "Sent", "country": "Somewhere" },
                    "placedAt": self.instant(),
                    "status": STATUSES.choose(&mut self.random).expect("one"),
                    "lines": lines,
                })
            })
            .collect();
        self.ingest("orders", json!({ "orders": orders })).await;
    }

    async fn ingest_refunds(&mut self) {
        let refunds: Vec<Value> = (0..3)
            .map(|number| {
                let order = format!("s{}-{number}", self.random.random_range(1..=self.sent.max(1)));
                let (amount, at) = (self.random.random_range(1..150), self.refunded_at());
                match self.random.random_bool(0.7) {
                    true => json!({ "orderId": order, "line": self.random.random_range(1..=5),
                        "quantity": self.random.random_range(0..2), "amount": amount, "refundedAt": at }),
                    false => json!({ "orderId": order, "amount": amount, "refundedAt": at }),
                }
            })
            .collect();
        // One at a time: where one cannot be taken, none of its request is.
        for refund in refunds {
            self.ingest("refunds", json!({ "refunds": [refund] })).await;
        }
    }

    async fn ingest(&mut self, what: &'static str, body: Value) {
        let response = self.admin.post(&format!("/api/ingest/{what}"), &body).await;
        if response.status() == 200 {
            self.taken.push((what, body));
        } else {
            self.told(response).await;
        }
    }

    /// What was sent before, once more: orders may have been sent otherwise in between, so twice; the second time
    /// changes nothing.
    async fn send_again(&mut self) {
        let Some((what, body)) = self.taken.choose(&mut self.random).cloned() else { return };
        let path = format!("/api/ingest/{what}");
        let first = self.admin.post(&path, &body).await;
        if first.status() != 200 {
            return self.told(first).await;
        }
        let before = contents(&self.app.state().db).await;
        let again: Value = self.admin.post(&path, &body).await.json().await.expect("JSON");
        assert_eq!((&again["created"], &again["updated"]), (&json!(0), &json!(0)), "{body}");
        assert_eq!(contents(&self.app.state().db).await, before);
    }

    async fn restock(&mut self) {
        let products = json!([
            { "productId": "e2", "vendorId": "eur", "name": "Bowl", "category": "Bowls", "unitPrice": 700,
                "stock": self.random.random_range(0..20) },
            { "productId": "j1", "vendorId": "jpy", "name": "Pen", "category": "Pens",
                "unitPrice": self.random.random_range(900..1_500), "stock": 40 },
        ]);
        self.ingest("products", json!({ "products": products })).await;
    }

    async fn move_a_vendor(&mut self) {
        let zone = *ZONES.choose(&mut self.random).expect("one");
        if self.random.random_bool(0.5) {
            let vendor = self.vendors.choose(&mut self.random).expect("one");
            return self.told(vendor.put("/api/account/time-zone", &json!({ "timeZone": zone })).await).await;
        }
        self.market
            .write("vendors", &format!("vendor_id,name,country,time_zone,currency\neur,Ton,Germany,{zone},EUR\n"));
        let folder = self.market.path();
        let report = import_bundle(&self.app.state().db, &folder, ImportOptions::default(), &Unwatched).await;
        // As the command does it. (A history may have refunded what the bundle would bring back.)
        let Ok(report) = report else { return };
        if !report.vendors_changed.is_empty() {
            let tags: Vec<_> = report
                .vendors_changed
                .iter()
                .map(|vendor| format!("vendor:{vendor}"))
                .chain(["marketplace".to_owned()])
                .collect();
            self.told(self.admin.post("/api/admin/cache/invalidate", &json!({ "tags": tags })).await).await;
        }
    }

    /// A refusal is part of the story, a failure of ours is not.
    async fn told(&self, response: reqwest::Response) {
        let (status, text) = (response.status(), response.text().await.expect("a text"));
        assert!(status.is_success() || status.is_client_error(), "{status}: {text}");
    }

    async fn check(&self, context: &str) {
        let db = &self.app.state().db;
        assert_eq!(
            rollups::verify(&mut db.write().await.expect("a transaction")).await.expect("sums"),
            [],
            "{context}"
        );
        let metrics = self.admin.get_json(&format!("/api/admin/metrics?{RANGE}")).await;
        let mut market = std::collections::BTreeMap::<String, i64>::new();
        for (vendor, client) in VENDORS.iter().zip(&self.vendors) {
            let context = format!("{context}, {vendor}");
            let shown = client.get_json(&format!("/api/vendor/analytics/snapshot?{RANGE}&interval=week")).await;
            let totals = &shown["totals"];
            for figure in ["grossSales", "discounts", "returns", "netSales", "payable", "orders", "units"] {
                let sum: i64 =
                    shown["series"].as_array().expect("a series").iter().map(|point| int(&point[figure])).sum();
                assert_eq!(sum, int(&totals[figure]), "{figure} of {context}");
            }
            self.check_exports(client, totals, &context).await;
            assert_eq!(
                from_orders(client).await,
                ["grossSales", "discounts", "returns", "orders", "units"].map(|figure| int(&totals[figure])),
                "{context}"
            );
            *market.entry(shown["currency"].as_str().expect("a code").to_owned()).or_default() +=
                int(&totals["netSales"]);
        }
        let shown: std::collections::BTreeMap<_, _> = metrics["currencies"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| (one["currency"].as_str().expect("a code").to_owned(), int(&one["netSales"])))
            .collect();
        assert_eq!(shown, market, "{context}");
        for (vendor, client) in VENDORS.iter().zip(&self.vendors) {
            self.check_first_day(vendor, context).await;
            check_sums_of_products(client, &format!("{context}, {vendor}")).await;
        }
        for product in contents(db).await.iter().filter(|row| row.starts_with("products:")) {
            assert!(!product.contains("stock=Some(-"), "{product}");
        }
    }

    /// "All time" begins with the first of all rows.
    async fn check_first_day(&self, vendor: &str, context: &str) {
        let state = self.app.state();
        let vendor = state.accounts.find_vendor(vendor).await.expect("a vendor");
        let (first, _) = state.analytics.first_day(&vendor).await.expect("a day");
        let text = "SELECT CAST(MIN(day) AS BIGINT) AS day FROM (SELECT day FROM vendor_orders WHERE vendor_id = $1 \
                    UNION ALL SELECT day FROM refunds WHERE vendor_id = $1) AS days";
        let mut tx = state.db.read().await.expect("a transaction");
        let row = tx.row(sql(text).bind(vendor.id)).await.expect("an answer").expect("a row");
        let of_rows = rows::int_or_null(&row, "day").expect("a day");
        assert_eq!(first.map(day_number), of_rows, "{context}, {}", vendor.external_id);
    }

    async fn check_exports(&self, client: &Client, totals: &Value, context: &str) {
        let series =
            [(2, "grossSales"), (3, "discounts"), (4, "returns"), (5, "netSales"), (6, "orders"), (7, "units")];
        for (table, columns) in [("series", &series[..]), ("products", &[(3, "units"), (4, "netSales")])] {
            let csv = client
                .get(&format!("/api/vendor/analytics/export.csv?{RANGE}&interval=day&table={table}"))
                .await
                .text()
                .await
                .expect("a text");
            for (column, figure) in columns {
                let cells =
                    csv.lines().skip(1).map(|line| line.split(',').nth(*column).expect("a cell").replace('.', ""));
                let sum: i64 = cells.map(|cell| cell.parse::<i64>().expect("a number")).sum();
                assert_eq!(sum, int(&totals[*figure]), "{figure} of {table} of {context}");
            }
        }
    }
}

/// Gross, discounts, returns, orders and units, added up from the vendor's orders as the API shows them.
async fn from_orders(client: &Client) -> [i64; 5] {
    let (mut sums, mut after) = ([0; 5], String::new());
    loop {
        let page = client.get_json(&format!("/api/vendor/orders{after}")).await;
        for summary in page["orders"].as_array().expect("a list") {
            let order =
                client.get_json(&format!("/api/vendor/orders/{}", summary["orderId"].as_str().expect("an id"))).await;
            if ["pending", "cancelled", "failed"].contains(&order["status"].as_str().expect("a status")) {
                continue;
            }
            sums[3] += 1;
            for line in order["lines"].as_array().expect("lines") {
                sums[0] += int(&line["gross"]);
                sums[1] += int(&line["discount"]);
                sums[2] += int(&line["refundedAmount"]);
                sums[4] += int(&line["quantity"]) - int(&line["refundedQuantity"]);
            }
        }
        match page["next"].as_str() {
            Some(next) => after = format!("?after={next}"),
            None => return sums,
        }
    }
}

/// What the list of products says that it comes to is what its rows come to.
async fn check_sums_of_products(client: &Client, context: &str) {
    let page = client.get_json("/api/vendor/products").await;
    assert_eq!(page["next"], Value::Null, "{context}");
    let (products, recent) = (page["products"].as_array().expect("a list"), page["recent"].as_array().expect("a list"));
    let sum = |of: &dyn Fn(&Value) -> i64, rows: &[Value]| rows.iter().map(of).sum::<i64>();
    let expected = json!({
        "products": products.len(),
        "stock": sum(&|product| int(&product["stock"]), products),
        "stockValue": sum(&|product| int(&product["stock"]) * int(&product["unitPrice"]), products),
        "recent": {
            "units": sum(&|sold| int(&sold["units"]), recent),
            "previousUnits": sum(&|sold| int(&sold["previousUnits"]), recent),
        },
    });
    assert_eq!(page["sums"], expected, "{context}");
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no integer"))
}

async fn tell(seed: u64) {
    for database in databases().await {
        let mut history = History::begin(&database, seed).await;
        for step in 1..=STEPS {
            history.step().await;
            if step % 15 == 0 {
                history.check(&format!("seed {seed}, {step} steps, {}", database.url())).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_the_figures_are_those_of_the_orders_first_history() {
    tell(SEEDS[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_the_figures_are_those_of_the_orders_second_history() {
    tell(SEEDS[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_the_figures_are_those_of_the_orders_third_history() {
    tell(SEEDS[2]).await;
}
