use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::domain::{
    accounts::{Vendor, Viewer},
    clock::WallClock,
    orders::{Order, OrderPage},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrdersView {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub page: OrderPage,
    /// Exact for every order of the page.
    pub clock: WallClock,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderView {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub order: Order,
    pub clock: WallClock,
}

#[server(prefix = "/_fn", endpoint = "orders", input = GetUrl)]
pub async fn load_orders(status: Option<String>, after: Option<String>) -> Result<OrdersView, ApiError> {
    use crate::server::web::context;
    let (state, current) = context::current_vendor().await?;
    let query = crate::server::services::orders::parse_query(status.as_deref(), after).map_err(|e| context::api_error(e.into()))?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let page = state.orders.list(&current.vendor, &query).await.map_err(context::api_error)?;
    let clock = WallClock::covering(&vendor.time_zone, page.orders.iter().map(|order| order.placed_at));
    Ok(OrdersView { viewer: current.viewer(), vendor, page, clock })
}

#[server(prefix = "/_fn", endpoint = "order", input = GetUrl)]
pub async fn load_order(order_id: String) -> Result<OrderView, ApiError> {
    use crate::server::web::context;
    let (state, current) = context::current_vendor().await?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let order = state.orders.find(&current.vendor, &order_id).await.map_err(context::api_error)?;
    let clock = WallClock::covering(&vendor.time_zone, [order.placed_at]);
    Ok(OrderView { viewer: current.viewer(), vendor, order, clock })
}

/// Moves this vendor's part of an order to `status` and goes to its page with `?saved=1`.
#[server(prefix = "/_fn", endpoint = "order/status")]
pub async fn set_order_status(order_id: String, status: String) -> Result<(), ApiError> {
    use crate::server::web::context;
    let (state, current) = context::current_vendor().await?;
    let next = status.parse::<crate::domain::orders::OrderStatus>().map_err(|e| context::api_error(e.into()))?;
    state.orders.set_status(&current.vendor, &order_id, next).await.map_err(context::api_error)?;
    leptos_axum::redirect(&format!("/orders/{}?saved=1", crate::domain::accounts::encode_segment(&order_id)));
    Ok(())
}
