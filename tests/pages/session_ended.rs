//! Forms that are sent after their session has ended.

use reqwest::{Method, Response};
use vendorscope::domain::accounts::Role;

use super::{location, open, submit};
use crate::harness::{Client, Market, PASSWORD, TestApp};

const TYPED: [(&str, &str); 8] = [
    ("form[product_id]", "e1"),
    ("form[name]", "Mug \"large\" & <tall>"),
    ("form[description]", "\nTwo\nlines"),
    ("form[category]", "Mugs"),
    ("form[unit_price]", "10.00"),
    ("form[stock]", "7"),
    ("form[low_stock_threshold]", ""),
    ("form[status]", "active"),
];

async fn log_in(client: &Client, email: &str) {
    let login = submit(client, "/_fn/login", &[("email", email), ("password", PASSWORD)]).await;
    assert_eq!((login.status().as_u16(), location(&login)), (302, "/"), "{email}");
}

async fn save(client: &Client, fields: &[(&str, &str)]) -> Response {
    let request = client.request(Method::POST, "/_fn/product/save").header("accept", "text/html");
    request.header("referer", "http://127.0.0.1/products/e1").form(fields).send().await.expect("an answer")
}

/// What the form of a page would send.
fn fields(page: &str) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| {
        let value = tag.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
    };
    let tags = page.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    tags.map(|tag| (attribute(tag, "name"), attribute(tag, "value"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_typed_is_saved_after_the_login_by_whoever_typed_it_and_nobody_else() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    for email in ["one@example.com", "two@example.com"] {
        app.state().accounts.add_user(email, PASSWORD, Role::Vendor, Some("eur")).await.expect("a new user");
    }
    let client = app.client();
    log_in(&client, "two@example.com").await;
    log_in(&client, "one@example.com").await;
    submit(&client, "/_fn/logout", &[]).await;

    let kept = save(&client, &TYPED).await;
    assert_eq!(kept.status(), 401);
    let kept = kept.text().await.expect("a text");
    assert!(kept.contains("Your session has ended") && kept.contains("target=\"_blank\""), "{kept}");
    assert!(!kept.contains("one@example.com") && !kept.contains("<script"), "{kept}");
    let fields = fields(&kept);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(&fields[..TYPED.len()], TYPED);

    // Too early: it is kept on.
    let still = save(&client, &fields).await;
    assert_eq!(
        (still.status().as_u16(), self::fields(&still.text().await.expect("a text")).len()),
        (401, fields.len())
    );

    // Somebody else at the same browser.
    log_in(&client, "two@example.com").await;
    let refused = save(&client, &fields).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.expect("a text").contains("typed by somebody else"));
    assert_eq!(client.get_json("/api/vendor/products/e1").await["name"], "Mug", "nothing was saved");

    log_in(&client, "one@example.com").await;
    // Refused for what it says: back to the page that it was typed on, with all that was typed.
    let mut wrong = fields.clone();
    wrong[4].1 = "a lot";
    let request = client.request(Method::POST, "/_fn/product/save").header("accept", "text/html");
    let request = request.header("referer", "http://127.0.0.1/_fn/product/save");
    let refused = request.form(&wrong).send().await.expect("an answer");
    assert!(location(&refused).starts_with("/products/e1?__path="), "{}", location(&refused));
    let page = open(&client, location(&refused)).await.text().await.expect("a text");
    assert!(page.contains("value=\"a lot\"") && page.contains("Enter a price between"), "{page}");

    let saved = save(&client, &fields).await;
    assert_eq!((saved.status().as_u16(), location(&saved)), (302, "/products/e1?saved=1"));
    let product = client.get_json("/api/vendor/products/e1").await;
    assert_eq!((product["name"].as_str(), product["stock"].as_i64()), (Some(TYPED[1].1), Some(7)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_kept_of_passwords_of_one_click_and_of_what_is_too_large() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let vendor = app.log_in_as_vendor("eur").await;
    vendor.post("/api/auth/logout", &serde_json::json!({})).await;
    let key = submit(&vendor, "/_fn/account/key/create", &[("form[name]", "Till"), ("form[password]", PASSWORD)]).await;
    let page = key.text().await.expect("a text");
    assert!(page.contains("value=\"Till\"") && page.contains("type=\"password\" name=\"form[password]\""), "{page}");
    assert!(!page.contains(PASSWORD), "{page}");

    let large = "a".repeat(70_000);
    for (function, fields) in [
        ("product/delete", [("product_id", "e1")]),
        ("account/password", [("password", PASSWORD)]),
        ("product/save", [("form[description]", large.as_str())]),
    ] {
        let answer = submit(&vendor, &format!("/_fn/{function}"), &fields).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/login?ended=1"), "{function}");
        let page = open(&vendor, "/login?ended=1").await.text().await.expect("a text");
        assert!(page.contains("Your session has ended."), "{page}");
    }
    // Another site's form brings nothing onto a page of this one.
    let foreign = vendor.request(Method::POST, "/_fn/product/save").header("accept", "text/html");
    let foreign = foreign.header("sec-fetch-site", "cross-site").form(&TYPED).send().await.expect("an answer");
    assert_eq!(foreign.status(), 403);
    assert!(!foreign.text().await.expect("a text").contains("tall"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_login_says_that_a_session_has_ended() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    app.state().accounts.add_user("one@example.com", PASSWORD, Role::Vendor, Some("eur")).await.expect("a new user");
    let (here, elsewhere) = (app.client(), app.client());
    log_in(&here, "one@example.com").await;
    log_in(&elsewhere, "one@example.com").await;
    submit(&elsewhere, "/_fn/account/logout-everywhere", &[]).await;
    let away = open(&here, "/orders").await;
    assert_eq!((away.status().as_u16(), location(&away)), (303, "/login?next=%2Forders&ended=1"));
    assert_eq!(location(&open(&app.client(), "/orders").await), "/login?next=%2Forders", "never logged in");
}
