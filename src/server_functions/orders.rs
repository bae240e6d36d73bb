use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::ApiError;
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
pub async fn load_orders(
    status: Option<String>,
    date_from: Option<String>,
    date_to: Option<String>,
    search: Option<String>,
    after: Option<String>,
) -> Result<OrdersView, ApiError> {
    use crate::server::{
        context,
        services::orders::{OrderParameters, parse_query},
    };
    let (state, current) = context::current_vendor().await?;
    let query = parse_query(&OrderParameters {
        status: status.as_deref(),
        date_from: date_from.as_deref(),
        date_to: date_to.as_deref(),
        search: search.as_deref(),
        after: after.as_deref(),
    })
    .map_err(|e| context::api_error(e.into()))?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let page = state.orders.list(&current.vendor, &query).await.map_err(context::api_error)?.value;
    let clock = WallClock::covering(&vendor.time_zone, page.orders.iter().map(|order| order.placed_at));
    Ok(OrdersView { viewer: current.viewer(), vendor, page, clock })
}

#[server(prefix = "/_fn", endpoint = "order", input = GetUrl)]
pub async fn load_order(order_id: String) -> Result<OrderView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let order = state.orders.find(&current.vendor, &order_id).await.map_err(context::api_error)?;
    let clock = WallClock::covering(&vendor.time_zone, [order.placed_at]);
    Ok(OrderView { viewer: current.viewer(), vendor, order, clock })
}

/// Moves this vendor's part of an order to `status` and goes to its page with `?saved=1`.
#[server(prefix = "/_fn", endpoint = "order/status")]
pub async fn set_order_status(order_id: String, status: String) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    let next = status.parse::<crate::domain::orders::OrderStatus>().map_err(|e| context::api_error(e.into()))?;
    let change = crate::domain::order_commands::OrderChange { status: Some(next), placed_at: None };
    state.orders.change(&current.vendor, &order_id, change).await.map_err(context::api_error)?;
    leptos_axum::redirect(&format!("/orders/{}?saved=1", crate::domain::accounts::path_segment(&order_id)));
    Ok(())
}

/// A refund's form, field by field as it was typed; amounts in the currency's major unit. Either an amount on the whole order, or lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundForm {
    pub order_id: String,
    #[serde(default)]
    pub lines: Vec<RefundFormLine>,
    /// Empty for a refund of lines.
    #[serde(default)]
    pub amount: String,
    /// Present where the units go back into stock.
    #[serde(default)]
    pub restock: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFormLine {
    pub line: String,
    /// Empty, or 0, for none.
    #[serde(default)]
    pub quantity: String,
    /// Empty: what the units were sold for.
    #[serde(default)]
    pub amount: String,
}

/// Refunds what the form says and goes to the order's page with `?refunded=1`.
#[server(prefix = "/_fn", endpoint = "order/refund")]
pub async fn refund_order(form: RefundForm) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let refund = crate::server::services::orders::read_refund(&form, vendor.currency).map_err(|e| context::api_error(e.into()))?;
    state.orders.refund(&current.vendor, &form.order_id, refund).await.map_err(context::api_error)?;
    leptos_axum::redirect(&format!("/orders/{}?refunded=1", crate::domain::accounts::path_segment(&form.order_id)));
    Ok(())
}
