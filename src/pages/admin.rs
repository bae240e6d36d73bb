use std::collections::BTreeMap;

use jiff::civil::Date;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    charts::{
        line::{Mark, Unit, line_chart},
        spark::sparkline,
    },
    components::{
        change::{More, delta},
        fields::{Input, input},
        frame::Section,
        in_place::in_place,
        loaded::loaded,
        query_form::query_form,
        scripts::scripts,
        stale::stale,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{encode_segment, path_segment},
        clock::WallClock,
        market::{CurrencyMetrics, MarketMetrics},
        period::{DateRange, Interval},
    },
    format,
    islands::Keys,
    pages::ranges::{ALL_TIME, preset_name, presets},
    server_functions::admin::{Market, load_market},
    words,
};

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Query {
    /// A range by its name.
    range: Option<String>,
    date_from: Option<String>,
    date_to: Option<String>,
    /// Which currency is opened.
    currency: Option<String>,
}

impl Query {
    fn days(&self, today: Date) -> (Option<String>, Option<String>) {
        let preset = presets(today).into_iter().find(|preset| Some(preset.slug) == self.range.as_deref());
        match preset {
            Some(preset) => (Some(preset.range.from.to_string()), Some(preset.range.to.to_string())),
            None => (self.date_from.clone(), self.date_to.clone()),
        }
    }

    fn is_all_time(&self) -> bool {
        self.range.as_deref() == Some(ALL_TIME)
    }

    fn with_range(&self, slug: &str) -> Self {
        Self { range: Some(slug.to_owned()), date_from: None, date_to: None, currency: self.currency.clone() }
    }

    fn href(&self) -> String {
        let pairs = [
            ("range", &self.range),
            ("dateFrom", &self.date_from),
            ("dateTo", &self.date_to),
            ("currency", &self.currency),
        ];
        let pairs: Vec<_> = pairs
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", encode_segment(value.as_ref()?))))
            .collect();
        if pairs.is_empty() { "/admin".to_owned() } else { format!("/admin?{}", pairs.join("&")) }
    }
}

#[component]
pub fn AdminPage() -> impl IntoView {
    let query = use_query_map().with_untracked(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        Query {
            range: value("range"),
            date_from: value("dateFrom"),
            date_to: value("dateTo"),
            currency: value("currency"),
        }
    });
    let (asked, again) = (query.clone(), query.clone());
    let load = load_market(query.is_all_time(), move |today| asked.days(today));
    view! {
        <Title text="Marketplace"/>
        {loaded(Section::Marketplace, load, |view| &view.viewer, move |view| market(view, query),
            move || range_form(again))}
    }
}

fn market(Market { metrics, freshness, changes, today, .. }: Market, query: Query) -> AnyView {
    let MarketMetrics { range, vendors, active_vendors, currencies, .. } = metrics;
    let days = DateRange { from: range.from, to: range.to };
    let shown = format::range(days);
    let lead = words::vendors_with_sales(&shown, active_vendors, vendors);
    let chosen = Query { date_from: Some(days.from.to_string()), date_to: Some(days.to.to_string()), ..query.clone() };
    let nothing = currencies.is_empty().then(|| {
        view! { <section class="card empty"><h2>"No vendors yet"</h2><p>{words::FIRST_SALE}</p></section> }
    });
    let open = currencies
        .iter()
        .position(|metrics| Some(metrics.currency.code()) == query.currency.as_deref())
        .unwrap_or_default();
    let overview = (!currencies.is_empty()).then(|| overview(&currencies, &changes, open, &query));
    let opened = currencies.into_iter().nth(open).map(|metrics| currency(metrics, days, range.interval, today));
    view! {
        <div class="head">
            <div><h1>"Marketplace"</h1><p class="lead">{lead}</p>{stale(freshness)}</div>
            {preset_links(&query, days, today)}
        </div>
        {range_form(chosen)}
        {in_place(shown)}
        {nothing}
        {overview}
        {opened}
        <Keys/>
        {scripts()}
    }
    .into_any()
}

fn preset_links(query: &Query, shown: DateRange, today: Date) -> AnyView {
    let name = preset_name(shown, today).filter(|_| !query.is_all_time());
    let often = presets(today)
        .into_iter()
        .filter(|preset| !matches!(preset.slug, "yesterday" | "last_30_days" | "year_to_date"));
    let links = often.map(|preset| {
        let current = (Some(preset.name) == name).then_some("true");
        view! {
            <li>
                <a href=query.with_range(preset.slug).href() aria-current=current data-noscroll="" data-key=preset.key>
                    {preset.name}
                </a>
            </li>
        }
    });
    let current = query.is_all_time().then_some("true");
    view! {
        <ul class="presets" aria-label="Periods">
            {links.collect::<Vec<_>>()}
            <li>
                <a href=query.with_range(ALL_TIME).href() aria-current=current data-noscroll="" data-key="a">
                    "All time"
                </a>
            </li>
        </ul>
    }
    .into_any()
}

