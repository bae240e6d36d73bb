use jiff::Timestamp;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        change::{More, delta},
        fields::{Input, input, select},
        frame::Section,
        loaded::loaded,
        pager::pager,
        query_form::query_form,
        stale::stale,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{encode_segment, path_segment},
        clock::WallClock,
        market::{VendorSort, VendorStanding},
    },
    format,
    server_functions::vendors::{VendorsAsked, VendorsView, load_vendors},
    words,
};

#[component]
pub fn AdminVendorsPage() -> impl IntoView {
    let asked = use_query_map().with_untracked(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        VendorsAsked { search: value("search"), sort: value("sort"), after: value("after") }
    });
    let (shown, again) = (asked.clone(), asked.clone());
    view! {
        <Title text="Vendors"/>
        {loaded(Section::Vendors, load_vendors(asked), |view| &view.viewer, move |view| list(view, shown),
            move || filter(&again))}
    }
}

fn list(VendorsView { freshness, range, vendors, next, .. }: VendorsView, asked: VendorsAsked) -> AnyView {
    let pages = pager(
        asked.after.is_some().then(|| page_href(&asked, None)),
        next.map(|after| page_href(&asked, Some(&after))),
    );
    let body = if vendors.is_empty() {
        view! {
            <section class="card empty">
                <h2>"No matching vendors"</h2>
                <p><a href="/admin/vendors">{words::CLEAR_FILTERS}</a></p>
            </section>
        }
        .into_any()
    } else {
        rows(vendors)
    };
    view! {
        <h1>"Vendors"</h1>
        <p class="lead">{words::standings_of(&format::range(range))}</p>
        {stale(freshness)}
        {filter(&asked)}
        {body}
        {pages}
    }
    .into_any()
}

fn rows(vendors: Vec<VendorStanding>) -> AnyView {
    // Days of the newest orders as UTC has them: vendors of all zones stand side by side.
    let clock = WallClock::default();
    let rows = vendors.into_iter().map(|vendor| {
        let href = format!("/admin/vendors/{}", path_segment(&vendor.vendor_id));
        let money = |amount| format::money(vendor.currency, amount);
        let day = |at: Option<Timestamp>, none: &str| {
            Cell::Text(at.map_or_else(|| none.to_owned(), |at| format::day(clock.local(at).date())))
        };
        let login = if vendor.users == 0 { "no users" } else { "never" };
        Row::from(vec![
            Cell::Link { href: href.clone(), text: vendor.name.clone() },
            Cell::Written(vendor.country.clone()),
            view! { <a class="rows" href=format!("{href}/dashboard")>{money(vendor.net_sales)}</a> }.into_any().into(),
            delta(Some(vendor.previous_net_sales), vendor.net_sales, More::IsGood, money).into(),
            format::count(vendor.orders).into(),
            format::share(vendor.returns, vendor.sold).unwrap_or_else(|| "—".to_owned()).into(),
            day(vendor.last_order_at, "—"),
            day(vendor.last_login_at, login),
            format::count(vendor.users).into(),
        ])
    });
    let columns = vec![
        Column::text("Vendor"),
        Column::classed("Country", "spare"),
        Column::classed("Net sales", "number chief"),
        Column::number("Change"),
        Column::classed("Orders", "number left").named(),
        Column::number("Returned").named(),
        Column::classed("Last order", "number left").named(),
        Column::classed("Last login", "number left").named(),
        Column::classed("Users", "number spare"),
    ];
    scrolling("card scroll", "Vendors", table("plain stacked", columns, rows.collect(), None))
}

fn filter(asked: &VendorsAsked) -> AnyView {
    let field = Input {
        id: "search",
        label: "Name or id".to_owned(),
        kind: "search",
        class: "grow",
        value: asked.search.clone(),
        autocomplete: Some("off"),
        ..Default::default()
    };
    let sorts = vec![
        (VendorSort::Name.as_str(), "Name"),
        (VendorSort::Orders.as_str(), "Most orders"),
        (VendorSort::Rising.as_str(), "Rising most"),
        (VendorSort::Falling.as_str(), "Falling most"),
        (VendorSort::Returns.as_str(), "Most returned"),
        (VendorSort::LastOrder.as_str(), "Longest without an order"),
        (VendorSort::LastLogin.as_str(), "Longest without a login"),
    ];
    let fields = view! {
        {input(field)}
        {select("sort", "sort", "Sort by", sorts, asked.sort.as_deref().unwrap_or(VendorSort::default().as_str()))}
        <button class="quiet" type="submit">"Filter"</button>
    };
    query_form("/admin/vendors", "filter", Some("search"), fields.into_any())
}

/// The same list from a place on, or from its beginning.
fn page_href(asked: &VendorsAsked, after: Option<&str>) -> String {
    let pairs = [("after", after), ("search", asked.search.as_deref()), ("sort", asked.sort.as_deref())];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encode_segment(value?))));
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() { "/admin/vendors".to_owned() } else { format!("/admin/vendors?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_what_was_searched_for_and_how_it_is_sorted() {
        let asked = VendorsAsked { search: Some("a&b".to_owned()), sort: Some("rising".to_owned()), after: None };
        assert_eq!(page_href(&asked, Some("WzEi")), "/admin/vendors?after=WzEi&search=a%26b&sort=rising");
        assert_eq!(page_href(&asked, None), "/admin/vendors?search=a%26b&sort=rising");
        assert_eq!(page_href(&VendorsAsked::default(), None), "/admin/vendors");
    }
}
