//! Who gets what, over every route, page and server function that there is. The lists are taken from the router, from
//! the registry of server functions and from the source of the JSON API: what is missing from the table below fails the
//! test.

use std::{collections::BTreeSet, path::Path};

use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use vendorscope::{app::App, domain::accounts::Role};

use super::{OTHER_VENDOR, VENDOR};
use crate::harness::{Client, PASSWORD, TestApp};

/// One route and what each caller gets: nobody, a vendor, another vendor, an admin, the vendor's key. What the vendor's
/// accountant gets, and keys of other scopes, follows from that: see `as_an_accountant`.
struct Route {
    method: &'static str,
    path: &'static str,
    /// Query, or form fields of a server function.
    with: &'static str,
    statuses: [u16; 5],
}

const fn route(method: &'static str, path: &'static str, statuses: [u16; 5]) -> Route {
    Route { method, path, with: "", statuses }
}

const fn with(method: &'static str, path: &'static str, with: &'static str, statuses: [u16; 5]) -> Route {
    Route { method, path, with, statuses }
}

/// Who may not is told 401, 403, or 404 where it belongs to another; who may gets in, and there is told 200 or what is
/// wrong with the empty object that is sent. `{id}` is the vendor's own.
const API: &[Route] = &[
    route("GET", "/api/openapi.json", [200; 5]),
    route("GET", "/api/docs", [200; 5]),
    route("POST", "/api/auth/login", [422; 5]),
    route("POST", "/api/auth/logout", [204; 5]),
    route("GET", "/api/auth/me", [401, 200, 200, 200, 200]),
    route("PUT", "/api/account/password", [401, 422, 422, 422, 403]),
    route("GET", "/api/account/letters", [401, 200, 200, 200, 403]),
    route("PUT", "/api/account/letters", [401, 422, 422, 422, 403]),
    route("GET", "/api/account/second-factor", [401, 200, 200, 200, 403]),
    route("POST", "/api/account/second-factor", [401, 422, 422, 422, 403]),
    route("PUT", "/api/account/second-factor", [401, 422, 422, 422, 403]),
    route("DELETE", "/api/account/second-factor", [401, 422, 422, 422, 403]),
    route("PUT", "/api/account/time-zone", [401, 422, 422, 422, 403]),
    route("GET", "/api/account/sessions", [401, 200, 200, 200, 403]),
    route("DELETE", "/api/account/sessions", [401, 204, 204, 204, 403]),
    route("DELETE", "/api/account/sessions/{id}", [401, 404, 404, 404, 403]),
    route("GET", "/api/account/keys", [401, 200, 200, 200, 403]),
    route("POST", "/api/account/keys", [401, 422, 422, 422, 403]),
    route("DELETE", "/api/account/keys/{id}", [401, 404, 404, 404, 403]),
    with("GET", "/api/vendor/analytics/snapshot", "dateFrom=1997-01-01&dateTo=1997-01-31", [401, 200, 200, 422, 200]),
    with("GET", "/api/vendor/analytics/returns", "dateFrom=1997-01-01&dateTo=1997-01-31", [401, 200, 200, 422, 200]),
    with("GET", "/api/vendor/analytics/movers", "dateFrom=1997-01-01&dateTo=1997-01-31", [401, 200, 200, 422, 200]),
    with("GET", "/api/vendor/analytics/export.csv", "dateFrom=1997-01-01&dateTo=1997-01-31", [401, 200, 200, 422, 200]),
    route("GET", "/api/vendor/events", [401, 200, 200, 403, 200]),
    route("GET", "/api/vendor/products", [401, 200, 200, 403, 200]),
    route("GET", "/api/vendor/products.csv", [401, 200, 200, 403, 200]),
    route("POST", "/api/vendor/products", [401, 422, 422, 403, 422]),
    route("PATCH", "/api/vendor/products/bulk", [401, 422, 422, 403, 422]),
    route("GET", "/api/vendor/products/{id}", [401, 200, 404, 403, 200]),
    // What is wrong with a body is said before it is looked up what it is for.
    route("PUT", "/api/vendor/products/{id}", [401, 422, 422, 403, 422]),
    route("DELETE", "/api/vendor/products/{id}", [401, 204, 404, 403, 204]),
    route("GET", "/api/vendor/orders", [401, 200, 200, 403, 200]),
    route("GET", "/api/vendor/orders.csv", [401, 200, 200, 403, 200]),
    route("POST", "/api/vendor/orders", [401, 422, 422, 403, 422]),
    route("GET", "/api/vendor/orders/{id}", [401, 200, 404, 403, 200]),
    route("PATCH", "/api/vendor/orders/{id}", [401, 422, 422, 403, 422]),
    route("POST", "/api/vendor/orders/{id}/refunds", [401, 422, 422, 403, 422]),
    // No instant.
    route("DELETE", "/api/vendor/orders/{id}/refunds/{refundedAt}", [401, 422, 422, 403, 422]),
    with("GET", "/api/vendor/notes", "dateFrom=1997-01-01&dateTo=1997-01-31", [401, 200, 200, 422, 200]),
    route("POST", "/api/vendor/notes", [401, 422, 422, 403, 422]),
    route("PUT", "/api/vendor/notes/{id}", [401, 422, 422, 403, 422]),
    // None of these is a note.
    route("DELETE", "/api/vendor/notes/{id}", [401, 404, 404, 403, 404]),
    route("POST", "/api/ingest/orders", [401, 403, 403, 422, 403]),
    route("POST", "/api/ingest/refunds", [401, 403, 403, 422, 403]),
    route("POST", "/api/ingest/products", [401, 403, 403, 422, 403]),
    with("GET", "/api/admin/metrics", "dateFrom=1997-01-01&dateTo=1997-01-31", [401, 403, 403, 200, 403]),
    // Whoever has the address of a letter; here nobody.
    route("GET", "/api/letters/stop", [303; 5]),
    route("POST", "/api/letters/stop", [422; 5]),
    route("GET", "/api/admin/users", [401, 403, 403, 200, 403]),
    route("POST", "/api/admin/users", [401, 403, 403, 422, 403]),
    route("PATCH", "/api/admin/users/{id}", [401, 403, 403, 422, 403]),
    route("POST", "/api/admin/users/{id}/link", [401, 403, 403, 422, 403]),
    route("DELETE", "/api/admin/users/{id}/sessions", [401, 403, 403, 404, 403]),
    route("DELETE", "/api/admin/users/{id}/second-factor", [401, 403, 403, 422, 403]),
    route("DELETE", "/api/admin/users/{id}/marketplace-login", [401, 403, 403, 422, 403]),
    route("GET", "/api/admin/audit", [401, 403, 403, 200, 403]),
    route("GET", "/api/admin/audit.csv", [401, 403, 403, 200, 403]),
    route("GET", "/api/admin/keys", [401, 403, 403, 200, 403]),
    route("DELETE", "/api/admin/keys/{id}", [401, 403, 403, 404, 403]),
    route("GET", "/api/admin/cache/stats", [401, 403, 403, 200, 403]),
    route("GET", "/api/admin/cache/history", [401, 403, 403, 200, 403]),
    with("GET", "/api/admin/cache/entry", "key=vendors:{7}:profile", [401, 403, 403, 200, 403]),
    with("GET", "/api/admin/cache/preview", "action=warm", [401, 403, 403, 200, 403]),
    route("POST", "/api/admin/cache/reset", [401, 403, 403, 200, 403]),
    route("POST", "/api/admin/cache/invalidate", [401, 403, 403, 422, 403]),
    route("POST", "/api/admin/cache/warm", [401, 403, 403, 200, 403]),
];

