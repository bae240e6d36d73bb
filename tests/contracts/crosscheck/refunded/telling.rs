//! The marketplace as files, and as what is sent.

use std::{collections::HashSet, fs};

use jiff::ToSpan;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{CUSTOMERS, Of, Order, PRODUCTS, Refund, Refunded, VENDORS, Vendor, product_id};
use crate::harness::{Client, TestApp};

impl Refunded {
    pub(super) fn write_files(&self) {
        let mut vendors = "vendor_id,name,country,time_zone,currency,commission_bps,low_stock_threshold\n".to_owned();
        let mut products = "product_id,vendor_id,name,category,unit_price,stock,status\n".to_owned();
        for (at, vendor) in VENDORS.iter().enumerate() {
            let Vendor { id, zone, currency, commission_bps, threshold, .. } = vendor;
            vendors += &format!("{id},Vendor of {id},Somewhere,{zone},{currency},{commission_bps},{threshold}\n");
            for product in 0..PRODUCTS {
                let (id, category, status) =
                    (product_id(at, product), product % 4, if product == 1 { "archived" } else { "active" });
                let name = if product % 2 == 0 { "Cups, \"large\"" } else { "Bowls" };
                products += &format!(
                    "{id},{},\"{} {product}\",Category {category},1,{},{status}\n",
                    vendor.id,
                    name.replace('"', "\"\""),
                    product * 4 + 3
                );
            }
        }
        let customers: String = (0..CUSTOMERS).map(|at| format!("k{at},Customer {at},Somewhere\n")).collect();
        for folder in [&self.whole, &self.imported] {
            write(folder, "vendors", &vendors);
            write(folder, "products", &products);
            write(folder, "customers", &format!("customer_id,name,country\n{customers}"));
        }
        for (folder, all) in [(&self.whole, true), (&self.imported, false)] {
            let mut orders = format!("order_id,customer_id,placed_at,status{}\n", if all { ",discount" } else { "" });
            let mut items = "order_id,line,product_id,quantity,gross,discount\n".to_owned();
            let mut refunds =
                format!("order_id,line,quantity,amount,refunded_at{}\n", if all { ",vendor_id" } else { "" });
            for order in self.orders.iter().filter(|order| all || order.is_imported()) {
                let discount = if all {
                    format!(",{}", decimal(order.discount, VENDORS[order.lines[0].vendor].decimals))
                } else {
                    String::new()
                };
                orders += &format!("{},k{},{},{}{discount}\n", order.id, order.customer, order.placed, order.status);
                for line in &order.lines {
                    let decimals = VENDORS[line.vendor].decimals;
                    let (gross, discount) =
                        (decimal(line.quantity * line.unit_price, decimals), decimal(line.discount, decimals));
                    items += &format!(
                        "{},{},{},{},{gross},{discount}\n",
                        order.id,
                        line.number,
                        line.product_id(),
                        line.quantity
                    );
                }
                let taken = if all { order.refunds.len() } else { order.refunds_imported() };
                for Refund { of, amount, at } in &order.refunds[..taken] {
                    let (line, quantity, vendor, decimals) = match of {
                        Of::Line { number, quantity, decimals } => (number.to_string(), *quantity, "", *decimals),
                        Of::Order { decimals } => (String::new(), 0, "", *decimals),
                        Of::Vendor(vendor) => (String::new(), 0, VENDORS[*vendor].id, VENDORS[*vendor].decimals),
                    };
                    let vendor = if all { format!(",{vendor}") } else { String::new() };
                    refunds += &format!("{},{line},{quantity},{},{at}{vendor}\n", order.id, decimal(*amount, decimals));
                }
            }
            write(folder, "orders", &orders);
            write(folder, "order_items", &items);
            write(folder, "refunds", &refunds);
        }
    }

