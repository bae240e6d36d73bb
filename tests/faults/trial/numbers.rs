use futures::future::{BoxFuture, FutureExt};
use reqwest::Method;

use super::*;
use crate::harness::Program;

/// One number that counts up, each written by one writer.
#[derive(Default)]
pub struct Number {
    sent: AtomicU64,
    acknowledged: AtomicU64,
}

impl Number {
    pub fn next(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// What was sent last.
    pub fn acknowledge(&self) {
        self.acknowledged.store(self.sent(), Ordering::SeqCst);
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }
}

/// What counts up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The price of a product that the marketplace sends.
    Price(usize),
    /// The threshold of a product that its vendor writes.
    Threshold,
    /// How many orders the marketplace has sent.
    Orders,
    /// What was given back on an order.
    Refunds,
    /// The vendor's zone: the next one of a list, again and again.
    Zone,
    /// The price of a product that is imported by the command line.
    Import,
}

/// What an instance showed: `None` where it did not show what it should.
pub struct Shown {
    pub number: Option<u64>,
    pub outcome: String,
    pub place: &'static str,
}

const ZONES: [&str; 16] = [
    "Europe/Berlin",
    "Asia/Tokyo",
    "America/New_York",
    "Australia/Melbourne",
    "Africa/Cairo",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Pacific/Auckland",
    "Europe/London",
    "Asia/Dubai",
    "America/Los_Angeles",
    "Africa/Lagos",
    "Asia/Shanghai",
    "America/Mexico_City",
    "Europe/Istanbul",
    "Pacific/Honolulu",
];
const METRICS: &str = "/api/admin/metrics?dateFrom=1996-07-01&dateTo=1998-05-31";
/// Longer than any answer takes that still comes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

impl What {
    pub const ALL: [Self; 7] =
        [Self::Price(0), Self::Price(1), Self::Threshold, Self::Orders, Self::Refunds, Self::Zone, Self::Import];

    /// How long its writer waits; `None` for a random time.
    pub fn patience(self) -> Option<Duration> {
        (self == Self::Import).then_some(ANSWERED_WITHIN)
    }

    /// The latest number that what was shown may be, of those that were sent.
    pub fn latest(self, shown: u64, sent: u64) -> u64 {
        let cycle = ZONES.len() as u64;
        if self == Self::Zone { sent - (sent + cycle - shown) % cycle } else { shown }
    }

    /// Writes the number; whether that was acknowledged. Goes on without the world.
    pub fn write(self, world: &World, number: u64, instance: usize) -> BoxFuture<'static, bool> {
        if self == Self::Import {
            return import(world.database.clone(), number).boxed();
        }
        let admin = |what: &str, rows: Value| {
            let path = format!("/api/ingest/{what}");
            world.admins[instance].request(Method::POST, &path).json(&json!({ what: rows }))
        };
        let at = |day: &str| format!("{day}T{:02}:{:02}:{:02}Z", number / 3_600, number / 60 % 60, number % 60);
        let request = match self {
            Self::Price(product) => admin("products", json!([product_of(&format!("trial-{product}"), number)])),
            Self::Orders => {
                admin("orders", json!([order(&format!("trial-o{number}"), "Trial Customer", &at("1997-06-01"))]))
            }
            Self::Refunds => {
                let row = json!({ "orderId": "trial-refunded", "amount": 1, "refundedAt": at("1997-07-01") });
                admin("refunds", json!([row]))
            }
            Self::Zone => {
                let zone = json!({ "timeZone": ZONES[(number % ZONES.len() as u64) as usize] });
                world.movers[instance].request(Method::PUT, "/api/account/time-zone").json(&zone)
            }
            Self::Threshold | Self::Import => {
                let mut body = world.product.clone();
                body["lowStockThreshold"] = json!(number);
                let path = format!("/api/vendor/products/{}", body["productId"].as_str().expect("an id"));
                world.sellers[instance].request(Method::PUT, &path).json(&body)
            }
        };
        // The first refund needs something that was sold.
        let sold = (self == Self::Refunds && number == 1).then(|| {
            let mut sold = order("trial-refunded", "Somebody Else", "1997-06-01T00:00:00Z");
            sold["lines"][0]["unitPrice"] = json!(100_000_000);
            admin("orders", json!([sold]))
        });
        async move {
            for request in sold.into_iter().chain([request]) {
                let answered = request.timeout(ANSWERED_WITHIN).send().await;
                if !answered.is_ok_and(|answer| answer.status().is_success()) {
                    return false;
                }
            }
            true
        }
        .boxed()
    }

    /// What an instance shows of it, in one of the places that show it; `None` where it refuses to.
    pub async fn read(self, world: &World, instance: usize, place: usize) -> Option<Shown> {
        let (seller, mover, admin) = (&world.sellers[instance], &world.movers[instance], &world.admins[instance]);
        let price = |body: &Value| body["products"][0]["unitPrice"].as_u64();
        let dollars = |body: &Value, figure: &str| {
            body["currencies"].as_array()?.iter().find(|of| of["currency"] == "USD")?[figure].as_u64()
        };
        match (self, place) {
            (Self::Price(product), _) => {
                let path = format!("/api/vendor/products?search=Trial-{product}");
                ask(seller, &path, "products", price).await
            }
            (Self::Import, _) => {
                let paid = |body: &Value| price(body).map(|cents| cents / 100);
                ask(seller, "/api/vendor/products?search=Imported", "products", paid).await
            }
            (Self::Threshold, _) => {
                let threshold = |body: &Value| {
                    let id = &world.product["productId"];
                    body["lowStock"].as_array()?.iter().find(|row| row["productId"] == *id)?["threshold"].as_u64()
                };
                ask(seller, SNAPSHOT, "snapshot", threshold).await
            }
            (Self::Orders, 0) => {
                let since = |body: &Value| Some(1 + body["totals"]["orders"].as_u64()? - world.orders);
                ask(seller, SNAPSHOT, "snapshot", since).await
            }
            (Self::Orders, 1) => {
                let newest =
                    |body: &Value| body["orders"][0]["orderId"].as_str()?.strip_prefix("trial-o")?.parse().ok();
                ask(seller, "/api/vendor/orders?search=Trial%20Customer", "orders", newest).await
            }
            (Self::Orders, _) => {
                let since = |body: &Value| Some(1 + dollars(body, "orders")? - world.market_orders);
                ask(admin, METRICS, "metrics", since).await
            }
            (Self::Refunds, 0) => ask(admin, METRICS, "metrics", |body| dollars(body, "returns")).await,
            (Self::Refunds, _) => ask(seller, SNAPSHOT, "snapshot", |body| body["totals"]["returns"].as_u64()).await,
            (Self::Zone, 0) => {
                let response = get(mover, "/account").await?;
                let text = response.text().await.ok()?;
                let zone = ZONES.iter().position(|zone| text.contains(&format!("<strong>{zone}")));
                Some(Shown { number: zone.map(|zone| zone as u64), outcome: String::new(), place: "account page" })
            }
            (Self::Zone, _) => {
                let zone = |body: &Value| {
                    let shown = body["timeZone"].as_str()?;
                    ZONES.iter().position(|zone| *zone == shown).map(|zone| zone as u64)
                };
                ask(mover, SNAPSHOT, "snapshot", zone).await
            }
        }
    }
}

