//! Every route and what each caller gets of it.

/// One route and what each caller gets: nobody, a vendor, another vendor, an admin, the vendor's key. What the vendor's
/// accountant gets, and keys of other scopes, follows from that: see `as_an_accountant`.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Query, or form fields of a server function.
    pub(super) with: &'static str,
    pub(super) statuses: [u16; 5],
}

const fn route(method: &'static str, path: &'static str, statuses: [u16; 5]) -> Route {
    Route { method, path, with: "", statuses }
}

const fn with(method: &'static str, path: &'static str, with: &'static str, statuses: [u16; 5]) -> Route {
    Route { method, path, with, statuses }
}

/// Who may not is told 401, 403, or 404 where it belongs to another; who may gets in, and there is told 200 or what is
/// wrong with the empty object that is sent. `{id}` is the vendor's own.
pub(super) const API: &[Route] = &[
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
    with("GET", "/api/admin/metrics/compared", "dateFrom=1997-01-01&dateTo=1997-01-31", [401, 403, 403, 200, 403]),
    route("GET", "/api/admin/vendors", [401, 403, 403, 200, 403]),
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
pub(super) const PROBES: &[Route] = &[
    route("GET", "/healthz", [200; 5]),
    route("GET", "/readyz", [200; 5]),
    route("GET", "/metrics", [200; 5]),
    route("GET", "/status", [200; 5]),
];

/// The way to the marketplace's provider and back: there is none here.
pub(super) const PROVIDER: &[Route] =
    &[route("GET", "/login/marketplace", [404; 5]), route("GET", "/login/marketplace/callback", [404; 5])];

/// A browser that may not see a page is sent to where it may log in, or belongs (303). Keys are for the API alone.
pub(super) const PAGES: &[Route] = &[
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

pub(super) const SERVER_FUNCTIONS: &[Route] = &[
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
pub(in crate::api) fn of_the_api() -> impl Iterator<Item = (&'static str, &'static str)> {
    API.iter()
        .map(|route| (route.method, route.path))
        .filter(|(_, path)| !matches!(*path, "/api/openapi.json" | "/api/docs"))
}

const PRODUCT: &str = "form[product_id]={product}&form[name]=Saved&form[category]=Tests&form[unit_price]=1.00\
                       &form[stock]=1&form[status]=active";
