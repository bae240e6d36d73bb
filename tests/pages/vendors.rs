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
    let mut tx = app.state().db.write().await.expect("a transaction");
    let renamed = "UPDATE vendors SET external_id = 'lhé' WHERE external_id = '29'";
    tx.execute(vendorscope::server::db::sql(renamed)).await.expect("written");
    tx.commit().await.expect("committed");
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

    let found = text(&admin, "/admin/vendors?search=LH%C3%89").await;
    assert!(found.contains("href=\"/admin/vendors/lh%C3%A9\""), "by an id with an accent: {found}");

    let page = text(&admin, "/admin/vendors/7").await;
    assert!(page.contains("vendor-7@example.com") && page.contains("href=\"/admin/vendors/7/dashboard\""), "{page}");
    assert!(text(&admin, "/admin/vendors/8").await.contains("This vendor has no users yet"));
    assert_eq!(open(&admin, "/admin/vendors/none").await.status(), 404);
    let refused = open(&admin, "/admin/vendors/7?dateFrom=1997-02-01&dateTo=1997-01-01").await;
    assert_eq!(refused.status(), 422);

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

/// The ids of the vendors that a page lists, in its order.
fn listed(page: &str) -> Vec<String> {
    let links = page.split("href=\"/admin/vendors/").skip(1);
    let ids = links.map(|rest| rest.split('"').next().unwrap_or_default().to_owned());
    ids.filter(|id| !id.contains('/')).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_heading_of_the_vendors_sorts_them_both_ways() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let admin = app.log_in_as_admin().await;
        // Two days ago is over in every zone.
        let at = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(48)).to_string();
        let before = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(40 * 24)).to_string();
        for (vendor, product, quantity, at) in [
            ("eur", "e1", 2, &at),
            ("nyc", "n1", 4, &at),
            ("jpy", "j1", 1, &at),
            ("eur", "e1", 1, &before),
            ("nyc", "n1", 5, &before),
        ] {
            let order = json!({ "customer": { "name": "Anna", "country": "Germany" }, "placedAt": at,
                "lines": [{ "productId": product, "quantity": quantity }] });
            assert_eq!(app.log_in_as_vendor(vendor).await.post("/api/vendor/orders", &order).await.status(), 201);
        }
        // 40.00 and 25.00 EUR of two orders, 1,200 JPY of one; nothing in KWD.
        let first = text(&admin, "/admin/vendors").await;
        assert_eq!(listed(&first), ["nyc", "eur", "jpy", "kwd"], "currencies by their orders: {first}");
        assert!(first.contains("Net sales are sorted currency by currency."), "{first}");
        assert_eq!(first.matches("aria-sort").count(), 1);
        assert_eq!(first.matches("<th scope=\"col\"").count(), 9);
        let links: Vec<_> = first
            .split("href=\"/admin/vendors?sort=")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(links.len(), 9, "{links:?}");
        assert_eq!(links[2], "net_sales_asc", "what it is sorted by now, the other way");
        for sort in links {
            let page = text(&admin, &format!("/admin/vendors?sort={sort}")).await;
            let now = if sort.ends_with("_desc") { "descending" } else { "ascending" };
            assert!(page.contains(&format!("aria-sort=\"{now}\"")), "{sort}: {page}");
            let (column, way) = sort.rsplit_once('_').expect("a way");
            let other = format!("{column}_{}", if way == "asc" { "desc" } else { "asc" });
            assert!(page.contains(&format!("href=\"/admin/vendors?sort={other}\"")), "{sort}: {page}");
            let turned = listed(&text(&admin, &format!("/admin/vendors?sort={other}")).await);
            let in_api = |sort: &str| {
                let path = format!("/api/admin/vendors?sort={sort}");
                let admin = &admin;
                async move {
                    let page = admin.get_json(&path).await;
                    let ids = page["vendors"].as_array().expect("vendors").iter();
                    ids.map(|vendor| vendor["vendorId"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
                }
            };
            assert_eq!(listed(&page), in_api(&sort).await, "{sort}");
            assert_eq!(turned, in_api(&other).await, "{other}");
            // Nothing came back of what anybody sold: then they stand by name, both ways.
            assert!(column == "returns" || turned != listed(&page), "{column}: {turned:?} both ways");
        }
        let page = admin.get_json("/api/admin/vendors?search=ton").await;
        let (eur, rest) = page["vendors"].as_array().expect("vendors").split_first().expect("one");
        assert!(rest.is_empty() && page["next"].is_null(), "{page}");
        for (figure, value) in [
            ("netSales", 2_500),
            ("previousNetSales", 1_250),
            ("sold", 2_500),
            ("returns", 0),
            ("orders", 1),
            ("users", 1),
        ] {
            assert_eq!(eur[figure], value, "{figure}: {eur}");
        }
        assert!(eur["lastLoginAt"].is_string() && eur["lastOrderAt"].is_string(), "{eur}");
        // A write shows at once, on the page and in the API.
        let order = json!({ "customer": { "name": "Ren", "country": "Japan" }, "placedAt": at,
            "lines": [{ "productId": "e1", "quantity": 2 }] });
        assert_eq!(app.log_in_as_vendor("eur").await.post("/api/vendor/orders", &order).await.status(), 201);
        assert_eq!(listed(&text(&admin, "/admin/vendors").await), ["eur", "nyc", "jpy", "kwd"]);
        assert_eq!(admin.get_json("/api/admin/vendors").await["vendors"][0]["netSales"], 5_000);
        for refused in ["sort=price_asc", "after=0", "page=2"] {
            assert_eq!(admin.get(&format!("/api/admin/vendors?{refused}")).await.status(), 422, "{refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_page_of_a_vendor_has_its_figures_and_leads_to_the_same_days_of_its_dashboard() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let (admin, eur) = (app.log_in_as_admin().await, app.log_in_as_vendor("eur").await);
        let refund = json!({ "lines": [{ "line": 1, "quantity": 1, "amount": 1_125 }] });
        let path = "/admin/vendors/eur?dateFrom=2026-03-08&dateTo=2026-03-14";
        let page = text(&admin, path).await;
        // 22.50 and 37.50 less a commission of 10 %, of two orders; nothing the week before.
        for figure in ["€60.00", "€54.00", "€30.00", "0.0%", "8–14 Mar 2026, compared with 1–7 Mar 2026"] {
            assert!(page.contains(figure), "{figure}: {page}");
        }
        assert!(page.contains("Last order 14 Mar 2026 · last login "), "{page}");
        let kept = "/admin/vendors/eur/dashboard?dateFrom=2026-03-08&amp;dateTo=2026-03-14";
        assert!(page.contains(&format!("href=\"{kept}\"")), "{page}");
        assert!(page.contains(&format!("href=\"{kept}&amp;metric=payable\"")), "{page}");
        assert!(page.contains("href=\"/admin/vendors/eur?range=last_month\""), "ranges stay on this page: {page}");
        // What is written shows at once: half of 22.50 comes back, today.
        assert!(eur.post("/api/vendor/orders/o1/refunds", &refund).await.status().is_success());
        let sold = json!({ "customer": { "name": "Mira", "country": "Austria" }, "placedAt": "2026-03-09T12:00:00Z",
            "lines": [{ "productId": "e1", "quantity": 1 }] });
        assert_eq!(eur.post("/api/vendor/orders", &sold).await.status(), 201);
        let page = text(&admin, path).await;
        assert!(page.contains("€72.50") && page.contains("€65.25"), "{page}");
        let today = text(&admin, "/admin/vendors/eur?range=today").await;
        assert!(today.contains("−€11.25"), "{today}");
        // Of a vendor that nobody has bought from or logged in for.
        let none = text(&admin, "/admin/vendors/kwd").await;
        assert!(none.contains("No orders yet · no login yet (UTC)"), "{none}");
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
