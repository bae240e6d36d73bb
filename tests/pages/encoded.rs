//! Addresses that hold percent signs, blanks and `&`.

use serde_json::json;
use vendorscope::domain::accounts::{Role, encode_segment};

use super::{fields, location, open, page, send, typed};
use crate::harness::{Market, PASSWORD, TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_an_address_narrows_to_is_read_as_it_was_written() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    for category in ["100%Baumwolle", "%41%", "R&B + more", "a%20b"] {
        let product = json!({
            "name": format!("Tuch {category}"), "description": "", "category": category, "unitPrice": 100, "stock": 1,
            "status": "active",
        });
        assert_eq!(client.post("/api/vendor/products", &product).await.status(), 201, "{category}");
        let (asked, shown) = (encode_segment(category), category.replace('&', "&amp;"));
        for list in [format!("/products?category={asked}"), format!("/products?search={asked}")] {
            let list = page(&client, &list).await;
            assert!(list.contains(&format!("Tuch {shown}")) && !list.contains("/products/e1"), "{category}: {list}");
        }
        let dashboard = page(&client, &format!("/?category={asked}")).await;
        assert!(dashboard.contains(&shown) && dashboard.contains(&format!("category={asked}")), "{dashboard}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_leads_back_to_any_address_of_this_site() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    app.state().accounts.add_user("one@example.com", PASSWORD, Role::Vendor, Some("eur")).await.expect("a new user");
    for address in ["/products?category=R%26B%20100%25", "/orders?search=a+b%2Bc", "/products/a%2520b"] {
        let client = app.client();
        let to_login = open(&client, address).await;
        let form = fields(&page(&client, location(&to_login)).await, "/_fn/login");
        let login =
            send(&client, "/_fn/login", &typed(&form, &[("email", "one@example.com"), ("password", "x")])).await;
        // Once more, where the first try was refused.
        let form = fields(&page(&client, location(&login)).await, "/_fn/login");
        let login = send(&client, "/_fn/login", &typed(&form, &[("password", PASSWORD)])).await;
        assert_eq!((login.status().as_u16(), location(&login)), (302, address));
    }
}
