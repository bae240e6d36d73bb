use jiff::civil::Date;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::dashboard::{Asked, Dashboard, Freshness, Why, load_dashboard};
use crate::ApiError;
use crate::domain::{
    accounts::{Vendor, Viewer},
    catalog::Product,
    clock::WallClock,
    product_lists::{ProductPage, ProductSort},
};

pub use crate::server::services::product_edits::{CHANGED, NONE, description_digest};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductsView {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub page: ProductPage,
    pub freshness: Freshness,
    pub sort: ProductSort,
    /// Exact for every price change of the page.
    pub clock: WallClock,
}

/// `product` is `None` where a new one is to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductView {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub product: Option<Product>,
}

pub async fn load_products(
    search: Option<String>,
    status: Option<String>,
    category: Option<String>,
    stock: Option<String>,
    sort: Option<String>,
    after: Option<String>,
) -> Result<ProductsView, ApiError> {
    use crate::server::{
        cache_keys, context,
        services::product_lists::{ProductParameters, parse_query},
    };
    let (state, current) = context::current_vendor().await?;
    let query = parse_query(&ProductParameters {
        search: search.as_deref(),
        status: status.as_deref(),
        category: category.as_deref(),
        stock: stock.as_deref(),
        sort: sort.as_deref(),
        after: after.as_deref(),
    })
    .map_err(|e| context::api_error(e.into()))?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let served = state.catalog.list(&current.vendor, &query).await.map_err(context::api_error)?;
    let (freshness, page) = (cache_keys::freshness(&served), served.value);
    let changes = page.price_changes.iter().flatten().map(|change| change.changed_at);
    let clock = WallClock::covering(&vendor.time_zone, changes);
    Ok(ProductsView { viewer: current.viewer(), vendor, page, freshness, sort: query.sort, clock })
}

/// A product and how it does.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductFigures {
    /// Narrowed to the product.
    pub dashboard: Dashboard,
    pub product: Product,
    /// How long its stock lasts, in days, if it sells as in the last 28; `None` where nothing sold in them.
    pub days_of_cover: Option<f64>,
    /// What happened to it, and what the vendor has noted down; nothing else.
    pub why: Why,
}

/// `asked` is told which day it is at the vendor's.
pub async fn load_figures(
    product_id: String,
    asked: impl FnOnce(Date) -> Asked + Send,
) -> Result<ProductFigures, ApiError> {
    use crate::{
        domain::{
            period::DateRange,
            snapshot::{Narrowed, days_of_cover},
        },
        server::{context, services::analytics::SnapshotQuery},
    };
    let (state, current) = context::current_vendor().await?;
    let product = match state.catalog.find(&current.vendor, &product_id).await.map_err(context::api_error) {
        Err(ApiError::NotFound) => {
            let known = state.catalog.find_name(&current.vendor, &product_id).await.map_err(context::api_error)?;
            return Err(known.map_or(ApiError::NotFound, |(name, _)| ApiError::Deleted { id: product_id, name }));
        }
        found => found?,
    };
    let of_product = Some(product_id.clone());
    let dashboard = load_dashboard(None, move |today| Asked { product: of_product, ..asked(today) }).await?;
    let (vendor, snapshot) = (&current.vendor, &dashboard.snapshot);
    let lately = SnapshotQuery::days_of_cover(dashboard.today);
    let narrowed = Narrowed { product: Some(product_id.clone()), ..Default::default() };
    let sold = state.analytics.narrowed(vendor, &lately, &narrowed).await.map_err(context::api_error)?;
    let days_of_cover = days_of_cover(product.stock, sold.value.totals.units);
    let range = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let (mut notes, _) = state.analytics.notes(vendor, range).await.map_err(context::api_error)?;
    notes.notes.retain(|note| note.product_id.as_deref() == Some(product_id.as_str()));
    // The page is of nothing else.
    notes.notes.iter_mut().for_each(|note| note.name = None);
    notes.total = notes.notes.len() as i64;
    let clock = WallClock::covering(&dashboard.vendor.time_zone, notes.notes.iter().map(|note| note.at));
    let why = Why { movers: None, notes, since: None, views: None, clock };
    Ok(ProductFigures { dashboard, product, days_of_cover, why })
}

/// `product_id: None` loads what the form for a new product needs.
pub async fn load_product(product_id: Option<String>) -> Result<ProductView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let product = match product_id {
        Some(id) => Some(state.catalog.find(&current.vendor, &id).await.map_err(context::api_error)?),
        None => None,
    };
    Ok(ProductView { viewer: current.viewer(), vendor, product })
}

/// A product's form, field by field as it was typed; the price in the currency's major unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductForm {
    /// Empty for a new product.
    #[serde(default)]
    pub product_id: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub category: String,
    pub unit_price: String,
    pub stock: String,
    /// Empty: the vendor's default.
    #[serde(default)]
    pub low_stock_threshold: String,
    pub status: String,
    /// What the fields showed when the form was opened, as they showed it; of the description its digest. Nothing for a
    /// new product.
    #[serde(default)]
    pub shown_name: Option<String>,
    #[serde(default)]
    pub shown_description: Option<String>,
    #[serde(default)]
    pub shown_category: Option<String>,
    #[serde(default)]
    pub shown_unit_price: Option<String>,
    #[serde(default)]
    pub shown_stock: Option<String>,
    #[serde(default)]
    pub shown_low_stock_threshold: Option<String>,
    #[serde(default)]
    pub shown_status: Option<String>,
}

/// Creates a product, or changes what was edited of one, and goes to its page with `?saved=1`.
#[server(prefix = "/_fn", endpoint = "product/save")]
pub async fn save_product(form: ProductForm, #[server(default)] once: Option<String>) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_vendor().await?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let (product_id, edit) = crate::server::services::catalog::read_form(&form, vendor.currency)
        .map_err(|e| context::api_error(e.into()))?;
    let sender = context::sender(&current, once.as_deref());
    let product = match product_id {
        Some(id) => state.catalog.edit(&current, &id, edit, &sender).await,
        None => state.catalog.create(&current, &edit.input, &sender).await,
    }
    .map_err(context::api_error)?;
    leptos_axum::redirect(&format!("/products/{}?saved=1", crate::domain::accounts::path_segment(&product.product_id)));
    Ok(())
}

/// Takes a product out of every list (its sales remain) and goes back to the list with `deleted=1`.
#[server(prefix = "/_fn", endpoint = "product/delete")]
pub async fn delete_product(
    product_id: String,
    #[server(default)] list: String,
    #[server(default)] once: Option<String>,
) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_vendor().await?;
    let sender = context::sender(&current, once.as_deref());
    state.catalog.delete(&current, &product_id, &sender).await.map_err(context::api_error)?;
    leptos_axum::redirect(&super::lists::back_to_list("/products", &list, "deleted=1"));
    Ok(())
}
