use leptos::prelude::*;

use super::definitions::{self, Definition, explained};
use crate::{
    charts::bars::bar,
    components::{
        status::status,
        table::{Cell, Column, Row, table},
    },
    domain::{
        accounts::path_segment,
        snapshot::{Snapshot, Totals},
    },
    format, words,
};

/// `linked`: whether products lead to their pages, which are for their vendor alone.
pub fn breakdowns(snapshot: &Snapshot, linked: bool) -> AnyView {
    view! {
        <div class="grid">
            <div class="column">
                {panel(definitions::WATERFALL, waterfall(snapshot))}
                {panel(definitions::LOW_STOCK, low_stock(snapshot, linked))}
                {panel(definitions::BY_STATUS, by_status(snapshot, linked))}
                {panel(definitions::NEW_CUSTOMERS, customers(&snapshot.totals, snapshot.previous_totals.as_ref()))}
            </div>
            <div class="column">
                {panel(definitions::TOP, top_products(snapshot, linked))}
                {panel(definitions::TOP_CATEGORIES, top_categories(snapshot))}
            </div>
        </div>
    }
    .into_any()
}

fn panel(definition: Definition, content: AnyView) -> AnyView {
    view! {
        <section class="card">
            <div class="name"><h2>{definition.name}</h2> {explained(definition)}</div>
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
        step("Commission", totals.net_sales, totals.payable),
        level("Payable", totals.payable),
    ]
}

fn waterfall(snapshot: &Snapshot) -> AnyView {
    let steps = steps(&snapshot.totals);
    let low = steps.iter().map(|step| step.from.min(step.to)).fold(0, i64::min);
    let high = steps.iter().map(|step| step.from.max(step.to)).fold(0, i64::max);
    let rows = steps.into_iter().map(|step| Row {
        class: if step.is_level { "level" } else { "" },
        cells: vec![
            Cell::Text(step.name.to_owned()),
            bar(step.from, step.to, low, high, if step.is_level { "bar" } else { "bar less" }).into(),
            format::money(snapshot.currency, step.amount).into(),
        ],
    });
    table("bars", vec![Column::text("Step"), Column::text(""), Column::number("Amount")], rows.collect(), None)
}

fn by_status(snapshot: &Snapshot, linked: bool) -> AnyView {
    let all: i64 = snapshot.orders_by_status.iter().map(|entry| entry.orders).sum();
    if all == 0 {
        return nothing("No orders in this period.");
    }
    let rows = snapshot.orders_by_status.iter().filter(|entry| entry.orders > 0).map(|entry| {
        let href =
            format!("/orders?status={}&dateFrom={}&dateTo={}", entry.status, snapshot.range.from, snapshot.range.to);
        Row::from(vec![
            match linked {
                true => view! { <a href=href>{status(entry.status)}</a> }.into_any().into(),
                false => status(entry.status).into(),
            },
            bar(0, entry.orders, 0, all, "bar").into(),
            format::count(entry.orders).into(),
            format::share(entry.orders, all).unwrap_or_default().into(),
        ])
    });
    let columns = vec![
        Column::text("Status"),
        Column::text(""),
        Column::number("Orders"),
        Column::classed("Share", "number dim"),
    ];
    table("bars", columns, rows.collect(), None)
}

/// A name with a link perhaps, units and net sales: a row of a top list.
struct Ranked {
    name: String,
    href: Option<String>,
    units: i64,
    net_sales: i64,
}

fn ranked(heading: &'static str, rows: Vec<Ranked>, snapshot: &Snapshot) -> AnyView {
    if rows.is_empty() {
        return nothing(words::NOTHING_SOLD);
    }
    let low = rows.iter().map(|row| row.net_sales).fold(0, i64::min);
    let high = rows.iter().map(|row| row.net_sales).fold(0, i64::max);
    let rows = rows.into_iter().map(|row| {
        let name = match row.href {
            Some(href) => view! { <a class="clip" href=href dir="auto">{row.name}</a> }.into_any(),
            None => view! { <span class="clip" dir="auto">{row.name}</span> }.into_any(),
        };
        Row::from(vec![
            view! { {name} {bar(0, row.net_sales, low, high, "bar thin")} }.into_any().into(),
            format::count(row.units).into(),
            format::money(snapshot.currency, row.net_sales).into(),
        ])
    });
    table(
        "ranked",
        vec![Column::text(heading), Column::number("Units"), Column::number("Net sales")],
        rows.collect(),
        None,
    )
}

fn top_products(snapshot: &Snapshot, linked: bool) -> AnyView {
    let rows = snapshot.top_products.iter().map(|product| Ranked {
        name: product.name.clone(),
        href: linked.then(|| product_href(&product.product_id)),
        units: product.units,
        net_sales: product.net_sales,
    });
    ranked("Product", rows.collect(), snapshot)
}

fn top_categories(snapshot: &Snapshot) -> AnyView {
    let rows = snapshot.top_categories.iter().map(|category| Ranked {
        name: category.category.clone(),
        href: None,
        units: category.units,
        net_sales: category.net_sales,
    });
    ranked("Category", rows.collect(), snapshot)
}

fn customers(totals: &Totals, before: Option<&Totals>) -> AnyView {
    if totals.customers == 0 {
        return nothing("No customers in this period.");
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

fn product_href(product_id: &str) -> String {
    format!("/products/{}", path_segment(product_id))
}

/// The most urgent ones, and the way to all of them.
fn low_stock(snapshot: &Snapshot, linked: bool) -> AnyView {
    let products = &snapshot.low_stock;
    if products.is_empty() {
        return nothing(words::NOTHING_RUNS_OUT);
    }
    let rows = products.iter().map(|product| {
        Row::from(vec![
            match linked {
                true => Cell::Link { href: product_href(&product.product_id), text: product.name.clone() },
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