/// Outside of the API, for machines and for whoever looks after them.
const PROBES: &[Route] = &[
    route("GET", "/healthz", [200; 5]),
    route("GET", "/readyz", [200; 5]),
    route("GET", "/metrics", [200; 5]),
    route("GET", "/status", [200; 5]),
];

/// The way to the marketplace's provider and back: there is none here.
const PROVIDER: &[Route] =
    &[route("GET", "/login/marketplace", [404; 5]), route("GET", "/login/marketplace/callback", [404; 5])];

/// A browser that may not see a page is sent to where it may log in, or belongs (303). Keys are for the API alone.
const PAGES: &[Route] = &[
    route("GET", "/", [303, 200, 200, 303, 303]),
    route("GET", "/login", [200, 303, 303, 303, 200]),
    route("GET", "/login/code", [200, 303, 303, 303, 200]),
    route("GET", "/forgot", [200; 5]),
    route("GET", "/letters/stop", [200; 5]),
    route("GET", "/reset", [200; 5]),
    route("GET", "/account", [303, 200, 200, 200, 303]),
    route("GET", "/products", [303, 200, 200, 303, 303]),
    route("GET", "/products/new", [303, 200, 200, 303, 303]),
    route("GET", "/products/change", [303, 200, 200, 303, 303]),
    route("GET", "/products/{id}", [303, 200, 404, 303, 303]),
    route("GET", "/orders", [303, 200, 200, 303, 303]),
    with("GET", "/orders/change", "status=shipped", [303, 200, 200, 303, 303]),
    route("GET", "/orders/{id}", [303, 200, 404, 303, 303]),
    route("GET", "/returns", [303, 200, 200, 303, 303]),
    route("GET", "/admin", [303, 403, 403, 200, 303]),
    route("GET", "/admin/vendors", [303, 403, 403, 200, 303]),
    route("GET", "/admin/vendors/{id}", [303, 403, 403, 200, 303]),
    route("GET", "/admin/vendors/{id}/dashboard", [303, 403, 403, 200, 303]),
    route("GET", "/admin/users", [303, 403, 403, 200, 303]),
    route("GET", "/admin/users/{id}", [303, 403, 403, 404, 303]),
    route("GET", "/admin/keys", [303, 403, 403, 200, 303]),
    route("GET", "/admin/audit", [303, 403, 403, 200, 303]),
    route("GET", "/admin/cache", [303, 403, 403, 200, 303]),
    route("GET", "/admin/cache/entry", [303, 403, 403, 200, 303]),
];

