use leptos::prelude::*;

use super::{MarketRange, and_more, vendor_link};
use crate::{
    components::{
        change,
        table::{Cell, Column, Row, table},
    },
    domain::market_comparison::{CurrencyComparison, FEWEST_ORDERS, MarketComparison, VendorChange},
    format, words,
};

/// Vendors to look at: whose sales moved most in the currency that is open; of all currencies, who sold nothing, and
/// of whose sales more came back than before.
pub fn standing_out(comparison: &MarketComparison, opened: &CurrencyComparison, range: &MarketRange) -> AnyView {
    view! {
        <div class="grid">
            {movers(opened, range)}
            <div class="column">{silent(comparison, range)} {returning(comparison, range)}</div>
        </div>
    }
    .into_any()
}

fn movers(opened: &CurrencyComparison, range: &MarketRange) -> AnyView {
    let list = |name: &'static str, vendors: &[VendorChange]| {
        let rows = vendors.iter().map(|vendor| moved(vendor, range));
        let columns = vec![Column::text(name), Column::number("Change"), Column::classed("Net sales", "number spare")];
        (!vendors.is_empty()).then(|| table("ranked", columns, rows.collect(), None))
    };
    let (up, down) = (list("Rising", &opened.risers), list("Falling", &opened.fallers));
    let none = (up.is_none() && down.is_none()).then(|| view! { <p class="hint">{words::NOTHING_MOVED}</p> });
    let title = words::movers_in(opened.currency.code());
    view! { <section class="card"><h2>{title}</h2>{none}{up}{down}</section> }.into_any()
}

/// A vendor whose net sales moved: by how much, and to what.
fn moved(vendor: &VendorChange, range: &MarketRange) -> Row {
    let (sign, tone) = if vendor.change() > 0 { ("+", "delta good") } else { ("", "delta bad") };
    let change = format!("{sign}{}", format::money(vendor.currency, vendor.change()));
    let cells: Vec<Cell> = vec![
        vendor_link(&vendor.vendor_id, &vendor.name, range),
        view! { <span class=tone>{change}</span> }.into_any().into(),
        format::money(vendor.currency, vendor.net_sales).into(),
    ];
    cells.into()
}

fn silent(comparison: &MarketComparison, range: &MarketRange) -> AnyView {
    let rows = comparison.silent.iter().map(|vendor| {
        Row::from(vec![
            vendor_link(&vendor.vendor_id, &vendor.name, range),
            words::orders_before(vendor.previous_orders).into(),
        ])
    });
    let more = and_more("/admin/vendors?sort=orders_asc", comparison.silent_total, comparison.silent.len());
    let body = match comparison.silent.is_empty() {
        true => view! { <p class="hint">{words::NONE_SILENT}</p> }.into_any(),
        false => {
            table("bars ranked", vec![Column::text("Vendor"), Column::number("Orders before")], rows.collect(), None)
        }
    };
    view! { <section class="card"><h2>{words::SOLD_NOTHING}</h2>{body}{more}</section> }.into_any()
}

fn returning(comparison: &MarketComparison, range: &MarketRange) -> AnyView {
    let rows = comparison.returning.iter().map(|vendor| {
        let (text, spoken) = change::points(vendor.rise());
        let spoken = format!("{spoken} {}", format::percent(vendor.previous_rate));
        Row::from(vec![
            vendor_link(&vendor.vendor_id, &vendor.name, range),
            format::percent(vendor.rate).into(),
            view! {
                <span class="delta bad"><span aria-hidden="true">{text}</span><span class="unseen">{spoken}</span></span>
            }
            .into_any()
            .into(),
        ])
    });
    let more = and_more("/admin/vendors?sort=returns_desc", comparison.returning_total, comparison.returning.len());
    let body = match comparison.returning.is_empty() {
        true => view! { <p class="hint">{words::NONE_RETURNING}</p> }.into_any(),
        false => {
            let columns = vec![Column::text("Vendor"), Column::number("Returned"), Column::number("Change")];
            table("bars ranked", columns, rows.collect(), None)
        }
    };
    view! {
        <section class="card">
            <h2>{words::RETURNS_RISE}</h2>
            {body}
            {more}
            <p class="hint">{words::returns_rise_hint(FEWEST_ORDERS)}</p>
        </section>
    }
    .into_any()
}
