//! Views of the dashboard that somebody has saved.

use serde_json::json;
use vendorscope::domain::accounts::Role;

use super::{location, open, submit};
use crate::harness::{Client, Market, PASSWORD, TestApp, databases};

async fn text(client: &Client, path: &str) -> String {
    let response = open(client, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("a text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_view_is_saved_under_a_name_for_whoever_saves_it_and_forgotten_again() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let save = async |name: &str, query: &str| {
            let fields = [("name", name), ("query", query)];
            location(&submit(&client, "/_fn/account/view/save", &fields).await).to_owned()
        };
        let made = save("Mugs & <more>", "range=last_month&category=Mugs&evil=1").await;
        assert_eq!(made, "/?range=last_month&category=Mugs&view=saved");
        let page = text(&client, &made).await;
        assert!(page.contains("View saved.") && page.contains("Mugs &amp; &lt;more"), "{page}");
        assert!(text(&client, "/").await.contains("href=\"/?range=last_month&amp;category=Mugs\""));
        // The same name is the same view, and shown at once although the page had been sent before.
        let replaced = save("Mugs & <more>", "range=today&metric=units").await;
        assert_eq!(replaced, "/?range=today&metric=units&view=replaced");
        assert!(text(&client, &replaced).await.contains("View replaced:"), "{replaced}");
        let page = text(&client, "/").await;
        assert!(page.contains("href=\"/?range=today&amp;metric=units\""), "{page}");
        assert!(!page.contains("category=Mugs"), "{page}");
        // Nobody else's: not of the same vendor, not of another.
        let colleague = app.log_in("accountant@example.com", Role::Accountant, Some("eur")).await;
        for other in [&colleague, &app.log_in_as_vendor("nyc").await] {
            assert!(!text(other, "/").await.contains("Saved views"));
        }
        let own = submit(&colleague, "/_fn/account/view/save", &[("name", "Mine"), ("query", "")]).await;
        assert_eq!(location(&own), "/?&view=saved", "who reads alone has views too");

        let id = page.split("name=\"view_id\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let id = id.expect("an id").to_owned();
        let delete = |client: &Client| {
            client.request(reqwest::Method::POST, "/_fn/account/view/delete").form(&[("view_id", &id)]).send()
        };
        assert_eq!(delete(&colleague).await.expect("an answer").status(), 404, "another's");
        let gone = submit(&client, "/_fn/account/view/delete", &[("view_id", id.as_str())]).await;
        assert_eq!(location(&gone), "/?view=deleted");
        assert!(!text(&client, "/").await.contains("Saved views"));

        // Whoever belongs to another vendor from now on has them there.
        let made = submit(&colleague, "/_fn/account/view/save", &[("name", "Moves along"), ("query", "")]).await;
        assert_eq!(location(&made), "/?&view=saved");
        assert!(!text(&app.log_in_as_vendor("nyc").await, "/").await.contains("Moves along"));
        let admin = app.log_in_as_admin().await;
        let people = admin.get_json("/api/admin/users").await["users"].as_array().expect("a list").clone();
        let id =
            people.iter().find(|user| user["email"] == "accountant@example.com").expect("a user")["userId"].clone();
        let moved = json!({ "vendorId": "nyc", "password": PASSWORD });
        let moved = admin.patch(&format!("/api/admin/users/{}", id.as_str().expect("an id")), &moved).await;
        assert_eq!(moved.status(), 200);
        let there = app.log_in("accountant@example.com", Role::Accountant, Some("nyc")).await;
        assert!(text(&there, "/").await.contains("Moves along"));

        // Twenty, and no more; a name is one line.
        for number in 0..20 {
            assert!(save(&format!("View {number}"), "").await.ends_with("view=saved"));
        }
        let more = [("name", "View 20"), ("query", "")];
        let refused = client.request(reqwest::Method::POST, "/_fn/account/view/save").form(&more).send().await;
        assert_eq!(refused.expect("an answer").status(), 409);
        let nameless = [("name", "  "), ("query", "")];
        let refused = client.request(reqwest::Method::POST, "/_fn/account/view/save").form(&nameless).send().await;
        assert_eq!(refused.expect("an answer").status(), 422);
    }
}
