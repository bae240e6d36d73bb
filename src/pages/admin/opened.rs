use jiff::civil::Date;
use leptos::prelude::*;

use super::{MarketRange, and_more, vendor_link};
use crate::{
    charts::line::{FEW, Mark, Unit, line_chart},
    components::{
        change::{More, delta},
        table::{Column, Row, scrolling, table},
    },
    domain::{
        clock::WallClock,
        market::CurrencyMetrics,
        market_comparison::CurrencyComparison,
        money::Currency,
        period::Interval,
        snapshot::{Point, Sums},
    },
    format,
    pages::dashboard::sales::aligned,
    words,
};

/// One currency: net sales over time beside what they are compared with, and its best vendors.
pub fn currency(metrics: CurrencyMetrics, compared: Option<&CurrencyComparison>, range: &MarketRange) -> AnyView {
    let currency = metrics.currency;
    let money = |amount| format::money(currency, amount);
    let shown = format::range(range.days);
    let interval = if by_hour(compared) { Interval::Hour } else { range.interval };
    let title = format!("Net sales by {}, {shown}, in {currency}.", interval.as_str());
    let marks = marks(&metrics, compared, range);
    let before = compared.zip(range.previous).map(|(compared, days)| {
        let drawn = marks.len() <= FEW;
        let caption = words::market_dashed(
            &format::range(days),
            drawn,
            aligned(range.days, Some(days), interval),
            range.is_unfinished,
        );
        (format!("{}: {}", format::range(days), money(compared.previous_net_sales)), caption)
    });
    let (legend, caption) = before.unzip();
    let values = match compared.filter(|_| by_hour(compared)) {
        Some(compared) => hours(compared, range),
        None => values(&metrics, compared, range),
    };
    let values = scrolling("scroll tall", format!("Sales over time in {currency}"), values);
    view! {
        <section class="part" aria-label=format!("Sales in {currency}")>
            <figure class="card chart">
                <h2>{format!("Net sales in {currency} over time")}</h2>
                {line_chart(
                    &marks,
                    Unit::Money(currency),
                    title,
                    format!("{shown}: {}", money(metrics.net_sales)),
                    legend,
                )}
                <figcaption>{caption}</figcaption>
                <details>
                    <summary>"Show as a table"</summary>
                    {values}
                </details>
            </figure>
            {top_vendors(&metrics, compared, range)}
        </section>
    }
    .into_any()
}

fn by_hour(compared: Option<&CurrencyComparison>) -> bool {
    compared.is_some_and(|compared| !compared.hours.is_empty())
}

/// Only hours have a clock, and these are of everybody's own.
const CLOCK: fn() -> WallClock = WallClock::default;

/// A day's hours, as every vendor's clock shows them.
fn hours_of(day: Date, hours: usize) -> Vec<Point> {
    (0..hours).map(|hour| Point::new(format!("{day}T{hour:02}:00:00Z"), Sums::default())).collect()
}

fn marks(metrics: &CurrencyMetrics, compared: Option<&CurrencyComparison>, range: &MarketRange) -> Vec<Mark> {
    let is_today = range.days.to >= range.today;
    let previous = compared.map_or(&[][..], |compared| &compared.previous);
    let beside = |at: usize, label: Option<&String>| {
        let point = previous.get(at)?;
        Some((label?.clone(), Some(point.net_sales)))
    };
    let whole = |at: usize| previous.get(at).filter(|point| point.whole != point.net_sales).map(|point| point.whole);
    let labels_before = labels_before(compared, range);
    if let Some(compared) = compared.filter(|_| by_hour(compared)) {
        let points = hours_of(range.days.to, 24);
        let begun = compared.hours.len();
        let marks = points.iter().enumerate().map(|(at, point)| Mark {
            label: format::point_label(point, Interval::Hour, &CLOCK()),
            short: format::axis_label(point, Interval::Hour, &CLOCK(), true),
            value: compared.hours.get(at).copied(),
            is_unfinished: is_today && at + 1 == begun,
            before: beside(at, labels_before.get(at)),
            before_whole: whole(at),
            returns: None,
            note: None,
            is_weekend: false,
        });
        return marks.collect();
    }
    let labels = format::point_labels(&metrics.series, range.interval, range.days.to, &CLOCK());
    let marks = metrics.series.iter().zip(labels).enumerate().map(|(at, (point, label))| Mark {
        label,
        short: format::axis_label(point, range.interval, &CLOCK(), false),
        value: Some(point.net_sales),
        is_unfinished: is_today && at + 1 == metrics.series.len(),
        before: beside(at, labels_before.get(at)),
        before_whole: whole(at),
        returns: Some(point.returns).filter(|returns| *returns != 0),
        note: None,
        is_weekend: false,
    });
    marks.collect()
}

