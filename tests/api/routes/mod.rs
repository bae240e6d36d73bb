//! Who gets what, over every route, page and server function that there is. The lists are taken from the router, from
//! the registry of server functions and from the source of the JSON API: what is missing from the table below fails the
//! test.

use std::collections::BTreeSet;

use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use vendorscope::{app::App, domain::accounts::Role};

use super::{OTHER_VENDOR, VENDOR};
use crate::harness::{Client, PASSWORD, TestApp};

/// The routes that the source has.
mod source;
/// The table.
mod table;

pub(super) use table::of_the_api;
use {
    source::written_in,
    table::{API, PAGES, PROBES, PROVIDER, Route, SERVER_FUNCTIONS},
};

/// After these a caller has no session, or none of a user's has: everyone logs in anew.
const ENDS_SESSIONS: [&str; 4] =
    ["/api/auth/logout", "/api/account/sessions", "/_fn/logout", "/_fn/account/logout-everywhere"];

#[test]
fn the_table_holds_every_route_that_there_is() {
    let listed = |table: &[Route]| -> BTreeSet<(String, String)> {
        table.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect()
    };
    assert_eq!(listed(API), written_in("src/server/web/json/mod.rs", "/api"), "the JSON API");
    assert_eq!(listed(PROBES), written_in("src/server/web/health.rs", ""), "probes");
    assert_eq!(listed(PROVIDER), written_in("src/server/web/provider.rs", ""), "the marketplace's login");
    let functions = server_fn_paths().map(|(path, method)| (method.to_string(), path.to_owned())).collect();
    assert_eq!(listed(SERVER_FUNCTIONS), functions, "server functions");
}

