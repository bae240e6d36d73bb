use leptos::prelude::*;

use crate::{
    app::{
        charts::line::{LineChart, Mark},
        format,
    },
    domain::{
        clock::WallClock,
        period::{DateRange, Interval},
        report::Snapshot,
    },
};

/// Net sales over time, with the comparison, and all values as a table.
pub fn sales(snapshot: &Snapshot, clock: &WallClock) -> AnyView {
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
            <details prop:open=false>
                <summary>"Show as a table"</summary>
                {table(snapshot, clock, interval, has_before)}
            </details>
        </figure>
    }
    .into_any()
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

fn table(snapshot: &Snapshot, clock: &WallClock, interval: Interval, has_before: bool) -> AnyView {
    let money = |amount| format::money(snapshot.currency, amount);
    let before = snapshot.previous_series.as_deref().unwrap_or_default();
    let rows = snapshot
        .series
        .iter()
        .enumerate()
        .map(|(i, point)| {
            let before = has_before
                .then(|| view! { <td class="number">{before.get(i).map_or_else(|| "—".to_owned(), |point| money(point.net_sales))}</td> });
            view! {
                <tr>
                    <th scope="row">{format::point_label(point, interval, clock)}</th>
                    <td class="number">{format::count(point.orders)}</td>
                    <td class="number">{format::count(point.units)}</td>
                    <td class="number">{money(point.gross_sales)}</td>
                    <td class="number">{money(-point.discounts)}</td>
                    <td class="number">{money(-point.returns)}</td>
                    <td class="number">{money(point.net_sales)}</td>
                    {before}
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="scroll tall" role="region" aria-label="Sales over time" tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"From"</th>
                        <th scope="col" class="number">"Orders"</th>
                        <th scope="col" class="number">"Units"</th>
                        <th scope="col" class="number">"Gross"</th>
                        <th scope="col" class="number">"Discounts"</th>
                        <th scope="col" class="number">"Returns"</th>
                        <th scope="col" class="number">"Net"</th>
                        {has_before.then(|| view! { <th scope="col" class="number">"Net before"</th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
