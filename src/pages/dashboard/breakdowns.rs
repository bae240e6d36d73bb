use leptos::prelude::*;

use super::{
    definitions::{self, Definition, explained},
    movers::{left_out, of_category, of_product, of_status},
    rows::orders_href,
    sales::export_href,
};
use crate::{
    charts::bars::bar,
    components::{
        change::{Change, More, delta},
        status::status,
        table::{Cell, Column, Row, table},
    },
    domain::{
        accounts::path_segment,
        movers::Movers,
        snapshot::{Snapshot, Totals},
    },
    format,
    pages::ranges::RangeQuery,
    server_functions::dashboard::Unfinished,
    words,
};

/// What the figures are made of. Products lead to their pages, which are for their vendor alone.
pub fn breakdowns(
    snapshot: &Snapshot,
    movers: Option<&Movers>,
    unfinished: Option<Unfinished>,
    customers_are_fair: bool,
    query: &RangeQuery,
) -> AnyView {
    let before = snapshot.previous_totals.as_ref().filter(|_| customers_are_fair);
    let is_whole = query.filters().iter().all(|(_, value)| value.is_none());
    // Of one product there is nothing to put in order.
    let moved_most = movers
        .filter(|_| query.product.is_none())
        .and_then(|movers| super::movers::movers(movers, snapshot, unfinished.is_some(), query));
    let over = || left_out(snapshot, movers, unfinished.is_some());
    view! {
        <div class="grid">
            <div class="column">
                {panel(definitions::WATERFALL, view! { {waterfall(snapshot)} {exports(snapshot, query)} }.into_any())}
                {is_whole.then(|| panel(definitions::LOW_STOCK, low_stock(snapshot, query)))}
                {panel(definitions::BY_STATUS, view! { {by_status(snapshot, movers, query)} {over()} }.into_any())}
                {panel(definitions::NEW_CUSTOMERS, customers(&snapshot.totals, before))}
                {panel(definitions::TOP_CATEGORIES, view! { {top_categories(snapshot, movers, query)} {over()} }.into_any())}
            </div>
            <div class="column">
                {panel(definitions::TOP, view! { {top_products(snapshot, movers, query)} {over()} }.into_any())}
                {moved_most.map(|movers| panel(definitions::MOVERS, movers))}
            </div>
        </div>
    }
    .into_any()
}

fn panel(definition: Definition, content: AnyView) -> AnyView {
    view! {
        <section class="card">
            <div class="name"><h2>{definition.name}</h2> {explained(definition, None)}</div>
            {content}
        </section>
    }
    .into_any()
}

fn nothing(text: &'static str) -> AnyView {
    view! { <p class="hint">{text}</p> }.into_any()
}

/// One step of the way from gross sales to what is paid out: a name, an amount, and the bar from one level to the next.
struct Step {
    name: &'static str,
    amount: i64,
    from: i64,
    to: i64,
    /// A level reached, as opposed to a step on the way.
    is_level: bool,
}

fn steps(totals: &Totals) -> [Step; 6] {
    let discounted = totals.gross_sales - totals.discounts;
    let level = |name, amount| Step { name, amount, from: 0, to: amount, is_level: true };
    let step = |name, from: i64, to: i64| Step { name, amount: to - from, from, to, is_level: false };
    [
        level("Gross sales", totals.gross_sales),
        step("Discounts", totals.gross_sales, discounted),
        step("Returns", discounted, totals.net_sales),
        level("Net sales", totals.net_sales),
        step(if totals.is_paid() { "Commission" } else { words::NOT_PAID }, totals.net_sales, totals.payable),
        level("Payable", totals.payable),
    ]
}

fn waterfall(snapshot: &Snapshot) -> AnyView {
    let steps = steps(&snapshot.totals);
    let low = steps.iter().map(|step| step.from.min(step.to)).fold(0, i64::min);
    let high = steps.iter().map(|step| step.from.max(step.to)).fold(0, i64::max);
    let before = snapshot.previous_totals.as_ref().map(self::steps);
    // What is taken away goes with what is sold: more of it is neither good nor bad.
    let change = |at: usize, step: &Step| {
        let size = |step: &Step| if step.is_level { step.amount } else { step.amount.abs() };
        let (before, now) = (before.as_ref().map(|steps| size(&steps[at])), size(step));
        match before {
            Some(before) if !step.is_level => {
                let change = Change::between(Some(before), Some(now));
                view! { <span class="delta">{change.arrow()} " " {change.text()}</span> }.into_any()
            }
            _ => delta(before, now, More::IsGood, |amount| format::money(snapshot.currency, amount)),
        }
    };
    let rows = steps.into_iter().enumerate().map(|(at, step)| Row {
        id: None,
        class: if step.is_level { "level" } else { "" },
        cells: vec![
            Cell::Text(step.name.to_owned()),
            bar(step.from, step.to, low, high, if step.is_level { "bar" } else { "bar less" }).into(),
            format::money(snapshot.currency, step.amount).into(),
            change(at, &step).into(),
        ],
    });
    let mut columns = vec![Column::text("Step"), Column::text(""), Column::number("Amount")];
    if snapshot.previous_totals.is_some() {
        columns.push(Column::classed("Change", "number spare"));
    }
    table("bars", columns, rows.collect(), None)
}

