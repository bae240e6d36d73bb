//! Forms that are sent twice, because the answer was slow: what they ask for is done once, and both are answered alike.

use futures::future::join_all;
use reqwest::Response;
use serde_json::Value;

use super::{Fields, apps, fields, location, page, send, typed};
use crate::harness::{Client, PASSWORD};

const MARCH: &str = "/?dateFrom=2026-03-01&dateTo=2026-03-31";

/// Clicks thrice: twice while the first answer is on its way, and once after it. Where all three lead to.
async fn click(client: &Client, function: &str, fields: &Fields) -> String {
    let answers = click_for(client, function, fields).await;
    let led: Vec<&str> = answers.iter().map(location).collect();
    assert!(led.iter().all(|to| *to == led[0]), "{function}: {led:?}");
    led[0].to_owned()
}

async fn click_for(client: &Client, function: &str, fields: &Fields) -> Vec<Response> {
    let mut answers = join_all((0..2).map(|_| send(client, function, fields))).await;
    answers.push(send(client, function, fields).await);
    answers
}

async fn refunded(client: &Client, order: &str) -> i64 {
    let order = client.get_json(&format!("/api/vendor/orders/{order}")).await;
    let lines = order["lines"].as_array().expect("lines");
    lines.iter().map(|line| line["refundedAmount"].as_i64().expect("a number")).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refund_is_given_once_says_what_was_given_and_is_undone_once() {
    for app in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let review = page(&client, "/orders/o2?review=1&form[amount]=5").await;
        let to = click(&client, "/_fn/order/refund", &fields(&review, "/_fn/order/refund")).await;
        assert!(to.starts_with("/orders/o2?refunded=500&refundedAt=20"), "{to}");
        assert_eq!(refunded(&client, "o2").await, 500);
        // The rest of it. Its page has the way back.
        let order = page(&client, "/orders/o2").await;
        let everything = order.split("href=\"").find(|rest| rest.starts_with("/orders/o2?review=1")).expect("a link");
        let everything = everything.split('"').next().unwrap_or_default().replace("&amp;", "&");
        let review = page(&client, everything.trim_end_matches("#refund")).await;
        let to = click(&client, "/_fn/order/refund", &fields(&review, "/_fn/order/refund")).await;
        assert!(to.starts_with("/orders/o2?refunded=3250&"), "{to}");
        assert_eq!(refunded(&client, "o2").await, 3_750);
        let undo = fields(&page(&client, &to).await, "/_fn/order/refund/undo");
        assert_eq!(click(&client, "/_fn/order/refund/undo", &undo).await, "/orders/o2?undone=1");
        assert_eq!(refunded(&client, "o2").await, 500);
        // What is reviewed again is meant again.
        let review = page(&client, "/orders/o2?review=1&form[amount]=5").await;
        click(&client, "/_fn/order/refund", &fields(&review, "/_fn/order/refund")).await;
        assert_eq!(refunded(&client, "o2").await, 1_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_product_is_made_once_after_it_was_refused_too_and_deleted_once() {
    for app in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let (save, delete) = ("/_fn/product/save", "/_fn/product/delete");
        let form = fields(&page(&client, "/products/new").await, save);
        let form = typed(&form, &[("form[category]", "Mugs"), ("form[unit_price]", "1"), ("form[stock]", "7")]);
        let named = |name| typed(&form, &[("form[name]", name)]);
        let refused = send(&client, save, &named(" ")).await;
        assert_eq!(location(&refused), "/", "refused");
        let to = click(&client, save, &named("Cup")).await;
        assert!(to.starts_with("/products/p") && to.ends_with("?saved=1"), "{to}");
        // The same page, gone back to: another product.
        let other = click(&client, save, &named("Jug")).await;
        assert_ne!(other, to);
        let products = client.get_json("/api/vendor/products").await;
        let names: Vec<_> =
            products["products"].as_array().expect("a list").iter().map(|p| p["name"].clone()).collect();
        assert_eq!(names, ["Bowl", "Cup", "Jug", "Mug"]);
        // Saved twice: the second says nothing of a change by somebody else.
        let cup = to.trim_end_matches("?saved=1");
        let form = typed(&fields(&page(&client, cup).await, save), &[("form[stock]", "9")]);
        assert_eq!(click(&client, save, &form).await, to);
        let delete_form = fields(&page(&client, cup).await, delete);
        assert_eq!(click(&client, delete, &delete_form).await, "/products?deleted=1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_products_and_orders_are_changed_once() {
    for app in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let review = page(&client, "/products/change?pick[0]=e1&pick[1]=e2&action=price&value=10").await;
        let to = click(&client, "/_fn/product/change", &fields(&review, "/_fn/product/change")).await;
        assert_eq!(to, "/products?changed=2");
        let price = client.get_json("/api/vendor/products/e1").await["unitPrice"].clone();
        assert_eq!(price, 1_375);
        let review = page(&client, "/orders/change?pick[0]=o2&pick[1]=o3&status=cancelled").await;
        let to = click(&client, "/_fn/order/change", &fields(&review, "/_fn/order/change")).await;
        assert_eq!(to, "/orders?changed=2", "the second click tells of what the first one did");
    }
}

/// The dashboard is rendered once for all who ask the same within a minute: its forms are the same ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_note_is_written_once_and_another_one_of_the_same_page_too() {
    for app in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let notes = async || -> Vec<Value> {
            let path = "/api/vendor/notes?dateFrom=2026-03-01&dateTo=2026-03-31";
            client.get_json(path).await["own"].as_array().expect("a list").clone()
        };
        let (save, delete) = ("/_fn/note/save", "/_fn/note/delete");
        // Rendered from the cache, and sent again.
        for _ in 0..3 {
            page(&client, MARCH).await;
        }
        let form = fields(&page(&client, MARCH).await, save);
        let fair = typed(&form, &[("day", "2026-03-12"), ("note", "Fair")]);
        let back = format!("{MARCH}&note=saved");
        assert_eq!(click(&client, save, &fair).await, back);
        assert_eq!(click(&client, save, &typed(&fair, &[("note", "Rain")])).await, back);
        assert_eq!(click(&client, save, &typed(&fair, &[("day", "2026-03-13")])).await, back);
        assert_eq!(notes().await.len(), 3);
        // Written, deleted, and meant again within the minute.
        let shown = page(&client, MARCH).await;
        let is_it = |note: &&str| note.contains("value=\"2026-03-12\"") && note.contains("value=\"Fair\"");
        let note = shown.split("<li id=\"note-").find(is_it).expect("it");
        assert_eq!(click(&client, delete, &fields(note, save)).await, format!("{MARCH}&note=deleted"));
        assert_eq!(notes().await.len(), 2);
        let form = fields(&page(&client, MARCH).await, save);
        click(&client, save, &typed(&form, &[("day", "2026-03-12"), ("note", "Fair")])).await;
        assert_eq!(notes().await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_api_key_is_made_once_and_each_answer_shows_it() {
    for app in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let create = "/_fn/account/key/create";
        let form = fields(&page(&client, "/account").await, create);
        let form: Fields = form.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        let form = typed(&form, &[("form[name]", "Shop"), ("form[password]", PASSWORD)]);
        let answers = click_for(&client, create, &form).await;
        let secrets = answers.iter().map(|answer| {
            let cookies = answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().expect("ASCII"));
            let secret = cookies.filter_map(|cookie| cookie.strip_prefix("vendorscope-new-key=")).next();
            secret.expect("the key").split(';').next().unwrap_or_default().to_owned()
        });
        let secrets: Vec<String> = secrets.collect();
        assert!(secrets.iter().all(|secret| *secret == secrets[0] && secret.starts_with("vsk_")), "{secrets:?}");
        let keys = async || client.get_json("/api/account/keys").await["keys"].as_array().expect("a list").len();
        assert_eq!(keys().await, 1);
        // Whoever does not know the password learns nothing by sending it again.
        let refused = send(&client, create, &typed(&form, &[("form[password]", "not it")])).await;
        assert_eq!((location(&refused), refused.headers().get("set-cookie")), ("/", None));
        // Without the field, as pages of an older version send it: meant again.
        let old: Fields = form.iter().filter(|(name, _)| name != "once").cloned().collect();
        click_for(&client, create, &old).await;
        assert_eq!(keys().await, 4);
    }
}
