use reqwest::Method;

use super::{location, open};
use crate::harness::TestApp;

const VENDOR_PAGES: [&str; 5] = ["/", "/products", "/products/new", "/orders", "/orders/10250"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_sees_a_page_before_the_login() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.client();
    for page in VENDOR_PAGES.iter().chain(&["/admin", "/admin/cache"]) {
        let response = open(&client, page).await;
        assert_eq!(response.status(), 303, "{page}");
        assert!(location(&response).starts_with("/login"), "{page}");
        assert_eq!(response.headers()["cache-control"], "private, no-store");
    }
    assert_eq!(location(&open(&client, "/").await), "/login");
    assert_eq!(open(&client, "/login").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn vendors_and_admins_see_their_own_pages() {
    let app = TestApp::builder().northwind().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("7").await, app.log_in_as_admin().await);
    for page in ["/", "/products", "/products/new", "/orders"] {
        assert_eq!(open(&vendor, page).await.status(), 200, "{page}");
    }
    for page in VENDOR_PAGES {
        let response = open(&admin, page).await;
        assert_eq!((response.status().as_u16(), location(&response)), (303, "/admin"), "{page}");
    }
    assert_eq!(open(&admin, "/admin/cache").await.status(), 200);
    let response = open(&vendor, "/admin/cache").await;
    assert_eq!(response.status(), 403);
    assert!(response.text().await.expect("a text").contains("You don't have access to this page."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_that_is_not_there_is_a_404() {
    let app = TestApp::builder().northwind().spawn().await;
    let vendor = app.log_in_as_vendor("7").await;
    for page in ["/nothing", "/products/none", "/orders/none"] {
        let response = open(&vendor, page).await;
        assert_eq!(response.status(), 404, "{page}");
        assert!(response.headers()["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/html")), "{page}");
        assert!(response.text().await.expect("a text").contains("</html>"), "{page}");
    }
    // Another vendor's product is as good as none.
    let other = app.log_in_as_vendor("8").await.get_json("/api/vendor/products").await;
    let id = other["products"][0]["productId"].as_str().expect("an id");
    assert_eq!(open(&vendor, &format!("/products/{id}")).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn server_functions_answer_for_themselves() {
    let app = TestApp::builder().northwind().spawn().await;
    let (nobody, vendor, admin) = (app.client(), app.log_in_as_vendor("7").await, app.log_in_as_admin().await);
    for (function, form, as_vendor, as_admin) in [
        ("/_fn/product/delete", vec![("product_id", "none")], 404, 403),
        ("/_fn/order/status", vec![("order_id", "none"), ("status", "shipped")], 404, 403),
        ("/_fn/admin/cache/invalidate", vec![("tags", "nonsense")], 403, 422),
    ] {
        let call = |client: &crate::harness::Client| {
            client.request(Method::POST, function).header("accept", "application/json").form(&form).send()
        };
        let refused = call(&nobody).await.expect("an answer");
        assert_eq!(refused.status(), 401, "{function}");
        assert_eq!(refused.text().await.expect("a text"), "\"unauthenticated\"", "{function}");
        assert_eq!(call(&vendor).await.expect("an answer").status(), as_vendor, "{function} as a vendor");
        assert_eq!(call(&admin).await.expect("an answer").status(), as_admin, "{function} as an admin");
    }
}
