use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::params::ParamsMap;

use crate::{
    components::{
        chips::{Chip, chips},
        feedback::done,
        fields::{Input, input, select},
        frame::Section,
        in_place::in_place,
        loaded::loaded,
        pager::pager,
        parameters::parameters,
        picking::{pick, picking},
        query_form::query_form,
        scripts::scripts,
        shortcuts,
        stale::stale,
        status::{Shown, status},
        table::{Column, Row, Sorting, scrolling, table},
        written::written,
    },
    domain::{
        accounts::{encode_segment, path_segment},
        orders::{MOST_SUMMED, OrderSort, OrderStatus, OrderSummary},
    },
    format,
    islands::{Keys, Live},
    server_functions::{
        lists::note_list,
        orders::{OrdersAsked, OrdersView, load_orders},
    },
    words,
};

/// What a list comes to.
mod foot;

/// The parameters of the address, but for the place to read on from.
type Filters<'a> = [(&'static str, &'a Option<String>); 9];

fn filters(asked: &OrdersAsked) -> Filters<'_> {
    [
        ("status", &asked.status),
        ("dateFrom", &asked.date_from),
        ("dateTo", &asked.date_to),
        ("search", &asked.search),
        ("refunded", &asked.refunded),
        ("counted", &asked.counted),
        ("product", &asked.product),
        ("category", &asked.category),
        ("sort", &asked.sort),
    ]
}

/// What the form offers among the statuses: several of them at once.
pub const STATUS_GROUPS: [&str; 2] = [COUNTED, NOT_COUNTED];
const COUNTED: &str = "counted";
const NOT_COUNTED: &str = "uncounted";

fn of(params: &ParamsMap) -> OrdersAsked {
    let value = |name| params.get(name).filter(|value| !value.is_empty());
    let (status, counted) = match value("status") {
        Some(status) if status == COUNTED => (None, Some("true".to_owned())),
        Some(status) if status == NOT_COUNTED => (None, Some("false".to_owned())),
        status => (status, value("counted")),
    };
    OrdersAsked {
        status,
        date_from: value("dateFrom"),
        date_to: value("dateTo"),
        search: value("search"),
        refunded: value("refunded"),
        counted,
        product: value("product"),
        category: value("category"),
        sort: value("sort"),
        after: value("after"),
    }
}

/// The list with these filters, from the place `after` on.
fn href(asked: &OrdersAsked, after: Option<&str>) -> String {
    let after = after.map(|after| format!("after={}", encode_segment(after)));
    let filters = filters(asked)
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode_segment(value.as_ref()?))));
    let pairs: Vec<_> = after.into_iter().chain(filters).collect();
    if pairs.is_empty() { "/orders".to_owned() } else { format!("/orders?{}", pairs.join("&")) }
}

#[component]
pub fn OrdersPage() -> impl IntoView {
    let query = parameters(of);
    let load = load_orders(query.clone());
    let again = query.clone();
    view! {
        <Title text="Orders"/>
        {loaded(Section::Orders, load, |view| &view.viewer, move |view| list(view, query), move || filter(&again))}
    }
}

fn list(view: OrdersView, query: OrdersAsked) -> AnyView {
    let view_product = view.product_name.clone();
    let stream = view.vendor.vendor_id.clone();
    let may_write = view.viewer.role.may_write();
    let counted = view.page.sums.as_ref().map(|sums| format::counted(sums.orders, "order", "orders"));
    let newest = view.page.orders.first().filter(|_| view.sort == OrderSort::default() && query.after.is_none());
    let said = match &newest {
        None if view.page.orders.is_empty() => words::NO_MATCHING_ORDERS.to_owned(),
        newest => words::orders_listed(counted.as_deref(), newest.map(|order| order.order_id.as_str())),
    };
    let stale = stale(view.freshness);
    let zone = words::sorted_list(words::sort_of_orders(view.sort), &view.vendor.time_zone);
    note_list("/orders", &href(&query, query.after.as_deref()));
    let next = view.page.next.as_deref().map(|after| href(&query, Some(after)));
    let pages = pager(query.after.is_some().then(|| href(&query, None)), next);
    let unsorted = OrdersAsked { sort: None, ..query.clone() };
    // Where nothing was sold, something may have come back.
    let has_returns = view.page.figures.is_some_and(|figures| figures.returns != 0);
    let body = match (view.page.orders.is_empty() && !has_returns, unsorted == OrdersAsked::default()) {
        (true, true) => {
            view! { <section class="card empty"><h2>"No orders yet"</h2><p>{words::NO_ORDERS}</p></section> }.into_any()
        }
        (true, false) => view! {
            <section class="card empty">
                <h2>{words::NO_MATCHING_ORDERS}</h2>
                <p><a href="/orders">{words::CLEAR_FILTERS}</a></p>
            </section>
        }
        .into_any(),
        (false, _) => rows(view, &query),
    };
    let file = href(&query, None).replacen("/orders", "/api/vendor/orders.csv", 1);
    let changed = parameters(|params| params.get("changed"));
    let changed = changed.map(|count| done(words::changed(&count, "order", "orders")));
    view! {
        <h1>"Orders"</h1>
        {changed}
        <p class="lead">{zone} " " <span data-stream=stream><Live/></span></p>
        {stale}
        {in_place(said)}
        {filter(&query)}
        {chips(narrowed(&query, view_product))}
        {body}
        {pages}
        <footer class="foot">
            <p class="exports"><a href=file download="">"Export this list"</a></p>
            {shortcuts::button()}
        </footer>
        {shortcuts::of_list(may_write)}
        <Keys/>
        {scripts()}
    }
    .into_any()
}

