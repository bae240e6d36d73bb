//! What a vendor notes down of a day, to see it beside the figures.

use reqwest::Method;
use vendorscope::domain::accounts::Role;

use super::{location, open, submit};
use crate::harness::{Client, Market, TestApp, databases};

const MARCH: &str = "/?dateFrom=2026-03-01&dateTo=2026-03-31";

async fn text(client: &Client, path: &str) -> String {
    let response = open(client, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("a text").replace("<!>", "")
}

/// The ids of the notes that a page lists, the first one first.
fn ids(page: &str) -> Vec<String> {
    let ids = page.split("<li id=\"note-").skip(1);
    ids.map(|rest| rest.split('"').next().expect("an id").to_owned()).collect()
}

/// What the chart's readout says of the first point with this in its label.
fn point(page: &str, label: &str) -> String {
    let marks = page.split("data-marks=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a chart");
    marks.lines().find(|line| line.contains(label)).unwrap_or_else(|| panic!("{label}: {marks}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_note_is_written_seen_in_the_chart_changed_and_deleted() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let dialect = app.state().db.dialect.name();
        let client = app.log_in_as_vendor("eur").await;
        let colleague = app.log_in("accountant@example.com", Role::Accountant, Some("eur")).await;
        let other = app.log_in_as_vendor("nyc").await;
        let admin = app.log_in_as_admin().await;
        assert_eq!(ids(&text(&client, MARCH).await), [""; 0], "{dialect}");
        let save = async |id: &str, day: &str, note: &str| {
            let query = "dateFrom=2026-03-01&dateTo=2026-03-31&evil=1";
            let fields = [("note_id", id), ("day", day), ("note", note), ("query", query)];
            location(&submit(&client, "/_fn/note/save", &fields).await).to_owned()
        };
        let made = save("", "2026-03-12", "  Fair in <Ulm> & rain ").await;
        assert_eq!(made, format!("{MARCH}&note=saved"), "{dialect}");
        // Seen at once, although the page had been sent before, by all who work for the vendor and by the admin.
        for (client, path, may_edit) in [
            (&client, made.as_str(), true),
            (&colleague, MARCH, false),
            (&admin, "/admin/vendors/eur/dashboard?dateFrom=2026-03-01&dateTo=2026-03-31", false),
        ] {
            let page = text(client, path).await;
            assert_eq!(ids(&page).len(), 1, "{dialect} {path}");
            assert!(page.contains("Fair in &lt;Ulm") && !page.contains("<Ulm>"), "{dialect} {path}: {page}");
            assert!(point(&page, "12 Mar").contains(": €37.50 · Fair in &lt;Ulm"), "{}", point(&page, "12 Mar"));
            assert_eq!(page.matches("class=\"noted\"").count(), 1, "{dialect} {path}");
            assert_eq!(page.contains("/_fn/note/"), may_edit, "{dialect} {path}");
        }
        assert!(!text(&other, MARCH).await.contains("Ulm"), "{dialect}: another's");
        assert!(text(&client, made.as_str()).await.contains("Note saved."), "{dialect}");

        // By hours it stands at the first of its day, by weeks and months where its day lies.
        let page = text(&client, "/?dateFrom=2026-03-12&dateTo=2026-03-12").await;
        assert!(point(&page, "12 Mar").contains("· Fair in"), "{}", point(&page, "12 Mar"));
        assert_eq!(page.matches("class=\"noted\"").count(), 1, "{dialect}");
        let page = text(&client, &format!("{MARCH}&interval=week")).await;
        assert!(point(&page, "Week of 9 Mar").contains("· Fair in"), "{dialect}");
        assert!(!text(&client, "/?dateFrom=2026-03-13&dateTo=2026-03-31").await.contains("Ulm"), "{dialect}");

        // Changed to another day and text, then two of one day, then deleted.
        let id = ids(&text(&client, MARCH).await).remove(0);
        save(&id, "2026-03-10", "Price list printed").await;
        let page = text(&client, MARCH).await;
        assert!(!page.contains("Ulm") && point(&page, "10 Mar").contains("· Price list printed"), "{dialect}");
        save("", "2026-03-10", "Radio").await;
        let page = text(&client, MARCH).await;
        assert!(point(&page, "10 Mar").contains("2 things happened"), "{dialect}");
        assert_eq!(ids(&page).len(), 2, "{dialect}");
        let fields = [("note_id", id.as_str()), ("day", "ignored"), ("note", ""), ("query", "range=last_month")];
        let gone = submit(&client, "/_fn/note/delete", &fields).await;
        assert_eq!(location(&gone), "/?range=last_month&note=deleted", "{dialect}");
        let page = text(&client, MARCH).await;
        assert!(!page.contains("Price list") && page.contains("Radio"), "{dialect}");

        // Nobody else changes or deletes it, and what is no note is refused.
        let left = ids(&page).remove(0);
        let status = async |client: &Client, path: &str, fields: &[(&str, &str)]| {
            let answer = client.request(Method::POST, path).form(fields).send().await.expect("an answer");
            answer.status().as_u16()
        };
        for path in ["/_fn/note/save", "/_fn/note/delete"] {
            let fields = [("note_id", left.as_str()), ("day", "2026-03-10"), ("note", "Mine")];
            assert_eq!(status(&other, path, &fields).await, 404, "{dialect} {path}");
            assert_eq!(status(&colleague, path, &fields).await, 403, "{dialect} {path}");
        }
        let long = "x".repeat(201);
        for (day, note) in [("2026-02-30", "x"), ("2101-01-01", "x"), ("2026-03-10", " "), ("2026-03-10", &long)] {
            assert_eq!(status(&client, "/_fn/note/save", &[("day", day), ("note", note)]).await, 422, "{day} {note}");
        }
        assert!(text(&client, MARCH).await.contains("Radio"), "{dialect}");
        // What was refused comes back with what was typed.
        let request = client.request(Method::POST, "/_fn/note/save").header("accept", "text/html,*/*;q=0.8");
        let request = request.header("sec-fetch-site", "same-origin").header("referer", format!("http://x{MARCH}"));
        let refused = request.form(&[("day", "2026-03-10"), ("note", &long)]).send().await.expect("an answer");
        let page = text(&client, location(&refused)).await;
        assert!(page.contains(&long) && page.contains("Note: "), "{dialect}: {page}");
    }
}
