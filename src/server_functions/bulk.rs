//! The same change to many products or orders: what it would touch, and making it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ApiError,
    domain::{
        accounts::{Vendor, Viewer},
        catalog::{MAX_CATEGORY, MAX_STOCK, PRICE_CHANGE_BPS, Product, ProductStatus},
        field_error::FieldError,
        orders::{Order, OrderStatus},
    },
    server_functions::lists::back_to_list,
    words,
};

/// The most that is picked on one page.
pub const MOST_PICKED: usize = 50;

/// What is done to every product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Stock(i64),
    Status(ProductStatus),
    Category(String),
    /// By how much each price changes, in hundredths of a percent.
    Price(i64),
}

impl Action {
    /// From the fields of the form; what is wrong with them in words.
    pub fn read(action: &str, value: &str) -> Result<Self, String> {
        let value = value.trim();
        match action {
            "stock" => match value.parse() {
                Ok(stock) if (0..=MAX_STOCK).contains(&stock) => Ok(Self::Stock(stock)),
                _ => Err(words::whole_number(0, MAX_STOCK)),
            },
            "archive" => Ok(Self::Status(ProductStatus::Archived)),
            "activate" => Ok(Self::Status(ProductStatus::Active)),
            "category" if (1..=MAX_CATEGORY).contains(&value.chars().count()) => Ok(Self::Category(value.to_owned())),
            "category" => Err(words::text_up_to("category", MAX_CATEGORY)),
            "price" => read_percent(value)
                .filter(|bps| *bps != 0 && PRICE_CHANGE_BPS.contains(bps))
                .map(Self::Price)
                .ok_or_else(|| words::PERCENT.to_owned()),
            _ => Err(words::NO_ACTION.to_owned()),
        }
    }

    /// What a product has that this changes: what its form says that it has shown.
    pub fn now(&self, product: &Product) -> String {
        match self {
            Self::Stock(_) => product.stock.to_string(),
            Self::Status(_) => product.status.as_str().to_owned(),
            Self::Category(_) => product.category.clone(),
            Self::Price(_) => product.unit_price.to_string(),
        }
    }

    /// The fields that `read` reads.
    pub fn written(&self) -> (&'static str, String) {
        match self {
            Self::Stock(stock) => ("stock", stock.to_string()),
            Self::Status(ProductStatus::Archived) => ("archive", String::new()),
            Self::Status(ProductStatus::Active) => ("activate", String::new()),
            Self::Category(category) => ("category", category.clone()),
            Self::Price(bps) => {
                ("price", format!("{}{}.{:02}", if *bps < 0 { "-" } else { "" }, bps.abs() / 100, bps.abs() % 100))
            }
        }
    }
}

/// Hundredths of a percent: of `5`, `+5 %`, `-12.5`, `−0.25%`.
fn read_percent(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('%').trim_end();
    let (sign, digits) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let is_number = |text: &str, most| text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole, 4) || !is_number(part, 2) {
        return None;
    }
    Some(sign * (whole.parse::<i64>().ok()? * 100 + format!("{part:0<2}").parse::<i64>().ok()?))
}

/// What a change of products would touch.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductsChange {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub products: Vec<Product>,
    /// Or what is wrong with it, and how it was typed.
    pub change: Result<Action, WrongChange>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongChange {
    pub action: String,
    pub value: String,
    /// In words.
    pub told: String,
}

pub async fn load_products_change(
    picked: Vec<String>,
    action: String,
    value: String,
) -> Result<ProductsChange, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let mut products = Vec::new();
    for id in picked.iter().take(MOST_PICKED) {
        products.push(state.catalog.find(&current.vendor, id).await.map_err(context::api_error)?);
    }
    let change = Action::read(&action, &value).map_err(|told| WrongChange { action, value, told });
    Ok(ProductsChange { viewer: current.viewer(), vendor, products, change })
}

/// What a change of orders would touch.
#[derive(Debug, Clone, PartialEq)]
pub struct OrdersChange {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub orders: Vec<Order>,
    pub next: OrderStatus,
}

pub async fn load_orders_change(picked: Vec<String>, next: String) -> Result<OrdersChange, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    let next = next.parse().map_err(|e: FieldError| context::api_error(e.into()))?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let mut orders = Vec::new();
    for id in picked.iter().take(MOST_PICKED) {
        orders.push(state.orders.find(&current.vendor, id).await.map_err(context::api_error)?);
    }
    Ok(OrdersChange { viewer: current.viewer(), vendor, orders, next })
}

