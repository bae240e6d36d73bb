use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    feedback::{Messages, Refusal},
    fields::{Input, input, once, select},
};
use crate::{
    ApiError,
    domain::{
        accounts::Vendor,
        catalog::{MAX_CATEGORY, MAX_DESCRIPTION, MAX_NAME, MAX_STOCK, Product, ProductStatus},
        field_error::FieldError,
        money::{Currency, MAX_AMOUNT},
    },
    format,
    server_functions::{
        lists::list_left,
        products::{CHANGED, NONE, SaveProduct, description_digest},
    },
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
    let messages = refusal.messages(|field| say(field, &product, currency));
    let is_new = product.product_id.is_empty();
    let price = if is_new { String::new() } else { currency.to_decimal(product.unit_price) };
    let price_step = currency.to_decimal(1);
    let threshold = product.low_stock_threshold.map(|threshold| threshold.to_string()).unwrap_or_default();
    let fields = [
        ("name", "name", product.name.clone()),
        ("description", "description", product.description.clone()),
        ("category", "category", product.category.clone()),
        ("unit_price", "unitPrice", price),
        ("stock", "stock", product.stock.to_string()),
        ("low_stock_threshold", "lowStockThreshold", threshold),
        ("status", "status", product.status.as_str().to_owned()),
    ];
    let fields = fields.map(|(name, in_errors, now)| (name, opened(&refusal, name, in_errors, now)));
    let value = |name: &str| {
        let name = name.strip_prefix("form[").and_then(|name| name.strip_suffix(']'));
        fields.iter().find(|(of, _)| Some(*of) == name).map(|(_, opened)| opened.value.clone())
    };
    let shown = fields.iter().filter(|_| !is_new).map(|(name, opened)| {
        view! { <input type="hidden" name=format!("form[shown_{name}]") value=opened.shown.clone()/> }
    });
    let shown = shown.collect::<Vec<_>>();
    let number = |id, name, label: &str| Input {
        id,
        name: Some(name),
        label: label.to_owned(),
        kind: "number",
        value: value(name),
        required: true,
        min: Some("0".to_owned()),
        max: Some(MAX_STOCK.to_string()),
        step: Some("1".to_owned()),
        ..Default::default()
    };
    let line = |id, name, label: &str, max_length| Input {
        id,
        name: Some(name),
        label: label.to_owned(),
        value: value(name),
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
            <input type="hidden" name="form[product_id]" value=product.product_id.clone()/>
            {shown}
            {field(Input { class: "wide", ..line("name", "form[name]", "Name", MAX_NAME) })}
            <div class="field wide">
                <label for="description">"Description"</label>
                {description(&value("form[description]").unwrap_or_default(), &messages)}
            </div>
            {field(line("category", "form[category]", "Category", MAX_CATEGORY))}
            {field(Input { max: None, step: Some(price_step),
                ..number("price", "form[unit_price]", &price_label) })}
            {field(number("stock", "form[stock]", "Stock"))}
            {field(Input { required: false, hint: Some(hint),
                ..number("threshold", "form[low_stock_threshold]", "Low-stock threshold") })}
            {select("status", "form[status]", "Status", statuses, &value("form[status]").unwrap_or_default())}
            <div class="actions wide">
                <button type="submit">{submit}</button>
                <a class="button quiet" href=list_left("/products")>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

/// What a field begins with, and what the form says that it shows there.
struct Opened {
    value: String,
    shown: String,
}

/// A field whose value is `now`. One that somebody has edited before the form was refused goes on with what was typed;
/// the others follow the product. `in_errors`: its name there.
fn opened(refusal: &Refusal, name: &str, in_errors: &str, now: String) -> Opened {
    // As a hidden field has it.
    let as_shown = |text: &str| match name {
        "description" => description_digest(text),
        _ if text.is_empty() => NONE.to_owned(),
        _ => text.to_owned(),
    };
    let shown_now = as_shown(&now);
    let (typed, shown) = (refusal.typed(&format!("form[{name}]")), refusal.typed(&format!("form[shown_{name}]")));
    match typed.filter(|typed| shown.as_ref() != Some(&as_shown(typed))) {
        None => Opened { value: now, shown: shown_now },
        // Its message says what it is now: whoever saves it again has read that.
        Some(typed) if is_told_as_changed(refusal, in_errors) => Opened { value: typed, shown: shown_now },
        Some(typed) => Opened { value: typed, shown: shown.unwrap_or(shown_now) },
    }
}

fn is_told_as_changed(refusal: &Refusal, name: &str) -> bool {
    let told = format!("{CHANGED}{name}");
    matches!(&refusal.error, Some(ApiError::Invalid(fields)) if fields.iter().any(|field| field.field == told))
}

/// The most of a text that a message repeats, in characters.
const MOST_REPEATED: usize = 300;

/// What a field has changed to while the form was open.
fn say_changed(name: &str, now: &Product, currency: Currency) -> Option<(String, String)> {
    let quoted = |text: &str| match text.char_indices().nth(MOST_REPEATED) {
        Some((end, _)) => format!("“{}…”", &text[..end]),
        None => format!("“{text}”"),
    };
    let threshold = now.low_stock_threshold.map_or_else(|| words::YOUR_DEFAULT.to_owned(), format::count);
    let (id, label, value) = match name {
        "name" => ("name", "Name", quoted(&now.name)),
        "description" => ("description", "Description", quoted(&now.description)),
        "category" => ("category", "Category", quoted(&now.category)),
        "unitPrice" => ("price", "Price", format::money(currency, now.unit_price)),
        "stock" => ("stock", "Stock", format::count(now.stock)),
        "lowStockThreshold" => ("threshold", "Low-stock threshold", threshold),
        // There are two statuses: who changes it while it changes means the same.
        _ => return None,
    };
    Some((id.to_owned(), words::changed_meanwhile(label, &value)))
}

/// What a field accepts, in the vendor's own units. `now` is the product as it is.
fn say(field: &FieldError, now: &Product, currency: Currency) -> Option<(String, String)> {
    if let Some(name) = field.field.strip_prefix(CHANGED) {
        return say_changed(name, now, currency);
    }
    let (id, text) = match field.field.as_str() {
        "name" => ("name", words::text_up_to("name", MAX_NAME)),
        "category" => ("category", words::text_up_to("category", MAX_CATEGORY)),
        "description" => ("description", words::text_up_to("description", MAX_DESCRIPTION)),
        "unitPrice" => {
            ("price", words::price_between(&format::money(currency, 0), &format::money(currency, MAX_AMOUNT)))
        }
        "stock" => ("stock", words::whole_number(0, MAX_STOCK)),
        "lowStockThreshold" => ("threshold", words::whole_number(0, MAX_STOCK)),
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
            autofocus=messages.is_first("description")
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
        let now = Product {
            product_id: "p".to_owned(),
            name: "Mug".to_owned(),
            description: "é".repeat(301),
            category: "Mugs".to_owned(),
            unit_price: 3_333,
            stock: 1_660,
            low_stock_threshold: None,
            status: ProductStatus::Active,
        };
        let told = |field| say(&FieldError::new(field, "…"), &now, euro);
        let price = |text: &str| Some(("price".to_owned(), text.to_owned()));
        assert_eq!(told("unitPrice"), price("Enter a price between €0.00 and €900,000,000.00."));
        let changed = "Price was changed to €33.33 while you were editing. Save again to replace that, or put it back \
            to keep it.";
        assert_eq!(told("changed.unitPrice"), price(changed));
        for (field, part) in [
            ("changed.stock", "Stock was changed to 1,660 while".to_owned()),
            ("changed.lowStockThreshold", "Low-stock threshold was changed to your default while".to_owned()),
            ("changed.description", format!("Description was changed to “{}…” while", "é".repeat(300))),
        ] {
            assert!(told(field).is_some_and(|(_, text)| text.starts_with(&part)), "{field}: {:?}", told(field));
        }
    }
}
