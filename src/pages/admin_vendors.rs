use jiff::Timestamp;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{
        change::{More, delta},
        fields::{Input, input, select},
        frame::Section,
        loaded::loaded,
        pager::pager,
        parameters::parameters,
        query_form::query_form,
        stale::stale,
        table::{Cell, Column, Row, Sorting, scrolling, table},
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
    let asked = parameters(|params| {
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

fn list(VendorsView { freshness, range, sort, vendors, next, .. }: VendorsView, asked: VendorsAsked) -> AnyView {
    let is_by_amount = matches!(sort, VendorSort::NetSalesDesc | VendorSort::NetSalesAsc);
    let has_many = vendors.iter().any(|vendor| vendor.currency != vendors[0].currency);
    let by_currency = (is_by_amount && has_many).then(|| format!(" {}", words::SORTED_BY_CURRENCY));
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
        rows(vendors, sort, &asked)
    };
    view! {
        <h1>"Vendors"</h1>
        <p class="lead">{words::standings_of(&format::range(range))} {by_currency}</p>
        {stale(freshness)}
        {filter(&asked)}
        {body}
        {pages}
    }
    .into_any()
}

fn rows(vendors: Vec<VendorStanding>, sort: VendorSort, asked: &VendorsAsked) -> AnyView {
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
    // The way that most people mean first, the other one at the second click.
    let by = |first: VendorSort, second: VendorSort| {
        let next = if sort == first { second } else { first };
        let sorted = VendorsAsked { sort: Some(next.as_str().to_owned()), ..asked.clone() };
        let now =
            [first, second].contains(&sort).then(|| if sort.is_descending() { "descending" } else { "ascending" });
        Some(Sorting { href: page_href(&sorted, None), now })
    };
    use VendorSort::*;
    let columns = vec![
        Column::text("Vendor").sorting(by(NameAsc, NameDesc)),
        Column::classed("Country", "spare").sorting(by(CountryAsc, CountryDesc)),
        Column::classed("Net sales", "number chief").sorting(by(NetSalesDesc, NetSalesAsc)),
        Column::number("Change").sorting(by(ChangeDesc, ChangeAsc)),
        Column::classed("Orders", "number left").sorting(by(OrdersDesc, OrdersAsc)).named(),
        Column::number("Returned").sorting(by(ReturnsDesc, ReturnsAsc)).named(),
        Column::classed("Last order", "number left").sorting(by(LastOrderAsc, LastOrderDesc)).named(),
        Column::classed("Last login", "number left").sorting(by(LastLoginAsc, LastLoginDesc)).named(),
        Column::classed("Users", "number spare").sorting(by(UsersDesc, UsersAsc)),
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
    let sorts = VendorSort::ALL.map(|sort| (sort.as_str(), words::sort_of_vendors(sort))).to_vec();
    // An older name of a way to sort is shown as what it is.
    let sort: VendorSort = asked.sort.as_deref().and_then(|name| name.parse().ok()).unwrap_or_default();
    let fields = view! {
        {input(field)}
        {select("sort", "sort", "Sort by", sorts, sort.as_str())}
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
