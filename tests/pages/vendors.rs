use serde_json::json;

use super::open;
use crate::harness::{Client, Market, TestApp, databases};

async fn text(client: &Client, path: &str) -> String {
    let response = open(client, path).await;
    let status = response.status();
    let text = response.text().await.expect("a text");
    assert_eq!(status, 200, "{path}: {text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_admin_finds_vendors_their_users_and_their_dashboards() {
    let app = TestApp::builder().northwind().spawn().await;
    let vendor = app.log_in_as_vendor("7").await;
    let admin = app.log_in_as_admin().await;

    let list = text(&admin, "/admin/vendors").await;
    assert!(
        list.contains("Pavlova, Ltd.") && list.contains("href=\"/admin/vendors/7\"") && list.contains("Exotic Liquids"),
        "{list}"
    );
    let found = text(&admin, "/admin/vendors?search=pavlova").await;
    assert!(found.contains("Pavlova, Ltd.") && !found.contains("Exotic Liquids"), "{found}");
    assert!(
        text(&admin, "/admin/vendors?search=100%25").await.contains("No matching vendors"),
        "a percent sign is a percent sign"
    );

    let page = text(&admin, "/admin/vendors/7").await;
    assert!(page.contains("vendor-7@example.com") && page.contains("href=\"/admin/vendors/7/dashboard\""), "{page}");
    assert!(text(&admin, "/admin/vendors/8").await.contains("This vendor has no users yet"));
    assert_eq!(open(&admin, "/admin/vendors/none").await.status(), 404);

    // The same figures, and nothing that leads where an admin cannot go.
    let range = "dateFrom=1997-01-01&dateTo=1997-12-31";
    let own = text(&vendor, &format!("/?{range}")).await;
    let seen = text(&admin, &format!("/admin/vendors/7/dashboard?{range}")).await;
    let figures = |page: &str| -> Vec<String> {
        page.split('$')
            .skip(1)
            .map(|rest| rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '.')).collect())
            .collect()
    };
    assert_eq!(figures(&seen), figures(&own));
    assert!(own.contains("href=\"/products/") && !seen.contains("href=\"/products"), "{seen}");
    assert!(seen.contains("href=\"/admin/vendors/7/dashboard?dateFrom="), "ranges stay with this vendor: {seen}");

    // Its files too.
    let file = |page: &str| {
        page.split("href=\"")
            .find(|rest| rest.contains("table=products"))
            .map(|rest| rest.split('"').next().unwrap_or_default().replace("&amp;", "&"))
    };
    let (of_own, of_seen) = (file(&own).expect("a link"), file(&seen).expect("a link"));
    let download = async |client: &Client, path: &str| client.get(path).await.text().await.expect("a text");
    assert_eq!(download(&admin, &of_seen).await, download(&vendor, &of_own).await, "{of_seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_of_many_vendors_has_pages() {
    let app = TestApp::builder().northwind().spawn().await;
    let mut tx = app.state().db.write().await.expect("a transaction");
    for number in 0..60 {
        let insert = format!(
            "INSERT INTO vendors (external_id, name, country, time_zone, currency, minor_thousandths) \
             SELECT 'extra-{number}', 'Same name', country, time_zone, currency, minor_thousandths FROM vendors \
             WHERE external_id = '7'"
        );
        tx.execute(vendorscope::server::db::sql(insert)).await.expect("a vendor");
    }
    tx.commit().await.expect("committed");
    let admin = app.log_in_as_admin().await;
    let (mut path, mut seen) = ("/admin/vendors".to_owned(), Vec::new());
    loop {
        let page = text(&admin, &path).await;
        let links = page
            .split("href=\"/admin/vendors/")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
            .filter(|link| !link.ends_with("/dashboard"));
        seen.extend(links);
        match page.split("href=\"/admin/vendors?after=").nth(1) {
            Some(rest) => path = format!("/admin/vendors?after={}", rest.split('"').next().unwrap_or_default()),
            None => break,
        }
    }
    let distinct: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (89, 89), "each vendor once: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn vendors_stand_side_by_side_with_what_they_sold_lately() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let (admin, eur) = (app.log_in_as_admin().await, app.log_in_as_vendor("eur").await);
        // Yesterday in every zone is over.
        let at = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(48)).to_string();
        let order = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 2 }],
            "placedAt": at });
        assert_eq!(eur.post("/api/vendor/orders", &order).await.status(), 201);
        let first = |page: &str| {
            let rows = page.split("href=\"/admin/vendors/").nth(1).unwrap_or_default();
            rows.split('"').next().unwrap_or_default().to_owned()
        };
        let page = text(&admin, "/admin/vendors?sort=orders").await;
        assert_eq!(first(&page), "eur", "{page}");
        assert!(page.contains("€25.00") && page.contains("new"), "{page}");
        assert_ne!(first(&text(&admin, "/admin/vendors?sort=last_order").await), "eur");
        assert_eq!(open(&admin, "/admin/vendors?after=0").await.status(), 422);
        assert!(text(&admin, "/admin/vendors?search=nobody").await.contains("No matching vendors"));
        // Who may log in is as it is now, whatever the figures are as old as.
        let users = |page: &str| page.matches(">1<").count();
        let before = users(&page);
        app.log_in_as_vendor("nyc").await;
        assert_eq!(users(&text(&admin, "/admin/vendors?sort=orders").await), before + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_page_of_one_thing_is_called_after_it_in_its_tab() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    let users = admin.get_json("/api/admin/users").await;
    let user = users["users"].as_array().expect("users").iter().find(|user| user["vendorId"] == "eur").expect("one");
    let page_of_user = format!("/admin/users/{}", user["userId"].as_str().expect("an id"));
    let email = user["email"].as_str().expect("an email");
    for (client, path, name) in [
        (&vendor, "/products/e1", "Mug"),
        (&vendor, "/orders/o1", "Order o1"),
        (&admin, "/admin/vendors/eur", "Ton"),
        (&admin, &page_of_user, email),
    ] {
        let page = text(client, path).await;
        let title = page.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).expect("a title");
        assert_eq!(title, format!("{name} · Vendorscope"), "{path}");
    }
}
