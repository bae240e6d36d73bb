//! A product that changes while its form is open: what was edited is written, and nothing else.

use serde_json::{Value, json};
use vendorscope::domain::accounts::Role;

use super::{Fields, apps, fields, location, page, send, typed};
use crate::harness::{Client, Market, TestApp, contents};

const SAVE: &str = "/_fn/product/save";
const E1: &str = "/api/vendor/products/e1";

/// The form of a product, as it is opened.
async fn form(client: &Client) -> Fields {
    fields(&page(client, "/products/e1").await, SAVE)
}

/// Sends the form as a page of the product does; where it is refused, the page that it comes back to.
async fn save(client: &Client, form: &Fields) -> Option<String> {
    let request = client.request(reqwest::Method::POST, SAVE).header("accept", "text/html");
    let request = request.header("sec-fetch-site", "same-origin").header("referer", "http://127.0.0.1/products/e1");
    let response = request.form(form).send().await.expect("an answer");
    let to = location(&response).trim_start_matches("http://127.0.0.1").to_owned();
    assert!(to.starts_with("/products/e1?"), "{to}");
    if to == "/products/e1?saved=1" { None } else { Some(page(client, &to).await) }
}

async fn saved(client: &Client, form: &Fields) {
    let refused = save(client, form).await;
    assert!(refused.is_none(), "{}", refused.unwrap_or_default());
}

/// Changes a field as somebody else does meanwhile.
async fn change(client: &Client, field: &str, value: &Value) {
    let mut product = client.get_json(E1).await;
    product[field] = value.clone();
    assert_eq!(client.put(E1, &product).await.status(), 200);
}