/// What the figures that somebody comes from are narrowed to.
fn narrowed(asked: &OrdersAsked, product_name: Option<String>) -> Vec<Chip> {
    let product = asked.product.clone().map(|id| Chip {
        name: "Product",
        value: product_name.unwrap_or(id),
        without: href(&OrdersAsked { product: None, ..asked.clone() }, None),
    });
    let category = asked.category.clone().map(|value| Chip {
        name: "Category",
        value,
        without: href(&OrdersAsked { category: None, ..asked.clone() }, None),
    });
    let counted = asked.counted.as_deref().map(|counted| Chip {
        name: "Sales",
        value: if counted == "false" { words::NOT_COUNTED } else { words::COUNTED }.to_owned(),
        without: href(&OrdersAsked { counted: None, ..asked.clone() }, None),
    });
    product.into_iter().chain(category).chain(counted).collect()
}

fn filter(chosen: &OrdersAsked) -> AnyView {
    let statuses = [("", "All"), (COUNTED, words::COUNTED), (NOT_COUNTED, words::NOT_COUNTED)]
        .into_iter()
        .chain(OrderStatus::ALL.map(|status| (status.as_str(), Shown::from(status).name)))
        .collect();
    let status = match (chosen.status.as_deref(), chosen.counted.as_deref()) {
        (Some(status), _) => status,
        (None, Some("true")) => COUNTED,
        (None, Some(_)) => NOT_COUNTED,
        (None, None) => "",
    };
    let returns = vec![("", "All"), ("true", "With refunds"), ("false", "Without refunds")];
    let sorts = OrderSort::ALL.map(|sort| (sort.as_str(), words::sort_of_orders(sort))).to_vec();
    // What the form does not ask for stays as it is.
    let kept = [("product", &chosen.product), ("category", &chosen.category)];
    let kept = kept
        .into_iter()
        .filter_map(|(name, value)| Some(view! { <input type="hidden" name=name value=value.clone()?/> }));
    let kept = kept.collect::<Vec<_>>();
    let field = |id, label: &str, kind, value| Input { id, label: label.to_owned(), kind, value, ..Default::default() };
    // As the page writes days; the field writes them as the reader's own system does.
    let date = |id, label: &str, value: &Option<String>| Input {
        hint: Some(value.as_deref().and_then(words::day).unwrap_or_default()),
        ..field(id, label, "date", value.clone())
    };
    let search = Input {
        class: "grow",
        max_length: Some(100),
        autocomplete: Some("off"),
        placeholder: Some("Order or customer"),
        ..field("search", "Search", "search", chosen.search.clone())
    };
    let fields = view! {
            {input(search)}
            {select("status", "status", "Status", statuses, status)}
            {select("refunded", "refunded", "Returns", returns, chosen.refunded.as_deref().unwrap_or_default())}
            {input(date("dateFrom", "From", &chosen.date_from))}
            {input(date("dateTo", "To", &chosen.date_to))}
            {select("sort", "sort", "Sort by", sorts, chosen.sort.as_deref().unwrap_or(OrderSort::default().as_str()))}
            {kept}
            <button class="quiet" type="submit">"Filter"</button>
    };
    query_form("/orders", "filter", Some("search"), fields.into_any())
}

