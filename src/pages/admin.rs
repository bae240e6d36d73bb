/// One currency over time, and its best vendors.
mod opened;
/// Vendors to look at.
mod standing_out;

use jiff::civil::Date;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    charts::spark::sparkline,
    components::{
        change::{More, delta},
        fields::{Input, input},
        frame::Section,
        in_place::in_place,
        loaded::loaded,
        parameters::parameters,
        query_form::query_form,
        scripts::scripts,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{encode_segment, path_segment},
        market::{CurrencyMetrics, MarketMetrics},
        market_comparison::CurrencyComparison,
        money::Currency,
        period::{DateRange, Interval},
    },
    format,
    islands::{Keys, Refresh},
    pages::{
        dashboard::age,
        ranges::{ALL_TIME, preset_name, presets},
    },
    server_functions::admin::{Market, load_market},
    words,
};

/// Lines of the overview, if there are more currencies: what leaves room for the one that is open on the first screen.
const MOST_LINES: usize = 6;

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Query {
    /// A range by its name.
    range: Option<String>,
    date_from: Option<String>,
    date_to: Option<String>,
    /// Which currency is opened.
    currency: Option<String>,
    /// Whether all of them are listed.
    currencies: Option<String>,
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
        Self { range: Some(slug.to_owned()), date_from: None, date_to: None, ..self.clone() }
    }

    fn href(&self) -> String {
        let pairs = [
            ("range", &self.range),
            ("dateFrom", &self.date_from),
            ("dateTo", &self.date_to),
            ("currency", &self.currency),
            ("currencies", &self.currencies),
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
    let query = parameters(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        Query {
            range: value("range"),
            date_from: value("dateFrom"),
            date_to: value("dateTo"),
            currency: value("currency"),
            currencies: value("currencies"),
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

/// What the figures are of.
struct MarketRange {
    days: DateRange,
    /// Days, weeks or months.
    interval: Interval,
    /// What it is compared with.
    previous: Option<DateRange>,
    /// Whether it is not over for some vendor.
    is_unfinished: bool,
    /// In UTC.
    today: Date,
}

fn market(Market { metrics, freshness, comparison, today, .. }: Market, query: Query) -> AnyView {
    let MarketMetrics { range, vendors, active_vendors, currencies, .. } = metrics;
    let days = DateRange { from: range.from, to: range.to };
    let previous = comparison.as_ref().map(|comparison| DateRange { from: comparison.from, to: comparison.to });
    let is_unfinished = comparison.as_ref().is_some_and(|comparison| comparison.is_unfinished);
    let range = MarketRange { days, interval: range.interval, previous, is_unfinished, today };
    let shown = format::range(days);
    let lead = words::vendors_with_sales(&shown, active_vendors, vendors);
    let compared = previous.map(|previous| words::market_compared(&format::range(previous), is_unfinished));
    let chosen = Query { date_from: Some(days.from.to_string()), date_to: Some(days.to.to_string()), ..query.clone() };
    let nothing = currencies.is_empty().then(|| {
        view! { <section class="card empty"><h2>"No vendors yet"</h2><p>{words::FIRST_SALE}</p></section> }
    });
    let open = currencies
        .iter()
        .position(|metrics| Some(metrics.currency.code()) == query.currency.as_deref())
        .unwrap_or_default();
    let beside = |currency: Currency| {
        let of = comparison.as_ref().map(|comparison| &comparison.currencies[..]).unwrap_or_default();
        of.iter().find(|compared| compared.currency == currency)
    };
    let overview = (!currencies.is_empty()).then(|| overview(&currencies, beside, open, days.to >= today, &query));
    let opened = currencies.into_iter().nth(open).map(|metrics| {
        let compared = beside(metrics.currency);
        let others = comparison.as_ref().zip(compared);
        let others = others.map(|(comparison, compared)| standing_out::standing_out(comparison, compared, &range));
        view! { {opened::currency(metrics, compared, &range)} {others} }
    });
    view! {
        <div class="head">
            <div><h1>"Marketplace"</h1><p class="age">{age(freshness)} " " <Refresh/></p></div>
            {preset_links(&query, days, today)}
        </div>
        <p class="lead">{lead} " " {compared}</p>
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

/// A vendor by its name, which leads to its dashboard of the same days.
fn vendor_link(vendor_id: &str, name: &str, range: &MarketRange) -> Cell {
    let DateRange { from, to } = range.days;
    let href = format!("/admin/vendors/{}/dashboard?dateFrom={from}&dateTo={to}", path_segment(vendor_id));
    Cell::Link { href, text: name.to_owned() }
}

/// The way to those of a list that are not shown.
fn and_more(href: &'static str, all: i64, shown: usize) -> AnyView {
    let hidden = all - shown as i64;
    (hidden > 0).then(|| view! { <p class="hint actions"><a href=href>{words::and_more(hidden)}</a></p> }).into_any()
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
    let kept = [("currency", chosen.currency), ("currencies", chosen.currencies)]
        .map(|(name, value)| value.map(|value| view! { <input type="hidden" name=name value=value/> }));
    let kept: Vec<_> = kept.into_iter().flatten().collect();
    let fields = view! {
        <div class="filter">
            {input(day("dateFrom", "From", chosen.date_from))}
            {input(day("dateTo", "To", chosen.date_to))}
            {kept}
            <button class="quiet" type="submit">"Apply"</button>
        </div>
    };
    query_form("/admin", "range", None, fields.into_any())
}

/// Currencies in lines; one of them is opened below. Amounts of different currencies are never added up. Of many, the
/// ones with the most orders, and the one that is open: the others are a click away.
fn overview<'a>(
    currencies: &[CurrencyMetrics],
    beside: impl Fn(Currency) -> Option<&'a CurrencyComparison>,
    open: usize,
    is_unfinished: bool,
    query: &Query,
) -> AnyView {
    let all = query.currencies.is_some() || currencies.len() <= MOST_LINES;
    let lines = currencies.iter().enumerate().filter(|(at, _)| all || *at + 1 < MOST_LINES || *at == open);
    let rows: Vec<_> =
        lines.map(|(at, metrics)| line(metrics, beside(metrics.currency), is_unfinished, at == open, query)).collect();
    let hidden = currencies.len() - rows.len();
    let more = (hidden > 0).then(|| {
        let href = Query { currencies: Some("all".to_owned()), ..query.clone() }.href();
        view! { <a href=href data-noscroll="">{words::more_currencies(hidden)}</a> " · " }
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
            {scrolling("scroll", "Sales by currency", table("plain stacked currencies", columns, rows, None))}
            <p class="hint">{more}{words::MARKET_HINT}</p>
        </section>
    }
    .into_any()
}

fn line(
    metrics: &CurrencyMetrics,
    compared: Option<&CurrencyComparison>,
    is_unfinished: bool,
    is_open: bool,
    query: &Query,
) -> Row {
    let currency = metrics.currency;
    let code = currency.to_string();
    let href = Query { currency: Some(code.clone()), ..query.clone() }.href();
    let current = is_open.then_some("true");
    // What is not over would look like a collapse.
    let over = metrics.series.len() - usize::from(is_unfinished && metrics.series.len() > 1);
    let change = compared.map(|compared| {
        let money = |amount| format::money(currency, amount);
        delta(Some(compared.previous_net_sales), compared.net_sales, More::IsGood, money)
    });
    let course: Vec<_> = match compared.filter(|compared| !compared.hours.is_empty()) {
        Some(compared) => {
            compared.hours[..compared.hours.len() - usize::from(is_unfinished)].iter().map(|net| Some(*net)).collect()
        }
        None => metrics.series[..over].iter().map(|point| Some(point.net_sales)).collect(),
    };
    Row {
        id: None,
        class: if is_open { "open" } else { "" },
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
