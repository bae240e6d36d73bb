use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use crate::{
    components::{
        fields::{Input, input, select},
        frame::Section,
        loaded::loaded,
        query_form::query_form,
        status::{Shown, status},
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{encode_segment, path_segment},
        orders::OrderStatus,
    },
    format,
    server_functions::orders::{OrdersView, load_orders},
    words,
};

/// Which orders the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Query {
    status: Option<String>,
    date_from: Option<String>,
    date_to: Option<String>,
    search: Option<String>,
    after: Option<String>,
}

impl Query {
    fn of(params: &ParamsMap) -> Self {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        Self {
            status: value("status"),
            date_from: value("dateFrom"),
            date_to: value("dateTo"),
            search: value("search"),
            after: value("after"),
        }
    }

    /// The address of the page after `after`.
    fn next_href(&self, after: &str) -> String {
        let filters = [
            ("status", &self.status),
            ("dateFrom", &self.date_from),
            ("dateTo", &self.date_to),
            ("search", &self.search),
        ];
        let filters = filters
            .into_iter()
            .filter_map(|(name, value)| Some(format!("&{name}={}", encode_segment(value.as_ref()?))));
        format!("/orders?after={}{}", encode_segment(after), filters.collect::<String>())
    }
}

#[component]
pub fn OrdersPage() -> impl IntoView {
    let query = use_query_map().with_untracked(Query::of);
    let asked = query.clone();
    let load = load_orders(asked.status, asked.date_from, asked.date_to, asked.search, asked.after);
    let again = query.clone();
    view! {
        <Title text="Orders"/>
        {loaded(Section::Orders, load, |view| &view.viewer, move |view| list(view, query), move || filter(again))}
    }
}

fn list(view: OrdersView, query: Query) -> AnyView {
    let zone = words::newest_first(&view.vendor.time_zone);
    let next = view.page.next.as_deref().map(|after| query.next_href(after));
    let body = match (view.page.orders.is_empty(), query == Query::default()) {
            (true, true) => view! { <section class="card empty"><h2>"No orders yet"</h2><p>{words::NO_ORDERS}</p></section> }.into_any(),
            (true, false) => view! { <section class="card empty"><h2>{words::NO_MATCHING_ORDERS}</h2><p><a href="/orders">{words::CLEAR_FILTERS}</a></p></section> }.into_any(),
            (false, _) => rows(view),
        };
    view! {
        <h1>"Orders"</h1>
        <p class="lead">{zone}</p>
        {filter(query)}
        {body}
        {next.map(|href| view! { <nav class="pager" aria-label="Pages"><a class="button quiet" href=href>"Next page"</a></nav> })}
    }
    .into_any()
}

fn filter(chosen: Query) -> AnyView {
    let statuses = std::iter::once(("", "All"))
        .chain(OrderStatus::ALL.map(|status| (status.as_str(), Shown::from(status).name)))
        .collect();
    let field = |id, label: &str, kind, value| Input { id, label: label.to_owned(), kind, value, ..Default::default() };
    let search = Input {
        class: "grow",
        max_length: Some(100),
        autocomplete: Some("off"),
        placeholder: Some("Order or customer"),
        ..field("search", "Search", "search", chosen.search)
    };
    let fields = view! {
            {input(search)}
            {select("status", "status", "Status", statuses, chosen.status.as_deref().unwrap_or_default())}
            {input(field("dateFrom", "From", "date", chosen.date_from))}
            {input(field("dateTo", "To", "date", chosen.date_to))}
            <button class="quiet" type="submit">"Filter"</button>
    };
    query_form("/orders", "filter", Some("search"), fields.into_any())
}

fn rows(OrdersView { vendor, page, clock, .. }: OrdersView) -> AnyView {
    let rows = page.orders.into_iter().map(|order| {
        let placed = format::instant(&clock, order.placed_at);
        Row::from(vec![
            Cell::Link { href: format!("/orders/{}", path_segment(&order.order_id)), text: order.order_id },
            view! { <time datetime=order.placed_at.to_string()>{placed}</time> }.into_any().into(),
            Cell::Written(order.customer_name),
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
    scrolling("card scroll", "Orders", table("plain stacked orders", columns, rows.collect(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let query =
            Query { status: Some("shipped".to_owned()), search: Some("Anna & Co".to_owned()), ..Query::default() };
        assert_eq!(query.next_href("17:4"), "/orders?after=17%3A4&status=shipped&search=Anna%20%26%20Co");
        assert_eq!(Query::default().next_href("17"), "/orders?after=17");
    }
}
