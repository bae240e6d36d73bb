use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    charts::line::{LineChart, Mark},
    components::{
        fields::{Input, input},
        frame::Section,
        loaded::loaded,
        query_form::QueryForm,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        clock::WallClock,
        market::{CurrencyMetrics, MarketMetrics},
        period::{DateRange, Interval},
    },
    format,
    server_functions::admin::{Market, load_market},
};

/// The range as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Query {
    date_from: Option<String>,
    date_to: Option<String>,
}

#[component]
pub fn AdminPage() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| {
        params.with(|params| {
            let value = |name| params.get(name).filter(|value| !value.is_empty());
            Query { date_from: value("dateFrom"), date_to: value("dateTo") }
        })
    });
    let data = Resource::new(move || query.get(), |query| load_market(query.date_from, query.date_to));
    view! {
        <Title text="Marketplace"/>
        {loaded(Section::Marketplace, data, |view| &view.viewer, market, move || range_form(query.get_untracked()))}
    }
}

fn market(Market { metrics, .. }: Market) -> AnyView {
    let MarketMetrics { range, vendors, active_vendors, currencies, .. } = metrics;
    let shown = format::range(DateRange { from: range.from, to: range.to });
    let lead = format!(
        "{shown}: {} of {} sold something. Days are each vendor's own.",
        active_vendors,
        format::counted(vendors, "vendor", "vendors")
    );
    let chosen = Query { date_from: Some(range.from.to_string()), date_to: Some(range.to.to_string()) };
    let nothing = currencies
        .is_empty()
        .then(|| view! { <section class="card empty"><h2>"No vendors yet"</h2><p>"Figures show here as soon as the first one sells."</p></section> });
    let overview = (currencies.len() > 1).then(|| overview(&currencies));
    let currencies = currencies.into_iter().map(|metrics| currency(metrics, range.interval, &shown)).collect_view();
    view! {
        <h1>"Marketplace"</h1>
        <p class="lead">{lead}</p>
        {range_form(chosen)}
        {nothing}
        {overview}
        {currencies}
    }
    .into_any()
}

fn range_form(chosen: Query) -> AnyView {
    let day = |id, label: &str, value| Input { id, label: label.to_owned(), kind: "date", value, required: true, ..Default::default() };
    view! {
        <QueryForm action="/admin" class="filter">
            {input(day("dateFrom", "From", chosen.date_from))}
            {input(day("dateTo", "To", chosen.date_to))}
            <button class="quiet" type="submit">"Show"</button>
        </QueryForm>
    }
    .into_any()
}

/// Every currency in a line, which leads to the rest of it. Amounts of different currencies are never added up.
fn overview(currencies: &[CurrencyMetrics]) -> AnyView {
    let rows = currencies.iter().map(|metrics| {
        let code = metrics.currency.to_string();
        let href = format!("#{code}");
        Row::from(vec![
            Cell::View(view! { <a href=href rel="external">{code}</a> }.into_any()),
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

fn currency(metrics: CurrencyMetrics, interval: Interval, range: &str) -> AnyView {
    let currency = metrics.currency;
    let money = |amount| format::money(currency, amount);
    let figures = [
        ("Net sales", money(metrics.net_sales), "Gross less discounts and returns."),
        ("Orders", format::count(metrics.orders), "Vendors' orders: one of two vendors counts for each."),
        ("Average order", format::money_or_dash(currency, metrics.average_order_value), "Net sales by order."),
        ("Commission", money(metrics.commission), "What the marketplace earns, less what refunds gave back."),
        ("Returns", money(metrics.returns), "What was refunded on these days."),
        ("Active vendors", format::count(metrics.active_vendors), "Those that sold something."),
    ]
    .map(|(name, value, note)| view! { <div class="card figure"><dt>{name}</dt><dd class="value">{value}</dd><dd class="hint">{note}</dd></div> })
    .collect_view();
    let caption = format!("Net sales by {}, {range}, in {currency}.", interval.as_str());
    let legend = format!("{range}: {}", money(metrics.net_sales));
    // Only hours have a clock.
    let clock = WallClock::default();
    let marks = metrics
        .series
        .iter()
        .map(|point| Mark {
            label: format::point_label(point, interval, &clock),
            short: format::axis_label(point, interval, &clock, false),
            value: point.net_sales,
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
        Column::text("From"),
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
        .map(|vendor| Row::from(vec![Cell::Written(vendor.name), format::count(vendor.orders).into(), money(vendor.net_sales).into()]))
        .collect();
    let columns = vec![Column::text("Vendor"), Column::number("Orders"), Column::number("Net sales")];
    view! {
        <section id=currency.to_string() class="part" aria-label=format!("Sales in {currency}")>
            <h2>{currency.to_string()}</h2>
            <dl class="cards">{figures}</dl>
            <figure class="card chart">
                <h3>"Net sales over time"</h3>
                <LineChart marks currency title=caption.clone() now=legend before=None/>
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
