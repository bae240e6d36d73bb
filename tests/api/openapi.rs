use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::TestApp;

/// Every `$ref` of a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_every_route_that_there_is() {
    let app = TestApp::builder().spawn().await;
    let document = app.client().get_json("/api/openapi.json").await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", document["openapi"]);
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let method = method.to_uppercase();
            assert!(operation["responses"]["default"].is_object(), "what {method} {path} refuses is not described");
            let request = app.client().request(method.parse().expect("a method"), &path.replace("{id}", "none"));
            let status = request
                .header("content-type", "application/json")
                .body("{}")
                .send()
                .await
                .expect("an answer")
                .status()
                .as_u16();
            assert!(![404, 405].contains(&status), "{method} {path} is described and not served: {status}");
            described.insert(format!("{method} {path}"));
        }
    }
    for (method, path) in super::routes::of_the_api() {
        assert!(described.contains(&format!("{method} {path}")), "{method} {path} is served and not described");
    }
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    for reference in used {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_names_every_operation_and_fetches_nothing() {
    let app = TestApp::builder().spawn().await;
    let page = app.client().get("/api/docs").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let page = page.text().await.expect("a text");
    for words in ["POST /api/vendor/orders/{id}/refunds", "id=\"NewOrder\"", "averageOrderValue", "Idempotency-Key"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"), "{page}");
}
