use jiff::{ToSpan, civil::Weekday, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use vendorscope::{
    domain::accounts::Role,
    server::{config::MailConfig, identity::accounts::Actor, letters::send_due},
};

use super::{VENDOR, answered, problem, refused_fields};
use crate::harness::{Client, Smtp, TestApp, databases};

const PATH: &str = "/api/account/letters";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_week_and_what_runs_low_are_told_once_to_who_asked_until_they_click() {
    for database in databases().await {
        let smtp = tokio::task::spawn_blocking(Smtp::start).await.expect("started");
        let url = smtp.url();
        let app = TestApp::builder()
            .database(&database)
            .northwind()
            .config(|config| {
                config.mail = Some(MailConfig { smtp_url: url.into(), from: "vendors@example.com".to_owned() });
            })
            .spawn()
            .await;
        let (vendor, admin) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
        assert_eq!(vendor.get_json(PATH).await, json!({ "weeklyReport": false, "lowStock": false }), "off by default");
        assert_eq!(refused_fields(vendor.put(PATH, &json!({ "weeklyReport": true })).await).await, ["lowStock"]);
        problem(admin.put(PATH, &json!({ "weeklyReport": true, "lowStock": true })).await, 403, "forbidden").await;
        let zone = vendor.get_json("/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-01-31").await;
        let zone = TimeZone::get(zone["timeZone"].as_str().expect("a zone")).expect("a zone");
        let mut monday = jiff::Timestamp::now().to_zoned(zone.clone()).date();
        while monday.weekday() != Weekday::Monday {
            monday = monday.tomorrow().expect("a day");
        }
        let at = |days: i64, hour: i8| {
            let day = monday.checked_add(days.days()).expect("a day");
            day.at(hour, 30, 0, 0).to_zoned(zone.clone()).expect("an instant").timestamp()
        };
        let sold =
            json!({ "name": "A mug; =1+1", "category": "Mugs", "unitPrice": 1_250, "stock": 9, "status": "active" });
        let product = answered(vendor.post("/api/vendor/products", &sold).await, 201).await;

        assert_eq!(send_due(app.state(), at(0, 8)).await.expect("looked"), 0, "nobody asked");
        assert_eq!(vendor.put(PATH, &json!({ "weeklyReport": true, "lowStock": false })).await.status(), 204);
        assert_eq!(send_due(app.state(), at(0, 6)).await.expect("looked"), 0, "before the morning");
        assert_eq!(send_due(app.state(), at(1, 8)).await.expect("looked"), 0, "on a Tuesday");
        assert_eq!(send_due(app.state(), at(0, 8)).await.expect("sent"), 1);
        assert_eq!(send_due(app.state(), at(0, 9)).await.expect("looked"), 0, "once");
        let letter = smtp.letter();
        let last = monday.checked_sub(1.days()).expect("a day");
        for part in [
            "To: vendor-7@example.com",
            "Subject: Your week: 0.00",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            &format!("to {last}"),
            "Net sales: 0.00",
            "http://vendorscope.test/?dateFrom=",
        ] {
            assert!(letter.contains(part), "{part}: {letter}");
        }
        assert_eq!(send_due(app.state(), at(7, 8)).await.expect("sent"), 1, "the week after");
        smtp.letter();

        // What runs low is told when it changes.
        assert_eq!(vendor.put(PATH, &json!({ "weeklyReport": false, "lowStock": true })).await.status(), 204);
        let first = send_due(app.state(), at(1, 8)).await.expect("looked");
        if first == 1 {
            smtp.letter();
        }
        assert_eq!(send_due(app.state(), at(2, 8)).await.expect("looked"), 0, "as it was the day before");
        let path = format!("/api/vendor/products/{}", product["productId"].as_str().expect("an id"));
        let mut scarce = sold.clone();
        (scarce["stock"], scarce["lowStockThreshold"]) = (json!(1), json!(1_000));
        answered(vendor.put(&path, &scarce).await, 200).await;
        assert_eq!(send_due(app.state(), at(3, 8)).await.expect("sent"), 1);
        let letter = smtp.letter();
        assert!(letter.contains("running low") && letter.contains("A mug; =1+1: 1 left"), "{letter}");
        assert_eq!(send_due(app.state(), at(4, 8)).await.expect("looked"), 0, "told, and as it was when it was");
        assert_eq!(send_due(app.state(), at(21, 8)).await.expect("looked"), 0, "a Monday for who wants no report");
        runs_low_again(&app, &vendor, &path, [&sold, &scarce], |day| at(day, 8), &smtp).await;

        // One click, by a mail program or on a page; nothing is changed by opening either.
        let stop = letter.split("List-Unsubscribe: <").nth(1).or(letter.split("Unsubscribe:").nth(1));
        let stop = stop.and_then(|rest| rest.split('>').next()).expect("an address").replace(['\n', ' ', '<'], "");
        let stop = stop.strip_prefix("http://vendorscope.test").expect("of this installation").to_owned();
        let opened = app.client().get(&stop).await;
        assert!(opened.headers()["location"].to_str().expect("ASCII").starts_with("/letters/stop?reader="));
        assert_eq!(vendor.get_json(PATH).await["lowStock"], true);
        let forged = stop.replace("reader=", "reader=A");
        assert_eq!(refused_fields(app.client().post(&forged, &json!({})).await).await, ["reader"]);
        assert_eq!(app.client().post(&stop, &json!({})).await.status(), 204);
        assert_eq!(vendor.get_json(PATH).await, json!({ "weeklyReport": false, "lowStock": false }));
        assert_eq!(vendor.put(PATH, &json!({ "weeklyReport": true, "lowStock": true })).await.status(), 204);
        let reader =
            stop.split("reader=").nth(1).expect("a reader").replace("%3D", "=").replace("%2B", "+").replace("%2F", "/");
        let form = app.client().request(Method::POST, "/_fn/letters/stop").header("accept", "text/html");
        let done = form.form(&[("reader", reader)]).send().await.expect("an answer");
        assert_eq!(done.headers()["location"], "/letters/stop?done=1");
        assert_eq!(vendor.get_json(PATH).await, json!({ "weeklyReport": false, "lowStock": false }));
        // Who is shut out is sent nothing.
        assert_eq!(vendor.put(PATH, &json!({ "weeklyReport": true, "lowStock": false })).await.status(), 204);
        let accounts = &app.state().accounts;
        accounts.disable("vendor-7@example.com", Actor::COMMAND_LINE).await.expect("disabled");
        assert_eq!(send_due(app.state(), at(14, 8)).await.expect("looked"), 0, "shut out");
        accounts.enable("vendor-7@example.com", Actor::COMMAND_LINE).await.expect("enabled");
        assert_eq!(send_due(app.state(), at(14, 8)).await.expect("sent"), 1, "let in again");
        let noted = admin.get_json("/api/admin/audit?action=letters").await;
        assert_eq!(noted["entries"].as_array().map(Vec::len), Some(6), "{noted}");
    }
}

/// What was told, was there again and runs low again is told again, and so is what stands behind the ten that a letter
/// names. `product` is where one is changed to what there is enough of, and to what is scarce.
async fn runs_low_again(
    app: &TestApp,
    vendor: &Client,
    product: &str,
    [enough, scarce]: [&Value; 2],
    at: impl Fn(i64) -> jiff::Timestamp,
    smtp: &Smtp,
) {
    let is_sent = async |day: i64| {
        let sent = send_due(app.state(), at(day)).await.expect("looked");
        if sent == 1 {
            smtp.letter();
        }
        sent == 1
    };
    let low = async || vendor.get_json("/api/vendor/products?stock=low").await["products"].clone();
    // Everything else is there, so that nothing runs low once this is.
    for other in low().await.as_array().expect("a list") {
        let path = format!("/api/vendor/products/{}", other["productId"].as_str().expect("an id"));
        let mut other = other.clone();
        (other["stock"], other["lowStockThreshold"]) = (json!(1_000_000), json!(0));
        let known = ["name", "category", "unitPrice", "stock", "status", "lowStockThreshold"];
        other.as_object_mut().expect("a product").retain(|name, _| known.contains(&name.as_str()));
        answered(vendor.put(&path, &other).await, 200).await;
    }
    answered(vendor.put(product, enough).await, 200).await;
    assert_eq!(low().await, json!([]));
    assert!(!is_sent(22).await, "nothing runs low: no letter");
    answered(vendor.put(product, scarce).await, 200).await;
    assert_eq!(send_due(app.state(), at(23)).await.expect("sent"), 1, "it runs low again");
    let letter = smtp.letter();
    assert!(letter.contains("Pavlova, Ltd.: 1 product is running low"), "{letter}");
    for number in 0..11 {
        let mut another = scarce.clone();
        another["name"] = json!(format!("Mug {number}"));
        answered(vendor.post("/api/vendor/products", &another).await, 201).await;
    }
    assert!(is_sent(24).await, "twelve run low");
    let snapshot = vendor.get_json("/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-01-31").await;
    let named = snapshot["lowStock"].as_array().expect("a list");
    let is_named = |id: &Value| named.iter().any(|product| &product["productId"] == id);
    let all = low().await;
    // The twelve are told apart by their ids alone, so that `product` may be one of the two that are not named.
    let path_of = |product: &Value| format!("/api/vendor/products/{}", product["productId"].as_str().expect("an id"));
    let mut behind = all.as_array().expect("a list").iter().filter(|other| !is_named(&other["productId"])).map(path_of);
    let path = behind.find(|path| path != product).expect("of twelve, two");
    answered(vendor.put(&path, enough).await, 200).await;
    assert!(is_sent(25).await, "another twelfth");
    answered(vendor.put(product, enough).await, 200).await;
    assert!(is_sent(26).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_instances_one_sends_and_what_was_not_taken_is_tried_again() {
    let smtp = tokio::task::spawn_blocking(Smtp::start).await.expect("started");
    let database = crate::harness::TestDatabase::sqlite();
    let with = |url: String| {
        let mail = Some(MailConfig { smtp_url: url.into(), from: "vendors@example.com".to_owned() });
        TestApp::builder().database(&database).config(|config| config.mail = mail)
    };
    let one = with(smtp.url()).northwind().spawn().await;
    let (other, broken) = (with(smtp.url()).spawn().await, with("smtp://127.0.0.1:1".to_owned()).spawn().await);
    let vendor = one.log_in("one@example.com", Role::Vendor, Some(VENDOR)).await;
    assert_eq!(vendor.put(PATH, &json!({ "weeklyReport": true, "lowStock": false })).await.status(), 204);
    let zone = TimeZone::get("Etc/GMT-14").expect("a zone");
    let mut day = jiff::Timestamp::now().to_zoned(zone).date();
    while day.weekday() != Weekday::Monday {
        day = day.tomorrow().expect("a day");
    }
    // Noon in UTC is the same day, after seven, from Lisbon to Tokyo.
    let now = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("an instant").timestamp();
    assert_eq!(vendor.put("/api/account/time-zone", &json!({ "timeZone": "Europe/Berlin" })).await.status(), 204);
    assert_eq!(send_due(broken.state(), now).await.expect("looked"), 0, "nobody took it");
    let (first, second) = tokio::join!(send_due(one.state(), now), send_due(other.state(), now));
    assert_eq!(first.expect("sent") + second.expect("sent"), 1);
    assert!(smtp.letter().contains("Your week"));
    assert!(smtp.is_silent(), "one letter");
}