/// For whoever keeps the books.
fn exports(snapshot: &Snapshot, query: &RangeQuery) -> AnyView {
    let links = [("payable", "Export payout by day"), ("orders", "Export order lines"), ("refunds", "Export refunds")];
    let links = links.map(|(table, name)| {
        let href = export_href(snapshot, table, query);
        view! { <a href=href download="">{name}</a> }
    });
    view! { <p class="exports">{links.collect_view()}</p> }.into_any()
}

/// A figure that leads to the rows behind it.
fn figure(text: String, href: Option<String>) -> Cell {
    match href {
        Some(href) => view! { <a class="rows" href=href>{text}</a> }.into_any().into(),
        None => text.into(),
    }
}

fn by_status(snapshot: &Snapshot, movers: Option<&Movers>, query: &RangeQuery) -> AnyView {
    let all: i64 = snapshot.orders_by_status.iter().map(|entry| entry.orders).sum();
    if all == 0 {
        return nothing(words::NO_ORDERS_IN_PERIOD);
    }
    let rows = snapshot.orders_by_status.iter().filter(|entry| entry.orders > 0).map(|entry| {
        let slug = entry.status.as_str();
        let href = RangeQuery { status: Some(slug.to_owned()), ..query.clone() }.href();
        Row::from(vec![
            view! { <a href=href data-noscroll="">{status(entry.status)}</a> }.into_any().into(),
            bar(0, entry.orders, 0, all, "bar").into(),
            figure(format::count(entry.orders), orders_href(snapshot, query, Some(("status", slug)))),
            format::share(entry.orders, all).unwrap_or_default().into(),
            of_status(movers, entry.status).into(),
        ])
    });
    let mut columns = vec![
        Column::text("Status"),
        Column::text(""),
        Column::number("Orders"),
        Column::classed("Share", "number dim"),
    ];
    if movers.is_some() {
        columns.push(Column::classed("Change", "number spare"));
    }
    table("bars", columns, rows.collect(), None)
}

/// A name with a link perhaps, units and net sales: a row of a top list.
struct Ranked {
    name: String,
    href: Option<String>,
    /// Whether the link stays on this page.
    narrows: bool,
    /// The orders behind it.
    orders: Option<String>,
    /// Against the comparison; blank where there is none.
    change: AnyView,
    units: i64,
    net_sales: i64,
}

fn ranked(heading: &'static str, rows: Vec<Ranked>, has_changes: bool, snapshot: &Snapshot) -> AnyView {
    if rows.is_empty() {
        return nothing(words::NOTHING_SOLD);
    }
    let foot = rest_of(&rows, snapshot);
    let low = rows.iter().map(|row| row.net_sales).fold(0, i64::min);
    let high = rows.iter().map(|row| row.net_sales).fold(0, i64::max);
    let rows = rows.into_iter().map(|row| {
        let name = match row.href {
            Some(href) => {
                let in_place = row.narrows.then_some("");
                view! { <a class="clip" href=href dir="auto" data-noscroll=in_place>{row.name}</a> }.into_any()
            }
            None => view! { <span class="clip" dir="auto">{row.name}</span> }.into_any(),
        };
        Row::from(vec![
            view! { {name} {bar(0, row.net_sales, low, high, "bar thin")} }.into_any().into(),
            format::count(row.units).into(),
            figure(format::money(snapshot.currency, row.net_sales), row.orders),
            row.change.into(),
        ])
    });
    let mut columns = vec![Column::text(heading), Column::number("Units"), Column::number("Net sales")];
    if has_changes {
        columns.push(Column::classed("Change", "number spare"));
    }
    table("ranked", columns, rows.collect(), foot)
}

/// What the list leaves out, and what all of it comes to: the figures on the cards. Nothing below a single one that is
/// all there is.
fn rest_of(rows: &[Ranked], snapshot: &Snapshot) -> Vec<Row> {
    let listed = rows.iter().fold((0, 0), |(units, net), row| (units + row.units, net + row.net_sales));
    let all = (snapshot.totals.units, snapshot.totals.net_sales);
    let row = |name: &str, (units, net_sales): (i64, i64)| {
        Row::from(vec![
            Cell::Text(name.to_owned()),
            format::count(units).into(),
            format::money(snapshot.currency, net_sales).into(),
        ])
    };
    let others = (listed != all).then(|| row(words::OTHERS, (all.0 - listed.0, all.1 - listed.1)));
    let total = (rows.len() > 1 || others.is_some()).then(|| row("Total", all));
    others.into_iter().chain(total).collect()
}

