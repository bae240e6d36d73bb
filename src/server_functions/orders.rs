use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::dashboard::Freshness;
use crate::ApiError;
use crate::domain::{
    accounts::{Vendor, Viewer},
    clock::WallClock,
    orders::{Order, OrderPage, OrderSort},
    refund_commands::RefundedLine,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrdersView {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub page: OrderPage,
    pub freshness: Freshness,
    /// Of the product that the list is narrowed to.
    pub product_name: Option<String>,
    pub sort: OrderSort,
    /// Exact for every order of the page.
    pub clock: WallClock,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OrderView {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub order: Order,
    pub clock: WallClock,
    /// The refund that is being thought about, as it was typed.
    pub typed: Option<RefundForm>,
    /// What it would give back, where the page asks for that.
    pub review: Option<Result<RefundReview, ApiError>>,
}

/// What a refund would give back, before it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct RefundReview {
    pub form: RefundForm,
    pub lines: Vec<RefundedLine>,
    /// In minor units.
    pub amount: i64,
}

/// Which orders, as texts from an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrdersAsked {
    pub status: Option<String>,
    pub date_from: Option<String>,
    pub date_to: Option<String>,
    pub search: Option<String>,
    pub refunded: Option<String>,
    pub counted: Option<String>,
    pub product: Option<String>,
    pub category: Option<String>,
    pub sort: Option<String>,
    pub after: Option<String>,
}

pub async fn load_orders(asked: OrdersAsked) -> Result<OrdersView, ApiError> {
    use crate::server::{
        cache_keys, context,
        services::order_lists::{OrderParameters, parse_query},
    };
    let (state, current) = context::current_vendor().await?;
    let query = parse_query(&OrderParameters {
        status: asked.status.as_deref(),
        date_from: asked.date_from.as_deref(),
        date_to: asked.date_to.as_deref(),
        search: asked.search.as_deref(),
        refunded: asked.refunded.as_deref(),
        counted: asked.counted.as_deref(),
        product: asked.product.as_deref(),
        category: asked.category.as_deref(),
        sort: asked.sort.as_deref(),
        after: asked.after.as_deref(),
    })
    .map_err(|e| context::api_error(e.into()))?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let served = state.orders.list(&current.vendor, &query).await.map_err(context::api_error)?;
    let (freshness, page) = (cache_keys::freshness(&served), served.value);
    let clock = WallClock::covering(&vendor.time_zone, page.orders.iter().map(|order| order.placed_at));
    let product_name = match &query.product {
        Some(id) => {
            let known = state.catalog.find_name(&current.vendor, id).await.map_err(context::api_error)?;
            known.map(|(name, is_deleted)| crate::words::product_or_deleted(name, is_deleted))
        }
        None => None,
    };
    Ok(OrdersView { viewer: current.viewer(), vendor, page, freshness, product_name, sort: query.sort, clock })
}

/// `typed`: a refund that is being thought about; with `is_review`, what it would give back is worked out.
pub async fn load_order(order_id: String, typed: Option<RefundForm>, is_review: bool) -> Result<OrderView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let order = state.orders.find(&current.vendor, &order_id).await.map_err(context::api_error)?;
    let instants = order.refunds.iter().map(|refund| refund.refunded_at).chain([order.placed_at]);
    let clock = WallClock::covering(&vendor.time_zone, instants);
    let review = typed.clone().filter(|_| is_review).map(|form| {
        let plan = crate::server::services::refunds::read_refund(&form, vendor.currency)
            .and_then(|refund| refund.check(jiff::Timestamp::now()).and_then(|()| refund.plan(&order.lines)));
        let lines = plan.map_err(|refused| context::api_error(refused.into()))?;
        let amount = lines.iter().map(|line| line.amount).sum();
        Ok(RefundReview { form, lines, amount })
    });
    Ok(OrderView { viewer: current.viewer(), vendor, order, clock, typed, review })
}

