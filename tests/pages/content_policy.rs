use reqwest::Response;

use super::open;
use crate::harness::{Client, TestApp};

/// What stands between `before` and `after`, each time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap_or_default()).collect()
}

/// Checks that everything in a page may run by the policy that comes with it, and returns its nonce.
async fn check(path: &str, response: Response) -> String {
    let policy = response.headers()["content-security-policy"].to_str().expect("ASCII").to_owned();
    for forbidden in ["unsafe-inline", "'unsafe-eval'", "strict-dynamic", " *", "http:", "https:", "data:", "ws:"] {
        assert!(!policy.contains(forbidden), "{path}: {policy}");
    }
    for required in
        ["default-src 'none'", "'wasm-unsafe-eval'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(required), "{path}: {policy}");
    }
    let nonces = between(&policy, "'nonce-", "'");
    let [nonce] = nonces[..] else { panic!("{path}: one nonce: {policy}") };
    assert!(nonce.len() >= 22, "{path}: 128 bits: {nonce}");
    let nonce = nonce.to_owned();

    let page = response.text().await.expect("a text");
    let mark = format!("nonce=\"{nonce}\"");
    let scripts = between(&page, "<script", ">");
    assert!(scripts.iter().all(|attributes| attributes.contains(&mark)), "{path}: {scripts:?}");
    // Tags alone: what a page says in its text is no attribute.
    for tag in between(&page, "<", ">").iter().filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic())) {
        let attributes = tag.split_once(' ').map_or("", |(_, attributes)| attributes);
        assert!(!format!(" {attributes}").contains(" style="), "{path}: {tag}");
        assert!(
            !between(&format!(" {attributes}"), " on", "=")
                .iter()
                .any(|name| name.chars().all(|c| c.is_ascii_lowercase()) && !name.is_empty()),
            "{path}: {tag}"
        );
        assert!(!attributes.contains("javascript:"), "{path}: {tag}");
    }
    assert!(!page.contains("<style"), "{path}");
    nonce
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_runs_in_any_page_but_what_its_policy_names() {
    let app = TestApp::builder().northwind().spawn().await;
    let (nobody, vendor, admin) = (app.client(), app.log_in_as_vendor("7").await, app.log_in_as_admin().await);
    let product =
        vendor.get_json("/api/vendor/products").await["products"][0]["productId"].as_str().expect("an id").to_owned();
    let order = vendor.get_json("/api/vendor/orders").await["orders"][0]["orderId"].as_str().expect("an id").to_owned();
    // Which leads to the page without the token in its address.
    assert_eq!(open(&nobody, "/reset?token=x").await.status(), 303);
    let pages: [(&Client, String); 15] = [
        (&nobody, "/login".to_owned()),
        (&nobody, "/reset".to_owned()),
        (&nobody, "/nothing-here".to_owned()),
        (&vendor, "/?dateFrom=1997-01-01&dateTo=1997-12-31".to_owned()),
        (&vendor, "/?dateFrom=nonsense".to_owned()),
        (&vendor, "/account".to_owned()),
        (&vendor, "/products".to_owned()),
        (&vendor, "/products/new".to_owned()),
        (&vendor, format!("/products/{product}")),
        (&vendor, format!("/orders/{order}")),
        (&vendor, "/admin/cache".to_owned()),
        (&admin, "/admin".to_owned()),
        (&admin, "/admin/cache".to_owned()),
        (&admin, "/admin/vendors".to_owned()),
        (&admin, "/admin/vendors/7/dashboard?dateFrom=1997-01-01&dateTo=1997-12-31".to_owned()),
    ];
    let mut nonces = std::collections::HashSet::new();
    for (client, path) in &pages {
        let nonce = check(path, open(client, path).await).await;
        assert!(nonces.insert(nonce), "{path}: a nonce of its own");
    }
    let again = check("/login", open(&nobody, "/login").await).await;
    assert!(nonces.insert(again), "the same page gets another one the next time");
}

/// Scripts that do something. (Leptos ends each page with two that name the data it brings along, of which there is
/// none.)
fn scripts(page: &str) -> Vec<&str> {
    let is_empty = |script: &&str| {
        script
            .split_once('>')
            .is_some_and(|(_, code)| code.split(';').all(|part| part.is_empty() || part.ends_with("=[]")))
    };
    between(page, "<script", "</script>").into_iter().filter(|script| !is_empty(script)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_with_islands_have_one_script_and_pages_of_forms_have_none() {
    let app = TestApp::builder().northwind().spawn().await;
    let (nobody, vendor, admin) = (app.client(), app.log_in_as_vendor("7").await, app.log_in_as_admin().await);
    for (client, path) in [
        (&vendor, "/?dateFrom=1997-01-01&dateTo=1997-01-31"),
        (&vendor, "/products"),
        (&vendor, "/orders"),
        (&admin, "/admin?dateFrom=1997-01-01&dateTo=1997-01-31"),
    ] {
        let page = open(client, path).await.text().await.expect("a text");
        let modules = scripts(&page);
        assert!(modules.len() == 1 && modules[0].contains("type=\"module\""), "{path}: {modules:?}");
        assert!(page.contains("<leptos-island") && !page.contains("data-props"), "{path}");
    }
    for (client, paths) in [
        (&nobody, vec!["/login", "/reset?token=x", "/nothing-here"]),
        (&vendor, vec!["/account"]),
        (&admin, vec!["/admin/vendors", "/admin/vendors/7", "/account"]),
    ] {
        for path in paths {
            let page = open(client, path).await.text().await.expect("a text");
            assert!(
                scripts(&page).is_empty() && !page.contains(".wasm") && !page.contains("<leptos-island"),
                "{path}: {page}"
            );
        }
    }
    // A few words of script, and no module, ask before what was typed is left behind.
    let page = open(&vendor, "/products/new").await.text().await.expect("a text");
    assert_eq!(scripts(&page).len(), 1, "{page}");
    assert!(scripts(&page)[0].contains("beforeunload") && !page.contains(".wasm"), "{page}");
}