/// A row that was picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picked {
    pub id: String,
    /// What is changed of it, as it was shown: `None` from a page of an older version.
    #[serde(default)]
    pub shown: Option<String>,
}

/// A change of products, as the page that asks for it sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductsForm {
    pub products: Vec<Picked>,
    pub action: String,
    #[serde(default)]
    pub value: String,
    /// The address of the list that they were picked from.
    #[serde(default)]
    pub list: String,
}

/// All of the products or none; goes back to the list with `changed=` and how many.
#[server(prefix = "/_fn", endpoint = "product/change")]
pub async fn change_products(form: ProductsForm, #[server(default)] once: Option<String>) -> Result<(), ApiError> {
    use crate::domain::catalog::{BulkChange, ProductChanges};
    use crate::server::{context, services::catalog::Reviewed};
    let (state, current) = context::writing_vendor().await?;
    let action = Action::read(&form.action, &form.value)
        .map_err(|text| context::api_error(FieldError::new("form", text).into()))?;
    let changes = match action.clone() {
        Action::Stock(stock) => ProductChanges { stock: Some(stock), ..Default::default() },
        Action::Status(status) => ProductChanges { status: Some(status), ..Default::default() },
        Action::Category(category) => ProductChanges { category: Some(category), ..Default::default() },
        Action::Price(bps) => ProductChanges { unit_price_change_bps: Some(bps), ..Default::default() },
    };
    let (product_ids, shown): (Vec<_>, Vec<_>) =
        form.products.into_iter().map(|picked| (picked.id, picked.shown)).unzip();
    let reviewed = Reviewed { shown, now: Box::new(move |product| action.now(product)) };
    let change = BulkChange { product_ids, changes };
    let sender = context::sender(&current, once.as_deref());
    let changed = state.catalog.change_many(&current, &change, Some(reviewed), &sender).await;
    let changed = changed.map_err(context::api_error)?;
    leptos_axum::redirect(&back_to_list("/products", &form.list, &format!("changed={changed}")));
    Ok(())
}

/// A change of orders, as the page that asks for it sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrdersForm {
    pub orders: Vec<Picked>,
    pub status: String,
    /// The address of the list that they were picked from.
    #[serde(default)]
    pub list: String,
}

/// All of the orders or none; goes back to the list with `changed=` and how many.
#[server(prefix = "/_fn", endpoint = "order/change")]
pub async fn change_orders(form: OrdersForm, #[server(default)] once: Option<String>) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_vendor().await?;
    let next = form.status.parse::<OrderStatus>().map_err(|e| context::api_error(e.into()))?;
    let sender = context::sender(&current, once.as_deref());
    let shown = |text: Option<String>| text.map(|text| text.parse::<OrderStatus>()).transpose();
    let orders = form.orders.into_iter().map(|picked| Ok((picked.id, shown(picked.shown)?)));
    let orders = orders.collect::<Result<Vec<_>, FieldError>>().map_err(|e| context::api_error(e.into()))?;
    let changed = state.orders.change_many(&current, orders, next, &sender).await.map_err(context::api_error)?;
    leptos_axum::redirect(&back_to_list("/orders", &form.list, &format!("changed={changed}")));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_is_read_as_people_write_it() {
        for (text, bps) in [("5", 500), ("+5 %", 500), ("-12.5", -1_250), ("−0,25%", -25), ("900", 90_000)] {
            assert_eq!(read_percent(text), Some(bps), "{text}");
        }
        assert_eq!([read_percent("five"), read_percent("5.123"), read_percent(".")], [None; 3]);
    }

    #[test]
    fn an_action_is_read_back_and_what_is_none_is_told() {
        for action in [
            Action::Stock(12),
            Action::Status(ProductStatus::Archived),
            Action::Status(ProductStatus::Active),
            Action::Category("Mugs & more".to_owned()),
            Action::Price(525),
            Action::Price(-5),
        ] {
            let (name, value) = action.written();
            assert_eq!(Action::read(name, &value), Ok(action));
        }
        for (action, value, told) in [
            ("stock", "-1", "Enter a whole number from 0 to 1,000,000,000."),
            ("stock", "1.5", "Enter a whole number from 0 to 1,000,000,000."),
            ("category", "  ", "Enter a category (up to 100 characters)."),
            ("price", "0", words::PERCENT),
            ("price", "-99.5", words::PERCENT),
            ("price", "1.234", words::PERCENT),
            ("price", "", words::PERCENT),
            ("", "", words::NO_ACTION),
        ] {
            assert_eq!(Action::read(action, value).unwrap_err(), told);
        }
    }
}
