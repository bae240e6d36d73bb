//! What is new since somebody last looked, refunds out of the ordinary, and when vendors last logged in.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;

use super::open;
use crate::harness::{Client, Market, PASSWORD, TestApp, databases};

/// The value of a cookie that an answer sets.
fn cookie(response: &reqwest::Response, name: &str) -> Option<String> {
    let set = response.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let found = set.filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).next()?;
    found.split(';').next().map(str::to_owned)
}

async fn order(client: &Client, product: &str, quantity: i64) {
    let body = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": product, "quantity": quantity }] });
    assert_eq!(client.post("/api/vendor/orders", &body).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_dashboard_says_what_is_new_since_the_visit_before() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let writer = app.log_in_as_vendor("eur").await;
        // A browser whose cookies are written by hand.
        let body = json!({ "email": "vendor-eur@example.com", "password": PASSWORD });
        let session = cookie(&app.client().post("/api/auth/login", &body).await, "vendorscope").expect("a session");
        let look = async |looked: Option<String>| {
            let looked = looked.map(|looked| format!("; vendorscope-looked={looked}")).unwrap_or_default();
            let request = app.client().request(Method::GET, "/").header("accept", "text/html");
            let answer = request.header("cookie", format!("vendorscope={session}{looked}")).send().await;
            let answer = answer.expect("an answer");
            let noted = cookie(&answer, "vendorscope-looked");
            (answer.text().await.expect("a text"), noted)
        };
        let (page, noted) = look(None).await;
        assert!(!page.contains("New since"), "the first time: {page}");
        let noted = noted.expect("a cookie");
        let (vendor, minute) = (noted.split('.').next().expect("whose"), Timestamp::now().as_second() / 60);

        let before = minute - 300;
        let earlier = Some(format!("{vendor}.0.{before}"));
        assert!(!look(earlier.clone()).await.0.contains("New since"), "nothing came in");
        order(&writer, "e1", 1).await;
        order(&writer, "e2", 3).await;
        let refund = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
        assert_eq!(writer.post("/api/vendor/orders/o1/refunds", &refund).await.status(), 201);
        let (page, noted) = look(earlier.clone()).await;
        for told in ["New since", ">2 orders<", ">1 return<", ">1 product sold out<"] {
            assert!(page.contains(told), "{}: {told}: {page}", app.state().db.dialect.name());
        }
        // For as long as this visit lasts, it is the one before that counts.
        let noted = noted.expect("a cookie");
        assert!(noted.starts_with(&format!("{vendor}.{before}.")), "{noted}");
        order(&writer, "e1", 1).await;
        let (page, noted) = look(Some(noted)).await;
        assert!(page.contains(">3 orders<") && noted.is_none(), "{noted:?}: {page}");
        // Another's, one of long ago, and nonsense count as none.
        for other in [format!("{vendor}9.0.{before}"), format!("{vendor}.5.6"), "a.b".to_owned()] {
            let (page, noted) = look(Some(other.clone())).await;
            assert!(!page.contains("New since") && noted.is_some(), "{other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refund_far_above_the_usual_is_noted() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let days_ago = |days: i64| (Timestamp::now() - SignedDuration::from_hours(24 * days)).to_string();
        // Ten of 1.00 before the range.
        for i in 0..10 {
            let small = json!({ "amount": 100, "refundedAt": days_ago(60 - i) });
            let sold = json!({
                "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }],
                "placedAt": days_ago(70),
            });
            let sold: serde_json::Value = client.post("/api/vendor/orders", &sold).await.json().await.expect("JSON");
            let path = format!("/api/vendor/orders/{}/refunds", sold["orderId"].as_str().expect("an id"));
            assert_eq!(client.post(&path, &small).await.status(), 201);
        }
        let page = async || open(&client, "/").await.text().await.expect("a text");
        let refund = async |order: &str, amount: i64| {
            let path = format!("/api/vendor/orders/{order}/refunds");
            let status = client.post(&path, &json!({ "amount": amount })).await.status();
            assert_eq!(status, 201, "{order}");
        };
        refund("o1", 300).await;
        assert!(!page().await.contains("is usual"), "three times as much is not more than that");
        refund("o2", 301).await;
        let page = page().await;
        assert!(page.contains("refund of €3.01, where €1.00 is usual"), "{page}");
        assert!(page.contains("href=\"/orders/o2\"") && !page.contains("refund of €3.00"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_admin_sees_who_has_logged_in_last_and_who_never_did() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let admin = app.log_in_as_admin().await;
        let text = async |path: &str| open(&admin, path).await.text().await.expect("a text");
        let position = |page: &str, name: &str| page.find(name).unwrap_or_else(|| panic!("{name}: {page}"));
        let page = text("/admin/vendors").await;
        assert_eq!(page.matches("no users").count(), 4, "{page}");
        app.log_in_as_vendor("eur").await;
        app.log_in_as_vendor("kwd").await;
        let today = Timestamp::now().strftime("%-d %b %Y").to_string();
        let page = text("/admin/vendors?sort=last_login").await;
        assert_eq!(page.matches("no users").count(), 2, "at once: {page}");
        assert!(page.contains(&today), "{today}: {page}");
        assert!(position(&page, "Kaze") < position(&page, ">Ton<"), "who stays away stands first");
        assert!(position(&page, ">Ton<") < position(&page, ">Dar<"), "then whoever came first");
        let page = text("/admin/vendors/eur").await;
        assert!(page.contains("Last login (UTC)") && page.contains(&today), "{page}");
        assert!(text("/admin/vendors/nyc").await.contains("href=\"/admin/users?vendor=nyc#invite\""));
        let page = text("/admin/users?vendor=nyc").await;
        assert!(page.contains("value=\"nyc\""), "{page}");
    }
}
