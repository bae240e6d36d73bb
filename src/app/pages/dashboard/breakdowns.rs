use leptos::prelude::*;

use super::definitions::{self, Definition, explained};
use crate::{
    app::{
        charts::bars::Bar,
        components::status::{Shown, Status},
        format,
    },
    domain::{
        accounts::encode_segment,
        report::{LowStock, Snapshot, Totals},
    },
};

/// Low-stock rows before the rest is folded away.
const LOW_STOCK_SHOWN: usize = 10;

pub fn breakdowns(snapshot: &Snapshot) -> AnyView {
    view! {
        <div class="grid">
            <div class="column">
                {panel(definitions::WATERFALL, waterfall(snapshot))}
                {panel(definitions::LOW_STOCK, low_stock(&snapshot.low_stock))}
                {panel(definitions::BY_STATUS, by_status(snapshot))}
                {panel(definitions::NEW_CUSTOMERS, customers(&snapshot.totals, snapshot.previous_totals.as_ref()))}
            </div>
            <div class="column">
                {panel(definitions::TOP, top_products(snapshot))}
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
    let rows = steps
        .into_iter()
        .map(|step| {
            view! {
                <tr class=if step.is_level { "level" } else { "" }>
                    <th scope="row">{step.name}</th>
                    <td class="drawn"><Bar from=step.from to=step.to low high tone=if step.is_level { "" } else { "less" }/></td>
                    <td class="number">{format::money(snapshot.currency, step.amount)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="bars">
            <thead class="unseen"><tr><th scope="col">"Step"</th><td></td><th scope="col">"Amount"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn by_status(snapshot: &Snapshot) -> AnyView {
    let all: i64 = snapshot.orders_by_status.iter().map(|entry| entry.orders).sum();
    if all == 0 {
        return nothing("No orders in this range.");
    }
    let rows = snapshot
        .orders_by_status
        .iter()
        .filter(|entry| entry.orders > 0)
        .map(|entry| {
            let href = format!("/orders?status={}", entry.status);
            let label = format!("{} orders", Shown::from(entry.status).name);
            view! {
                <tr>
                    <th scope="row"><a href=href aria-label=label><Status status=entry.status/></a></th>
                    <td class="drawn"><Bar from=0 to=entry.orders low=0 high=all/></td>
                    <td class="number">{format::count(entry.orders)}</td>
                    <td class="number dim">{format::share(entry.orders, all)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="bars">
            <thead class="unseen"><tr><th scope="col">"Status"</th><td></td><th scope="col">"Orders"</th><th scope="col">"Share"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
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
        return nothing("Nothing sold in this range.");
    }
    let low = rows.iter().map(|row| row.net_sales).fold(0, i64::min);
    let high = rows.iter().map(|row| row.net_sales).fold(0, i64::max);
    let rows = rows
        .into_iter()
        .map(|row| {
            let name = match row.href {
                Some(href) => view! { <a href=href>{row.name}</a> }.into_any(),
                None => row.name.into_any(),
            };
            view! {
                <tr>
                    <th scope="row"><span class="clip">{name}</span><Bar from=0 to=row.net_sales low high height=4/></th>
                    <td class="number">{format::count(row.units)}</td>
                    <td class="number">{format::money(snapshot.currency, row.net_sales)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="ranked">
            <thead><tr><th scope="col">{heading}</th><th scope="col" class="number">"Units"</th><th scope="col" class="number">"Net sales"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn top_products(snapshot: &Snapshot) -> AnyView {
    let rows = snapshot.top_products.iter().map(|product| Ranked {
        name: product.name.clone(),
        href: Some(format!("/products/{}", encode_segment(&product.product_id))),
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
        return nothing("No customers in this range.");
    }
    let rows = [
        ("New", totals.new_customers, before.map(|t| t.new_customers)),
        ("Returning", totals.returning_customers, before.map(|t| t.returning_customers)),
    ]
    .map(|(name, number, before)| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="drawn"><Bar from=0 to=number low=0 high=totals.customers/></td>
                <td class="number">{format::count(number)}</td>
                <td class="number dim">{format::share(number, totals.customers)}</td>
                {before.map(|before| view! { <td class="number dim spare">{format!("from {}", format::count(before))}</td> })}
            </tr>
        }
    })
    .collect_view();
    view! {
        <table class="bars">
            <thead class="unseen">
                <tr>
                    <th scope="col">"Customers"</th>
                    <td></td>
                    <th scope="col">"Number"</th>
                    <th scope="col">"Share"</th>
                    {before.map(|_| view! { <th scope="col" class="spare">"Before"</th> })}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn low_stock(products: &[LowStock]) -> AnyView {
    if products.is_empty() {
        return nothing("No product is at or below its threshold.");
    }
    let (first, rest) = products.split_at(products.len().min(LOW_STOCK_SHOWN));
    let rest = (!rest.is_empty()).then(|| {
        view! {
            <details prop:open=false>
                <summary>{format!("{} more", format::count(rest.len() as i64))}</summary>
                {low_stock_table(rest)}
            </details>
        }
    });
    view! { {low_stock_table(first)} {rest} }.into_any()
}

fn low_stock_table(products: &[LowStock]) -> AnyView {
    let rows = products
        .iter()
        .map(|product| {
            view! {
                <tr>
                    <th scope="row"><a class="clip" href=format!("/products/{}", encode_segment(&product.product_id))>{product.name.clone()}</a></th>
                    <td class="number">{format::count(product.stock)} <span class="dim">{format!(" of {}", format::count(product.threshold))}</span></td>
                    <td class="number">{cover(product)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="ranked">
            <thead><tr><th scope="col">"Product"</th><th scope="col" class="number">"Stock"</th><th scope="col" class="number">"Cover"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// `1.5 days`; words where there is nothing to divide.
fn cover(product: &LowStock) -> String {
    match product.days_of_cover {
        _ if product.stock <= 0 => "Sold out".to_owned(),
        Some(days) => format!("{days:.1} days"),
        None => "No sales".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::Sums;

    #[test]
    fn every_step_of_the_waterfall_begins_where_the_one_before_ended() {
        let totals = Totals::new(Sums { gross_sales: 1000, discounts: 100, returns: 300, commission: 60, ..Default::default() }, 0);
        let steps = steps(&totals);
        let seen: Vec<_> = steps.iter().map(|step| (step.name, step.amount)).collect();
        assert_eq!(
            seen,
            [("Gross sales", 1000), ("Discounts", -100), ("Returns", -300), ("Net sales", 600), ("Commission", -60), ("Payable", 540)]
        );
        for pair in steps.windows(2) {
            let starts_at = if pair[1].is_level { pair[1].to } else { pair[1].from };
            assert_eq!(pair[0].to, starts_at, "{} → {}", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn cover_is_in_words_where_it_is_no_number() {
        let product =
            |stock, days_of_cover| LowStock { product_id: "1".to_owned(), name: "Tea".to_owned(), stock, threshold: 5, days_of_cover };
        assert_eq!(cover(&product(2, Some(1.5))), "1.5 days");
        assert_eq!(cover(&product(2, None)), "No sales");
        assert_eq!(cover(&product(0, Some(0.0))), "Sold out");
    }
}
