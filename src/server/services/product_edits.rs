//! What somebody has edited of a product: the fields in which a form differs from what it showed when it was opened.
//! The others may have changed meanwhile, by a sale or in another tab, and stay as they have become.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::{
    catalog::{Product, ProductInput, ProductStatus},
    field_error::{Checks, FieldError},
};

/// A form of a product: what it says, and what it showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductEdit {
    pub input: ProductInput,
    pub shown: Shown,
}

/// What a form showed, field by field; `None` where it does not say, as a page of an older version does not: such a
/// field is written whatever it has become.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub name: Option<String>,
    /// See `description_digest`.
    pub description: Option<String>,
    pub category: Option<String>,
    pub unit_price: Option<i64>,
    pub stock: Option<i64>,
    pub low_stock_threshold: Option<Option<i64>>,
    pub status: Option<ProductStatus>,
}

/// Stands for a description in a form: a long text need not be twice in the page, nor in the address that a refused form
/// goes back with.
pub fn description_digest(text: &str) -> String {
    // Lines end as they do in a browser's field.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    hex::encode(&Sha256::digest(text)[..16])
}

/// Stands for a field that showed nothing.
pub const NONE: &str = "none";

/// What the name of a field begins with, in an error, that was edited here and has changed meanwhile.
pub const CHANGED: &str = "changed.";

impl ProductEdit {
    /// What to write where the product is `now`: `checked`, which is the input in the form it is kept in, but for what
    /// was not edited. An error for each field that was edited and has changed to something else meanwhile.
    pub fn applied_to(&self, now: &Product, checked: ProductInput) -> Result<ProductInput, Vec<FieldError>> {
        let Self { input, shown } = self;
        let mut checks = Checks::default();
        let c = &mut checks;
        let [typed_text, text_now, checked_text] =
            [&input.description, &now.description, &checked.description].map(|text| description_digest(text));
        let text = written(c, "description", &shown.description, &typed_text, &text_now, checked_text);
        let written = ProductInput {
            product_id: None,
            name: written(c, "name", &shown.name, &input.name, &now.name, checked.name),
            description: if text == text_now { now.description.clone() } else { checked.description },
            category: written(c, "category", &shown.category, &input.category, &now.category, checked.category),
            unit_price: written(
                c,
                "unitPrice",
                &shown.unit_price,
                &input.unit_price,
                &now.unit_price,
                checked.unit_price,
            ),
            stock: written(c, "stock", &shown.stock, &input.stock, &now.stock, checked.stock),
            low_stock_threshold: written(
                c,
                "lowStockThreshold",
                &shown.low_stock_threshold,
                &input.low_stock_threshold,
                &now.low_stock_threshold,
                checked.low_stock_threshold,
            ),
            status: written(c, "status", &shown.status, &input.status, &now.status, checked.status),
        };
        checks.finish().map(|()| written)
    }
}

/// What is written of one field: `checked`, or, where it was not edited, what it is.
fn written<T: PartialEq + Clone>(
    checks: &mut Checks,
    name: &str,
    shown: &Option<T>,
    typed: &T,
    now: &T,
    checked: T,
) -> T {
    if shown.as_ref() == Some(typed) {
        return now.clone();
    }
    let is_as_shown = shown.as_ref().is_none_or(|shown| shown == now);
    checks.require(is_as_shown || checked == *now, &format!("{CHANGED}{name}"), || {
        "has changed since the form was opened: send it again to replace that".to_owned()
    });
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> Product {
        Product {
            product_id: "p".to_owned(),
            name: " Mug".to_owned(),
            description: "Holds\r\ntea".to_owned(),
            category: "Mugs".to_owned(),
            unit_price: 1_250,
            stock: 170,
            low_stock_threshold: None,
            status: ProductStatus::Active,
        }
    }

    /// The form of a product, opened and sent back as it is.
    fn edit() -> ProductEdit {
        let Product { name, description, category, unit_price, stock, low_stock_threshold, status, .. } = product();
        let shown = Shown {
            name: Some(name.clone()),
            description: Some(description_digest(&description)),
            category: Some(category.clone()),
            unit_price: Some(unit_price),
            stock: Some(stock),
            low_stock_threshold: Some(low_stock_threshold),
            status: Some(status),
        };
        let description = description.replace("\r\n", "\n");
        let product_id = None;
        let input =
            ProductInput { product_id, name, description, category, unit_price, stock, low_stock_threshold, status };
        ProductEdit { input, shown }
    }

    fn applied(edit: &ProductEdit, now: &Product) -> Result<ProductInput, Vec<String>> {
        let written = edit.applied_to(now, edit.input.clone().checked().unwrap());
        written.map_err(|errors| errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn what_nobody_edited_stays_even_where_it_is_not_in_the_form_it_would_be_kept_in() {
        let now = Product { stock: 166, ..product() };
        let written = applied(&edit(), &now).unwrap();
        assert_eq!((written.stock, written.name, written.description), (166, now.name, now.description));
    }

    #[test]
    fn what_both_edited_is_refused_unless_both_mean_the_same() {
        let now = Product { stock: 166, unit_price: 3_333, low_stock_threshold: Some(5), ..product() };
        let mut edit = edit();
        (edit.input.stock, edit.input.unit_price, edit.input.low_stock_threshold) = (150, 3_333, Some(6));
        assert_eq!(applied(&edit, &now).unwrap_err(), ["changed.stock", "changed.lowStockThreshold"]);
        edit.shown = Shown::default();
        let written = applied(&edit, &now).unwrap();
        assert_eq!((written.stock, written.low_stock_threshold), (150, Some(6)), "what was shown is not known");
    }
}
