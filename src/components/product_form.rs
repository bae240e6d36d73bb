use leptos::{html, prelude::*};

use super::{
    feedback::{Refused, refusal},
    fields::{Input, input, reset_when_shown_anew, select},
};
use crate::{
    domain::{
        accounts::Vendor,
        catalog::{MAX_CATEGORY, MAX_DESCRIPTION, MAX_NAME, MAX_STOCK, Product, ProductStatus},
    },
    server_functions::products::SaveProduct,
};

/// The form that a product is made and changed with. Field names are those of the server function's one argument, `form`.
#[component]
pub fn ProductForm(action: ServerAction<SaveProduct>, vendor: Vendor, product: Option<Product>) -> impl IntoView {
    let currency = vendor.currency;
    let submit = if product.is_some() { "Save changes" } else { "Create product" };
    let product = product.unwrap_or(Product {
        product_id: String::new(),
        name: String::new(),
        description: String::new(),
        category: String::new(),
        unit_price: 0,
        stock: 0,
        low_stock_threshold: None,
        status: ProductStatus::Active,
    });
    let is_new = product.product_id.is_empty();
    let price = if is_new { String::new() } else { currency.to_decimal(product.unit_price) };
    let price_step = currency.to_decimal(1);
    let threshold = product.low_stock_threshold.map(|threshold| threshold.to_string()).unwrap_or_default();
    let form = NodeRef::<html::Form>::new();
    reset_when_shown_anew(form);
    let number = |id, name, label: &str, value: String| Input {
        id,
        name: Some(name),
        label: label.to_owned(),
        kind: "number",
        value: Some(value),
        required: true,
        min: Some("0".to_owned()),
        max: Some(MAX_STOCK.to_string()),
        step: Some("1".to_owned()),
        ..Default::default()
    };
    let line = |id, name, label: &str, value, max_length| Input {
        id,
        name: Some(name),
        label: label.to_owned(),
        value: Some(value),
        required: true,
        max_length: Some(max_length),
        autocomplete: Some("off"),
        ..Default::default()
    };
    let hint = format!("Empty: your default, {}", vendor.low_stock_threshold);
    let statuses = vec![
        (ProductStatus::Active.as_str(), "Active: on sale"),
        (ProductStatus::Archived.as_str(), "Archived: not on sale, sales remain"),
    ];
    view! {
        <ActionForm action node_ref=form attr:class="card form">
            <Refused error=refusal(action)/>
            <input type="hidden" name="form[product_id]" value=product.product_id/>
            {input(Input { class: "wide", ..line("name", "form[name]", "Name", product.name, MAX_NAME) })}
            <div class="field wide">
                <label for="description">"Description"</label>
                <Description text=product.description/>
            </div>
            {input(line("category", "form[category]", "Category", product.category, MAX_CATEGORY))}
            {input(Input { max: None, step: Some(price_step), ..number("price", "form[unit_price]", &format!("Price in {currency}"), price) })}
            {input(number("stock", "form[stock]", "Stock", product.stock.to_string()))}
            {input(Input { required: false, hint: Some(hint), ..number("threshold", "form[low_stock_threshold]", "Low-stock threshold", threshold) })}
            {select("status", "form[status]", "Status", statuses, product.status.as_str())}
            <div class="actions wide">
                <button type="submit" disabled=move || action.pending().get()>{submit}</button>
                <a class="button quiet" href="/products">"Cancel"</a>
            </div>
        </ActionForm>
    }
}

/// The description's `<textarea>`. Its text is escaped here and set as inner HTML: Leptos 0.8 writes the children of a `<textarea>`
/// on the server as they are, and `</textarea><script>` would be markup.
#[component]
fn Description(text: String) -> impl IntoView {
    view! {
        <textarea dir="auto" id="description" name="form[description]" rows="4" maxlength=MAX_DESCRIPTION inner_html=escape_rcdata(&text)></textarea>
    }
}

/// Text as the content of a `<textarea>`. A parser drops one line break after the start tag, so a text that begins with one needs two.
fn escape_rcdata(text: &str) -> String {
    let first = if text.starts_with(['\n', '\r']) { "\n" } else { "" };
    format!("{first}{}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_cannot_leave_its_textarea() {
        let html = view! { <Description text="</textarea><script>alert(1)</script> & \"more\"".to_owned()/> }.to_html();
        assert!(html.contains("&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; \"more\"</textarea>"), "{html}");
        assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
        assert!(!html.contains("<script"), "{html}");
    }

    #[test]
    fn what_looks_escaped_is_escaped_again_and_a_first_line_break_survives() {
        assert_eq!(escape_rcdata("&lt;b&gt;"), "&amp;lt;b&amp;gt;");
        assert_eq!(escape_rcdata("\nindented"), "\n\nindented");
    }
}
