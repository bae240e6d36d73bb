use reqwest::Method;
use serde_json::json;
use vendorscope::server::db::sql;

use super::{problem, refused_fields};
use crate::harness::{TestApp, TestDatabase};

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_are_refused_by_their_kind() {
    let app = TestApp::builder().spawn().await;
    let login = |content_type: &'static str, body: String| {
        app.client().request(Method::POST, "/api/auth/login").header("content-type", content_type).body(body).send()
    };
    problem(login("application/json", "{".to_owned()).await.expect("an answer"), 400, "malformed_json").await;
    problem(login("application/json", String::new()).await.expect("an answer"), 400, "malformed_json").await;
    problem(login("text/plain", "{}".to_owned()).await.expect("an answer"), 415, "unsupported_media_type").await;
    problem(
        login("application/x-www-form-urlencoded", "email=a&password=b".to_owned()).await.expect("an answer"),
        415,
        "unsupported_media_type",
    )
    .await;
    let long = format!("{{\"email\": \"{}\"", "x".repeat(1024 * 1024));
    problem(login("application/json", long.clone()).await.expect("an answer"), 413, "too_large").await;
    // One that does not say how long it is.
    let chunks = futures::stream::iter(
        long.into_bytes().chunks(65_536).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>(),
    );
    let request = app.client().request(Method::POST, "/api/auth/login").header("content-type", "application/json");
    let response = request.body(reqwest::Body::wrap_stream(chunks)).send().await.expect("an answer");
    problem(response, 413, "too_large").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_fit_is_refused_by_field() {
    let app = TestApp::builder().spawn().await;
    let client = app.client();
    for (body, field) in [
        (json!({ "email": "a@example.com" }), "password"),
        (json!({ "email": "a@example.com", "password": "x", "remember": true }), "remember"),
        (json!({ "email": 7, "password": "x" }), "email"),
        (json!([]), "body"),
    ] {
        assert_eq!(refused_fields(client.post("/api/auth/login", &body).await).await, [field], "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_problem_too() {
    let app = TestApp::builder().spawn().await;
    let client = app.client();
    for path in ["/api", "/api/nothing", "/api/auth", "/api/vendor/products/1/more", "/_fn/nothing", "/pkg/nothing.js"]
    {
        let response = client.get(path).await;
        assert_eq!(response.status(), 404, "{path}");
        if path.starts_with("/_fn") {
            assert_eq!(response.text().await.expect("a text"), "\"not_found\"", "as the pages' scripts understand it");
        } else {
            problem(response, 404, "not_found").await;
        }
    }
    let response = client.get("/api/auth/login").await;
    assert_eq!(response.headers()["allow"], "POST");
    problem(response, 405, "method_not_allowed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_defect_of_ours_is_told_to_the_log_alone() {
    let app = TestApp::builder().spawn().await;
    let mut tx = app.state().db.write().await.expect("a transaction");
    tx.execute(sql("DROP TABLE users")).await.expect("dropped");
    tx.commit().await.expect("committed");
    let response =
        app.client().post("/api/auth/login", &json!({ "email": "a@example.com", "password": "whatever it is" })).await;
    let body = problem(response, 500, "internal").await;
    assert_eq!(body["detail"], "Something went wrong on our side.");
    assert!(!body.to_string().contains("users"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_is_given_up() {
    let app =
        TestApp::builder().config(|config| config.http.timeout = std::time::Duration::from_millis(1)).spawn().await;
    // A password takes many times that to check.
    let response =
        app.client().post("/api/auth/login", &json!({ "email": "a@example.com", "password": "whatever it is" })).await;
    assert!(response.headers().contains_key("retry-after"));
    problem(response, 503, "unavailable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_keep_a_sensible_id_and_get_one_otherwise() {
    let app = TestApp::builder().spawn().await;
    let with_id =
        |id: &'static str| app.client().request(Method::GET, "/api/auth/me").header("x-request-id", id).send();
    let kept = with_id("trace-42_a.b").await.expect("an answer");
    assert_eq!(kept.headers()["x-request-id"], "trace-42_a.b");
    for id in ["", "a b", "<script>", "0123456789012345678901234567890123456789012345678901234567890123456789"] {
        let made = with_id(id).await.expect("an answer");
        assert_ne!(made.headers()["x-request-id"], id);
        assert_eq!(made.headers()["x-request-id"].len(), 32);
    }
}

/// `vendorscope import` is such a process.
#[tokio::test(flavor = "multi_thread")]
async fn while_another_process_writes_to_sqlite_writers_are_told_to_come_again_and_readers_are_served() {
    let database = TestDatabase::sqlite();
    let app = TestApp::builder().database(&database).northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let other = database.open().await;
    let import = other.write().await.expect("a transaction");
    let product = json!({ "name": "Mug", "category": "Mugs", "unitPrice": 100, "stock": 1 });
    let answer = client.post("/api/vendor/products", &product).await;
    assert!(answer.headers().contains_key("retry-after"));
    problem(answer, 503, "unavailable").await;
    assert_eq!(client.get("/api/vendor/products?search=mug").await.status(), 200);
    drop(import);
    assert_eq!(client.post("/api/vendor/products", &product).await.status(), 201);
}
