use leptos::prelude::*;

use crate::{
    components::table::{Cell, Row},
    domain::{accounts::encode_segment, money::Currency, orders::OrderPage, snapshot::Totals},
    format,
    server_functions::orders::OrdersAsked,
    words,
};

/// What all pages of the list come to; and where it shows the orders that a figure is made of, how it is made of them.
pub fn rows(page: &OrderPage, asked: &OrdersAsked, currency: Currency) -> Vec<Row> {
    let money = |amount| format::money(currency, amount);
    let row = |name: Cell,
               customers: String,
               refunded: String,
               units: Option<i64>,
               amount: Option<i64>,
               payable: Option<i64>| {
        Row::from(vec![
            name,
            String::new().into(),
            customers.into(),
            refunded.into(),
            units.map(format::count).unwrap_or_default().into(),
            amount.map(money).unwrap_or_default().into(),
            payable.map(money).unwrap_or_default().into(),
        ])
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    let plain = |name, units, amount| row(name, String::new(), String::new(), units, Some(amount), None);
    let figures = page.figures.as_ref();
    let customers = figures.map(|figures| format::counted(figures.customers, "customer", "customers"));
    let customers = customers.unwrap_or_default();
    let mut rows = Vec::new();
    let orders = |orders| Cell::Text(format::counted(orders, "order", "orders"));
    match (page.sums, figures) {
        (Some(sums), _) => {
            let refunded = match sums.refunded_amount {
                0 => String::new(),
                amount => format!("Refunded {}", money(amount)),
            };
            rows.push(row(
                orders(sums.orders),
                customers,
                refunded,
                Some(sums.units),
                Some(sums.total),
                Some(sums.payable),
            ));
        }
        // More than are summed up, but the figures know them.
        (None, Some(figures)) => rows.push(row(orders(figures.orders), customers, String::new(), None, None, None)),
        (None, None) => {}
    }
    let is_of_lines = asked.product.is_some() || asked.category.is_some();
    if let (true, Some(lines)) = (is_of_lines, page.lines) {
        let name = if asked.product.is_some() { words::LINES_OF_PRODUCT } else { words::LINES_OF_CATEGORY };
        rows.push(plain(text(name), Some(lines.units), lines.total));
    }
    let Some(figures) = figures else { return rows };
    if page.sums.is_none() {
        rows.push(plain(text("Sold"), None, figures.gross_sales - figures.discounts));
    }
    if figures.returns != 0 || sold(page).is_some_and(|sold| sold != figures.units) {
        let units = sold(page).map(|sold| figures.units - sold);
        rows.push(plain(returns(asked), units, -figures.returns));
    }
    rows.extend(ends(figures).map(|(name, units, amount)| plain(text(name), units, amount)));
    rows
}

/// Units that were sold, of the lines that count here.
fn sold(page: &OrderPage) -> Option<i64> {
    page.lines.map(|lines| lines.units).or(page.sums.map(|sums| sums.units))
}

/// What came back on the same days, whenever it was sold: a list of its own, which is narrowed by product alone.
fn returns(asked: &OrdersAsked) -> Cell {
    let name = words::RETURNED_THEN;
    let (Some(from), Some(to)) = (&asked.date_from, &asked.date_to) else { return Cell::Text(name.to_owned()) };
    if asked.category.is_some() || asked.status.is_some() {
        return Cell::Text(name.to_owned());
    }
    let product = asked.product.as_deref().map(|id| format!("&product={}", encode_segment(id))).unwrap_or_default();
    let href = format!("/returns?dateFrom={from}&dateTo={to}{product}#refunds");
    view! { <a href=href>{name}</a> }.into_any().into()
}

/// Where the way from what was sold ends.
fn ends(figures: &Totals) -> impl Iterator<Item = (&'static str, Option<i64>, i64)> + use<> {
    let taken = match figures.is_paid() {
        true => ("Commission", None, -figures.commission),
        false => (words::NOT_PAID, None, -figures.net_sales),
    };
    let steps = [("Net sales", Some(figures.units), figures.net_sales), taken, ("Payable", None, figures.payable)];
    steps.into_iter()
}
