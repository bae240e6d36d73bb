//! The vendor's dashboard: one snapshot, shown.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    components::{
        change::Change,
        chips::{Chip, chips},
        feedback::{Refusal, done, refused},
        frame::Section,
        in_place::in_place,
        loaded::loaded,
        parameters::parameters,
        scripts::scripts,
        shortcuts,
        status::Shown,
        title::title,
        written::written,
    },
    domain::{
        accounts::path_segment,
        orders::OrderStatus,
        period::{Comparison, DateRange},
        snapshot::{Snapshot, Totals},
    },
    format,
    islands::{Keys, Live},
    pages::{
        id_in,
        ranges::{self, RangeQuery},
    },
    server_functions::{
        dashboard::{Dashboard, Freshness, Source, Unfinished, Why, load_explained, remembered_range},
        own_notes::{DeleteNote, SaveNote},
        views::{DeleteView, SaveView},
    },
    words,
};

/// Tables beside the chart: waterfall, statuses, top lists, customers, stock.
mod breakdowns;
/// The figures at the top.
pub(super) mod cards;
/// What each figure means.
pub(super) mod definitions;
/// The sheet of keys.
mod keys;
/// Which figure the chart shows.
pub(super) mod metric;
/// What rises and what falls.
mod movers;
/// What happened in the meantime.
pub(super) mod notes;
/// Choosing the range, the comparison and the interval.
pub(super) mod range_picker;
/// Where the rows behind a figure are.
mod rows;
/// A figure over time.
pub(super) mod sales;
/// Views that were saved.
mod views;

use metric::Metric;
pub use metric::metric_names;

#[component]
pub fn DashboardPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|path| path.get("id").map(|_| id_in(path)));
    let section = if id.is_none() { Section::Dashboard } else { Section::Vendors };
    let mut query = parameters(|params| RangeQuery::of(id.clone(), params));
    if query.has_no_days() {
        query.range = remembered_range();
    }
    let asked = query.clone();
    let load = load_explained(id, move |today| asked.asked(today));
    let again = query.clone();
    view! {
        <Title text="Dashboard"/>
        {loaded(section, load, |(data, _)| &data.viewer, move |(data, why)| dashboard(data, why, query),
            move || range_picker::form(&again, None))}
    }
}