fn range_form(chosen: Query) -> AnyView {
    let day = |id, label: &str, value| Input {
        id,
        label: label.to_owned(),
        kind: "date",
        value,
        required: true,
        ..Default::default()
    };
    let currency = chosen.currency.map(|currency| view! { <input type="hidden" name="currency" value=currency/> });
    let fields = view! {
        {input(day("dateFrom", "From", chosen.date_from))}
        {input(day("dateTo", "To", chosen.date_to))}
        {currency}
        <button class="quiet" type="submit">"Apply"</button>
    };
    query_form("/admin", "filter range", None, fields.into_any())
}

/// Every currency in a line; one of them is opened below. Amounts of different currencies are never added up.
fn overview(
    currencies: &[CurrencyMetrics],
    changes: &BTreeMap<String, (i64, i64)>,
    open: usize,
    query: &Query,
) -> AnyView {
    let rows = currencies.iter().enumerate().map(|(at, metrics)| {
        let currency = metrics.currency;
        let code = currency.to_string();
        let href = Query { currency: Some(code.clone()), ..query.clone() }.href();
        let current = (at == open).then_some("true");
        let change = changes
            .get(&code)
            .map(|(before, now)| delta(Some(*before), *now, More::IsGood, |amount| format::money(currency, amount)));
        let course: Vec<_> = metrics.series.iter().map(|point| Some(point.net_sales)).collect();
        Row {
            id: None,
            class: if at == open { "open" } else { "" },
            cells: vec![
                Cell::View(view! { <a href=href data-noscroll="" aria-current=current>{code}</a> }.into_any()),
                format::money(currency, metrics.net_sales).into(),
                sparkline(&course).into_any().into(),
                change.into_any().into(),
                format::count(metrics.orders).into(),
                format::money_or_dash(currency, metrics.average_order_value).into(),
                format::money(currency, metrics.commission).into(),
                format::money(currency, metrics.returns).into(),
                format::count(metrics.active_vendors).into(),
            ],
        }
    });
    let columns = vec![
        Column::text("Currency"),
        Column::classed("Net sales", "number chief"),
        Column::classed("", "course"),
        Column::number("Change"),
        Column::classed("Orders", "number left").named(),
        Column::number("Average order").named(),
        Column::classed("Commission", "number left").named(),
        Column::number("Returns").named(),
        Column::classed("Active vendors", "number left").named(),
    ];
    view! {
        <section class="card">
            <h2>"By currency"</h2>
            {scrolling("scroll", "Sales by currency", table("plain stacked currencies", columns, rows.collect(), None))}
            <p class="hint">{words::MARKET_HINT}</p>
        </section>
    }
    .into_any()
}

fn currency(metrics: CurrencyMetrics, days: DateRange, interval: Interval, today: Date) -> AnyView {
    let (DateRange { from, to }, range) = (days, format::range(days));
    let currency = metrics.currency;
    let money = |amount| format::money(currency, amount);
    let title = format!("Net sales by {}, {range}, in {currency}.", interval.as_str());
    let legend = format!("{range}: {}", money(metrics.net_sales));
    // Only hours have a clock.
    let clock = WallClock::default();
    let marks: Vec<_> = metrics
        .series
        .iter()
        .enumerate()
        .map(|(i, point)| Mark {
            label: format::point_label(point, interval, &clock),
            short: format::axis_label(point, interval, &clock, false),
            value: Some(point.net_sales),
            is_unfinished: to >= today && i + 1 == metrics.series.len(),
            before: None,
            before_whole: None,
            returns: Some(point.returns).filter(|returns| *returns != 0),
            note: None,
            is_weekend: false,
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
        Column::classed("Orders", "number left").named(),
        Column::number("Units").named(),
        Column::classed("Gross", "number left").named(),
        Column::number("Discounts").named(),
        Column::classed("Returns", "number left").named(),
        Column::classed("Net", "number chief"),
    ];
    let values = scrolling(
        "scroll tall",
        format!("Sales over time in {currency}"),
        table("plain stacked", headings, values.collect(), None),
    );
    let rows = metrics.top_vendors.into_iter().map(|vendor| {
        let href = format!("/admin/vendors/{}/dashboard?dateFrom={from}&dateTo={to}", path_segment(&vendor.vendor_id));
        Row::from(vec![
            Cell::Link { href, text: vendor.name },
            format::count(vendor.orders).into(),
            money(vendor.net_sales).into(),
        ])
    });
    let columns = vec![Column::text("Vendor"), Column::number("Orders"), Column::number("Net sales")];
    view! {
        <section class="part" aria-label=format!("Sales in {currency}")>
            <figure class="card chart">
                <h2>{format!("Net sales in {currency} over time")}</h2>
                {line_chart(&marks, Unit::Money(currency), title, legend, None)}
                <details>
                    <summary>"Show as a table"</summary>
                    {values}
                </details>
            </figure>
            <section class="card">
                <h2>"Top vendors"</h2>
                {scrolling("scroll", format!("Top vendors in \
                    {currency}"), table("plain", columns, rows.collect(), None))}
            </section>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_stays_open_over_a_change_of_range() {
        let query =
            Query { currency: Some("KWD".to_owned()), date_from: Some("2026-01-01".to_owned()), ..Default::default() };
        let preset = presets("2026-03-31".parse().unwrap())[2];
        assert_eq!(query.with_range(preset.slug).href(), "/admin?range=last_7_days&currency=KWD");
        assert_eq!(Query::default().href(), "/admin");
    }
}
