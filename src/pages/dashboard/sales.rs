use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
};
use leptos::prelude::*;

use super::metric::Metric;
use crate::{
    charts::line::{FEW, Mark, line_chart},
    components::table::{Cell, Column, Row, scrolling, table},
    domain::{
        accounts::encode_segment,
        clock::WallClock,
        period::{DateRange, Interval},
        snapshot::Snapshot,
    },
    format,
    pages::ranges::RangeQuery,
    server_functions::dashboard::Unfinished,
    words,
};

/// A figure over time, with the comparison, and all values as a table. `exports` are the same as files, `notes` what
/// happened at which point, `note_form` notes something down.
pub fn sales(
    snapshot: &Snapshot,
    clock: &WallClock,
    unfinished: Option<Unfinished>,
    metric: Metric,
    exports: Option<AnyView>,
    note_form: Option<AnyView>,
    notes: BTreeMap<usize, String>,
) -> AnyView {
    let currency = snapshot.currency;
    let unit = metric.unit(currency);
    let interval = snapshot.range.interval;
    let range = format::range(DateRange { from: snapshot.range.from, to: snapshot.range.to });
    let before =
        snapshot.comparison.map(|comparison| format::range(DateRange { from: comparison.from, to: comparison.to }));
    let name = metric.definition().name;
    let bars = snapshot.series.len() <= FEW;
    let drawn = if bars { words::GREY_BARS } else { words::DASHED_LINE };
    let title = match &before {
        Some(before) => format!("{name} by {}, {range}. {drawn}: {before}.", interval.as_str()),
        None => format!("{name} by {}, {range}.", interval.as_str()),
    };
    let until_hour = unfinished.map(|unfinished| unfinished.until_hour);
    let caption = before.as_ref().map(|before| words::dashed(before, bars, beside(snapshot), until_hour));
    let now_legend = format!("{range}: {}", unit.text(metric.total(&snapshot.totals)));
    let before_legend = before
        .zip(snapshot.previous_totals)
        .map(|(range, totals)| format!("{range}: {}", unit.text(metric.total(&totals))));
    let has_before = before_legend.is_some();
    let marks = marks(snapshot, clock, unfinished, metric, &notes);
    view! {
        <figure class="card chart">
            <div class="name"><h2>{format!("{name} over time")}</h2> {exports}</div>
            {line_chart(&marks, unit, title, now_legend, before_legend)}
            <figcaption>{caption}</figcaption>
            <details>
                <summary>"Show as a table"</summary>
                {values(snapshot, clock, unfinished, metric, has_before)}
            </details>
            {note_form}
        </figure>
    }
    .into_any()
}

/// Figures as files, narrowed as they are.
pub fn exports(snapshot: &Snapshot, query: &RangeQuery) -> AnyView {
    let link = |table, text: &'static str| {
        view! { <a href=export_href(snapshot, table, query) download="">{text}</a> }
    };
    view! {
        <p class="exports">
            {link("series", "Export sales")}
            {query.product.is_none().then(|| link("products", "Export products"))}
        </p>
    }
    .into_any()
}

/// The file of a table over the range that is shown, narrowed as it is.
pub fn export_href(snapshot: &Snapshot, table: &str, query: &RangeQuery) -> String {
    let range = snapshot.range;
    let interval = range.interval.as_str();
    let others = query.filters().into_iter().chain([("vendorId", query.vendor_id.as_deref())]);
    let others: String =
        others.filter_map(|(name, value)| Some(format!("&{name}={}", encode_segment(value?)))).collect();
    format!(
        "/api/vendor/analytics/export.csv?dateFrom={}&dateTo={}&interval={interval}&table={table}{others}",
        range.from, range.to
    )
}

/// How the comparison is cut, so that its points may stand beside those of the range.
fn beside(snapshot: &Snapshot) -> &'static str {
    let range = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let before = snapshot.comparison.map(|before| DateRange { from: before.from, to: before.to });
    aligned(range, before, snapshot.range.interval)
}

/// The same of any range.
pub fn aligned(range: DateRange, before: Option<DateRange>, interval: Interval) -> &'static str {
    let by_calendar = before.is_some_and(|before| before.is_beside_by_calendar(&range));
    match interval {
        Interval::Hour => words::BY_HOUR,
        Interval::Day => words::BY_DAY,
        Interval::Month if by_calendar => words::BY_MONTH,
        Interval::Week | Interval::Month => words::BY_LENGTH,
    }
}

fn marks(
    snapshot: &Snapshot,
    clock: &WallClock,
    unfinished: Option<Unfinished>,
    metric: Metric,
    notes: &BTreeMap<usize, String>,
) -> Vec<Mark> {
    let interval = snapshot.range.interval;
    let one_day = snapshot.range.days == 1;
    // Of more days they would be a fence.
    let has_weekends = interval == Interval::Day && (8..=93).contains(&snapshot.range.days);
    let before = snapshot.previous_series.as_deref().unwrap_or_default();
    let begun = begun(snapshot, unfinished);
    let mut compared =
        before_labels(snapshot, clock).into_iter().zip(before).map(|(label, point)| (label, metric.at(point)));
    let whole = unfinished.and_then(|unfinished| unfinished.whole_before).map(|whole| metric.at(&whole.point()));
    let labels = format::point_labels(&snapshot.series, interval, snapshot.range.to, clock);
    // What comes back is in these already: as a dip, that nobody tells from a bad day.
    let has_returns = matches!(metric, Metric::NetSales | Metric::Payable);
    let points = snapshot.series.iter().zip(labels).enumerate().map(|(i, (point, label))| Mark {
        label,
        short: format::axis_label(point, interval, clock, one_day),
        value: metric.at(point).filter(|_| i < begun),
        is_unfinished: unfinished.is_some() && i + 1 == begun,
        before: compared.next(),
        before_whole: whole.flatten().filter(|_| i + 1 == before.len()),
        returns: (has_returns && i < begun).then_some(point.returns).filter(|returns| *returns != 0),
        note: notes.get(&i).cloned(),
        is_weekend: has_weekends && point.start.parse::<Date>().is_ok_and(is_weekend),
    });
    points.collect()
}

