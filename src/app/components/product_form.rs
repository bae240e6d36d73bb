use leptos::prelude::*;

use super::feedback::{Refused, refusal};
use crate::{
    api::products::SaveProduct,
    domain::{
        accounts::Vendor,
        catalog::{MAX_CATEGORY, MAX_DESCRIPTION, MAX_NAME, MAX_STOCK, Product, ProductStatus},
    },
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
    let statuses = [(ProductStatus::Active, "Active: on sale"), (ProductStatus::Archived, "Archived: not on sale, sales remain")]
        .map(|(status, label)| {
            let selected = status == product.status;
            view! { <option value=status.as_str() selected=selected prop:selected=selected>{label}</option> }
        })
        .collect_view();
    view! {
        <ActionForm action attr:class="card form">
            <Refused error=refusal(action)/>
            <input type="hidden" name="form[product_id]" value=product.product_id/>
            <div class="field wide">
                <label for="name">"Name"</label>
                <input id="name" name="form[name]" required maxlength=MAX_NAME autocomplete="off" value=product.name.clone() prop:value=product.name/>
            </div>
            <div class="field wide">
                <label for="description">"Description"</label>
                <Description text=product.description/>
            </div>
            <div class="field">
                <label for="category">"Category"</label>
                <input id="category" name="form[category]" required maxlength=MAX_CATEGORY autocomplete="off" value=product.category.clone() prop:value=product.category/>
            </div>
            <div class="field">
                <label for="price">{format!("Price in {}", currency.code())}</label>
                <input id="price" name="form[unit_price]" type="number" inputmode="decimal" required min="0" step=price_step value=price.clone() prop:value=price/>
            </div>
            <div class="field">
                <label for="stock">"Stock"</label>
                <input id="stock" name="form[stock]" type="number" inputmode="numeric" required min="0" max=MAX_STOCK step="1" value=product.stock.to_string() prop:value=product.stock.to_string()/>
            </div>
            <div class="field">
                <label for="threshold">"Low-stock threshold"</label>
                <input id="threshold" name="form[low_stock_threshold]" type="number" inputmode="numeric" min="0" max=MAX_STOCK step="1" aria-describedby="threshold-hint" value=threshold.clone() prop:value=threshold/>
                <p class="hint" id="threshold-hint">{format!("Empty: your default, {}", vendor.low_stock_threshold)}</p>
            </div>
            <div class="field">
                <label for="status">"Status"</label>
                <select id="status" name="form[status]">{statuses}</select>
            </div>
            <div class="actions wide">
                <button type="submit" disabled=move || action.pending().get()>{submit}</button>
                <a class="button quiet" href="/products">"Cancel"</a>
            </div>
        </ActionForm>
    }
}

/// The description's `<textarea>`. Its text is escaped here and set as inner HTML: Leptos 0.8 writes the children of a `<textarea>`
/// on the server as they are, and `</textarea><script>` would be markup. The property is for the browser, where it wins.
#[component]
fn Description(text: String) -> impl IntoView {
    view! {
        <textarea id="description" name="form[description]" rows="4" maxlength=MAX_DESCRIPTION inner_html=escape_rcdata(&text) prop:value=text></textarea>
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
