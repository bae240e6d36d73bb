//! The vendor's dashboard: one snapshot, shown.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    components::{frame::Section, live::on_change, loaded::loaded, written::written},
    domain::{
        accounts::path_segment,
        period::{Comparison, DateRange},
        snapshot::Snapshot,
    },
    format,
    pages::{
        id_in,
        ranges::{self, RangeQuery},
    },
    server_functions::dashboard::{Dashboard, Freshness, Source, load_dashboard},
};

/// Tables beside the chart: waterfall, statuses, top lists, customers, stock.
mod breakdowns;
/// The figures at the top.
mod cards;
/// What each figure means.
mod definitions;
/// Choosing the range, the comparison and the interval.
mod range_picker;
/// Sales over time.
mod sales;

#[component]
pub fn DashboardPage() -> impl IntoView {
    let (params, path) = (use_query_map(), use_params_map());
    let query = Memo::new(move |_| params.with(|params| RangeQuery::of(path.with(|path| path.get("id").map(|_| id_in(path))), params)));
    let is_own = path.with_untracked(|path| path.get("id").is_none());
    let data = Resource::new(
        move || query.get(),
        |query| load_dashboard(query.date_from, query.date_to, query.compare, query.interval, query.vendor_id),
    );
    // Events are a vendor's own: an admin's view of somebody's dashboard is as old as it says.
    if is_own {
        on_change(move || data.refetch());
    }
    let section = if is_own { Section::Dashboard } else { Section::Vendors };
    let show = move |data: Dashboard| dashboard(data, query.get_untracked());
    view! {
        <Title text="Dashboard"/>
        {loaded(section, data, |data| &data.viewer, show, move || range_picker::form(&query.get_untracked(), None))}
    }
}

pub fn dashboard(Dashboard { vendor, today, snapshot, freshness, clock, .. }: Dashboard, query: RangeQuery) -> AnyView {
    let range = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let compared = compared_with(&snapshot);
    let lead = match &snapshot.comparison {
        Some(comparison) => {
            format!("{}, compared with {}", format::range(range), format::range(DateRange { from: comparison.from, to: comparison.to }))
        }
        None => format!("{}, without comparison", format::range(range)),
    };
    let zone = format!("Days are those of {}; amounts in {}.", snapshot.time_zone, snapshot.currency);
    let nothing_sold = (snapshot.totals.orders == 0 && snapshot.totals.gross_sales == 0 && snapshot.totals.returns == 0)
        .then(|| nothing_sold(&query, today));
    // Of another's dashboard: the way back.
    let crumb = query.vendor_id.as_deref().map(|id| {
        let href = format!("/admin/vendors/{}", path_segment(id));
        view! { <p class="crumb"><a href="/admin/vendors">"Vendors"</a> " › " <a href=href>{written(vendor.name.clone())}</a></p> }
    });
    view! {
        {crumb}
        <div class="head">
            <div>
                <h1>{written(vendor.name)}</h1>
                <p class="lead">{lead}</p>
            </div>
            {range_picker::picker(&query, range, today)}
        </div>
        {nothing_sold}
        {cards::cards(&snapshot, compared.as_deref())}
        {sales::sales(&snapshot, &clock, query.vendor_id.as_deref())}
        {breakdowns::breakdowns(&snapshot, query.vendor_id.is_none())}
        <footer class="foot"><p>{zone}</p> <Age freshness/></footer>
    }
    .into_any()
}

/// What the figures are compared with, in words that end a sentence: `the 28 days before`.
fn compared_with(snapshot: &Snapshot) -> Option<String> {
    let comparison = snapshot.comparison?;
    Some(match comparison.kind {
        Comparison::PreviousYear => "the same days a year earlier".to_owned(),
        _ => format!("the period before ({})", format::range(DateRange { from: comparison.from, to: comparison.to })),
    })
}

fn nothing_sold(query: &RangeQuery, today: jiff::civil::Date) -> AnyView {
    let wider = ranges::presets(today).into_iter().filter(|preset| matches!(preset.name, "Last 90 days" | "Last 12 months"));
    let links = wider
        .map(|preset| view! { <a class="button quiet" href=query.with_range(preset.range).href() data-noscroll="">{preset.name}</a> })
        .collect_view();
    let products = query.vendor_id.is_none().then(|| view! { ", or "<a href="/products">"look at your products"</a> });
    view! {
        <section class="card empty">
            <h2>"Nothing sold in this range"</h2>
            <p>"No order was placed and nothing was returned on these days. Look at a longer range"{products}"."</p>
            <p class="actions">{links}</p>
        </section>
    }
    .into_any()
}

/// How old the figures are and where they came from; counts on while the page is open.
#[component]
fn Age(freshness: Freshness) -> impl IntoView {
    const STEP: u64 = 5;
    let (waited, set_waited) = signal(0_u64);
    Effect::new(move |_| {
        if let Ok(ticking) =
            set_interval_with_handle(move || set_waited.update(|waited| *waited += STEP), std::time::Duration::from_secs(STEP))
        {
            on_cleanup(move || ticking.clear());
        }
    });
    view! { <p class="age">{move || age_text(freshness, waited.get())}</p> }
}

/// `Computed 12 s ago · cached`
fn age_text(freshness: Freshness, waited: u64) -> String {
    let source = match freshness.source {
        Source::Hit => "cached",
        Source::Miss => "fresh from the database",
        Source::Stale => "cached; the database cannot be reached at the moment",
        Source::Bypass => "fresh from the database; the cache cannot be reached at the moment",
    };
    match freshness.age_seconds + waited {
        0 => format!("Computed just now · {source}"),
        seconds => format!("Computed {} ago · {source}", format::age(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_says_how_old_and_from_where() {
        let at = |source, age_seconds| age_text(Freshness { source, age_seconds }, 0);
        assert_eq!(at(Source::Hit, 12), "Computed 12 s ago · cached");
        assert_eq!(at(Source::Miss, 0), "Computed just now · fresh from the database");
        assert_eq!(age_text(Freshness { source: Source::Hit, age_seconds: 58 }, 5), "Computed 1 min ago · cached");
        assert!(at(Source::Stale, 4_000).starts_with("Computed 1 h ago"));
    }
}