fn dashboard(
    Dashboard {
        viewer, vendor, today, snapshot, unfinished, customers_are_fair, product_name, freshness, clock, ..
    }: Dashboard,
    why: Why,
    query: RangeQuery,
) -> AnyView {
    let range = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let compared = compared_with(&snapshot, unfinished);
    let lead = match &compared {
        Some(compared) => format!("{}, compared with {compared}", format::range(range)),
        None => format::range(range),
    };
    let is_empty = snapshot.totals.orders == 0 && snapshot.totals.gross_sales == 0 && snapshot.totals.returns == 0;
    let nothing_sold = is_empty.then(|| nothing_sold(&snapshot, &query, today));
    let summary = snapshot.previous_totals.filter(|_| !is_empty).and_then(|before| summary(&snapshot.totals, &before));
    let said =
        format!("{}: net sales {}", format::range(range), format::money(snapshot.currency, snapshot.totals.net_sales));
    // Of another's dashboard: the way back.
    let crumb = query.vendor_id.as_deref().map(|id| {
        let href = format!("/admin/vendors/{}", path_segment(id));
        view! {
            <p class="crumb">
                <a href="/admin/vendors">"Vendors"</a> " › " <a href=href>{written(vendor.name.clone())}</a>
            </p>
        }
    });
    // Events are a vendor's own: an admin's view of somebody's dashboard is as old as it says.
    let exports = Some(sales::exports(&snapshot, &query));
    let views = why.views.clone().map(|saved| views::saved(saved, &query, range, today));
    let was_refused = [
        Refusal::of::<SaveView>(),
        Refusal::of::<DeleteView>(),
        Refusal::of::<SaveNote>(),
        Refusal::of::<DeleteNote>(),
    ];
    let said_of_form = parameters(|params| match (params.get("view").as_deref(), params.get("note").as_deref()) {
        (Some("saved"), _) => Some(done(words::VIEW_SAVED)),
        (Some("replaced"), _) => Some(done(words::VIEW_REPLACED)),
        (Some("deleted"), _) => Some(done(words::VIEW_DELETED)),
        (_, Some("saved")) => Some(done(words::NOTE_SAVED)),
        (_, Some("deleted")) => Some(done(words::NOTE_DELETED)),
        _ => None,
    });
    let may_note = query.vendor_id.is_none() && viewer.role.may_write();
    let note_form = may_note.then(|| notes::form(&query, range.to));
    let stream = query.vendor_id.is_none().then(|| view! { <Live/> });
    view! {
        {title(&format!("{} · {}", vendor.name, format::range(range)))}
        {crumb}
        <div class="head">
            <div>
                <h1>{written(vendor.name)}</h1>
                <p class="lead">{lead}</p>
                <p class="age" data-stream=snapshot.vendor_id.clone()>{age(freshness)} " " {stream}</p>
            </div>
            {range_picker::picker(&query, range, today, views)}
        </div>
        {in_place(said)}
        {was_refused.iter().map(refused).collect::<Vec<_>>()}
        {said_of_form}
        {summary.map(|summary| view! { <p class="summary">{summary}</p> })}
        {notes::since(&why)}
        {nothing_sold}
        {chips(narrowed(&query, product_name))}
        {cards::cards(&snapshot, unfinished, customers_are_fair, &query, compared.as_deref())}
        {sales::sales(&snapshot, &clock, unfinished, Metric::of(query.metric.as_deref()), exports, note_form,
            notes::by_point(&snapshot, &why, &clock))}
        {notes::list(&why, &snapshot, &query, may_note)}
        {breakdowns::breakdowns(&snapshot, why.movers.as_ref(), unfinished, customers_are_fair, &query)}
        <footer class="foot">
            <p>{words::zone_and_currency(&snapshot.time_zone, snapshot.currency.code())}</p>
            {shortcuts::button()}
        </footer>
        {keys::sheet(&query, &snapshot)}
        <Keys/>
        {scripts()}
    }
    .into_any()
}

/// What the figures are narrowed to.
fn narrowed(query: &RangeQuery, product_name: Option<String>) -> Vec<Chip> {
    let without = |query: RangeQuery| query.href();
    let product = query.product.clone().map(|id| Chip {
        name: "Product",
        value: product_name.unwrap_or(id),
        without: without(RangeQuery { product: None, ..query.clone() }),
    });
    let category = query.category.clone().map(|value| Chip {
        name: "Category",
        value,
        without: without(RangeQuery { category: None, ..query.clone() }),
    });
    let status = query.status.as_deref().and_then(|text| text.parse::<OrderStatus>().ok()).map(|status| Chip {
        name: "Status",
        value: Shown::from(status).name.to_owned(),
        without: without(RangeQuery { status: None, ..query.clone() }),
    });
    product.into_iter().chain(category).chain(status).collect()
}

/// What the figures are compared with: `2–29 Oct 2026`, `25 Nov 2026 until 09:00`.
pub(super) fn compared_with(snapshot: &Snapshot, unfinished: Option<Unfinished>) -> Option<String> {
    let comparison = snapshot.comparison?;
    let range = format::range(DateRange { from: comparison.from, to: comparison.to });
    let year = if comparison.kind == Comparison::PreviousYear { " (a year earlier)" } else { "" };
    Some(match unfinished {
        Some(unfinished) if unfinished.until_hour < 24 => {
            format!("{range}{year} until {:02}:00", unfinished.until_hour)
        }
        _ => format!("{range}{year}"),
    })
}