/// What each point of the comparison covers.
fn before_labels(snapshot: &Snapshot, clock: &WallClock) -> Vec<String> {
    let points = snapshot.previous_series.as_deref().unwrap_or_default();
    let to = snapshot.comparison.map_or(snapshot.range.to, |comparison| comparison.to);
    format::point_labels(points, snapshot.range.interval, to, clock)
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// How many points have begun: all but the hours to come.
fn begun(snapshot: &Snapshot, unfinished: Option<Unfinished>) -> usize {
    let Some(unfinished) = unfinished.filter(|_| snapshot.range.interval == Interval::Hour) else {
        return snapshot.series.len();
    };
    snapshot
        .series
        .iter()
        .take_while(|point| point.start.parse::<Timestamp>().is_ok_and(|start| start <= unfinished.now))
        .count()
}

/// Every point of the range that has begun, each beside the point it is compared with. The longer of the two goes on
/// alone, so that each column comes to its card.
fn values(
    snapshot: &Snapshot,
    clock: &WallClock,
    unfinished: Option<Unfinished>,
    metric: Metric,
    has_before: bool,
) -> AnyView {
    // These have a column where they are what the chart shows.
    let (has_customers, has_payable) = (metric == Metric::Customers, metric == Metric::Payable);
    let interval = snapshot.range.interval;
    let money = |amount| Cell::Text(format::money(snapshot.currency, amount));
    let before = snapshot.previous_series.as_deref().unwrap_or_default();
    let mut columns = vec![
        Column::text("Period"),
        Column::number("Orders"),
        Column::number("Units"),
        Column::number("Gross"),
        Column::number("Discounts"),
        Column::number("Returns"),
        Column::number("Net"),
    ];
    if has_customers {
        columns.insert(1, Column::number("Customers"));
    }
    if has_payable {
        columns.push(Column::number("Payable"));
    }
    if has_before {
        // What it was then is what the last column says of now.
        let previous = match metric {
            Metric::Customers => "Previous customers",
            Metric::Payable => "Previous payable",
            _ => "Previous net",
        };
        columns.extend([Column::text("Compared with"), Column::number(previous)]);
    }
    let begun = begun(snapshot, unfinished);
    let nothing = || Cell::Text("—".to_owned());
    let labels = format::point_labels(&snapshot.series, interval, snapshot.range.to, clock);
    let compared = before_labels(snapshot, clock);
    let rows = (0..begun.max(compared.len())).map(|i| {
        let so_far =
            if unfinished.is_some() && i + 1 == begun { format!(" ({})", words::SO_FAR) } else { String::new() };
        let mut cells: Vec<Cell> = match snapshot.series.get(i).filter(|_| i < begun) {
            Some(point) => vec![
                format!("{}{so_far}", labels[i]).into(),
                format::count(point.orders).into(),
                format::count(point.units).into(),
                money(point.gross_sales),
                money(-point.discounts),
                money(-point.returns),
                money(point.net_sales),
            ],
            None => (0..7).map(|_| nothing()).collect(),
        };
        if has_customers {
            let customers = snapshot.series.get(i).filter(|_| i < begun).and_then(|point| point.customers);
            cells.insert(1, customers.map_or_else(nothing, |customers| format::count(customers).into()));
        }
        if has_payable {
            let point = snapshot.series.get(i).filter(|_| i < begun);
            cells.push(point.map_or_else(nothing, |point| money(point.payable)));
        }
        if has_before {
            cells.push(compared.get(i).map_or_else(nothing, |label| label.clone().into()));
            let previous = before.get(i).and_then(|point| match metric {
                Metric::Customers => point.customers.map(|customers| format::count(customers).into()),
                Metric::Payable => Some(money(point.payable)),
                _ => Some(money(point.net_sales)),
            });
            cells.push(previous.unwrap_or_else(nothing));
        }
        Row::from(cells)
    });
    let totals = &snapshot.totals;
    let mut foot = vec![
        Cell::Text("Total".to_owned()),
        format::count(totals.orders).into(),
        format::count(totals.units).into(),
        money(totals.gross_sales),
        money(-totals.discounts),
        money(-totals.returns),
        money(totals.net_sales),
    ];
    if has_customers {
        foot.insert(1, format::count(totals.customers).into());
    }
    if has_payable {
        foot.push(money(totals.payable));
    }
    if has_before {
        foot.push(Cell::Text(String::new()));
        foot.push(snapshot.previous_totals.map_or_else(nothing, |totals| match metric {
            Metric::Customers => format::count(totals.customers).into(),
            Metric::Payable => money(totals.payable),
            _ => money(totals.net_sales),
        }));
    }
    scrolling("scroll tall", "Sales over time", table("plain", columns, rows.collect(), Some(foot.into())))
}
