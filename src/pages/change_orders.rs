//! What a change of many orders would touch, before it is made.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    components::{
        feedback::{Refusal, refused},
        fields::once,
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        status::{Shown, status},
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{accounts::path_segment, orders::OrderStatus},
    format,
    server_functions::{
        bulk::{ChangeOrders, OrdersChange, load_orders_change},
        lists::list_left,
    },
    words,
};

#[component]
pub fn ChangeOrdersPage() -> impl IntoView {
    let (picked, next) = parameters(|query| (super::picked(query), query.get("status").unwrap_or_default()));
    view! {
        <Title text="Change orders"/>
        {loaded(Section::Orders, load_orders_change(picked, next), |view| &view.viewer, review, || ().into_any())}
    }
}

fn review(OrdersChange { vendor, orders, next, .. }: OrdersChange) -> AnyView {
    let refusal = Refusal::of::<ChangeOrders>();
    let (may, may_not): (Vec<_>, Vec<_>) = orders.iter().partition(|order| order.status.may_become(next));
    let name = Shown::from(next).name;
    let crumb = view! { <p class="crumb"><a href=list_left("/orders")>"Orders"</a></p> };
    if orders.is_empty() {
        return view! {
            {crumb}
            <section class="problem" role="alert">
                <h1>"Change orders"</h1>
                <p>{words::NOTHING_PICKED}</p>
                <a class="button" href=list_left("/orders")>"Back to orders"</a>
            </section>
        }
        .into_any();
    }
    let total =
        |order: &crate::domain::orders::Order| order.lines.iter().map(|line| line.gross - line.discount).sum::<i64>();
    let money = |amount| format::money(vendor.currency, amount);
    let count = format::counted(may.len() as i64, "order", "orders");
    let sum: i64 = may.iter().map(|order| total(order)).sum();
    let heading = match (may.is_empty(), next) {
        (true, _) => words::NO_ORDER_MAY.to_owned(),
        (_, OrderStatus::Cancelled) => words::cancel_orders(&count, &money(sum)),
        _ => words::mark_orders(&count, name),
    };
    let means = (next == OrderStatus::Cancelled && !may.is_empty()).then(|| view! { <p>{words::CANCELLING_MANY}</p> });
    let rows = orders.iter().map(|order| {
        let after =
            if order.status.may_become(next) { status(next).into() } else { Cell::Text(words::STAYS.to_owned()) };
        Row::from(vec![
            Cell::Link { href: format!("/orders/{}", path_segment(&order.order_id)), text: order.order_id.clone() },
            Cell::Written(order.customer_name.clone()),
            money(total(order)).into(),
            status(order.status).into(),
            after,
        ])
    });
    let columns = vec![
        Column::text("Order"),
        Column::text("Customer"),
        Column::classed("Total", "number chief"),
        Column::text("Now").named(),
        Column::classed("After", "side").named(),
    ];
    let left = (!may_not.is_empty() && !may.is_empty())
        .then(|| view! { <p class="hint">{words::orders_stay(may_not.len() as i64)}</p> });
    let hidden = may.iter().enumerate().map(|(at, order)| {
        view! {
            <input type="hidden" name=format!("form[orders][{at}][id]") value=order.order_id.clone()/>
            <input type="hidden" name=format!("form[orders][{at}][shown]") value=order.status.as_str()/>
        }
    });
    let hidden = hidden.collect::<Vec<_>>();
    let form = (!may.is_empty()).then(|| {
        let (verb, class) = match next {
            OrderStatus::Cancelled => (format!("Cancel {count}"), "bad"),
            _ => (format!("Mark {count} as {}", name.to_lowercase()), ""),
        };
        view! {
            <form method="post" action=ChangeOrders::url() class="actions">
                {hidden}
                <input type="hidden" name="form[status]" value=next.as_str()/>
                <input type="hidden" name="form[list]" value=list_left("/orders")/>
                {once()}
                <button class=class type="submit">{verb}</button>
                <a class="button quiet" href=list_left("/orders")>"Back"</a>
            </form>
        }
    });
    view! {
        {crumb}
        <h1>{heading}</h1>
        {refused(&refusal)}
        {means}
        {scrolling("card scroll", "Orders to change", table("plain stacked", columns, rows.collect(), None))}
        {left}
        {form}
    }
    .into_any()
}