/// The seller's orders, and those of the whole marketplace.
pub async fn orders_so_far(world: &World) -> (u64, u64) {
    let of = async |what: What, place| what.read(world, 0, place).await.and_then(|shown| shown.number);
    (of(What::Orders, 0).await.expect("orders") - 1, of(What::Orders, 2).await.expect("orders") - 1)
}

async fn get(client: &Client, path: &str) -> Option<reqwest::Response> {
    let answer = client.request(Method::GET, path).timeout(Duration::from_secs(20)).send().await.ok()?;
    (answer.status() == 200).then_some(answer)
}

async fn ask(
    client: &Client,
    path: &str,
    place: &'static str,
    number: impl FnOnce(&Value) -> Option<u64>,
) -> Option<Shown> {
    let answer = get(client, path).await?;
    let outcome = answer.headers().get("x-cache").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = answer.json::<Value>().await.ok()?;
    Some(Shown { number: number(&body), outcome, place })
}

fn product_of(id: &str, price: u64) -> Value {
    let name = id.replacen("trial", "Trial", 1);
    json!({
        "productId": id, "vendorId": VENDORS[0], "name": name, "category": "Tests", "unitPrice": price, "stock": 1,
    })
}

fn order(id: &str, customer: &str, placed_at: &str) -> Value {
    json!({
        "orderId": id,
        "customer": { "customerId": customer.to_lowercase().replace(' ', "-"), "name": customer, "country": "Germany" },
        "placedAt": placed_at,
        "status": "delivered",
        "lines": [{ "productId": "trial-0", "quantity": 1, "unitPrice": 100 }],
    })
}

/// By the command line, past every proxy: a bundle of the seller and one product.
async fn import(database: TestDatabase, number: u64) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let vendor = "vendor_id,name,country,time_zone,currency\n7,\"Pavlova, Ltd.\",Australia,Australia/Melbourne,USD\n";
    let product = format!(
        "product_id,vendor_id,name,category,unit_price,stock,status\n\
         trial-import,7,Imported,Tests,{number}.00,1,active\n"
    );
    for (table, text) in [
        ("vendors", vendor),
        ("products", &product),
        ("customers", "customer_id,name,country\nimported,Imported,Germany\n"),
        ("orders", "order_id,customer_id,placed_at,status\nimported,imported,1997-05-01T12:00:00Z,delivered\n"),
        ("order_items", "order_id,line,product_id,quantity,gross,discount\nimported,1,trial-import,1,1.00,0.00\n"),
    ] {
        std::fs::write(folder.path().join(format!("{table}.csv")), text).expect("a file");
    }
    let mut command = Program::command(&database);
    command.arg("import").arg(folder.path());
    let done = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it starts");
    drop(folder);
    if !done.status.success() {
        println!("trial: an import failed: {}", String::from_utf8_lossy(&done.stderr));
    }
    done.status.success()
}
