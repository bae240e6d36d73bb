use reqwest::Method;

use super::open;
use crate::harness::TestApp;

/// An instance whose browser half is a few small files.
async fn app_with_files() -> (TestApp, tempfile::TempDir) {
    let site = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(site.path().join("pkg")).expect("a folder");
    for (name, text) in
        [("pkg/vendorscope.kL3n_aB-9zYxWvUtSrQpO1.css", "body{}"), ("pkg/vendorscope.css", "body{}"), ("robots.txt", "none")]
    {
        std::fs::write(site.path().join(name), text).expect("a file");
    }
    let root = site.path().to_str().expect("UTF-8").to_owned();
    (TestApp::builder().config(|config| config.http.leptos.site_root = root.into()).spawn().await, site)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_files_that_never_change_are_kept_for_good() {
    let (app, _site) = app_with_files().await;
    let client = app.client();
    for (path, status, cache_control) in [
        ("/pkg/vendorscope.kL3n_aB-9zYxWvUtSrQpO1.css", 200, "public, max-age=31536000, immutable"),
        ("/pkg/vendorscope.css", 200, "no-cache"),
        ("/pkg/vendorscope.AAAAAAAAAAAAAAAAAAAAAA.css", 404, "private, no-store"),
        ("/robots.txt", 200, "public, max-age=3600"),
        ("/../Cargo.toml", 404, "private, no-store"),
        ("/%2e%2e/%2e%2e/etc/passwd", 404, "private, no-store"),
        ("/login", 200, "private, no-store"),
        ("/api/auth/me", 401, "private, no-store"),
        ("/healthz", 200, "private, no-store"),
    ] {
        let response = client.get(path).await;
        assert_eq!(
            (response.status().as_u16(), response.headers()["cache-control"].to_str().expect("ASCII")),
            (status, cache_control),
            "{path}"
        );
    }
    let posted = client.request(Method::POST, "/robots.txt").send().await.expect("an answer");
    assert_eq!(posted.status(), 404, "files are read and nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_tells_browsers_what_not_to_do_with_it() {
    let (app, _site) = app_with_files().await;
    for path in ["/login", "/", "/api/auth/me", "/api/none", "/none", "/pkg/vendorscope.css", "/healthz"] {
        let response = open(&app.client(), path).await;
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        let policy = headers["content-security-policy"].to_str().expect("ASCII");
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{path}"
        );
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin", "{path}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        assert!(headers.contains_key("x-request-id"), "{path}");
        assert!(!headers.contains_key("strict-transport-security"), "not in development: {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_are_compressed_for_those_who_can_read_it() {
    let app = TestApp::builder().spawn().await;
    for (accepted, used) in [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("identity", None)] {
        let request = app.client().request(Method::GET, "/login").header("accept-encoding", accepted);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.headers().get("content-encoding").map(|value| value.to_str().expect("ASCII")), used);
    }
}