/// Moves this vendor's part of an order to `status` and goes to its page with `?saved=1`; refused where it no longer has
/// the status that was `shown`.
#[server(prefix = "/_fn", endpoint = "order/status")]
pub async fn set_order_status(
    order_id: String,
    status: String,
    #[server(default)] shown: Option<String>,
    #[server(default)] once: Option<String>,
) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_vendor().await?;
    let read =
        |text: &str| text.parse::<crate::domain::orders::OrderStatus>().map_err(|e| context::api_error(e.into()));
    let (next, shown) = (read(&status)?, shown.as_deref().map(read).transpose()?);
    let change = crate::domain::order_commands::OrderChange { status: Some(next), placed_at: None };
    let sender = context::sender(&current, once.as_deref());
    state.orders.change(&current, &order_id, change, shown, &sender).await.map_err(context::api_error)?;
    leptos_axum::redirect(&format!("/orders/{}?saved=1", crate::domain::accounts::path_segment(&order_id)));
    Ok(())
}

/// A refund's form, field by field as it was typed; amounts in the currency's major unit. Either an amount on the whole
/// order, or lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundForm {
    pub order_id: String,
    #[serde(default)]
    pub lines: Vec<RefundFormLine>,
    /// Empty for a refund of lines.
    #[serde(default)]
    pub amount: String,
    /// Empty where nobody says why.
    #[serde(default)]
    pub reason: String,
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
    /// Present where the units go back into stock.
    #[serde(default)]
    pub restock: Option<String>,
}

/// Lines that are read from an address: no order has nearly as many.
const MOST_LINES: usize = 1_000;

impl RefundForm {
    /// From parameters that are named as the form's fields are; `None` where there are none.
    pub fn of_query(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let lines = (0..MOST_LINES).map_while(|at| {
            let field = |name: &str| value(&format!("form[lines][{at}][{name}]"));
            let (quantity, amount) = (field("quantity").unwrap_or_default(), field("amount").unwrap_or_default());
            Some(RefundFormLine { line: field("line")?, quantity, amount, restock: field("restock") })
        });
        let (lines, amount) = (lines.collect::<Vec<_>>(), value("form[amount]"));
        (!lines.is_empty() || amount.is_some()).then(|| Self {
            order_id: String::new(),
            lines,
            amount: amount.unwrap_or_default(),
            reason: value("form[reason]").unwrap_or_default(),
        })
    }
}

/// Refunds what the form says and goes to the order's page with `?refunded=` and the amount in minor units, and
/// `&refundedAt=` and the instant, by which it can be undone.
#[server(prefix = "/_fn", endpoint = "order/refund")]
pub async fn refund_order(form: RefundForm, #[server(default)] once: Option<String>) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_vendor().await?;
    let vendor = state.accounts.vendor(&current.vendor).await.map_err(context::api_error)?;
    let refund = crate::server::services::refunds::read_refund(&form, vendor.currency)
        .map_err(|e| context::api_error(e.into()))?;
    let sender = context::sender(&current, once.as_deref());
    let made = state.orders.refund_by_form(&current, &form.order_id, refund, &sender).await;
    let made = made.map_err(context::api_error)?;
    leptos_axum::redirect(&format!(
        "/orders/{}?refunded={}&refundedAt={}",
        crate::domain::accounts::path_segment(&form.order_id),
        made.amount,
        made.at
    ));
    Ok(())
}

/// Undoes a refund that was just made, and goes to the order's page with `?undone=1`.
#[server(prefix = "/_fn", endpoint = "order/refund/undo")]
pub async fn undo_refund(
    order_id: String,
    refunded_at: String,
    #[server(default)] once: Option<String>,
) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_vendor().await?;
    let at =
        crate::domain::clock::parse_instant("refundedAt", &refunded_at).map_err(|e| context::api_error(e.into()))?;
    let sender = context::sender(&current, once.as_deref());
    state.orders.undo_refund(&current, &order_id, at, &sender).await.map_err(context::api_error)?;
    leptos_axum::redirect(&format!("/orders/{}?undone=1", crate::domain::accounts::path_segment(&order_id)));
    Ok(())
}