fn rows(OrdersView { viewer, vendor, page, sort, clock, .. }: OrdersView, asked: &OrdersAsked) -> AnyView {
    let may_write = viewer.role.may_write();
    let foot = foot::rows(&page, asked, vendor.currency);
    let rows = page.orders.into_iter().enumerate().map(|(at, order)| {
        let placed = format::instant(&clock, order.placed_at);
        let href = format!("/orders/{}", path_segment(&order.order_id));
        let refunded = (order.refunded_amount > 0).then(|| {
            let text = format!("Refunded {}", format::money(vendor.currency, order.refunded_amount));
            view! { " " <span class="status waiting">{text}</span> }
        });
        let cells = vec![
            pick(may_write, at, &order.order_id, order.order_id.clone(), href),
            view! { <time datetime=order.placed_at.to_string()>{placed}</time> " " {age(&order)} }.into_any().into(),
            // Cut before it makes a row tall, or pushes amounts away.
            view! { <span class="clip">{written(order.customer_name.clone())}</span> }.into_any().into(),
            view! { {status(order.status)} {refunded} }.into_any().into(),
            format::count(order.units).into(),
            format::money(vendor.currency, order.total).into(),
            format::money(vendor.currency, order.payable).into(),
        ];
        Row { id: Some(format!("row-{}", path_segment(&order.order_id))), ..Row::from(cells) }
    });
    let has_sums = page.sums.is_some();
    let too_many = (!has_sums).then(|| view! { <p class="hint">{words::too_many_to_sort(MOST_SUMMED)}</p> });
    // The way that most people mean first, the other one at the second click.
    let by = |first: OrderSort, second: OrderSort| {
        let next = if sort == first { second } else { first };
        let href = href(&OrdersAsked { sort: Some(next.as_str().to_owned()), ..asked.clone() }, None);
        let now =
            [first, second].contains(&sort).then(|| if sort.is_descending() { "descending" } else { "ascending" });
        (has_sums || !next.reads_all()).then_some(Sorting { href, now })
    };
    let columns = vec![
        Column::text("Order").sorting(by(OrderSort::OrderAsc, OrderSort::OrderDesc)),
        Column::text("Placed").sorting(by(OrderSort::PlacedDesc, OrderSort::PlacedAsc)),
        Column::text("Customer").sorting(by(OrderSort::CustomerAsc, OrderSort::CustomerDesc)),
        Column::classed("Status", "side").sorting(by(OrderSort::StatusAsc, OrderSort::StatusDesc)),
        Column::number("Units").sorting(by(OrderSort::UnitsDesc, OrderSort::UnitsAsc)).named(),
        Column::classed("Total", "number chief").sorting(by(OrderSort::TotalDesc, OrderSort::TotalAsc)),
        Column::number("Payable").sorting(by(OrderSort::PayableDesc, OrderSort::PayableAsc)).named(),
    ];
    let list = scrolling("card scroll", "Orders", table("plain stacked", columns, rows.collect(), foot));
    let list = view! { <div class="column" data-rows="">{list} {too_many}</div> }.into_any();
    let next = [OrderStatus::Shipped, OrderStatus::Delivered, OrderStatus::Cancelled];
    let next = next.map(|status| (status.as_str(), Shown::from(status).name)).to_vec();
    let fields = select("next", "status", "Mark the selected orders as", next, "shipped");
    picking(may_write, "/orders/change", fields, list)
}

/// How long ago an order was placed; marked where it was not today and has not been sent.
fn age(order: &OrderSummary) -> AnyView {
    let is_open = matches!(order.status, OrderStatus::Pending | OrderStatus::Processing);
    let class = if is_open && order.days_since_placed > 0 { "low" } else { "hint" };
    view! { <span class=class>{words::placed_ago(order.days_since_placed)}</span> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let query = OrdersAsked {
            status: Some("shipped".to_owned()),
            search: Some("Anna & Co".to_owned()),
            refunded: Some("true".to_owned()),
            ..Default::default()
        };
        assert_eq!(
            href(&query, Some("17:4")),
            "/orders?after=17%3A4&status=shipped&search=Anna%20%26%20Co&refunded=true"
        );
        assert_eq!(href(&OrdersAsked::default(), Some("17")), "/orders?after=17");
        assert_eq!(href(&OrdersAsked::default(), None), "/orders");
    }
}