/// What each point of the comparison covers.
fn labels_before(compared: Option<&CurrencyComparison>, range: &MarketRange) -> Vec<String> {
    let Some(previous) = range.previous else { return Vec::new() };
    if by_hour(compared) {
        return format::point_labels(&hours_of(previous.to, 24), Interval::Hour, previous.to, &CLOCK());
    }
    let starts = previous.starts_beside(range.interval, &range.days);
    let points: Vec<_> = starts.iter().map(|start| Point::new(start.to_string(), Sums::default())).collect();
    format::point_labels(&points, range.interval, previous.to, &CLOCK())
}

/// Every point of the range, each beside the point it is compared with.
fn values(metrics: &CurrencyMetrics, compared: Option<&CurrencyComparison>, range: &MarketRange) -> AnyView {
    let money = |amount| format::money(metrics.currency, amount);
    let labels = format::point_labels(&metrics.series, range.interval, range.days.to, &CLOCK());
    let rows = metrics.series.iter().zip(labels).enumerate().map(|(at, (point, label))| {
        let before = compared.and_then(|compared| compared.previous.get(at));
        Row::from(vec![
            label.into(),
            format::count(point.orders).into(),
            format::count(point.units).into(),
            money(point.gross_sales).into(),
            money(-point.discounts).into(),
            money(-point.returns).into(),
            money(point.net_sales).into(),
            before.map(|before| money(before.net_sales)).unwrap_or_default().into(),
        ])
    });
    let mut columns = vec![
        Column::text("Period"),
        Column::classed("Orders", "number left").named(),
        Column::number("Units").named(),
        Column::classed("Gross", "number left").named(),
        Column::number("Discounts").named(),
        Column::classed("Returns", "number left").named(),
        Column::classed("Net", "number chief"),
    ];
    if compared.is_some() {
        columns.push(Column::number("Previous net").named());
    }
    table("plain stacked", columns, rows.collect(), None)
}

/// The same of one day.
fn hours(compared: &CurrencyComparison, range: &MarketRange) -> AnyView {
    let money = |amount| format::money(compared.currency, amount);
    let points = hours_of(range.days.to, 24);
    let rows = points.iter().zip(&compared.previous).enumerate().map(|(at, (point, before))| {
        Row::from(vec![
            format::point_label(point, Interval::Hour, &CLOCK()).into(),
            compared.hours.get(at).map_or_else(|| "—".to_owned(), |net| money(*net)).into(),
            money(before.net_sales).into(),
        ])
    });
    let columns = vec![Column::text("Period"), Column::number("Net"), Column::number("Previous net")];
    table("plain", columns, rows.collect(), None)
}

fn top_vendors(metrics: &CurrencyMetrics, compared: Option<&CurrencyComparison>, range: &MarketRange) -> AnyView {
    let currency = metrics.currency;
    // Both are worked out apart: whoever is new among the best may not be known to the comparison yet.
    let before = |id: &str| {
        let vendors = compared.map_or(&[][..], |compared| &compared.top_vendors);
        vendors.iter().find(|vendor| vendor.vendor_id == id).map(|vendor| vendor.previous_net_sales)
    };
    let rows = metrics.top_vendors.iter().map(|vendor| {
        Row::from(vec![
            vendor_link(&vendor.vendor_id, &vendor.name, range),
            format::count(vendor.orders).into(),
            format::money(currency, vendor.net_sales).into(),
            changed(before(&vendor.vendor_id), vendor.net_sales, currency).into(),
        ])
    });
    let columns = vec![
        Column::text("Vendor"),
        Column::classed("Orders", "number spare"),
        Column::number("Net sales"),
        Column::number("Change"),
    ];
    let more = and_more("/admin/vendors", metrics.active_vendors, metrics.top_vendors.len());
    view! {
        <section class="card">
            <h2>"Top vendors"</h2>
            {scrolling("scroll", format!("Top vendors in {currency}"), table("ranked", columns, rows.collect(), None))}
            {more}
        </section>
    }
    .into_any()
}

fn changed(before: Option<i64>, now: i64, currency: Currency) -> AnyView {
    delta(before, now, More::IsGood, |amount| format::money(currency, amount))
}