#[tokio::test]
async fn the_table_holds_every_page_that_there_is() {
    // Leptos names parameters as its routes do, and needs a runtime to say so.
    let pages: BTreeSet<String> = generate_route_list(App).iter().map(|page| page.path().to_owned()).collect();
    assert_eq!(PAGES.iter().map(|route| route.path.to_owned()).collect::<BTreeSet<_>>(), pages);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_route_lets_in_whom_it_is_for_and_nobody_else() {
    let app = TestApp::builder().northwind().spawn().await;
    let mut callers = Callers::new(&app).await;
    let mut wrong = Vec::new();
    for route in API.iter().chain(PROBES).chain(PROVIDER).chain(PAGES).chain(SERVER_FUNCTIONS) {
        for (caller, expected) in Caller::ALL.into_iter().zip(route.statuses) {
            if ENDS_SESSIONS.contains(&route.path) {
                callers = Callers::new(&app).await;
            }
            let own = callers.make_own().await;
            let response = callers.ask(caller, route, &own).send().await.expect("an answer");
            let status = response.status().as_u16();
            if status != expected {
                let body = response.text().await.unwrap_or_default();
                wrong.push(format!(
                    "{} {} as {caller:?}: {status}, not {expected}: {body:.300}",
                    route.method, route.path
                ));
            }
        }
        if ENDS_SESSIONS.contains(&route.path) {
            callers = Callers::new(&app).await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the vendor's accountant gets: what the vendor gets where it reads, or looks after the account; nothing else.
fn as_an_accountant(route: &Route) -> u16 {
    let own = [
        "/api/auth",
        "/api/account",
        "/_fn/login",
        "/_fn/logout",
        "/_fn/reset",
        "/_fn/forgot",
        "/_fn/account",
        "/_fn/letters",
        "/api/letters",
    ];
    let is_own = own.iter().any(|folder| route.path.starts_with(folder)) && !route.path.ends_with("/time-zone");
    match route.path {
        "/products/new" => 403,
        _ if route.method == "GET" || is_own => route.statuses[1],
        _ => 403,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_accountant_sees_what_the_vendor_sees_and_changes_nothing_on_any_route() {
    let app = TestApp::builder().northwind().spawn().await;
    let mut callers = Callers::new(&app).await;
    let log_in = || app.log_in("accountant@example.com", Role::Accountant, Some(VENDOR));
    callers.vendor = log_in().await;
    // What belongs to the vendor is made by the vendor.
    let maker = app.log_in_as_vendor(VENDOR).await;
    let mut wrong = Vec::new();
    for route in API.iter().chain(PAGES).chain(SERVER_FUNCTIONS) {
        let accountant = std::mem::replace(&mut callers.vendor, maker.clone());
        let own = callers.make_own().await;
        callers.vendor = accountant;
        let response = callers.ask(Caller::Vendor, route, &own).send().await.expect("an answer");
        if response.status() != as_an_accountant(route) {
            let status = response.status();
            wrong.push(format!("{} {}: {status}, not {}", route.method, route.path, as_an_accountant(route)));
        }
        if ENDS_SESSIONS.contains(&route.path) {
            callers.vendor = log_in().await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_reads_changes_nothing_on_any_route() {
    let app = TestApp::builder().northwind().spawn().await;
    let mut callers = Callers::new(&app).await;
    let order = json!({ "name": "reads", "password": PASSWORD, "scope": "read" });
    let made: Value = callers.vendor.post("/api/account/keys", &order).await.json().await.expect("a key");
    let own = callers.make_own().await;
    callers.key = made["secret"].as_str().expect("a secret").to_owned();
    for route in API {
        let expected = if route.method == "GET" { route.statuses[4] } else { 403 };

        let status = callers.ask(Caller::Key, route, &own).send().await.expect("an answer").status();
        assert_eq!(status, expected, "{} {}", route.method, route.path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_route_that_changes_anything_is_open_to_another_site() {
    let app = TestApp::builder().northwind().spawn().await;
    let callers = Callers::new(&app).await;
    let own = callers.make_own().await;
    for route in API.iter().chain(SERVER_FUNCTIONS).filter(|route| route.method != "GET") {
        for (name, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            let request = callers.ask(Caller::Vendor, route, &own).header(name, value);
            let status = request.send().await.expect("an answer").status();
            assert_eq!(status, 403, "{} {} with {name}: {value}", route.method, route.path);
        }
    }
    assert_eq!(callers.vendor.get("/api/auth/me").await.status(), 200, "the session has not ended either");
    // Nor do the functions of pages answer another site's reader, whatever the method.
    for route in SERVER_FUNCTIONS {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let request = callers.vendor.request(method.clone(), route.path).header("sec-fetch-site", "cross-site");
            let response = request
                .header("accept", "text/html")
                .header("referer", "https://evil.example/")
                .send()
                .await
                .expect("an answer");
            assert_eq!(response.status(), 403, "{method} {}", route.path);
            assert!(!response.headers().contains_key("location"), "{method} {}", route.path);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    Vendor,
    Other,
    Admin,
    Key,
}

impl Caller {
    const ALL: [Self; 5] = [Self::Nobody, Self::Vendor, Self::Other, Self::Admin, Self::Key];
}

struct Callers {
    nobody: Client,
    vendor: Client,
    other: Client,
    admin: Client,
    key: String,
    order: String,
}

/// What belongs to the vendor alone.
struct Own {
    product: String,
    order: String,
}

impl Callers {
    async fn new(app: &TestApp) -> Self {
        let (vendor, other, admin) =
            (app.log_in_as_vendor(VENDOR).await, app.log_in_as_vendor(OTHER_VENDOR).await, app.log_in_as_admin().await);
        let keys = vendor.get_json("/api/account/keys").await;
        for key in keys["keys"].as_array().expect("a list") {
            let path = format!("/api/account/keys/{}", key["keyId"].as_str().expect("an id"));
            assert_eq!(vendor.request(Method::DELETE, &path).send().await.expect("an answer").status(), 204);
        }
        let made: Value = vendor
            .post("/api/account/keys", &json!({ "name": "a test", "password": PASSWORD, "scope": "write" }))
            .await
            .json()
            .await
            .expect("a key");
        let order = only_in(&vendor, &other).await;
        Self {
            nobody: app.client(),
            vendor,
            other,
            admin,
            key: made["secret"].as_str().expect("a secret").to_owned(),
            order,
        }
    }

    /// A product made for one request, which may delete it, and an order.
    async fn make_own(&self) -> Own {
        let product = json!({ "name": "Made for one \
            request", "category": "Tests", "unitPrice": 100, "stock": 3, "status": "active" });
        let made: Value = self.vendor.post("/api/vendor/products", &product).await.json().await.expect("a product");
        Own {
            product: made["productId"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned(),
            order: self.order.clone(),
        }
    }

    fn ask(&self, caller: Caller, route: &Route, own: &Own) -> RequestBuilder {
        let id = match route.path {
            path if path.starts_with("/admin/vendors") => VENDOR,
            path if path.contains("orders") => &own.order,
            path if path.contains("account") || path.contains("/users") => "0",
            _ => &own.product,
        };
        let parameters: Vec<(String, String)> = route
            .with
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| {
                (name.to_owned(), value.replace("{product}", &own.product).replace("{order}", &own.order))
            })
            .collect();
        let client = match caller {
            Caller::Nobody | Caller::Key => &self.nobody,
            Caller::Vendor => &self.vendor,
            Caller::Other => &self.other,
            Caller::Admin => &self.admin,
        };
        let mut request = client.request(route.method.parse().expect("a method"), &route.path.replace("{id}", id));
        if caller == Caller::Key {
            request = request.bearer_auth(&self.key);
        }
        let is_page = PAGES.iter().any(|page| page.path == route.path);
        request = request.header("accept", if is_page { "text/html" } else { "application/json" });
        match (route.method, route.path.starts_with("/_fn")) {
            ("GET", _) => request.query(&parameters),
            (_, true) => request.form(&parameters),
            ("DELETE", false)
                if !["/second-factor", "/marketplace-login"].iter().any(|end| route.path.ends_with(end)) =>
            {
                request
            }
            _ => request.json(&json!({})),
        }
    }
}

/// An order that the first vendor has a part in and the second has not.
async fn only_in(vendor: &Client, other: &Client) -> String {
    let orders = vendor.get_json("/api/vendor/orders").await;
    for order in orders["orders"].as_array().expect("a list") {
        let id = order["orderId"].as_str().expect("an id");
        if other.get(&format!("/api/vendor/orders/{id}")).await.status() == 404 {
            return id.to_owned();
        }
    }
    panic!("the two vendors share every order");
}
