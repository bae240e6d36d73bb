//! What comes back, and why.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    dashboard::{
        cards::{Card, strip},
        compared_with,
        definitions::{self, Definition},
        metric::Metric,
        range_picker,
        sales::sales,
    },
    ranges::RangeQuery,
};
use crate::{
    charts::{bars::bar, line::Unit},
    components::{
        change::{More, delta},
        chips::{Chip, chips},
        frame::Section,
        in_place::in_place,
        loaded::loaded,
        pager::pager,
        parameters::parameters,
        scripts::scripts,
        stale::stale,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{encode_segment, path_segment},
        clock::WallClock,
        money::{Currency, permille},
        period::DateRange,
        returns::{NO_REASON, RefundReason, RefundedPage, Returns},
        snapshot::Snapshot,
    },
    format,
    islands::Keys,
    server_functions::{
        dashboard::remembered_range,
        returns::{RefundsAsked, ReturnsView, load_returns},
    },
    words,
};

const RATE: Definition = Definition { name: "Return rate", text: words::RATE_HINT };
const UNITS: Definition = Definition { name: "Units returned", text: words::UNITS_RETURNED };
const ORDERS: Definition = Definition { name: "Orders with returns", text: words::ORDERS_RETURNED };

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Query {
    /// `product` is what the list of refunds is narrowed to.
    range: RangeQuery,
    reason: Option<String>,
}

impl Query {
    /// The same page with the list of refunds narrowed otherwise.
    fn href(&self, reason: Option<&str>, product: Option<&str>, after: Option<&str>) -> String {
        let mut href = RangeQuery { product: product.map(str::to_owned), ..self.range.clone() }.href();
        for (name, value) in [("reason", reason), ("after", after)] {
            if let Some(value) = value {
                href.push(if href.contains('?') { '&' } else { '?' });
                href.push_str(&format!("{name}={}", encode_segment(value)));
            }
        }
        href + "#refunds"
    }
}

#[component]
pub fn ReturnsPage() -> impl IntoView {
    let (mut query, after) = parameters(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        (Query { range: RangeQuery::of_page("/returns", params), reason: value("reason") }, value("after"))
    });
    if query.range.has_no_days() {
        query.range.range = remembered_range();
    }
    let asked = query.range.clone();
    let refunds = RefundsAsked { reason: query.reason.clone(), product: query.range.product.clone(), after };
    // Its figures are of everything; a product narrows the list of refunds alone.
    let asked = RangeQuery { product: None, category: None, status: None, ..asked };
    let load = load_returns(refunds, move |today| asked.asked(today));
    let again = query.range.clone();
    view! {
        <Title text="Returns"/>
        {loaded(Section::Returns, load, |view| &view.dashboard.viewer, move |view| returns(view, query),
            move || range_picker::form(&again, None))}
    }
}

fn returns(ReturnsView { dashboard, returns, list, freshness, clock }: ReturnsView, query: Query) -> AnyView {
    let (snapshot, unfinished) = (&dashboard.snapshot, dashboard.unfinished);
    let days = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let compared = compared_with(snapshot, unfinished);
    let shown = format::range(days);
    let lead = match &compared {
        Some(compared) => format!("{shown}, compared with {compared}"),
        None => shown.clone(),
    };
    let said = format!("{shown}: returns {}", format::money(snapshot.currency, snapshot.totals.returns));
    let is_empty = returns.totals.amount == 0 && returns.totals.units == 0;
    // The list of another range begins anew.
    let picked = RangeQuery { product: None, ..query.range.clone() };
    let body = if is_empty {
        view! { <section class="card empty"><h2>{words::NOTHING_RETURNED}</h2></section> }.into_any()
    } else {
        view! {
            <div class="grid">
                {by_product(&returns, snapshot.currency, &query)}
                {by_reason(&returns, snapshot.currency, &query)}
            </div>
            {refunds(list, &returns, snapshot, &clock, &query)}
        }
        .into_any()
    };
    view! {
        <div class="head">
            <div><h1>"Returns"</h1><p class="lead">{lead}</p>{stale(freshness)}</div>
            {range_picker::picker(&picked, days, dashboard.today, None)}
        </div>
        {in_place(said)}
        {cards(snapshot, &returns, unfinished.is_some(), compared.as_deref())}
        {sales(snapshot, &dashboard.clock, unfinished, Metric::Returns, None, None, Default::default())}
        {body}
        <footer class="foot"><p>{words::zone_and_currency(&snapshot.time_zone, snapshot.currency.code())}</p></footer>
        <Keys/>
        {scripts()}
    }
    .into_any()
}

