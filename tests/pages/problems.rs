use std::time::Duration;

use vendorscope::server::{
    config::{Config, Limit},
    db::sql,
};

use super::open;
use crate::harness::{Client, Market, TestApp};

/// A page that is not there: its status, its text, and the name of the request, which the page tells.
async fn problem(client: &Client, path: &str) -> (u16, String) {
    let response = open(client, path).await;
    let (status, id) =
        (response.status().as_u16(), response.headers()["x-request-id"].to_str().expect("ASCII").to_owned());
    let page = response.text().await.expect("a text").replace("<!>", "");
    assert!(page.contains(&format!("Request {id}")), "{path} ({status}): {page}");
    (status, page)
}

fn has_link(page: &str, href: &str, text: &str) -> bool {
    page.split("<a ").any(|link| {
        let link = link.split("</a>").next().unwrap_or_default();
        link.contains(&format!("href=\"{href}\"")) && link.ends_with(&format!(">{text}"))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_that_cannot_be_shown_names_its_request_and_has_places_to_go() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    for (client, path, status) in [
        (&vendor, "/nothing", 404),
        (&vendor, "/orders/none", 404),
        (&vendor, "/products/none", 404),
        (&vendor, "/admin", 403),
        (&admin, "/admin/vendors/none/dashboard", 404),
        (&vendor, "/orders?dateFrom=2026-13-01", 422),
        (&vendor, "/nothing/%ff", 404),
    ] {
        let (answered, page) = problem(client, path).await;
        assert_eq!(answered, status, "{path}");
        assert!(has_link(&page, "/", "Go to dashboard"), "{path}: {page}");
        assert!(!has_link(&page, path, "Try again"), "{path}: it would be the same");
    }
    let (_, page) = problem(&vendor, "/?dateFrom=2026-13-01&dateTo=2026-01-01").await;
    assert!(has_link(&page, "/", "Open without filters") && !page.contains("Go to dashboard"), "{page}");
    // A defect: it may work the next time.
    let mut tx = app.state().db.write().await.expect("a transaction");
    tx.execute(sql("ALTER TABLE order_lines RENAME TO order_lines_away")).await.expect("renamed");
    tx.commit().await.expect("committed");
    let (status, page) = problem(&vendor, "/orders/o1?a=b&c=d").await;
    assert_eq!(status, 500);
    assert!(has_link(&page, "/orders/o1?a=b&amp;c=d", "Try again"), "{page}");
    assert!(has_link(&page, "/", "Go to dashboard"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_asked_too_often_may_try_again_from_the_page_that_says_so() {
    let few = |config: &mut Config| config.limits.pages = Limit::new(2, Duration::from_secs(600));
    let app = TestApp::builder().bundle(Market::new().path()).config(few).spawn().await;
    let vendor = app.log_in_as_vendor("eur").await;
    for _ in 0..2 {
        assert_eq!(open(&vendor, "/orders").await.status(), 200);
    }
    let (status, page) = problem(&vendor, "/orders?search=a&refunded=true").await;
    assert_eq!(status, 429);
    assert!(has_link(&page, "/orders?search=a&amp;refunded=true", "Try again"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_leads_to_a_deleted_product_says_that_it_was_deleted_and_shows_what_it_sold() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let vendor = app.log_in_as_vendor("eur").await;
    assert_eq!(
        vendor.request(reqwest::Method::DELETE, "/api/vendor/products/e1").send().await.expect("an answer").status(),
        204
    );
    let (status, page) = problem(&vendor, "/products/e1").await;
    assert_eq!(status, 404);
    assert!(page.contains("Product deleted") && page.contains("“Mug” was deleted."), "{page}");
    assert!(has_link(&page, "/?product=e1", "See what it sold"), "{page}");
    for path in ["/?product=e1&dateFrom=2026-03-01&dateTo=2026-03-31", "/orders?product=e1"] {
        let answer = open(&vendor, path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let page = answer.text().await.expect("a text");
        assert!(page.contains("Mug (deleted)"), "{path}: {page}");
    }
    // Of one that there never was, too, the page leads on without it; another's is none.
    for path in ["/?product=none", "/?product=n1"] {
        let (status, page) = problem(&vendor, path).await;
        assert_eq!(status, 404, "{path}");
        assert!(has_link(&page, "/", "Open without filters"), "{path}: {page}");
    }
    assert!(!problem(&vendor, "/products/n1").await.1.contains("Notebook"));
}
