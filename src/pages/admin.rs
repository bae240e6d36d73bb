use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    server_functions::admin::{Market, load_market},
    charts::line::{Mark, Unit, line_chart},
        components::{
            fields::{Input, input},
            frame::Section,
            loaded::loaded,
            query_form::query_form,
            scripts::scripts,
            table::{Cell, Column, Row, scrolling, table},
        },
        format,
    islands::Keys,
    domain::{
        accounts::encode_segment,
        clock::WallClock,
        market::{CurrencyMetrics, MarketMetrics},
        period::{DateRange, Interval},
    },
};

/// The range as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Query {
    date_from: Option<String>,
    date_to: Option<String>,
}

#[component]
pub fn AdminPage() -> impl IntoView {
    let query = use_query_map().with_untracked(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        Query { date_from: value("dateFrom"), date_to: value("dateTo") }
    });
    let load = load_market(query.date_from.clone(), query.date_to.clone());
    view! {
        <Title text="Marketplace"/>
        {loaded(Section::Marketplace, load, |view| &view.viewer, market, move || range_form(query))}
    }
}

fn market(Market { metrics, .. }: Market) -> AnyView {
    let MarketMetrics { range, vendors, active_vendors, currencies, .. } = metrics;
    let shown = format::range(DateRange { from: range.from, to: range.to });
    let lead = format!(
        "{shown}: {} of {} had sales. Days follow each vendor's time zone.",
        format::count(active_vendors),
        format::counted(vendors, "vendor", "vendors")
    );
    let chosen = Query { date_from: Some(range.from.to_string()), date_to: Some(range.to.to_string()) };
    let nothing = currencies
        .is_empty()
        .then(|| view! { <section class="card empty"><h2>"No vendors yet"</h2><p>"Figures show here as soon as the first one sells."</p></section> });
    let overview = (currencies.len() > 1).then(|| overview(&currencies));
    let days = DateRange { from: range.from, to: range.to };
    let currencies = currencies.into_iter().map(|metrics| currency(metrics, days, range.interval)).collect_view();
    view! {
        <h1>"Marketplace"</h1>
        <p class="lead">{lead}</p>
        {range_form(chosen)}
        <div id="trouble" class="notice warn" role="alert" hidden><p></p><button type="button" class="quiet">"Try again"</button></div>
        <p id="announce" class="unseen" role="status" data-own="" data-say=shown.clone()></p>
        {nothing}
        {overview}
        {currencies}
        <Keys/>
        {scripts()}
    }
    .into_any()
}

fn range_form(chosen: Query) -> AnyView {
    let day = |id, label: &str, value| Input { id, label: label.to_owned(), kind: "date", value, required: true, ..Default::default() };
    let fields = view! {
            {input(day("dateFrom", "From", chosen.date_from))}
            {input(day("dateTo", "To", chosen.date_to))}
            <button class="quiet" type="submit">"Apply"</button>
    };
    query_form("/admin", "filter range", None, fields.into_any())
}

/// Every currency in a line, which leads to the rest of it. Amounts of different currencies are never added up.
fn overview(currencies: &[CurrencyMetrics]) -> AnyView {
    let rows = currencies.iter().map(|metrics| {
        let code = metrics.currency.to_string();
        let href = format!("#{code}");
        Row::from(vec![
            Cell::View(view! { <a href=href>{code}</a> }.into_any()),
            format::money(metrics.currency, metrics.net_sales).into(),
            format::count(metrics.orders).into(),
            format::count(metrics.active_vendors).into(),
        ])
    });
    let columns = vec![Column::text("Currency"), Column::number("Net sales"), Column::number("Orders"), Column::number("Active vendors")];
    view! {
        <section class="card">
            <h2>"By currency"</h2>
            {scrolling("scroll", "Sales by currency", table("plain", columns, rows.collect(), None))}
        </section>
    }
    .into_any()
}

fn currency(metrics: CurrencyMetrics, days: DateRange, interval: Interval) -> AnyView {
    let (DateRange { from, to }, range) = (days, format::range(days));
    let currency = metrics.currency;
    let money = |amount| format::money(currency, amount);
    let figures = [
        ("Net sales", money(metrics.net_sales), "Gross sales minus discounts and returns"),
        ("Orders", format::count(metrics.orders), "Orders containing two vendors count once for each"),
        ("Average order", format::money_or_dash(currency, metrics.average_order_value), "Net sales ÷ orders"),
        ("Commission", money(metrics.commission), "Marketplace commission, net of refunds"),
        ("Returns", money(metrics.returns), "Refunds issued in this period"),
        ("Active vendors", format::count(metrics.active_vendors), "Vendors with sales"),
    ]
    .map(|(name, value, note)| view! { <div class="card figure"><dt>{name}</dt><dd class="value">{value}</dd><dd class="hint">{note}</dd></div> })
    .collect_view();
    let caption = format!("Net sales by {}, {range}, in {currency}.", interval.as_str());
    let legend = format!("{range}: {}", money(metrics.net_sales));
    // Only hours have a clock.
    let clock = WallClock::default();
    let marks: Vec<_> = metrics
        .series
        .iter()
        .map(|point| Mark {
            label: format::point_label(point, interval, &clock),
            short: format::axis_label(point, interval, &clock, false),
            value: Some(point.net_sales),
            is_unfinished: false,
            before: None,
        })
        .collect();
    let values = metrics.series.iter().map(|point| {
        Row::from(vec![
            format::point_label(point, interval, &clock).into(),
            format::count(point.orders).into(),
            format::count(point.units).into(),
            money(point.gross_sales).into(),
            money(-point.discounts).into(),
            money(-point.returns).into(),
            money(point.net_sales).into(),
        ])
    });
    let headings = vec![
        Column::text("Period"),
        Column::number("Orders"),
        Column::number("Units"),
        Column::number("Gross"),
        Column::number("Discounts"),
        Column::number("Returns"),
        Column::number("Net"),
    ];
    let values = scrolling("scroll tall", format!("Sales over time in {currency}"), table("plain", headings, values.collect(), None));
    let rows = metrics
        .top_vendors
        .into_iter()
        .map(|vendor| {
            let href = format!("/admin/vendors/{}/dashboard?dateFrom={from}&dateTo={to}", encode_segment(&vendor.vendor_id));
            Row::from(vec![Cell::Link { href, text: vendor.name }, format::count(vendor.orders).into(), money(vendor.net_sales).into()])
        })
        .collect();
    let columns = vec![Column::text("Vendor"), Column::number("Orders"), Column::number("Net sales")];
    view! {
        <section id=currency.to_string() class="part" aria-label=format!("Sales in {currency}")>
            <h2>{currency.to_string()}</h2>
            <dl class="cards">{figures}</dl>
            <figure class="card chart">
                <h3>"Net sales over time"</h3>
                {line_chart(&marks, Unit::Money(currency), caption.clone(), legend, None)}
                <figcaption>{caption}</figcaption>
                <details>
                    <summary>"Show as a table"</summary>
                    {values}
                </details>
            </figure>
            <section class="card">
                <h3>"Top vendors"</h3>
                {scrolling("scroll", format!("Top vendors in {currency}"), table("plain", columns, rows, None))}
            </section>
        </section>
    }
    .into_any()
}
