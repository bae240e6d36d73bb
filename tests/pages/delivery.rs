use reqwest::Method;

use super::open;
use crate::harness::TestApp;

/// An instance whose browser half is a few small files.
async fn app_with_files() -> (TestApp, tempfile::TempDir) {
    let site = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(site.path().join("pkg")).expect("a folder");
    for (name, text) in [
        ("pkg/vendorscope.kL3n_aB-9zYxWvUtSrQpO1.css", "body{}"),
        ("pkg/vendorscope.css", "body{}"),
        ("robots.txt", "none"),
    ] {
        std::fs::write(site.path().join(name), text).expect("a file");
    }
    let app = serving(&site).await;
    (app, site)
}

async fn serving(site: &tempfile::TempDir) -> TestApp {
    let root = site.path().to_str().expect("UTF-8").to_owned();
    TestApp::builder().config(|config| config.http.leptos.site_root = root.into()).spawn().await
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
            policy.starts_with("default-src 'none'; ")
                && policy.contains("frame-ancestors 'none'")
                && !policy.contains("unsafe-inline")
                && !policy.contains("'unsafe-eval'"),
            "{path}"
        );
        let is_page = headers.get("content-type").is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        assert_eq!(policy.contains("script-src"), is_page, "only pages have scripts: {path}");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin", "{path}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        let permissions = headers["permissions-policy"].to_str().expect("ASCII");
        assert!(permissions.contains("camera=()") && permissions.contains("geolocation=()"), "{path}: {permissions}");
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

/// As `scripts/build` leaves them: the compressed files were made with more patience than a server has.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_that_lie_there_compressed_are_sent_as_they_are() {
    let site = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(site.path().join("pkg")).expect("a folder");
    let text = "p { color: red }\n".repeat(1000);
    let name = "pkg/vendorscope.kL3n_aB-9zYxWvUtSrQpO1.css";
    // What lies beside it is no compressed CSS at all, and so cannot be of the server's own making.
    for (name, text) in [
        (name, &*text),
        (&format!("{name}.br"), "as brotli"),
        (&format!("{name}.gz"), "as gzip"),
        ("plain.css", &*text),
    ] {
        std::fs::write(site.path().join(name), text).expect("a file");
    }
    let app = serving(&site).await;
    for (path, accepted, encoding, body) in [
        (name, "gzip, deflate, br, zstd", Some("br"), "as brotli"),
        (name, "gzip", Some("gzip"), "as gzip"),
        (name, "gzip, br;q=0", Some("gzip"), "as gzip"),
        (name, "identity", None, &*text),
        ("plain.css", "identity", None, &*text),
    ] {
        let request = app.client().request(Method::GET, &format!("/{path}")).header("accept-encoding", accepted);
        let response = request.send().await.expect("an answer");
        let header = |name: &str| {
            response.headers().get_all(name).iter().map(|value| value.to_str().expect("ASCII")).collect::<Vec<_>>()
        };
        assert_eq!(header("content-encoding"), Vec::from_iter(encoding), "{path}: {accepted}");
        assert_eq!(header("vary"), ["accept-encoding"], "{path}: {accepted}");
        assert_eq!(header("content-type"), ["text/css"], "{path}: {accepted}");
        let cached_for_good = header("cache-control") == ["public, max-age=31536000, immutable"];
        assert_eq!(cached_for_good, path == name, "{path}: {accepted}");
        assert_eq!(response.text().await.expect("a body"), body, "{path}: {accepted}");
    }
    // What does not lie there compressed still is on its way.
    let request = app.client().request(Method::GET, "/plain.css").header("accept-encoding", "br");
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-encoding"], "br");
    assert_eq!(response.headers().get_all("vary").iter().count(), 1);
    assert!(response.bytes().await.expect("a body").len() < text.len() / 10);
}

/// Their names hold the hash of their content: each is read once. What may change is read each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_that_never_change_are_read_once() {
    let site = tempfile::tempdir().expect("a folder");
    let folder = site.path().join("pkg");
    std::fs::create_dir(&folder).expect("a folder");
    let name = "vendorscope.kL3n_aB-9zYxWvUtSrQpO1.css";
    for (name, text) in [
        (name, "as it is"),
        (&format!("{name}.br"), "as brotli"),
        (&format!("{name}.gz"), "as gzip"),
        ("vendorscope.css", "may change"),
    ] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    let app = serving(&site).await;
    let ask = async |method: Method, path: &str, header: (&str, &str)| {
        let request = app.client().request(method, path).header(header.0, header.1);
        let response = request.send().await.expect("an answer");
        let length = response.headers().get("content-length").map(|value| value.to_str().expect("ASCII").to_owned());
        (response.status().as_u16(), length, response.text().await.expect("a body"))
    };
    let path = format!("/pkg/{name}");
    let forms = [("identity", "as it is"), ("gzip", "as gzip"), ("br, gzip", "as brotli"), ("zstd, gzip", "as gzip")];
    let (status, length, _) = ask(Method::HEAD, &path, ("accept-encoding", "br")).await;
    assert_eq!((status, length.as_deref()), (200, Some("9")));
    // What is sent again says what was said the first time, under a name of its own.
    let heading = async |accepted: &str, id: &str| {
        let request = app.client().request(Method::GET, &path).header("accept-encoding", accepted);
        let mut headers = request.header("x-request-id", id).send().await.expect("an answer").headers().clone();
        assert_eq!(headers.remove("x-request-id").expect("a name"), id);
        headers.remove("date");
        headers
    };
    for (accepted, text) in forms {
        assert_eq!(heading(accepted, "first").await, heading(accepted, "again").await, "{accepted}");
        let found = ask(Method::GET, &path, ("accept-encoding", accepted)).await;
        assert_eq!(found, (200, Some(text.len().to_string()), text.to_owned()), "{accepted}");
    }
    let counted =
        "vendorscope_http_request_duration_seconds_count{method=\"GET\",route=\"/pkg/{*path}\",status=\"200\"} 12";
    let metrics = ask(Method::GET, "/metrics", ("accept", "text/plain")).await.2;
    assert!(metrics.lines().any(|line| line == counted), "{metrics}");
    for (query, status) in [("v=1", 200), ("v=%ff", 422)] {
        let found = ask(Method::GET, &format!("{path}?{query}"), ("accept-encoding", "br")).await;
        assert_eq!(found.0, status, "{query}");
    }
    assert_eq!(ask(Method::GET, &path, ("range", "bytes=3-4")).await.2, "it", "of a part that is asked for");
    let modified = ask(Method::GET, &path, ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")).await;
    assert_eq!(modified.0, 304);
    // Another way to write the same name.
    let written = path.replace(".css", ".%63ss");
    for path in ["/pkg/vendorscope.css", &written] {
        assert_eq!(ask(Method::GET, path, ("accept-encoding", "identity")).await.0, 200, "{path}");
    }

    std::fs::remove_dir_all(&folder).expect("removed");
    for (accepted, text) in forms {
        let found = ask(Method::GET, &path, ("accept-encoding", accepted)).await;
        assert_eq!(found, (200, Some(text.len().to_string()), text.to_owned()), "{accepted}");
    }
    let (status, length, text) = ask(Method::HEAD, &path, ("accept-encoding", "gzip")).await;
    assert_eq!((status, length.as_deref(), &*text), (200, Some("7"), ""));
    for path in ["/pkg/vendorscope.css", &written] {
        assert_eq!(ask(Method::GET, path, ("accept-encoding", "identity")).await.0, 404, "not kept: {path}");
    }
}