const SERVER_FUNCTIONS: &[Route] = &[
    with("POST", "/_fn/login", "email=nobody@example.com&password=wrong", [200; 5]),
    // Nobody has sent a password before.
    with("POST", "/_fn/login/code", "code=123456", [200; 5]),
    // There is no server for mail here.
    with("POST", "/_fn/forgot", "email=nobody@example.com", [404; 5]),
    route("POST", "/_fn/logout", [200; 5]),
    with("POST", "/_fn/reset", "password=a long one, and a good one", [422; 5]),
    with(
        "POST",
        "/_fn/account/password",
        "current=wrong&password=a long one, and a good one",
        [401, 422, 422, 422, 401],
    ),
    with("POST", "/_fn/letters/stop", "reader=none", [422; 5]),
    with("POST", "/_fn/account/letters", "weekly_report=yes", [401, 200, 200, 403, 401]),
    with("POST", "/_fn/account/totp/begin", "password=wrong", [401, 422, 422, 422, 401]),
    with("POST", "/_fn/account/totp/confirm", "code=123456", [401, 409, 409, 409, 401]),
    with("POST", "/_fn/account/totp/remove", "password=wrong&code=123456", [401, 422, 422, 422, 401]),
    route("POST", "/_fn/account/logout-everywhere", [401, 200, 200, 200, 401]),
    with("POST", "/_fn/account/session/end", "session_id=none", [401, 404, 404, 404, 401]),
    with("POST", "/_fn/account/key/create", "form[name]=&form[scope]=read", [401, 422, 422, 422, 401]),
    with("POST", "/_fn/account/key/revoke", "key_id=0", [401, 404, 404, 404, 401]),
    with("POST", "/_fn/account/time-zone", "time_zone=UTC", [401, 200, 200, 403, 401]),
    with("POST", "/_fn/account/view/save", "name=Mine&query=range", [401, 200, 200, 403, 401]),
    with("POST", "/_fn/account/view/delete", "view_id=0", [401, 404, 404, 403, 401]),
    with("POST", "/_fn/note/save", "day=2026-03-10&note=Fair", [401, 200, 200, 403, 401]),
    with("POST", "/_fn/note/delete", "note_id=0", [401, 404, 404, 403, 401]),
    with("POST", "/_fn/account/theme", "theme=none", [401, 422, 422, 422, 401]),
    with("POST", "/_fn/product/save", PRODUCT, [401, 200, 404, 403, 401]),
    with("POST", "/_fn/product/delete", "product_id={product}", [401, 200, 404, 403, 401]),
    with(
        "POST",
        "/_fn/product/change",
        "form[products][0][id]={product}&form[action]=stock&form[value]=3",
        [401, 200, 404, 403, 401],
    ),
    with("POST", "/_fn/order/change", "form[orders][0][id]={order}&form[status]=shipped", [401, 200, 404, 403, 401]),
    with("POST", "/_fn/order/status", "order_id={order}&status=shipped", [401, 200, 404, 403, 401]),
    with("POST", "/_fn/order/refund", "form[order_id]={order}&form[amount]=nonsense", [401, 422, 422, 403, 401]),
    with("POST", "/_fn/order/refund/undo", "order_id={order}&refunded_at=nonsense", [401, 422, 422, 403, 401]),
    with("POST", "/_fn/admin/user/invite", "email=x&role=vendor&vendor_id=&password=wrong", [401, 403, 403, 422, 401]),
    with("POST", "/_fn/admin/user/link", "user_id=0&password=wrong", [401, 403, 403, 422, 401]),
    with("POST", "/_fn/admin/user/role", "user_id=0&role=none&vendor_id=&password=x", [401, 403, 403, 422, 401]),
    with("POST", "/_fn/admin/user/disable", "user_id=0&disabled=yes&password=wrong", [401, 403, 403, 422, 401]),
    with("POST", "/_fn/admin/key/revoke", "key_id=0", [401, 403, 403, 404, 401]),
    with("POST", "/_fn/admin/user/sessions/end", "user_id=0", [401, 403, 403, 404, 401]),
    with("POST", "/_fn/admin/user/unbind", "user_id=0&password=wrong", [401, 403, 403, 422, 401]),
    with("POST", "/_fn/admin/user/totp/reset", "user_id=0&password=wrong", [401, 403, 403, 422, 401]),
    with("POST", "/_fn/admin/cache/invalidate", "tags=nonsense", [401, 403, 403, 422, 401]),
    with("POST", "/_fn/admin/cache/warm", "vendors=nonsense", [401, 403, 403, 422, 401]),
    route("POST", "/_fn/admin/cache/reset", [401, 403, 403, 200, 401]),
];

