use serde_json::{Value, json};

use super::open;
use crate::harness::{Client, PASSWORD, TestApp};

const TEXTS: [&str; 7] = [
    "</textarea><script>alert(1)</script>",
    "<script>alert(2)</script>",
    "\"><img src=x onerror=alert(3)>",
    "'><svg/onload=alert(4)>",
    "</title></script><script>alert(5)</script>",
    "javascript:alert(6)",
    "</script><!--<script>alert(7)",
];

/// Makes a product that is sold out, so that the dashboard lists it, and returns its id.
async fn make(client: &Client, text: &str) -> String {
    let product = json!({
        "name": text, "description": text, "category": text, "unitPrice": 100, "stock": 0, "lowStockThreshold": 5,
            "status": "active",
    });
    let response = client.post("/api/vendor/products", &product).await;
    assert_eq!(response.status(), 201, "{text}");
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["name"], text, "kept as it is");
    body["productId"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_vendors_write_is_text_wherever_it_is_shown() {
    let app = TestApp::builder().northwind().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("7").await, app.log_in_as_admin().await);
    let mut paths = vec!["/".to_owned(), "/products".to_owned()];
    for text in TEXTS {
        paths.push(format!("/products/{}", make(&vendor, text).await));
    }
    for path in &paths {
        check(path, &open(&vendor, path).await.text().await.expect("a text"));
    }
    let path = "/admin/vendors/7/dashboard";
    check(path, &open(&admin, path).await.text().await.expect("a text"));
    // What is asked for comes back, too.
    for text in TEXTS {
        for path in [
            "/products?search=",
            "/login?error=",
            "/login?next=/",
            "/reset?token=",
            "/?dateFrom=",
            "/?__path=/_fn/login&__err=",
        ] {
            let path = format!("{path}{}", vendorscope::domain::accounts::encode_segment(text));
            for client in [&vendor, &app.client()] {
                check(&path, &open(client, &path).await.text().await.expect("a text"));
            }
        }
    }
    for text in TEXTS {
        let name: String = text.chars().take(60).collect();
        assert_eq!(
            vendor
                .post("/api/account/keys", &json!({ "name": name, "password": PASSWORD, "scope": "write" }))
                .await
                .status(),
            201
        );
    }
    check("/account", &open(&vendor, "/account").await.text().await.expect("a text"));
}

/// No script, no element and no attribute that a text has brought along.
fn check(path: &str, page: &str) {
    // A redirect.
    if page.is_empty() {
        return;
    }
    // Scripts of the page's own: each with a nonce.
    for script in page.split("<script").skip(1) {
        let attributes = script.split('>').next().unwrap_or_default();
        assert!(attributes.contains("nonce="), "{path}: <script{attributes}>");
    }
    for markup in ["<img", "<svg/", "onerror=alert(3)>\"", "href=\"javascript:"] {
        assert!(!page.contains(markup), "{path}: {markup}: …{}…", around(page, markup));
    }
    // Comments are closed, and so every script element ends where it was meant to.
    assert!(page.trim_end().ends_with("</script>") || page.trim_end().ends_with("</html>"), "{path}");
    assert_eq!(page.matches("<textarea").count(), page.matches("</textarea>").count(), "{path}");
    assert_eq!(page.matches("</title>").count(), 1, "{path}");
}

fn around<'a>(page: &'a str, markup: &str) -> &'a str {
    let at = page.find(markup).unwrap_or_default();
    &page[page.ceil_char_boundary(at.saturating_sub(80))..page.floor_char_boundary(at + 80)]
}