/// The period in one sentence: what net sales did, and what of orders, their average and returns explains it.
fn summary(now: &Totals, before: &Totals) -> Option<String> {
    let change = Change::between(Some(before.net_sales), Some(now.net_sales));
    if matches!(change, Change::New) {
        return None;
    }
    let mut why = Vec::new();
    match now.orders - before.orders {
        0 => {}
        more if more > 0 => {
            why.push(format!("{} more {}", format::count(more), if more == 1 { "order" } else { "orders" }))
        }
        fewer => why.push(format!("{} fewer {}", format::count(-fewer), if fewer == -1 { "order" } else { "orders" })),
    }
    // Of few orders, an average says little.
    if now.orders.min(before.orders) >= 5
        && let Change::Percent(tenths) = Change::between(before.average_order_value, now.average_order_value)
        && tenths.abs() >= 20
    {
        why.push(format!("{} per order", Change::Percent(tenths).text()));
    }
    let returns = match Change::between(Some(before.returns), Some(now.returns)) {
        Change::Percent(tenths) if tenths.abs() >= 200 => Some(format!("returns {}", Change::Percent(tenths).text())),
        _ => None,
    };
    why.extend(returns);
    let head =
        if change.is_level() { "Net sales unchanged".to_owned() } else { format!("Net sales {}", change.text()) };
    Some(if why.is_empty() { format!("{head}.") } else { format!("{head}: {}.", why.join(", ")) })
}

fn nothing_sold(snapshot: &Snapshot, query: &RangeQuery, today: jiff::civil::Date) -> AnyView {
    let placed: i64 = snapshot.orders_by_status.iter().map(|entry| entry.orders).sum();
    let why = match (placed, rows::uncounted_href(snapshot, query)) {
        (0, _) => words::NO_ORDERS_OR_RETURNS.into_any(),
        (placed, Some(href)) => view! { <a href=href>{words::none_counts(placed)}</a> }.into_any(),
        (placed, None) => words::none_counts(placed).into_any(),
    };
    let wider =
        ranges::presets(today).into_iter().filter(|preset| matches!(preset.slug, "last_90_days" | "last_12_months"));
    let links = wider
        .map(|preset| {
            let href = query.with_preset(preset).href();
            view! { <a class="button quiet" href=href data-noscroll="">{preset.name}</a> }
        })
        .collect_view();
    let all = (!query.is_all_time())
        .then(|| view! { <a class="button quiet" href=query.with_all_time().href() data-noscroll="">"All time"</a> });
    let products = query.vendor_id.is_none().then(|| view! { " or "<a href="/products">"check your products"</a> });
    view! {
        <section class="card empty">
            <h2>{words::NOTHING_SOLD}</h2>
            <p>{why} " " {words::LONGER_PERIOD}{products}"."</p>
            <p class="actions">{links}{all}</p>
        </section>
    }
    .into_any()
}

/// How old the figures are; counts on while the page is open.
pub(super) fn age(Freshness { source, age_seconds }: Freshness) -> AnyView {
    match source {
        Source::Stale => view! { <strong class="stale">{words::stale(age_seconds)}</strong> }.into_any(),
        _ => view! { <span data-age=age_seconds.to_string()>{words::updated(age_seconds)}</span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::Sums;

    fn totals(gross_sales: i64, returns: i64, orders: i64) -> Totals {
        Totals::new(Sums { gross_sales, returns, orders, ..Default::default() }, 0)
    }

    #[test]
    fn one_sentence_says_what_happened_and_why() {
        let told = summary(&totals(11_500, 1_000, 120), &totals(10_300, 300, 80)).unwrap();
        assert_eq!(told, "Net sales +5.0%: 40 more orders, −29.6% per order, returns +233.3%.");
        assert_eq!(summary(&totals(900, 0, 1), &totals(1_000, 0, 2)).unwrap(), "Net sales −10.0%: 1 fewer order.");
        assert_eq!(summary(&totals(1_000, 0, 2), &totals(1_000, 0, 2)).unwrap(), "Net sales unchanged.");
        assert_eq!(summary(&totals(1_000, 0, 2), &totals(0, 0, 0)), None, "nothing to explain it by");
    }
}
