//! Forms and addresses that no page has made.

use leptos::server_fn::axum::server_fn_paths;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use vendorscope::server::import::ImportOptions;

use super::{location, open, submit};
use crate::harness::{Client, Market, TestApp, Unwatched};

async fn send(client: &Client, function: &str, content_type: &str, body: &'static str) -> Response {
    let request = client.request(Method::POST, &format!("/_fn/{function}")).header("content-type", content_type);
    request.body(body).send().await.expect("an answer")
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The fields that an answer refuses.
async fn refused(response: Response, context: &str) -> Vec<String> {
    let status = response.status();
    let text = response.text().await.expect("a text");
    assert_eq!(status, 422, "{context}: {text}");
    assert!(
        !text.contains("Deserializer") && !text.contains("serde") && !text.contains("expected"),
        "{context}: {text}"
    );
    let body: Value = serde_json::from_str(&text).expect("JSON");
    let errors = body["invalid"].as_array().expect("a list");
    errors.iter().map(|error| error["field"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_field_that_is_missing_or_odd_is_named_and_nothing_of_the_decoder_is_told() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    for (client, function, body, field) in [
        (&vendor, "login", "", "email"),
        (&vendor, "login", "email=a%40b", "password"),
        (&vendor, "reset", "token=a", "password"),
        (&vendor, "account/password", "current=a", "password"),
        (&vendor, "account/session/end", "", "sessionId"),
        (&vendor, "account/key/create", "", "form"),
        (&vendor, "account/key/create", "form[name]=a&form[scope]=none", "scope"),
        (&vendor, "account/theme", "theme[x]=a", "theme"),
        (&vendor, "account/theme", "theme[]=a", "theme"),
        (&vendor, "account/theme", "theme=a&theme=b", "theme"),
        (&vendor, "account/theme", "theme=%FF", "theme"),
        (&vendor, "account/key/revoke", "keyid=1", "keyId"),
        (&vendor, "account/time-zone", "", "timeZone"),
        (&vendor, "account/theme", "", "theme"),
        (&vendor, "product/delete", "", "productId"),
        (&vendor, "product/save", "", "form"),
        (&vendor, "product/save", "form=x", "form"),
        (&vendor, "product/save", "form[name]=a", "category"),
        (&vendor, "product/save", "form[name]=a&form[category]=b&form[stock]=1&form[status]=active", "unitPrice"),
        (&vendor, "product/save", "form[name][x]=a&form[category]=b", "name.x"),
        (&vendor, "order/status", "order_id=o1", "status"),
        (&vendor, "order/refund", "form[amount]=1", "orderId"),
        (&vendor, "order/refund", "form[order_id]=o1&form[lines][0][quantity]=1", "line"),
        (&vendor, "order/refund", "form[order_id]=o1&form[lines]=1", "form"),
        (&vendor, "order/refund", "form[order_id]=o1&form[lines][x][line]=1", "lines.x.line"),
        (&admin, "admin/cache/invalidate", "", "tags"),
    ] {
        let context = format!("{function} {body}");
        assert_eq!(refused(send(client, function, FORM, body).await, &context).await, [field], "{context}");
    }
    // What is no form at all.
    for (content_type, body, status) in
        [("application/json", "{}", 415), ("multipart/form-data; boundary=x", "--x--", 415), (FORM, "theme=dark", 200)]
    {
        assert_eq!(send(&vendor, "account/theme", content_type, body).await.status(), status, "{content_type}");
    }
    let large = vendor
        .request(Method::POST, "/_fn/account/theme")
        .header("content-type", FORM)
        .body("theme=".to_owned() + &"a".repeat(2 << 20));
    assert_eq!(large.send().await.expect("an answer").status(), 413);
    // A form without scripts is told, or led back, as before.
    let page = submit(&vendor, "/_fn/account/theme", &[("theme", "a"), ("theme", "b")]).await;
    assert_eq!(page.status(), 422);
    assert!(page.text().await.expect("a text").contains("is given twice"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_may_not_call_a_function_is_told_so_whatever_is_sent() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let (nobody, vendor, admin) = (app.client(), app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    for (path, method) in server_fn_paths() {
        let is_open = matches!(
            path,
            "/_fn/login" | "/_fn/login/code" | "/_fn/logout" | "/_fn/reset" | "/_fn/forgot" | "/_fn/letters/stop"
        );
        let is_shared = path.starts_with("/_fn/account") && path != "/_fn/account/time-zone";
        for (client, may) in [
            (&nobody, is_open),
            (&vendor, !path.starts_with("/_fn/admin")),
            (&admin, is_open || is_shared || path.starts_with("/_fn/admin")),
        ] {
            if may {
                continue;
            }
            let expected = if std::ptr::eq(client, &nobody) { 401 } else { 403 };
            // Nothing, and something that no form sends.
            for sent in ["", "%00=%FF&form[[=x"] {
                let request = match method {
                    Method::GET => client.request(Method::GET, &format!("{path}?{}", sent.replace("%00=%FF&", ""))),
                    _ => client.request(method.clone(), path).header("content-type", FORM).body(sent),
                };
                assert_eq!(request.send().await.expect("an answer").status(), expected, "{method} {path} {sent}");
            }
        }
    }
    // A form of a page whose session has ended leads to the login, and back.
    let form =
        nobody.request(Method::POST, "/_fn/product/delete").header("accept", "text/html").header("content-type", FORM);
    let answer =
        form.header("referer", "http://127.0.0.1/products/e1?saved=1").body("").send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), location(&answer)),
        (303, "/login?next=%2Fproducts%2Fe1%3Fsaved%3D1&ended=1")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_method_that_is_not_accepted_is_answered_with_those_that_are() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let vendor = app.log_in_as_vendor("eur").await;
    for (method, path, allow) in [
        (Method::GET, "/_fn/product/save", "POST"),
        (Method::HEAD, "/_fn/product/save", "POST"),
        (Method::PUT, "/_fn/product/save", "POST"),
    ] {
        let answer = vendor.request(method.clone(), path).send().await.expect("an answer");
        assert_eq!(answer.status(), 405, "{method} {path}");
        let allowed = answer.headers().get("allow").map(|value| value.to_str().expect("ASCII").to_owned());
        assert!(
            allowed.as_deref().is_some_and(|allowed| allowed.split(',').any(|method| method.trim() == allow)),
            "{method} {path}: {allowed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_has_one_address_and_a_slash_too_many_leads_to_it() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let (nobody, vendor, admin) = (app.client(), app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    for (client, path, to) in [
        (&vendor, "/orders/", "/orders"),
        (&vendor, "/orders/?status=shipped", "/orders?status=shipped"),
        (&vendor, "/orders//", "/orders"),
        (&vendor, "//orders", "/orders"),
        (&vendor, "/orders/o1/", "/orders/o1"),
        (&vendor, "/products/", "/products"),
        (&vendor, "/products/new/", "/products/new"),
        (&vendor, "/account/", "/account"),
        (&admin, "/admin/", "/admin"),
        (&admin, "/admin/vendors/eur/dashboard/", "/admin/vendors/eur/dashboard"),
        (&nobody, "/login/?next=%2Forders", "/login?next=%2Forders"),
        (&nobody, "/reset/?token=a", "/reset?token=a"),
        (&nobody, "//evil.example/", "/evil.example"),
    ] {
        let answer = open(client, path).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (308, to), "{path}");
    }
    for path in ["/%6Frders", "/ORDERS", "/orders/o1/refunds"] {
        let page = open(&vendor, path).await;
        assert_eq!(page.status(), 404, "{path}");
        assert!(!page.text().await.expect("a text").contains("<table"), "{path} shows a page");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn vendors_whose_ids_mean_something_in_addresses_have_pages_too() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let db = &app.state().db;
    // As another version took them; no way in takes them now.
    for (name, id) in [("Ton", ".."), ("Hudson", ".")] {
        let mut tx = db.write().await.expect("a transaction");
        let update = format!("UPDATE vendors SET external_id = '{id}' WHERE name = '{name}'");
        tx.execute(vendorscope::server::db::sql(update)).await.expect("written");
        tx.commit().await.expect("committed");
    }
    let market = Market::new();
    market.write("vendors", "vendor_id,name,country,time_zone,currency\n..,Ton,Germany,Europe/Berlin,EUR\n");
    let again =
        vendorscope::server::services::import::import_bundle(db, &market.path(), ImportOptions::default(), &Unwatched)
            .await;
    assert!(again.is_err_and(|error| error.to_string().contains("vendors.csv, line 2: vendor_id: `..` is no id")));

    let admin = app.log_in_as_admin().await;
    let list = open(&admin, "/admin/vendors").await.text().await.expect("a text");
    for (id, name) in [("..", "Ton"), (".", "Hudson")] {
        let path = format!("/admin/vendors/{id}%20");
        assert!(list.contains(&format!("href=\"{path}\"")), "{list}");
        for path in [path.clone(), format!("{path}/dashboard")] {
            let page = open(&admin, &path).await;
            assert_eq!(page.status(), 200, "{path}");
            let page = page.text().await.expect("a text");
            assert!(page.contains(name), "{path}");
        }
        assert!(
            open(&admin, &path).await.text().await.expect("a text").contains(&format!("href=\"{path}/dashboard\""))
        );
        // And what is theirs can be invalidated by the same name.
        let invalidated = admin.post("/api/admin/cache/invalidate", &json!({ "tags": [format!("vendor:{id}")] })).await;
        assert_eq!(invalidated.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_people_wrote_has_the_direction_of_its_own_letters() {
    let market = Market::new();
    market.write("customers", "customer_id,name,country\nc1,\u{5d0}\u{5e0}\u{5d4} 1,Germany\nc2,Ren,Japan\n");
    let app = TestApp::builder().bundle(market.path()).spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    for (client, path, text) in [
        (&vendor, "/products", "Mug"),
        (&vendor, "/products", "Mugs"),
        (&vendor, "/products/e1", "Mug"),
        (&vendor, "/orders", "\u{5d0}\u{5e0}\u{5d4} 1"),
        (&vendor, "/orders/o1", "\u{5d0}\u{5e0}\u{5d4} 1"),
        (&vendor, "/orders/o1", "Mug"),
        (&vendor, "/?dateFrom=2026-03-01&dateTo=2026-03-31", "Ton"),
        (&vendor, "/?dateFrom=2026-03-01&dateTo=2026-03-31", "Mug"),
        (&vendor, "/?dateFrom=2026-03-01&dateTo=2026-03-31", "Mugs"),
        (&vendor, "/account", "Ton"),
        (&admin, "/admin?dateFrom=2026-03-01&dateTo=2026-03-31", "Ton"),
        (&admin, "/admin/vendors", "Ton"),
        (&admin, "/admin/vendors", "Germany"),
        (&admin, "/admin/vendors/eur", "Ton"),
        (&admin, "/admin/vendors/eur/dashboard", "Ton"),
    ] {
        let page = open(client, path).await.text().await.expect("a text");
        let before = page.split(&format!(">{text}<")).next().filter(|before| before.len() < page.len());
        let tag = before.and_then(|before| before.rsplit('<').next()).unwrap_or_else(|| panic!("{path} has no {text}"));
        assert!(tag.contains("dir=\"auto\""), "{path}: <{tag}>{text}");
    }
    for (path, field) in [
        ("/products/e1", "form[name]"),
        ("/products/e1", "form[category]"),
        ("/products/e1", "form[description]"),
        ("/orders", "search"),
    ] {
        let page = open(&vendor, path).await.text().await.expect("a text");
        let at = page.find(&format!("name=\"{field}\"")).unwrap_or_else(|| panic!("{path} has no {field}"));
        let tag = page[..at].rsplit('<').next().unwrap_or_default().to_owned()
            + page[at..].split('>').next().unwrap_or_default();
        assert!(tag.contains("dir=\"auto\""), "{path}: <{tag}>");
    }
}
