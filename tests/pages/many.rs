//! Many products or orders changed at once: from a list, and back to it as it was.

use serde_json::json;

use super::{fields, location, page, send, send_from, typed};
use crate::harness::{Market, TestApp, contents};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_leads_back_to_the_list_it_was_made_from() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    for (list, review, function, row) in [
        (
            "/products?search=mug&sort=stock_asc",
            "/products/change?pick[0]=e1&action=stock&value=9",
            "/_fn/product/change",
            "/products/e1",
        ),
        (
            "/orders?status=processing&sort=total_asc",
            "/orders/change?pick[0]=o2&status=shipped",
            "/_fn/order/change",
            "/orders/o2",
        ),
    ] {
        let path = list.split('?').next().expect("a path");
        page(&client, list).await;
        let form = fields(&page(&client, review).await, function);
        let answer = send(&client, function, &form).await;
        assert_eq!(location(&answer), format!("{list}&changed=1"));
        let back = page(&client, location(&answer)).await;
        assert!(back.contains("1 product changed.") || back.contains("1 order changed."), "{back}");
        // What was done is told once.
        let crumb = format!("<a href=\"{}\">", list.replace('&', "&amp;"));
        assert!(page(&client, row).await.contains(&crumb), "{row} leads to {list}");
        // No form leads anywhere else, and one without the field leads to the whole list.
        for elsewhere in ["//evil.example", "https://evil.example/", "/account", "/productsx?a", "/\\evil.example", ""]
        {
            let answer = send(&client, function, &typed(&form, &[("form[list]", elsewhere)])).await;
            assert!(location(&answer).starts_with(&format!("{path}?changed=")), "{elsewhere}: {}", location(&answer));
        }
        let old: Vec<_> = form.iter().filter(|(name, _)| name != "form[list]").cloned().collect();
        assert!(location(&send(&client, function, &old).await).starts_with(&format!("{path}?changed=")));
    }
    // So does deleting one of its products.
    page(&client, "/products?search=bowl").await;
    let form = fields(&page(&client, "/products/e2").await, "/_fn/product/delete");
    let answer = send(&client, "/_fn/product/delete", &form).await;
    assert_eq!(location(&answer), "/products?search=bowl&deleted=1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_value_that_is_none_is_mended_where_it_is_told_and_what_was_picked_stays() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let before = contents(&app.state().db).await;
    for (action, value, told, mended) in [
        ("price", "5.125", "Enter a percentage", "5"),
        ("stock", "many", "Enter a whole number", "12"),
        ("category", "", "Enter a category", "Cups"),
        ("none", "1", "Choose what to do", "1"),
    ] {
        let path = format!("/products/change?pick[0]=e1&pick[3]=e2&action={action}&value={value}");
        let shown = page(&client, &path).await;
        let form = fields(&shown, "/products/change");
        let named: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let chosen = if action == "none" { "" } else { action };
        let picks = [("pick[0]", "e1"), ("pick[1]", "e2")];
        assert_eq!(named, [picks[0], picks[1], ("action", chosen), ("value", value)], "{action}");
        let field = shown.split("id=\"value\"").nth(1).and_then(|rest| rest.split("</div>").next()).expect("a field");
        assert!(field.contains("aria-invalid=\"true\"") || action == "none", "{action}: {field}");
        assert!(shown.contains(told), "{action}: {shown}");
        assert!(shown.contains("Mug") && shown.contains("Bowl"), "{action}: what was picked is named");
        // As the form sends it.
        let next = if action == "none" { "stock" } else { action };
        let form = typed(&form, &[("action", next), ("value", mended)]);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let review = page(&client, &format!("/products/change?{query}")).await;
        assert_eq!(fields(&review, "/_fn/product/change").iter().filter(|(name, _)| name.ends_with("[id]")).count(), 2);
    }
    assert_eq!(contents(&app.state().db).await, before);
    let nothing = page(&client, "/products/change?action=price&value=5").await;
    assert!(nothing.contains("Select at least one row first.") && !nothing.contains("name=\"value\""), "{nothing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn products_are_changed_as_they_were_reviewed_or_reviewed_again() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let meanwhile = json!({
        "name": "Mug", "description": "", "category": "Cups", "unitPrice": 9900, "stock": 50, "status": "archived",
    });
    let as_it_was = json!({
        "name": "Mug", "description": "", "category": "Mugs", "unitPrice": 1250, "stock": 100, "status": "active",
    });
    for (action, value, field, changed) in [
        ("price", "10", "unitPrice", json!(10_890)),
        ("stock", "9", "stock", json!(9)),
        ("category", "Beakers", "category", json!("Beakers")),
        ("archive", "", "status", json!("archived")),
    ] {
        client.put("/api/vendor/products/e1", &as_it_was).await;
        let review = format!("/products/change?pick[0]=e1&pick[1]=e2&action={action}&value={value}");
        let form = fields(&page(&client, &review).await, "/_fn/product/change");
        client.put("/api/vendor/products/e1", &meanwhile).await;
        let before = contents(&app.state().db).await;
        let refused = send_from(&client, &review, "/_fn/product/change", &form).await;
        assert_eq!(contents(&app.state().db).await, before, "{action}");
        let again = page(&client, location(&refused)).await;
        assert!(again.contains("Changes not saved.") && again.contains("Changed meanwhile: Mug."), "{action}: {again}");
        // What is shown by now is what is written.
        let form = fields(&again, "/_fn/product/change");
        let answer = send(&client, "/_fn/product/change", &form).await;
        assert!(location(&answer).starts_with("/products?changed=2"), "{action}: {}", location(&answer));
        assert_eq!(client.get_json("/api/vendor/products/e1").await[field], changed, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_are_moved_on_from_the_status_that_was_shown_or_not_at_all() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let one = page(&client, "/orders/o2").await;
    let cancel = one.split("<form").find(|form| form.contains("value=\"cancelled\"")).expect("a form to cancel with");
    let cancel = fields(&format!("<form{}", cancel.split("</form>").next().unwrap_or_default()), "/_fn/order/status");
    let review = "/orders/change?pick[0]=o2&pick[1]=o3&status=cancelled";
    let many = fields(&page(&client, review).await, "/_fn/order/change");
    let shipped = client.patch("/api/vendor/orders/o2", &json!({ "status": "shipped" })).await;
    assert_eq!(shipped.status(), 200);
    let before = contents(&app.state().db).await;
    for (from, function, form) in [("/orders/o2", "/_fn/order/status", cancel), (review, "/_fn/order/change", many)] {
        let refused = send_from(&client, from, function, &form).await;
        assert_eq!(contents(&app.state().db).await, before, "{function}");
        let again = page(&client, location(&refused)).await;
        assert!(again.contains("Changes not saved."), "{function}: {again}");
        assert!(again.contains("Order o2 is shipped by now, no longer processing."), "{function}: {again}");
    }
    // From what it is by now, it may be.
    let answer = send(&client, "/_fn/order/change", &fields(&page(&client, review).await, "/_fn/order/change")).await;
    assert!(location(&answer).starts_with("/orders?changed="), "{}", location(&answer));
}
