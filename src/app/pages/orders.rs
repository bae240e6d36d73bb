use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::orders::{OrdersView, load_orders},
    app::{
        components::{
            fields::select,
            frame::Section,
            loaded::loaded,
            query_form::QueryForm,
            status::{Shown, status},
            table::{Cell, Column, Row, scrolling, table},
        },
        format,
    },
    domain::{accounts::encode_segment, orders::OrderStatus},
};

#[component]
pub fn OrdersPage() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| {
        params.with(|params| {
            let value = |name| params.get(name).filter(|value| !value.is_empty());
            (value("status"), value("after"))
        })
    });
    let data = Resource::new(move || query.get(), |(status, after)| load_orders(status, after));
    let show = move |view| {
        let (status, after) = query.get_untracked();
        list(view, status, after)
    };
    view! {
        <Title text="Orders"/>
        {loaded(Section::Orders, data, |view| &view.viewer, show, move || filter(query.get_untracked().0))}
    }
}

pub fn list(view: OrdersView, status: Option<String>, after: Option<String>) -> AnyView {
    let zone = format!("Newest first. Times are those of {}.", view.vendor.time_zone);
    let next = view.page.next.as_deref().map(|after| next_href(status.as_deref(), after));
    let body = match (view.page.orders.is_empty(), status.is_some() || after.is_some()) {
            (true, false) => view! { <section class="card empty"><h2>"No orders yet"</h2><p>"The first one shows here as soon as it is placed."</p></section> }.into_any(),
            (true, true) => view! { <section class="card empty"><h2>"No order matches"</h2><p><a href="/orders">"Show all orders"</a></p></section> }.into_any(),
            (false, _) => rows(view),
        };
    view! {
        <h1>"Orders"</h1>
        <p class="lead">{zone}</p>
        {filter(status)}
        {body}
        {next.map(|href| view! { <nav class="pager" aria-label="Pages"><a class="button quiet" href=href>"Next page"</a></nav> })}
    }
    .into_any()
}

fn next_href(status: Option<&str>, after: &str) -> String {
    let status = status.map(|status| format!("&status={}", encode_segment(status))).unwrap_or_default();
    format!("/orders?after={}{status}", encode_segment(after))
}

fn filter(chosen: Option<String>) -> AnyView {
    let statuses = std::iter::once(("", "All")).chain(OrderStatus::ALL.map(|status| (status.as_str(), Shown::from(status).name))).collect();
    view! {
        <QueryForm action="/orders" class="filter" role="search">
            {select("status", "status", "Status", statuses, chosen.as_deref().unwrap_or_default())}
            <button class="quiet" type="submit">"Show"</button>
        </QueryForm>
    }
    .into_any()
}

fn rows(OrdersView { vendor, page, clock, .. }: OrdersView) -> AnyView {
    let rows = page.orders.into_iter().map(|order| {
        let placed = format::instant(&clock, order.placed_at);
        Row::from(vec![
            Cell::Link { href: format!("/orders/{}", encode_segment(&order.order_id)), text: order.order_id },
            view! { <time datetime=order.placed_at.to_string()>{placed}</time> }.into_any().into(),
            order.customer_name.into(),
            status(order.status).into(),
            format::count(order.units).into(),
            format::money(vendor.currency, order.total).into(),
        ])
    });
    let columns = vec![
        Column::text("Order"),
        Column::text("Placed"),
        Column::text("Customer"),
        Column::text("Status"),
        Column::number("Units"),
        Column::number("Total"),
    ];
    scrolling("card scroll", "Orders", table("plain", columns, rows.collect(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_status() {
        assert_eq!(next_href(Some("shipped"), "17:4"), "/orders?after=17%3A4&status=shipped");
        assert_eq!(next_href(None, "17"), "/orders?after=17");
    }
}