fn cards(snapshot: &Snapshot, returns: &Returns, is_so_far: bool, compared: Option<&str>) -> AnyView {
    let (now, before) = (&returns.totals, returns.previous_totals.as_ref());
    // Sold before what came back: as fair as the comparison of the snapshot is.
    let sold_before = snapshot.previous_totals.zip(before).map(|(totals, before)| totals.units + before.units);
    let card = |definition, unit, now, before| Card {
        definition,
        unit,
        now,
        before,
        more: More::IsBad,
        course: Vec::new(),
        metric: None,
        rows: None,
        is_so_far,
        sum: None,
        is_headline: false,
    };
    let cards = vec![
        card(
            definitions::RETURNS,
            Unit::Money(snapshot.currency),
            Some(now.amount),
            before.map(|before| Some(before.amount)),
        ),
        card(
            RATE,
            Unit::Percent,
            permille(now.units, now.units_sold),
            before.zip(sold_before).map(|(before, sold)| permille(before.units, sold)),
        ),
        card(UNITS, Unit::Count, Some(now.units), before.map(|before| Some(before.units))),
        card(ORDERS, Unit::Count, Some(now.orders), before.map(|before| Some(before.orders))),
    ];
    strip("cards four", cards, compared)
}

fn by_product(returns: &Returns, currency: Currency, query: &Query) -> AnyView {
    let rows = returns.products.iter().map(|product| {
        let of_product = query.href(None, Some(&product.product_id), None);
        Row::from(vec![
            Cell::Link { href: format!("/products/{}", path_segment(&product.product_id)), text: product.name.clone() },
            format!("{} of {}", format::count(product.units), format::count(product.units_sold)).into(),
            Unit::Percent.text(permille(product.units, product.units_sold)).into(),
            view! { <a href=of_product>{format::money(currency, product.amount)}</a> }.into_any().into(),
            delta(product.previous_amount, product.amount, More::IsBad, |amount| format::money(currency, amount))
                .into(),
        ])
    });
    let columns = vec![
        Column::text("Product"),
        Column::classed("Returned", "number spare"),
        Column::number("Rate"),
        Column::number("Amount"),
        Column::classed("Change", "number spare"),
    ];
    let shown = returns.products.len();
    let listed = returns
        .products
        .iter()
        .fold((0, 0), |(units, amount), product| (units + product.units, amount + product.amount));
    let row = |name: &str, units: i64, amount: i64| {
        Row::from(vec![
            Cell::Text(name.to_owned()),
            format::count(units).into(),
            String::new().into(),
            format::money(currency, amount).into(),
            String::new().into(),
        ])
    };
    let all = &returns.totals;
    let others =
        ((all.units, all.amount) != listed).then(|| row(words::OTHERS, all.units - listed.0, all.amount - listed.1));
    let foot: Vec<_> = others.into_iter().chain([row("Total", all.units, all.amount)]).collect();
    let rest = (returns.products_total > shown as i64)
        .then(|| view! { <p class="hint">{words::shown_of(shown, returns.products_total, "products")}</p> });
    view! {
        <section class="card">
            <h2>"By product"</h2>
            {scrolling("scroll tall", "Returns by product", table("ranked", columns, rows.collect(), foot))}
            {rest}
            <p class="hint">{words::RATE_HINT}</p>
        </section>
    }
    .into_any()
}

fn slug(reason: Option<RefundReason>) -> &'static str {
    reason.map_or(NO_REASON, RefundReason::as_str)
}