/// Methods and paths of the JSON API, but for its own description.
pub(super) fn of_the_api() -> impl Iterator<Item = (&'static str, &'static str)> {
    API.iter()
        .map(|route| (route.method, route.path))
        .filter(|(_, path)| !matches!(*path, "/api/openapi.json" | "/api/docs"))
}

const PRODUCT: &str = "form[product_id]={product}&form[name]=Saved&form[category]=Tests&form[unit_price]=1.00\
                       &form[stock]=1&form[status]=active";

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

/// The routes that a file of the source mounts under `prefix`, and the files that it nests: `(method, path)`. Knows
/// `.route("…", get(…))` and `.nest("…", file::router())`; whatever else adds routes fails here, so that it is taught.
fn written_in(file: &str, prefix: &str) -> BTreeSet<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    for unknown in ["routes!", ".route_service(", ".nest_service(", ".merge(", " any(", " on(", "get_service("] {
        assert!(
            !text.contains(unknown),
            "{} adds routes with `{unknown}`, which this test does not know",
            file.display()
        );
    }
    let mut routes = BTreeSet::new();
    for call in text.split(".route(").skip(1) {
        let call = up_to_its_end(call);
        let (path, handlers) = quoted(call);
        let path = if path == "/" && !prefix.is_empty() { prefix.to_owned() } else { format!("{prefix}{path}") };
        let before = routes.len();
        for method in ["get", "post", "put", "patch", "delete", "head", "options"] {
            let mounts = handlers.match_indices(&format!("{method}(")).any(|(at, _)| {
                handlers[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '_')
            });
            if mounts {
                routes.insert((method.to_uppercase(), path.clone()));
            }
        }
        assert!(routes.len() > before, "no method in `{call}`");
    }
    for call in text.split(".nest(").skip(1) {
        let (path, router) = quoted(up_to_its_end(call));
        let module = router.trim_start_matches([',', ' ', '\n']).split("::").next().unwrap_or_default();
        let folder = file.parent().expect("a folder");
        let nested = [folder.join(format!("{module}.rs")), folder.join(module).join("mod.rs")]
            .into_iter()
            .find(|file| file.exists());
        let nested = nested.unwrap_or_else(|| panic!("`{router}` is in no file that this test finds"));
        routes.extend(written_in(nested.to_str().expect("UTF-8"), &format!("{prefix}{path}")));
    }
    routes
}

/// What stands between the parentheses, of which the first is open already.
fn up_to_its_end(call: &str) -> &str {
    let mut depth = 1;
    for (at, c) in call.char_indices() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return &call[..at];
        }
    }
    panic!("no end to `{call:.80}`");
}

/// A text in quotation marks, and what follows it.
fn quoted(call: &str) -> (&str, &str) {
    let (_, rest) = call.split_once('"').unwrap_or_else(|| panic!("no path in `{call}`"));
    rest.split_once('"').unwrap_or_else(|| panic!("no path in `{call}`"))
}
