use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::VENDOR;
use crate::harness::{Client, PASSWORD, RedisServer, TestApp, TestDatabase, decoded};

const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-12-31";
const FORMS: [&str; 4] = ["br", "zstd", "gzip", "identity"];

/// Instances that share a database: two with a Redis between them, or one that has its cache to itself.
async fn instances(redis: Option<&RedisServer>) -> (TestDatabase, Vec<TestApp>) {
    let database = TestDatabase::sqlite();
    let mut apps = Vec::new();
    for index in 0..redis.map_or(1, |_| 2) {
        let mut builder = TestApp::builder().database(&database);
        if index == 0 {
            builder = builder.northwind();
        }
        apps.push(redis.into_iter().fold(builder, |builder, redis| builder.redis(redis)).spawn().await);
    }
    (database, apps)
}

async fn ask(client: &Client, form: &str) -> Response {
    client.request(Method::GET, SNAPSHOT).header("accept-encoding", form).send().await.expect("an answer")
}

/// The body as it was before it was encoded; the answer must be in the form that was asked for.
async fn read(response: Response, form: &str) -> Value {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["vary"], "accept-encoding");
    assert_eq!(
        response.headers().get("content-encoding").map_or("identity", |form| form.to_str().expect("ASCII")),
        form
    );
    let text = decoded(form, &response.bytes().await.expect("a body"));
    serde_json::from_str(&text).expect("JSON")
}

/// Takes the vendor's first product out of stock under another name, which is returned.
async fn sell_out(client: &Client) -> String {
    let listed = client.get_json("/api/vendor/products").await;
    let mut active =
        listed["products"].as_array().expect("a list").iter().filter(|product| product["status"] == "active");
    let mut product = active.next().expect("a product that is sold").clone();
    let name = format!("{} again", product["name"].as_str().expect("a name"));
    (product["stock"], product["name"]) = (json!(0), json!(name));
    let path = format!("/api/vendor/products/{}", product["productId"].as_str().expect("an id"));
    assert_eq!(client.put(&path, &product).await.status(), 200);
    name
}

fn is_low(snapshot: &Value, name: &str) -> bool {
    snapshot["lowStock"].as_array().expect("a list").iter().any(|product| product["name"] == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_of_the_figures_outlives_a_change_wherever_it_is_made() {
    let server = RedisServer::start();
    for redis in [None, Some(&server)] {
        let (_database, apps) = instances(redis).await;
        let client = apps[0].log_in_as_vendor(VENDOR).await;
        let elsewhere = client.at(apps.last().expect("an instance"));
        for _ in 0..3 {
            for form in FORMS {
                ask(&client, form).await;
                // Held by now in this form.
                let held = ask(&client, form).await;
                assert_eq!(held.headers()["x-cache"], "HIT");
                read(held, form).await;
            }
            let name = sell_out(&elsewhere).await;
            for form in FORMS {
                let figures = read(ask(&client, form).await, form).await;
                assert!(is_low(&figures, &name), "{form}, with Redis: {}", redis.is_some());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_told_that_nothing_changed_until_something_does() {
    let server = RedisServer::start();
    for redis in [None, Some(&server)] {
        let (_database, apps) = instances(redis).await;
        let browser = apps[0].log_in_as_vendor(VENDOR).await;
        let elsewhere = browser.at(apps.last().expect("an instance"));
        let made: Value = browser
            .post("/api/account/keys", &json!({ "name": "a program", "password": PASSWORD, "scope": "write" }))
            .await
            .json()
            .await
            .expect("JSON");
        let key = made["secret"].as_str().expect("a secret");
        let program = apps[0].client();
        let ask = async |known: &str| {
            let request = program.request(Method::GET, SNAPSHOT).bearer_auth(key).header("if-none-match", known);
            request.send().await.expect("an answer")
        };
        let first = ask("\"something else\"").await;
        assert_eq!(first.status(), 200);
        assert_eq!(first.headers()["cache-control"], "private, no-cache");
        let tag = first.headers()["etag"].to_str().expect("ASCII").to_owned();
        for known in [tag.clone(), format!("\"a\", {tag}"), tag.replace("W/", ""), "*".to_owned()] {
            let unchanged = ask(&known).await;
            assert_eq!(unchanged.status(), 304, "{known}");
            assert_eq!(
                (&unchanged.headers()["etag"], &unchanged.headers()["cache-control"]),
                (&first.headers()["etag"], &first.headers()["cache-control"])
            );
            assert_eq!(unchanged.headers()["x-cache"], "HIT");
            assert_eq!(unchanged.bytes().await.expect("a body").len(), 0);
        }
        let name = sell_out(&elsewhere).await;
        let changed = ask(&tag).await;
        assert_eq!(changed.status(), 200);
        assert_ne!(changed.headers()["etag"], first.headers()["etag"]);
        assert!(is_low(&read(changed, "identity").await, &name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_to_keep_nothing_whatever_it_claims_to_know() {
    let app = TestApp::builder().northwind().spawn().await;
    let browser = app.log_in_as_vendor(VENDOR).await;
    let answer = browser.request(Method::GET, SNAPSHOT).header("if-none-match", "*").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().get("etag").is_none());
    assert_eq!(answer.headers()["cache-control"], "private, no-store");
}
