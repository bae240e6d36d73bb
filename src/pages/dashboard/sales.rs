use leptos::prelude::*;

use crate::{
    charts::line::{LineChart, Mark},
    components::table::{Cell, Column, Row, scrolling, table},
    domain::{accounts::encode_segment, clock::WallClock, period::DateRange, snapshot::Snapshot},
    format,
};

/// Net sales over time, with the comparison, and all values as a table. `vendor_id` names whose they are to someone else.
pub fn sales(snapshot: &Snapshot, clock: &WallClock, vendor_id: Option<&str>) -> AnyView {
    let currency = snapshot.currency;
    let interval = snapshot.range.interval;
    let range = format::range(DateRange { from: snapshot.range.from, to: snapshot.range.to });
    let before = snapshot.comparison.map(|comparison| format::range(DateRange { from: comparison.from, to: comparison.to }));
    let caption = match &before {
        Some(before) => {
            format!("Net sales by {}, {range}, in {currency}. Dashed: {before}, the first point beside the first.", interval.as_str())
        }
        None => format!("Net sales by {}, {range}, in {currency}.", interval.as_str()),
    };
    let legend = |range: &str, amount| format!("{range}: {}", format::money(currency, amount));
    let now_legend = legend(&range, snapshot.totals.net_sales);
    let before_legend = before.as_deref().zip(snapshot.previous_totals).map(|(range, totals)| legend(range, totals.net_sales));
    let has_before = before_legend.is_some();
    view! {
        <figure class="card chart">
            <h2>"Net sales over time"</h2>
            <LineChart marks=marks(snapshot, clock) currency title=caption.clone() now=now_legend before=before_legend/>
            <figcaption>{caption}</figcaption>
            <p class="actions">
                <a class="button quiet" href=export_href(snapshot, "series", vendor_id) download="" rel="external">"Download as CSV"</a>
                <a class="button quiet" href=export_href(snapshot, "products", vendor_id) download="" rel="external">"Products as CSV"</a>
            </p>
            <details>
                <summary>"Show as a table"</summary>
                {values(snapshot, clock, has_before)}
            </details>
        </figure>
    }
    .into_any()
}

/// Where the same figures are a file.
fn export_href(snapshot: &Snapshot, table: &str, vendor_id: Option<&str>) -> String {
    let range = snapshot.range;
    let interval = range.interval.as_str();
    let whose = vendor_id.map(|id| format!("&vendorId={}", encode_segment(id))).unwrap_or_default();
    format!("/api/vendor/analytics/export.csv?dateFrom={}&dateTo={}&interval={interval}&table={table}{whose}", range.from, range.to)
}

fn marks(snapshot: &Snapshot, clock: &WallClock) -> Vec<Mark> {
    let interval = snapshot.range.interval;
    let one_day = snapshot.range.days == 1;
    let before = snapshot.previous_series.as_deref().unwrap_or_default();
    snapshot
        .series
        .iter()
        .enumerate()
        .map(|(i, point)| Mark {
            label: format::point_label(point, interval, clock),
            short: format::axis_label(point, interval, clock, one_day),
            value: point.net_sales,
            before: before.get(i).map(|point| (format::point_label(point, interval, clock), point.net_sales)),
        })
        .collect()
}

fn values(snapshot: &Snapshot, clock: &WallClock, has_before: bool) -> AnyView {
    let interval = snapshot.range.interval;
    let money = |amount| Cell::Text(format::money(snapshot.currency, amount));
    let before = snapshot.previous_series.as_deref().unwrap_or_default();
    let mut columns = vec![
        Column::text("From"),
        Column::number("Orders"),
        Column::number("Units"),
        Column::number("Gross"),
        Column::number("Discounts"),
        Column::number("Returns"),
        Column::number("Net"),
    ];
    if has_before {
        columns.push(Column::number("Net before"));
    }
    let rows = snapshot.series.iter().enumerate().map(|(i, point)| {
        Row::from(vec![
            format::point_label(point, interval, clock).into(),
            format::count(point.orders).into(),
            format::count(point.units).into(),
            money(point.gross_sales),
            money(-point.discounts),
            money(-point.returns),
            money(point.net_sales),
            // Left out with its column where there is no comparison.
            before.get(i).map_or_else(|| Cell::Text("—".to_owned()), |point| money(point.net_sales)),
        ])
    });
    scrolling("scroll tall", "Sales over time", table("plain", columns, rows.collect(), None))
}
