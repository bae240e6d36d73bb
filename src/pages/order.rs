use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::id_in;
use crate::{
    components::{
        feedback::{Done, Refused, accepted, refusal},
        fields::select,
        frame::Section,
        loaded::loaded,
        refund_form::RefundForm,
        status::{Shown, status},
        table::{Cell, Column, Row, scrolling, table},
        written::written,
    },
    domain::{
        accounts::path_segment,
        money::Currency,
        orders::{Order, OrderLine, OrderStatus},
    },
    format,
    server_functions::orders::{OrderView, RefundOrder, SetOrderStatus, load_order},
};

#[component]
pub fn OrderPage() -> impl IntoView {
    let set_status = ServerAction::<SetOrderStatus>::new();
    let refund = ServerAction::<RefundOrder>::new();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(id_in));
    let (changed, refunded) = (accepted(set_status), accepted(refund));
    let data = Resource::new(move || (id.get(), changed.get(), refunded.get()), |(id, ..)| load_order(id));
    view! {
        <Title text="Order"/>
        {loaded(Section::Orders, data, |view| &view.viewer, move |view| order(view, set_status, refund), || ().into_any())}
    }
}

pub fn order(
    OrderView { vendor, order, clock, .. }: OrderView,
    set_status: ServerAction<SetOrderStatus>,
    refund: ServerAction<RefundOrder>,
) -> AnyView {
    let query = use_query_map();
    let done = move || {
        query.with(|query| {
            let text = match query.get("__err") {
                None if query.get("saved").is_some() => "The status was changed.",
                None if query.get("refunded").is_some() => "The refund was noted.",
                _ => return None,
            };
            Some(view! { <Done text/> })
        })
    };
    let placed = format!("Placed {} ({}) by ", format::instant(&clock, order.placed_at), vendor.time_zone);
    let is_refundable = order.status.is_counted() && order.lines.iter().any(|line| line.amount_left() > 0 || line.units_left() > 0);
    let refund_form = match is_refundable {
        true => view! { <RefundForm action=refund order=order.clone() currency=vendor.currency/> }.into_any(),
        // The form was sent from a page that is out of date: why it was refused stands in its place.
        false => view! { <Refused error=refusal(refund)/> }.into_any(),
    };
    view! {
        <p class="crumb"><a href="/orders">"Orders"</a></p>
        <h1>"Order " {written(order.order_id.clone())} " " {status(order.status)}</h1>
        <p class="lead">{placed} {written(order.customer_name.clone())}</p>
        {done}
        <Refused error=refusal(set_status)/>
        {status_form(set_status, &order)}
        {lines(order.lines, vendor.currency)}
        {refund_form}
    }
    .into_any()
}

/// The statuses that this one may become, as a form; a sentence where there is none.
fn status_form(action: ServerAction<SetOrderStatus>, order: &Order) -> AnyView {
    let current = order.status;
    let order_id = order.order_id.clone();
    let options: Vec<_> = OrderStatus::ALL.into_iter().filter(|next| current.may_become(*next)).collect();
    if options.is_empty() {
        let text = format!("{} is where an order ends: its status cannot change any more.", Shown::from(current).name);
        return view! { <p class="hint">{text}</p> }.into_any();
    }
    let options = options.into_iter().map(|status| (status.as_str(), Shown::from(status).name)).collect();
    view! {
        <ActionForm action attr:class="filter">
            <input type="hidden" name="order_id" value=order_id/>
            {select("status", "status", "Change the status to", options, "")}
            <button type="submit" disabled=move || action.pending().get()>"Change"</button>
        </ActionForm>
    }
    .into_any()
}

fn lines(lines: Vec<OrderLine>, currency: Currency) -> AnyView {
    let total = |amount: fn(&OrderLine) -> i64| lines.iter().map(amount).sum::<i64>();
    let (gross, discount, refunded) = (total(|line| line.gross), total(|line| line.discount), total(|line| line.refunded_amount));
    let money = move |amount| Cell::Text(format::money(currency, amount));
    let foot = vec![
        Cell::Text("Total".to_owned()),
        format::count(total(|line| line.quantity)).into(),
        money(gross),
        money(-discount),
        money(-refunded),
        money(gross - discount - refunded),
    ];
    let rows = lines.into_iter().map(|line| {
        let refunded = match line.refunded_quantity {
            0 if line.refunded_amount == 0 => "—".to_owned(),
            quantity => format!("{} ({})", format::money(currency, -line.refunded_amount), format::counted(quantity, "unit", "units")),
        };
        Row::from(vec![
            Cell::Link { href: format!("/products/{}", path_segment(&line.product_id)), text: line.name },
            format::count(line.quantity).into(),
            money(line.gross),
            money(-line.discount),
            refunded.into(),
            money(line.gross - line.discount - line.refunded_amount),
        ])
    });
    let columns = vec![
        Column::text("Product"),
        Column::number("Quantity"),
        Column::number("Gross"),
        Column::number("Discount"),
        Column::number("Refunded"),
        Column::number("Net"),
    ];
    scrolling("card scroll", "Lines of this order", table("plain", columns, rows.collect(), Some(foot.into())))
}