fn value_of<'a>(form: &'a Fields, name: &str) -> &'a str {
    form.iter().find(|(of, _)| of == name).map_or_else(|| panic!("no field {name}"), |(_, value)| value.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_not_edited_stays_as_it_has_become() {
    for app in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let first = form(&client).await;
        let order = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 4 }] });
        assert_eq!(client.post("/api/vendor/orders", &order).await.status(), 201);
        saved(&client, &typed(&first, &[("form[description]", "Holds\r\n\"tea\" & more")])).await;
        let product = client.get_json(E1).await;
        assert_eq!((&product["stock"], &product["description"]), (&json!(96), &json!("Holds\n\"tea\" & more")));

        // Two tabs, another field in each.
        let (one, other) = (form(&client).await, form(&client).await);
        saved(&client, &typed(&one, &[("form[unit_price]", "33.33")])).await;
        saved(&client, &typed(&other, &[("form[stock]", "50")])).await;
        let product = client.get_json(E1).await;
        assert_eq!((&product["unitPrice"], &product["stock"]), (&json!(3_333), &json!(50)));

        // The same, written another way, is no edit.
        let form = form(&client).await;
        change(&client, "unitPrice", &json!(4_000)).await;
        saved(&client, &typed(&form, &[("form[unit_price]", " 33.33"), ("form[stock]", " 050 ")])).await;
        assert_eq!(client.get_json(E1).await["unitPrice"], 4_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_two_have_edited_is_asked_about_at_its_field() {
    for app in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        for (field, meanwhile, name, edit, id, now) in [
            ("name", json!("Big mug"), "form[name]", "Small mug", "name", "“Big mug”"),
            ("description", json!("New & big"), "form[description]", "Small", "description", "“New & big”"),
            ("category", json!("Cups"), "form[category]", "Jugs", "category", "“Cups”"),
            ("unitPrice", json!(3_333), "form[unit_price]", "20", "price", "€33.33"),
            ("stock", json!(96), "form[stock]", "150", "stock", "96"),
            ("lowStockThreshold", json!(9), "form[low_stock_threshold]", "12", "threshold", "9"),
            ("lowStockThreshold", Value::Null, "form[low_stock_threshold]", "14", "threshold", "your default"),
        ] {
            let form = form(&client).await;
            change(&client, field, &meanwhile).await;
            let before = contents(&app.state().db).await;
            let edited = typed(&form, &[(name, edit)]);
            let refused = save(&client, &edited).await.expect("a refusal");
            assert_eq!(contents(&app.state().db).await, before, "{field}: nothing is written");
            let now = now.replace('&', "&amp;");
            let said = format!("changed to {now} while you were editing");
            let (_, after) = refused.split_once(&format!("id=\"{id}\"")).expect("the field");
            let wrong = after.split("class=\"wrong\"").nth(1).and_then(|rest| rest.split("</p>").next());
            assert!(wrong.is_some_and(|wrong| wrong.contains(&said)), "{field}: {wrong:?}: {refused}");
            assert!(refused.contains(&format!("href=\"#{id}\"")), "{field}: the summary leads to it");
            // What was typed is there. Whoever saves it again has read what it replaces.
            let again = fields(&refused, SAVE);
            assert_eq!(value_of(&again, name), edit, "{field}");
            // Until it is changed once more.
            let third = match &meanwhile {
                Value::String(_) => json!("Third"),
                _ => json!(4_321),
            };
            change(&client, field, &third).await;
            let refused = save(&client, &again).await.expect("a refusal");
            saved(&client, &fields(&refused, SAVE)).await;
            let product = client.get_json(E1).await;
            assert_ne!(product[field], third, "{field}: {product}");
        }
        // What both have set to the same is nothing to ask about; of statuses there are only two.
        let form = form(&client).await;
        change(&client, "status", &json!("archived")).await;
        change(&client, "stock", &json!(7)).await;
        saved(&client, &typed(&form, &[("form[status]", "archived"), ("form[stock]", "7")])).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_form_that_was_refused_goes_on_with_what_the_product_has_become() {
    for app in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let opened = form(&client).await;
        change(&client, "stock", &json!(96)).await;
        change(&client, "unitPrice", &json!(3_333)).await;
        // A long text goes back with the rest of what was typed.
        let long = "tea ".repeat(700);
        let edits = [("form[name]", " "), ("form[unit_price]", "20"), ("form[description]", long.as_str())];
        let refused = save(&client, &typed(&opened, &edits)).await.expect("no name");
        let again = fields(&refused, SAVE);
        assert_eq!(value_of(&again, "form[stock]"), "96", "nobody edited it");
        assert_eq!(
            (value_of(&again, "form[unit_price]"), value_of(&again, "form[description]")),
            ("20", long.as_str())
        );
        // The price was edited by both, which is found now.
        let refused = save(&client, &typed(&again, &[("form[name]", "Mug")])).await.expect("the price");
        assert!(refused.contains("changed to €33.33 while you were editing"), "{refused}");
        saved(&client, &fields(&refused, SAVE)).await;
        let product = client.get_json(E1).await;
        assert_eq!((&product["stock"], &product["unitPrice"]), (&json!(96), &json!(2_000)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_form_that_does_not_say_what_it_showed_is_written_whole() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let opened = form(&client).await;
    change(&client, "stock", &json!(96)).await;
    let old: Fields = opened.iter().filter(|(name, _)| !name.contains("shown")).cloned().collect();
    assert!(old.len() < opened.len());
    saved(&client, &old).await;
    assert_eq!(client.get_json(E1).await["stock"], 100);
    // What no page has sent is refused.
    let response = send(&client, SAVE, &typed(&opened, &[("form[shown_stock]", "many")])).await;
    assert_eq!(location(&response), "/", "refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_may_not_change_a_product_is_told_so() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let told = "Accountants can look at products, but not change them.";
    let accountant = app.log_in("accountant@example.com", Role::Accountant, Some("eur")).await;
    assert!(page(&accountant, "/products/e1").await.contains(told));
    assert!(!page(&app.log_in_as_vendor("eur").await, "/products/e1").await.contains(told));
}