    /// Sends what the bundle left out: some orders as something else first, then all as they are, refunds one after the
    /// other, and of some orders where they stand only after their refunds.
    pub async fn send(&self, app: &TestApp) {
        let admin = app.log_in_as_admin().await;
        let mut vendors = Vec::new();
        for vendor in &VENDORS {
            vendors.push(app.log_in_as_vendor(vendor.id).await);
        }
        let sent: Vec<(usize, &Order)> =
            self.orders.iter().enumerate().filter(|(_, order)| !order.is_imported()).collect();
        let edited: Vec<Value> =
            sent.iter().filter(|(at, _)| at % 4 == 0).map(|(_, order)| order.as_it_was()).collect();
        ingest(&admin, "orders", edited).await;
        let until_refunded = |at: usize, order: &Order| if at % 10 == 7 { "delivered" } else { order.status };
        ingest(&admin, "orders", sent.iter().map(|(at, order)| order.sent(until_refunded(*at, order))).collect()).await;

        let most = self.orders.iter().map(|order| order.refunds.len()).max().unwrap_or_default();
        for turn in 0..most {
            let mut refunds = Vec::new();
            for order in &self.orders {
                let Some(refund) =
                    order.refunds.get(turn).filter(|_| !order.is_imported() || turn >= order.refunds_imported())
                else {
                    continue;
                };
                let Refund { of, amount, at } = refund;
                match of {
                    Of::Line { number, quantity, .. } => refunds
                        .push(json!({ "orderId": order.id, "line": number, "quantity": quantity, "amount": amount,
                            "refundedAt": at })),
                    Of::Order { .. } => refunds.push(json!({ "orderId": order.id, "amount": amount,
                        "refundedAt": at })),
                    Of::Vendor(vendor) => {
                        let body = json!({ "amount": amount, "restock": false, "refundedAt": at });
                        post(&vendors[*vendor], &format!("/api/vendor/orders/{}/refunds", order.id), &body).await;
                    }
                }
            }
            ingest(&admin, "refunds", refunds).await;
        }
        ingest(&admin, "orders", sent.iter().map(|(_, order)| order.sent(order.status)).collect()).await;
    }
}

impl Order {
    /// Files have no discount on a whole order.
    fn is_imported(&self) -> bool {
        self.discount == 0 && self.customer.is_multiple_of(2)
    }

    /// How many of its refunds, from the first on, are of lines: files have no others.
    fn refunds_imported(&self) -> usize {
        self.refunds.iter().take_while(|refund| matches!(refund.of, Of::Line { .. })).count()
    }

    fn sent(&self, status: &str) -> Value {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|line| {
                let product = line.product_id();
                json!({ "line": line.number, "productId": product, "quantity": line.quantity,
                    "unitPrice": line.unit_price, "discount": line.discount })
            })
            .collect();
        let customer = json!({ "customerId": format!("k{}", self.customer) });
        json!({ "orderId": self.id, "customer": customer, "placedAt": self.placed, "status": status,
            "discount": self.discount, "lines": lines })
    }

    /// Before it was corrected: of another day, with another discount and another quantity.
    fn as_it_was(&self) -> Value {
        let mut sent = self.sent("processing");
        sent["placedAt"] = json!(self.placed - 50.hours());
        sent["discount"] = json!(self.discount / 2);
        sent["lines"][0]["quantity"] = json!(self.lines[0].quantity + 3);
        sent
    }
}
fn decimal(amount: i64, decimals: usize) -> String {
    let unit = 10_i64.pow(u32::try_from(decimals).expect("few"));
    if decimals == 0 { amount.to_string() } else { format!("{}.{:0decimals$}", amount / unit, amount % unit) }
}

fn write(folder: &TempDir, table: &str, csv: &str) {
    fs::write(folder.path().join(format!("{table}.csv")), csv).expect("a file");
}

/// Many at a time; of one order at most one row, so that what one leaves is known to the next.
async fn ingest(admin: &Client, what: &str, rows: Vec<Value>) {
    let orders: HashSet<String> = rows.iter().map(|row| row["orderId"].to_string()).collect();
    assert_eq!(orders.len(), rows.len(), "each order once");
    if !rows.is_empty() {
        post(admin, &format!("/api/ingest/{what}"), &json!({ what: rows })).await;
    }
}

async fn post(client: &Client, path: &str, body: &Value) {
    let answer = client.post(path, body).await;
    let status = answer.status();
    assert!(status.is_success(), "{path}: {status}: {}", answer.text().await.unwrap_or_default());
}
