use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    feedback::{Messages, Refusal},
    fields::{Input, input, once, select},
};
use crate::{
    domain::{
        accounts::Vendor,
        catalog::{MAX_CATEGORY, MAX_DESCRIPTION, MAX_NAME, MAX_STOCK, Product, ProductStatus},
        field_error::FieldError,
        money::{Currency, MAX_AMOUNT},
    },
    format,
    server_functions::{lists::list_left, products::SaveProduct},
    words,
};

/// The form that a product is made and changed with. Field names are those of the server function's one argument,
/// `form`.
pub fn product_form(vendor: &Vendor, product: Option<Product>) -> AnyView {
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
    let refusal = Refusal::of::<SaveProduct>();
    let messages = refusal.messages(|field| say(field, currency));
    // What was typed before it was refused, else what the product is.
    let typed = |name: &str, otherwise: String| refusal.typed(name).unwrap_or(otherwise);
    let is_new = product.product_id.is_empty();
    let price = if is_new { String::new() } else { currency.to_decimal(product.unit_price) };
    let price_step = currency.to_decimal(1);
    let threshold = product.low_stock_threshold.map(|threshold| threshold.to_string()).unwrap_or_default();
    let number = |id, name, label: &str, value: String| Input {
        id,
        name: Some(name),
        label: label.to_owned(),
        kind: "number",
        value: Some(typed(name, value)),
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
        value: Some(typed(name, value)),
        required: true,
        max_length: Some(max_length),
        autocomplete: Some("off"),
        ..Default::default()
    };
    let field = |field: Input| input(messages.mark(field));
    let hint = format!("Leave empty to use your default ({})", vendor.low_stock_threshold);
    let statuses =
        vec![(ProductStatus::Active.as_str(), "Active"), (ProductStatus::Archived.as_str(), words::ARCHIVED)];
    let price_label = format!("Price in {currency}");
    view! {
        <form method="post" action=SaveProduct::url() class="card form" data-guard="">
            {messages.summary()}
            {once()}
            <input type="hidden" name="form[product_id]" value=product.product_id/>
            {field(Input { class: "wide", ..line("name", "form[name]", "Name", product.name, MAX_NAME) })}
            <div class="field wide">
                <label for="description">"Description"</label>
                {description(&typed("form[description]", product.description), &messages)}
            </div>
            {field(line("category", "form[category]", "Category", product.category, MAX_CATEGORY))}
            {field(Input { max: None, step: Some(price_step),
                ..number("price", "form[unit_price]", &price_label, price) })}
            {field(number("stock", "form[stock]", "Stock", product.stock.to_string()))}
            {field(Input { required: false, hint: Some(hint),
                ..number("threshold", "form[low_stock_threshold]", "Low-stock threshold", threshold) })}
            {select("status", "form[status]", "Status", statuses,
                &typed("form[status]", product.status.as_str().to_owned()))}
            <div class="actions wide">
                <button type="submit">{submit}</button>
                <a class="button quiet" href=list_left("/products")>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

/// What a field accepts, in the vendor's own units.
fn say(field: &FieldError, currency: Currency) -> Option<(String, String)> {
    let (id, text) = match field.field.as_str() {
        "name" => ("name", words::text_up_to("name", MAX_NAME)),
        "category" => ("category", words::text_up_to("category", MAX_CATEGORY)),
        "description" => ("description", words::text_up_to("description", MAX_DESCRIPTION)),
        "unitPrice" => {
            ("price", words::price_between(&format::money(currency, 0), &format::money(currency, MAX_AMOUNT)))
        }
        "stock" => ("stock", words::whole_number(MAX_STOCK)),
        "lowStockThreshold" => ("threshold", words::whole_number(MAX_STOCK)),
        _ => return None,
    };
    Some((id.to_owned(), text))
}

/// The description's `<textarea>`. Its text is escaped here and set as inner HTML: Leptos 0.8 writes the children of a
/// `<textarea>` on the server as they are, and `</textarea><script>` would be markup.
fn description(text: &str, messages: &Messages) -> AnyView {
    let error = messages.at("description");
    view! {
        <textarea
            dir="auto"
            id="description"
            name="form[description]"
            rows="4"
            maxlength=MAX_DESCRIPTION
            aria-invalid=error.is_some().then_some("true")
            inner_html=escape_rcdata(text)
        ></textarea>
        {error.map(|error| view! { <p class="wrong">{error}</p> })}
    }
    .into_any()
}

/// Text as the content of a `<textarea>`. A parser drops one line break after the start tag, so a text that begins with
/// one needs two.
fn escape_rcdata(text: &str) -> String {
    let first = if text.starts_with(['\n', '\r']) { "\n" } else { "" };
    format!("{first}{}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_cannot_leave_its_textarea() {
        let html = description("</textarea><script>alert(1)</script> & \"more\"", &Messages::default()).to_html();
        assert!(
            html.contains("&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; \"more\"</textarea>"),
            "{html}"
        );
        assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
        assert!(!html.contains("<script"), "{html}");
    }

    #[test]
    fn what_looks_escaped_is_escaped_again_and_a_first_line_break_survives() {
        assert_eq!(escape_rcdata("&lt;b&gt;"), "&amp;lt;b&amp;gt;");
        assert_eq!(escape_rcdata("\nindented"), "\n\nindented");
    }

    #[test]
    fn a_refused_price_is_told_in_the_vendors_currency() {
        let euro = Currency::parse("EUR").unwrap();
        let told = say(&FieldError::new("unitPrice", "must be 0 to 90000000000 minor units"), euro);
        assert_eq!(told, Some(("price".to_owned(), "Enter a price between €0.00 and €900,000,000.00.".to_owned())));
    }
}
