use reqwest::Method;
use serde_json::{Value, json};
use vendorscope::server::db::sql;

use super::{VENDOR, answered, refused_fields};
use crate::harness::{Client, PASSWORD, TestApp, databases};

async fn lines(admin: &Client, query: &str) -> Vec<Value> {
    admin.get_json(&format!("/api/admin/audit?{query}")).await["entries"].as_array().expect("a list").clone()
}

/// The JSON in a text.
fn read(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_change_of_money_and_access_is_noted_with_who_from_where_before_and_after() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let (vendor, admin) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
        let product = json!({ "name": "A mug", "category": "Mugs", "unitPrice": 100, "stock": 9, "status": "active" });
        let made = answered(vendor.post("/api/vendor/products", &product).await, 201).await;
        let id = made["productId"].as_str().expect("an id").to_owned();
        let mut dearer = product.clone();
        dearer["unitPrice"] = json!(250);
        answered(vendor.put(&format!("/api/vendor/products/{id}"), &dearer).await, 200).await;
        let bulk = json!({ "productIds": [id], "changes": { "unitPrice": 300 } });
        answered(vendor.patch("/api/vendor/products/bulk", &bulk).await, 200).await;
        let order = json!({ "customer": { "name": "Anna", "country": "Germany" },
            "lines": [{ "productId": id, "quantity": 2 }] });
        let order = answered(vendor.post("/api/vendor/orders", &order).await, 201).await;
        let order_id = order["orderId"].as_str().expect("an id");
        answered(vendor.patch(&format!("/api/vendor/orders/{order_id}"), &json!({ "status": "shipped" })).await, 200)
            .await;
        answered(vendor.post(&format!("/api/vendor/orders/{order_id}/refunds"), &json!({ "amount": 50 })).await, 201)
            .await;
        let gone =
            vendor.request(Method::DELETE, &format!("/api/vendor/products/{id}")).send().await.expect("an answer");
        assert_eq!(gone.status(), 204);
        let ingested = json!({ "products": [{ "productId": "p-1", "vendorId": VENDOR, "name": "A cup",
            "category": "Cups",
                                              "unitPrice": 100, "stock": 3, "status": "active" }] });
        answered(admin.post("/api/ingest/products", &ingested).await, 200).await;
        let zone = json!({ "timeZone": "Asia/Tokyo" });
        assert_eq!(vendor.put("/api/account/time-zone", &zone).await.status(), 204);

        let noted = lines(&admin, "").await;
        let of = |action: &str| {
            let found = noted.iter().find(|line| line["action"] == action);
            found.unwrap_or_else(|| panic!("{action}: {noted:?}")).clone()
        };
        for (action, actor) in [
            ("product_create", "vendor-7@example.com"),
            ("order_refund", "vendor-7@example.com"),
            ("ingest", "admin@example.com"),
            ("login", "admin@example.com"),
        ] {
            assert_eq!(
                (&of(action)["actor"], &of(action)["address"]),
                (&json!(actor), &json!("127.0.0.1")),
                "{action}"
            );
        }
        let both = |action: &str| (read(&of(action)["was"]), read(&of(action)["became"]));
        assert_eq!(both("product_change"), (json!({ "unitPrice": 100 }), json!({ "unitPrice": 250 })));
        assert_eq!(both("products_change").0, json!({ id.as_str(): 250 }));
        assert_eq!(both("products_change").1["unitPrice"], 300);
        let (was, became) = both("order_change");
        assert_eq!((&was["status"], &became["status"]), (&json!("processing"), &json!("shipped")));
        let (was, became) = both("order_refund");
        assert_eq!((&was[0]["amount"], &became[0]["amount"]), (&json!(0), &json!(50)));
        assert_eq!((&both("product_delete").0["name"], both("product_delete").1), (&json!("A mug"), Value::Null));
        assert_eq!(both("time_zone_change").1, json!("Asia/Tokyo"));
        assert!(of("ingest")["detail"].as_str().is_some_and(|detail| detail.contains("products ingested: vendors 7")));
        // Of which currency the amounts are, where they are a vendor's; on the page they are money.
        assert_eq!(
            [&of("order_refund")["currency"], &of("login")["currency"], &of("ingest")["currency"]],
            [&json!("USD"), &Value::Null, &Value::Null]
        );
        let page = admin.request(Method::GET, "/admin/audit").header("accept", "text/html");
        let page = page.send().await.expect("an answer").text().await.expect("a text");
        for told in ["unit price: $1.00", "unit price: $2.50", "unit price: $3.00", ": $2.50", "amount $0.50"] {
            assert!(page.contains(told), "{told}: {page}");
        }
        // What was refused has changed nothing, and is not noted.
        let count = noted.len();
        assert_eq!(vendor.put(&format!("/api/vendor/products/{id}"), &dearer).await.status(), 404);
        assert_eq!(lines(&admin, "").await.len(), count);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_takes_a_line_out_of_the_audit_log_or_changes_one() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).spawn().await;
        app.log_in_as_admin().await;
        for statement in ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"] {
            let mut tx = app.state().db.write().await.expect("a transaction");
            let refused = tx.execute(sql(statement)).await.expect_err("append only");
            assert!(refused.to_string().contains("append only"), "{statement}: {refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_admin_filters_reads_on_and_exports() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let admin = app.log_in_as_admin().await;
        app.log_in_as_vendor(VENDOR).await;
        for number in 0..205 {
            let detail = if number == 0 { "=1+1;=2".to_owned() } else { format!("number {number}") };
            app.state().accounts.audit("cli", "test_line", &detail, None).await.expect("noted");
        }
        let first = admin.get_json("/api/admin/audit?action=test_line").await;
        let second = admin
            .get_json(&format!("/api/admin/audit?action=test_line&after={}", first["next"].as_str().expect("more")))
            .await;
        let third = admin
            .get_json(&format!("/api/admin/audit?action=test_line&after={}", second["next"].as_str().expect("more")))
            .await;
        let details: Vec<&str> = [&first, &second, &third]
            .into_iter()
            .flat_map(|page| page["entries"].as_array().expect("a list"))
            .map(|line| line["detail"].as_str().expect("a text"))
            .collect();
        assert_eq!((details.len(), details[0], third["next"].clone()), (205, "number 204", Value::Null));
        let logins = lines(&admin, "actor=%20Vendor-7@example.com&action=login").await;
        assert_eq!(logins.len(), 1);
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let tomorrow = today.tomorrow().expect("a day");
        assert_eq!(lines(&admin, &format!("dateFrom={tomorrow}")).await.len(), 0);
        let yesterday = today.yesterday().expect("a day");
        assert_eq!(lines(&admin, &format!("dateTo={yesterday}")).await.len(), 0);
        assert_eq!(lines(&admin, &format!("dateFrom={today}&dateTo={tomorrow}&action=login")).await.len(), 2);
        for (query, field) in [("dateFrom=today", "dateFrom"), ("after=x", "after"), ("action=a%20b", "action")] {
            assert_eq!(refused_fields(admin.get(&format!("/api/admin/audit?{query}")).await).await, [field], "{query}");
        }

        let csv = admin.get("/api/admin/audit.csv?action=test_line").await;
        assert!(csv.headers()["content-disposition"].to_str().expect("ASCII").contains("vendorscope-audit.csv"));
        let text = csv.text().await.expect("a text");
        assert_eq!(text.lines().count(), 206);
        assert!(
            text.starts_with("at,actor,action,detail,address,was,became,currency\n") && text.contains(",'=1+1;'=2,"),
            "{text}"
        );
        assert_eq!(lines(&admin, "action=audit_export").await.len(), 1, "who takes it away is noted");

        let page = admin.request(Method::GET, "/admin/audit?action=test_line").header("accept", "text/html");
        let page = page.send().await.expect("an answer").text().await.expect("a text");
        assert!(page.contains("number 204") && page.contains("/api/admin/audit.csv?action=test_line"), "{page}");
        assert!(page.contains("Next page"), "{page}");
        // As it is shown, so it may be typed; what was and became is read value by value.
        let page = admin.request(Method::GET, "/admin/audit?action=Test+line").header("accept", "text/html");
        let page = page.send().await.expect("an answer").text().await.expect("a text");
        assert!(page.contains("number 204") && page.contains("value=\"login failed\""), "{page}");
        let invited = json!({ "email": "new@example.com", "role": "admin", "password": PASSWORD });
        answered(admin.post("/api/admin/users", &invited).await, 201).await;
        let page = admin.request(Method::GET, "/admin/audit?action=user_invite").header("accept", "text/html");
        let page = page.send().await.expect("an answer").text().await.expect("a text");
        assert!(page.contains("disabled: no\nrole: admin\nvendor id: none"), "{page}");
    }
}
