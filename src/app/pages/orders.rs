use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::orders::{OrdersView, load_orders},
    app::{
        components::{
            frame::Section,
            loaded::loaded,
            query_form::QueryForm,
            status::{Shown, Status},
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
            (false, _) => table(view),
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
    let chosen = chosen.unwrap_or_default();
    let option = |value: &'static str, label: &'static str| {
        let selected = chosen == value;
        view! { <option value=value selected=selected prop:selected=selected>{label}</option> }
    };
    let all = option("", "All");
    let statuses = OrderStatus::ALL.map(|status| option(status.as_str(), Shown::from(status).name)).collect_view();
    view! {
        <QueryForm action="/orders" class="filter" role="search">
            <div class="field"><label for="status">"Status"</label><select id="status" name="status">{all} {statuses}</select></div>
            <button class="quiet" type="submit">"Show"</button>
        </QueryForm>
    }
    .into_any()
}

fn table(OrdersView { vendor, page, clock, .. }: OrdersView) -> AnyView {
    let rows = page
        .orders
        .into_iter()
        .map(|order| {
            let href = format!("/orders/{}", encode_segment(&order.order_id));
            view! {
                <tr>
                    <th scope="row"><a href=href>{order.order_id}</a></th>
                    <td><time datetime=order.placed_at.to_string()>{format::instant(&clock, order.placed_at)}</time></td>
                    <td>{order.customer_name}</td>
                    <td><Status status=order.status/></td>
                    <td class="number">{format::count(order.units)}</td>
                    <td class="number">{format::money(vendor.currency, order.total)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="card scroll" role="region" aria-label="Orders" tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Order"</th>
                        <th scope="col">"Placed"</th>
                        <th scope="col">"Customer"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col" class="number">"Units"</th>
                        <th scope="col" class="number">"Total"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
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
