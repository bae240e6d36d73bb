use jiff::Timestamp;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{
    dashboard::{
        age,
        cards::{Card, card, strip},
        compared_with,
        definitions::Definition,
        metric::Metric,
        range_picker,
    },
    id_in,
    keys::time,
    ranges::RangeQuery,
};

use crate::{
    charts::line::Unit,
    components::{
        change::More,
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        table::{Cell, Column, Row, scrolling, table},
        title::title,
        written::written,
    },
    domain::{
        accounts::{UserSummary, encode_segment, path_segment},
        clock::WallClock,
        money::permille,
        period::DateRange,
        snapshot::Totals,
    },
    format,
    server_functions::{
        dashboard::{Dashboard, remembered_range},
        vendors::{VendorView, load_vendor},
    },
    words,
};

const RETURNED: Definition = Definition { name: "Returned", text: words::RETURNED };

#[component]
pub fn AdminVendorPage() -> impl IntoView {
    let id = use_params_map().with_untracked(id_in);
    let mut query = parameters(|params| RangeQuery::of_page(format!("/admin/vendors/{}", path_segment(&id)), params));
    if query.has_no_days() {
        query.range = remembered_range();
    }
    let (asked, again) = (query.clone(), query.clone());
    let load = load_vendor(id, move |today| asked.asked(today));
    view! {
        <Title text="Vendor"/>
        {loaded(Section::Vendors, load, |view| &view.dashboard.viewer, move |view| vendor(view, query),
            move || range_picker::form(&again, None))}
    }
}

fn vendor(VendorView { dashboard, users, last_order_at, freshness }: VendorView, query: RangeQuery) -> AnyView {
    let (snapshot, vendor) = (&dashboard.snapshot, &dashboard.vendor);
    let range = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let lead = format!(" · time zone {} · amounts in {}", vendor.time_zone, vendor.currency);
    let day = |at: Timestamp| format::day(WallClock::default().local(at).date());
    let last_login = users.iter().filter_map(|user| user.last_login_at).max();
    let lately = words::lately(last_order_at.map(day), last_login.map(day));
    let compared = compared_with(snapshot, dashboard.unfinished);
    let of = match &compared {
        Some(compared) => format!("{}, compared with {compared}", format::range(range)),
        None => format::range(range),
    };
    // The same days on the vendor's dashboard.
    let there = RangeQuery { page: None, vendor_id: Some(vendor.vendor_id.clone()), ..query.clone() };
    view! {
        {title(&vendor.name)}
        <p class="crumb"><a href="/admin/vendors">"Vendors"</a></p>
        <div class="head">
            <div>
                <h1>{written(vendor.name.clone())}</h1>
                <p class="lead">{written(vendor.vendor_id.clone())} " · " {written(vendor.country.clone())} {lead}</p>
                <p class="lead">{lately}</p>
            </div>
            {range_picker::picker(&query, range, dashboard.today, None)}
        </div>
        <div class="head">
            <div><p class="lead">{of}</p><p class="age">{age(freshness)}</p></div>
            <a class="button quiet" href=there.href()>"View dashboard"</a>
        </div>
        {figures(&dashboard, &there, compared.as_deref())}
        {users_card(users, vendor.vendor_id.clone())}
    }
    .into_any()
}

/// Each leads to the vendor's dashboard, whose chart shows it.
fn figures(dashboard: &Dashboard, there: &RangeQuery, compared: Option<&str>) -> AnyView {
    let snapshot = &dashboard.snapshot;
    let of_metric = |metric| {
        let card = card(metric, snapshot, dashboard.unfinished, dashboard.customers_are_fair, there);
        Card { metric: card.metric.map(|(href, _)| (href, false)), ..card }
    };
    let returned = Card {
        definition: RETURNED,
        unit: Unit::Percent,
        now: returned(&snapshot.totals),
        before: snapshot.previous_totals.as_ref().map(returned),
        more: More::IsBad,
        course: Vec::new(),
        metric: None,
        rows: None,
        is_so_far: dashboard.unfinished.is_some(),
        sum: None,
        is_headline: false,
    };
    let metrics =
        [Metric::NetSales, Metric::Payable, Metric::Orders, Metric::Average, Metric::Customers, Metric::Returns];
    let cards = metrics.into_iter().map(of_metric).chain([returned]).collect();
    strip("cards strip", cards, compared)
}

/// Which part of what was sold came back, in tenths of a percent.
fn returned(totals: &Totals) -> Option<i64> {
    permille(totals.returns, totals.gross_sales - totals.discounts)
}

fn users_card(users: Vec<UserSummary>, vendor_id: String) -> AnyView {
    let body = if users.is_empty() {
        view! { <p>{words::NO_USERS}</p> }.into_any()
    } else {
        let rows = users.into_iter().map(|user| {
            let (name, tone) = if user.disabled { ("Disabled", "status off") } else { ("Active", "status done") };
            let last = user.last_login_at.map_or_else(|| Cell::Text("never".to_owned()), time);
            Row::from(vec![Cell::from(user.email), view! { <span class=tone>{name}</span> }.into_any().into(), last])
        });
        let columns = vec![Column::text("Email"), Column::text("Status"), Column::text("Last login (UTC)").named()];
        scrolling("scroll", "Users", table("plain stacked", columns, rows.collect(), None))
    };
    let invite = format!("/admin/users?vendor={}#invite", encode_segment(&vendor_id));
    view! { <section class="card"><h2>"Users"</h2>{body}<p class="actions"><a href=invite>"Invite someone"</a></p></section> }
        .into_any()
}