fn by_reason(returns: &Returns, currency: Currency, query: &Query) -> AnyView {
    let all = returns.totals.amount;
    let rows = returns.reasons.iter().map(|reason| {
        let href = query.href(Some(slug(reason.reason)), None, None);
        Row::from(vec![
            view! { <a href=href>{words::reason(reason.reason)}</a> }.into_any().into(),
            bar(0, reason.amount, 0, all, "bar").into(),
            format::money(currency, reason.amount).into(),
            format::share(reason.amount, all).unwrap_or_default().into(),
            delta(reason.previous_amount, reason.amount, More::IsBad, |amount| format::money(currency, amount)).into(),
        ])
    });
    let columns = vec![
        Column::text("Reason"),
        Column::classed("", "spare"),
        Column::number("Amount"),
        Column::classed("Share", "number dim spare"),
        Column::number("Change"),
    ];
    view! {
        <section class="card">
            <h2>"By reason"</h2>
            {scrolling("scroll", "Returns by reason", table("bars reasons", columns, rows.collect(), None))}
            <p class="hint">{words::RETURNS_HINT}</p>
        </section>
    }
    .into_any()
}

fn refunds(list: RefundedPage, returns: &Returns, snapshot: &Snapshot, clock: &WallClock, query: &Query) -> AnyView {
    let currency = snapshot.currency;
    let (reason, product) = (query.reason.as_deref(), query.range.product.as_deref());
    let mut narrowed = Vec::new();
    if let Some(slug) = reason {
        let value = words::reason(slug.parse().ok()).to_owned();
        narrowed.push(Chip { name: "Reason", value, without: query.href(None, product, None) });
    }
    if let Some(id) = product {
        let known = returns.products.iter().find(|product| product.product_id == id);
        let value = known.map_or_else(|| id.to_owned(), |product| product.name.clone());
        narrowed.push(Chip { name: "Product", value, without: query.href(reason, None, None) });
    }
    let rows = list.refunds.iter().map(|refund| {
        let units = if refund.units == 0 { "—".to_owned() } else { format::count(refund.units) };
        Row::from(vec![
            Cell::Link { href: format!("/orders/{}", path_segment(&refund.order_id)), text: refund.order_id.clone() },
            format::instant(clock, refund.refunded_at).into(),
            Cell::Link { href: format!("/products/{}", path_segment(&refund.product_id)), text: refund.name.clone() },
            Cell::Text(words::reason(refund.reason).to_owned()),
            units.into(),
            format::money(currency, refund.amount).into(),
        ])
    });
    let columns = vec![
        Column::text("Order"),
        Column::text("Refunded"),
        Column::text("Product"),
        Column::classed("Reason", "side"),
        Column::number("Units").named(),
        Column::classed("Amount", "number chief"),
    ];
    let is_later = parameters(|params| params.get("after").is_some());
    let pages = pager(
        is_later.then(|| query.href(reason, product, None)),
        list.next.as_deref().map(|after| query.href(reason, product, Some(after))),
    );
    let of_product = product.map(|id| format!("&product={}", encode_segment(id))).unwrap_or_default();
    let export = format!(
        "/api/vendor/analytics/export.csv?dateFrom={}&dateTo={}{of_product}&table=refunds",
        snapshot.range.from, snapshot.range.to
    );
    // The file says the reason of each, and has all of them.
    let export_name = if reason.is_some() { "Export refunds for every reason" } else { "Export refunds" };
    view! {
        <section class="card" id="refunds">
            <div class="name"><h2>"Refunds, newest \
                first"</h2> <p class="exports"><a href=export download="">{export_name}</a></p></div>
            {chips(narrowed)}
            {scrolling("scroll", "Refunds", table("plain stacked", columns, rows.collect(), None))}
            {pages}
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_narrowed_and_the_range_stays() {
        let range = RangeQuery {
            page: Some("/returns".to_owned()),
            range: Some("last_month".to_owned()),
            ..Default::default()
        };
        let query = Query { range, reason: None };
        assert_eq!(
            query.href(Some("late"), Some("a b"), Some("x")),
            "/returns?range=last_month&product=a%20b&reason=late&after=x#refunds"
        );
        assert_eq!(query.href(None, None, None), "/returns?range=last_month#refunds");
    }
}
