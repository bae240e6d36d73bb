//! What happened to a vendor's products and terms, and what it notes down itself, over the API.

use reqwest::Method;
use serde_json::{Value, json};
use vendorscope::domain::accounts::Role;

use super::{problem, refused_fields};
use crate::harness::{Client, Market, TestApp, databases};

const NOTES: &str = "/api/vendor/notes";
const MARCH: &str = "/api/vendor/notes?dateFrom=2026-03-01&dateTo=2026-03-31";

async fn own(client: &Client, path: &str) -> Value {
    client.get_json(path).await["own"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_note_is_written_read_changed_and_deleted_over_the_api() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let dialect = app.state().db.dialect.name();
        let (client, other, admin) =
            (app.log_in_as_vendor("eur").await, app.log_in_as_vendor("nyc").await, app.log_in_as_admin().await);
        let accountant = app.log_in("accountant@example.com", Role::Accountant, Some("eur")).await;
        assert_eq!(client.get_json(MARCH).await, json!({ "notes": [], "total": 0, "own": [] }), "{dialect}");
        let made = client.post(NOTES, &json!({ "day": "2026-03-12", "text": "  Fair in Ulm " })).await;
        assert_eq!(made.status(), 201, "{dialect}");
        let mut note: Value = made.json().await.expect("JSON");
        assert_eq!((&note["day"], &note["text"]), (&json!("2026-03-12"), &json!("Fair in Ulm")), "{dialect}");
        let path = format!("{NOTES}/{}", note["noteId"].as_str().expect("an id"));
        // At once for all who work for the vendor, and for an admin who asks for it.
        for (client, path) in [(&client, MARCH), (&accountant, MARCH), (&admin, &format!("{MARCH}&vendorId=eur"))] {
            assert_eq!(own(client, path).await, json!([note]), "{dialect} {path}");
        }
        assert_eq!(own(&other, MARCH).await, json!([]), "{dialect}");
        assert_eq!(own(&client, &MARCH.replace("03-01", "03-13")).await, json!([]), "{dialect}: of other days");

        let changed = client.put(&path, &json!({ "day": "2026-03-10", "text": "Fair in Bonn" })).await;
        assert_eq!(changed.status(), 200, "{dialect}");
        note["day"] = json!("2026-03-10");
        note["text"] = json!("Fair in Bonn");
        assert_eq!(changed.json::<Value>().await.expect("JSON"), note, "{dialect}");
        assert_eq!(own(&client, MARCH).await, json!([note]), "{dialect}");

        // Another's is none, and who only reads writes nothing.
        let body = json!({ "day": "2026-03-10", "text": "Mine" });
        problem(other.put(&path, &body).await, 404, "not_found").await;
        problem(other.request(Method::DELETE, &path).send().await.expect("an answer"), 404, "not_found").await;
        problem(accountant.put(&path, &body).await, 403, "forbidden").await;
        problem(accountant.post(NOTES, &body).await, 403, "forbidden").await;
        problem(client.put(&format!("{NOTES}/none"), &body).await, 404, "not_found").await;
        for (day, text, field) in [
            ("2026-02-30", "x", "day"),
            ("2101-01-01", "x", "day"),
            ("2026-03-10", " ", "text"),
            ("2026-03-10", &"x".repeat(201), "text"),
        ] {
            let answer = client.post(NOTES, &json!({ "day": day, "text": text })).await;
            assert_eq!(refused_fields(answer).await, [field], "{dialect} {day} {text}");
        }
        let unknown = json!({ "day": "2026-03-10", "text": "x", "colour": "red" });
        assert_eq!(refused_fields(client.post(NOTES, &unknown).await).await, ["colour"]);
        assert_eq!(refused_fields(client.get(&format!("{MARCH}&compare=none")).await).await, ["compare"]);
        assert_eq!(refused_fields(client.get(&format!("{NOTES}?dateTo=2026-03-01")).await).await, ["dateFrom"]);
        assert_eq!(own(&client, MARCH).await, json!([note]), "{dialect}: nothing of that was done");

        let gone = client.request(Method::DELETE, &path).send().await.expect("an answer");
        assert_eq!(gone.status(), 204, "{dialect}");
        assert_eq!(own(&client, MARCH).await, json!([]), "{dialect}");
        problem(client.request(Method::DELETE, &path).send().await.expect("an answer"), 404, "not_found").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_note_that_is_sent_twice_with_one_key_is_written_once() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let send = async |key: &str, text: &str| {
            let request = client.request(Method::POST, NOTES).header("idempotency-key", key);
            request.json(&json!({ "day": "2026-03-12", "text": text })).send().await.expect("an answer")
        };
        let first: Value = send("k1", "Radio").await.json().await.expect("JSON");
        let again: Value = send("k1", "Radio").await.json().await.expect("JSON");
        assert_eq!(again, first);
        assert_eq!(refused_fields(send("k1", "Television").await).await, ["Idempotency-Key"]);
        assert_eq!(send("k2", "Radio").await.status(), 201);
        let notes = own(&client, MARCH).await;
        assert_eq!(notes.as_array().map(Vec::len), Some(2), "{}: {notes}", app.state().db.dialect.name());
        let path = format!("{NOTES}/{}", first["noteId"].as_str().expect("an id"));
        let again = async |method: Method, key: &str| {
            let request = client.request(method, &path).header("idempotency-key", key);
            let body = json!({ "day": "2026-03-14", "text": "Television" });
            request.json(&body).send().await.expect("an answer").status().as_u16()
        };
        assert_eq!([again(Method::PUT, "k3").await, again(Method::DELETE, "k4").await], [200, 204]);
        // What was answered is answered again, although the note is gone.
        assert_eq!([again(Method::PUT, "k3").await, again(Method::DELETE, "k4").await], [200, 204]);
        assert_eq!([again(Method::PUT, "k5").await, again(Method::DELETE, "k6").await], [404, 404]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_happened_to_a_price_and_to_stock_is_read_with_the_days_own_notes() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        // The days of Berlin around this moment, whatever the hour is.
        let today = jiff::Timestamp::now().in_tz("Europe/Berlin").expect("a zone").date();
        let path = format!(
            "{NOTES}?dateFrom={}&dateTo={}",
            today.yesterday().expect("a day"),
            today.tomorrow().expect("a day")
        );
        assert_eq!(client.get_json(&path).await["total"], 0);
        let change = json!({ "productIds": ["e1"], "changes": { "unitPrice": 1_300, "stock": 0 } });
        assert_eq!(client.patch("/api/vendor/products/bulk", &change).await.status(), 200);
        let happened = client.get_json(&path).await;
        let mut kinds: Vec<&str> =
            happened["notes"].as_array().expect("notes").iter().filter_map(|note| note["kind"].as_str()).collect();
        kinds.sort_unstable();
        assert_eq!((kinds, &happened["total"]), (vec!["price", "sold_out"], &json!(2)), "{happened}");
        let price = happened["notes"].as_array().expect("notes").iter().find(|note| note["kind"] == "price");
        let price = price.expect("a price");
        assert_eq!(
            (&price["productId"], &price["was"], &price["became"]),
            (&json!("e1"), &json!("1250"), &json!("1300")),
            "{happened}"
        );
    }
}
