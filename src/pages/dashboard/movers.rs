use leptos::prelude::*;

use super::breakdowns::product_href;
use crate::{
    components::{
        change::{Change, More, delta},
        table::{Cell, Column, Row, table},
    },
    domain::{
        money::Currency,
        movers::{Movers, ProductChange, finished},
        orders::OrderStatus,
        period::DateRange,
        snapshot::Snapshot,
    },
    format,
    pages::ranges::RangeQuery,
    words,
};

/// What net sales rose most, and what they fell most; nothing where nothing moved. Where today is left out, that is
/// said: other lists have it.
pub fn movers(movers: &Movers, snapshot: &Snapshot, is_so_far: bool, query: &RangeQuery) -> Option<AnyView> {
    let over = over(snapshot, is_so_far).map(|(days, before)| {
        view! { <p class="hint">{words::only_over(&days, &before, is_so_far)}</p> }
    });
    let list = |name: &'static str, products: &[ProductChange]| {
        let rows = products.iter().map(|product| row(product, snapshot.currency, query));
        let columns = vec![Column::text(name), Column::number("Change"), Column::classed("Net sales", "number spare")];
        (!products.is_empty()).then(|| table("ranked", columns, rows.collect(), None))
    };
    let (up, down) = (list("Rising", &movers.risers), list("Falling", &movers.fallers));
    (up.is_some() || down.is_some()).then(|| view! { {over} {up} {down} }.into_any())
}

/// The days that are compared and those before, as they are written, where today is perhaps not among them.
fn over(snapshot: &Snapshot, is_so_far: bool) -> Option<(String, String)> {
    let days = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let before = snapshot.comparison.map(|before| DateRange { from: before.from, to: before.to })?;
    let (days, before) = finished(days, before, is_so_far)?;
    Some((format::range(days), format::range(before)))
}

/// Said below a list whose amounts have today and whose changes have not; nothing where both are of the same days.
pub fn left_out(snapshot: &Snapshot, movers: Option<&Movers>, is_so_far: bool) -> Option<AnyView> {
    let (days, before) = movers.filter(|_| is_so_far).and_then(|_| over(snapshot, is_so_far))?;
    Some(view! { <p class="hint">{words::changes_over(&days, &before)}</p> }.into_any())
}

fn row(product: &ProductChange, currency: Currency, query: &RangeQuery) -> Row {
    let name = match query.vendor_id {
        None => Cell::Link { href: product_href(&product.product_id, query), text: product.name.clone() },
        Some(_) => Cell::Written(product.name.clone()),
    };
    let sign = if product.change() > 0 { "+" } else { "" };
    let tone = if product.change() > 0 { "delta good" } else { "delta bad" };
    let change = format!("{sign}{}", format::money(currency, product.change()));
    let spoken = Change::between(Some(product.previous_net_sales), Some(product.net_sales)).words();
    let spoken = format!("({spoken} {})", format::money(currency, product.previous_net_sales));
    Row::from(vec![
        name,
        view! { <span class=tone>{change} <span class="unseen">{spoken}</span></span> }.into_any().into(),
        format::money(currency, product.net_sales).into(),
    ])
}

/// How a product of the best did before; blank where it is not known.
pub fn of_product(movers: Option<&Movers>, product_id: &str, currency: Currency) -> AnyView {
    let known = movers.and_then(|movers| movers.top_products.iter().find(|product| product.product_id == product_id));
    known.map_or_else(|| ().into_any(), |product| compared(product.previous_net_sales, product.net_sales, currency))
}

/// How a category did before; blank where it is not known.
pub fn of_category(movers: Option<&Movers>, name: &str, currency: Currency) -> AnyView {
    let known = movers.and_then(|movers| movers.categories.iter().find(|category| category.category == name));
    known.map_or_else(|| ().into_any(), |category| compared(category.previous_net_sales, category.net_sales, currency))
}

/// How many orders of a status there were before; blank where it is not known. Many of one status are neither good nor
/// bad: it is where they stand now.
pub fn of_status(movers: Option<&Movers>, status: OrderStatus) -> AnyView {
    let known = movers.and_then(|movers| movers.statuses.iter().find(|change| change.status == status));
    known.map_or_else(
        || ().into_any(),
        |known| {
            let change = Change::between(Some(known.previous_orders), Some(known.orders));
            let spoken = format!("({} {})", change.words(), format::count(known.previous_orders));
            view! {
                <span class="delta">{change.arrow()} " " {change.text()} <span class="unseen">{spoken}</span></span>
            }
            .into_any()
        },
    )
}

fn compared(before: i64, now: i64, currency: Currency) -> AnyView {
    delta(Some(before), now, More::IsGood, |amount| format::money(currency, amount))
}