fn top_products(snapshot: &Snapshot, movers: Option<&Movers>, query: &RangeQuery) -> AnyView {
    let rows = snapshot.top_products.iter().map(|product| Ranked {
        name: product.name.clone(),
        href: query.vendor_id.is_none().then(|| product_href(&product.product_id, query)),
        narrows: false,
        orders: orders_href(snapshot, query, Some(("product", &product.product_id))),
        change: of_product(movers, &product.product_id, snapshot.currency),
        units: product.units,
        net_sales: product.net_sales,
    });
    ranked("Product", rows.collect(), movers.is_some(), snapshot)
}

fn top_categories(snapshot: &Snapshot, movers: Option<&Movers>, query: &RangeQuery) -> AnyView {
    let rows = snapshot.top_categories.iter().map(|category| Ranked {
        name: category.category.clone(),
        href: Some(RangeQuery { category: Some(category.category.clone()), ..query.clone() }.href()),
        narrows: true,
        orders: orders_href(snapshot, query, Some(("category", &category.category))),
        change: of_category(movers, &category.category, snapshot.currency),
        units: category.units,
        net_sales: category.net_sales,
    });
    ranked("Category", rows.collect(), movers.is_some(), snapshot)
}

fn customers(totals: &Totals, before: Option<&Totals>) -> AnyView {
    if totals.customers == 0 {
        return nothing(words::NO_CUSTOMERS_IN_PERIOD);
    }
    let row = |name: &str, number, before: Option<i64>| {
        Row::from(vec![
            Cell::Text(name.to_owned()),
            bar(0, number, 0, totals.customers, "bar").into(),
            format::count(number).into(),
            format::share(number, totals.customers).unwrap_or_default().into(),
            // Left out with its column where there is no comparison.
            before.map(|before| format!("from {}", format::count(before))).unwrap_or_default().into(),
        ])
    };
    let mut columns = vec![
        Column::text("Customers"),
        Column::text(""),
        Column::number("Number"),
        Column::classed("Share", "number dim"),
    ];
    if before.is_some() {
        columns.push(Column::classed("Previous", "number dim spare"));
    }
    let rows = vec![
        row("New", totals.new_customers, before.map(|before| before.new_customers)),
        row("Returning", totals.returning_customers, before.map(|before| before.returning_customers)),
    ];
    table("bars", columns, rows, None)
}

/// A product's page, with the range that is shown.
pub fn product_href(product_id: &str, query: &RangeQuery) -> String {
    let page = Some(format!("/products/{}", path_segment(product_id)));
    RangeQuery { page, product: None, category: None, status: None, metric: None, ..query.clone() }.href()
}

/// The most urgent ones, and the way to all of them.
fn low_stock(snapshot: &Snapshot, query: &RangeQuery) -> AnyView {
    let (products, linked) = (&snapshot.low_stock, query.vendor_id.is_none());
    if products.is_empty() {
        return nothing(words::NOTHING_RUNS_OUT);
    }
    let rows = products.iter().map(|product| {
        Row::from(vec![
            match linked {
                true => Cell::Link { href: product_href(&product.product_id, query), text: product.name.clone() },
                false => Cell::Written(product.name.clone()),
            },
            format::count(product.stock).into(),
            format::cover(product.stock, product.days_of_cover).into(),
        ])
    });
    let shown = table(
        "ranked",
        vec![Column::text("Product"), Column::number("Left"), Column::number("Lasts")],
        rows.collect(),
        None,
    );
    let all = format!("All {}", format::count(snapshot.low_stock_total));
    let rest = (snapshot.low_stock_total > products.len() as i64).then(|| match linked {
        true => view! { <p><a href="/products?stock=low">{all}</a></p> }.into_any(),
        false => view! { <p class="hint">{all}</p> }.into_any(),
    });
    view! { {shown} {rest} }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::Sums;

    #[test]
    fn every_step_of_the_waterfall_begins_where_the_one_before_ended() {
        let totals = Totals::new(
            Sums { gross_sales: 1000, discounts: 100, returns: 300, commission: 60, ..Default::default() },
            0,
        );
        let steps = steps(&totals);
        let seen: Vec<_> = steps.iter().map(|step| (step.name, step.amount)).collect();
        assert_eq!(
            seen,
            [
                ("Gross sales", 1000),
                ("Discounts", -100),
                ("Returns", -300),
                ("Net sales", 600),
                ("Commission", -60),
                ("Payable", 540)
            ]
        );
        for pair in steps.windows(2) {
            let starts_at = if pair[1].is_level { pair[1].to } else { pair[1].from };
            assert_eq!(pair[0].to, starts_at, "{} → {}", pair[0].name, pair[1].name);
        }
    }
}
