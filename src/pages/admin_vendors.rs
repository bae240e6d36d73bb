use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        fields::{Input, input},
        frame::Section,
        loaded::loaded,
        query_form::query_form,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::accounts::{encode_segment, path_segment},
    format,
    server_functions::vendors::{VendorsView, load_vendors},
    words,
};

#[component]
pub fn AdminVendorsPage() -> impl IntoView {
    let (search, after) = use_query_map().with_untracked(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        (value("search"), value("after"))
    });
    let (asked, again) = (search.clone(), search.clone());
    view! {
        <Title text="Vendors"/>
        {loaded(Section::Vendors, load_vendors(search, after), |view| &view.viewer, move |view| list(view, asked), move || filter(again))}
    }
}

fn list(VendorsView { page, .. }: VendorsView, search: Option<String>) -> AnyView {
    let next = page.next.as_deref().map(|after| next_href(search.as_deref(), after));
    let body = if page.vendors.is_empty() {
        view! { <section class="card empty"><h2>"No matching vendors"</h2><p><a href="/admin/vendors">{words::CLEAR_FILTERS}</a></p></section> }
            .into_any()
    } else {
        let rows = page.vendors.into_iter().map(|vendor| {
            let href = format!("/admin/vendors/{}", path_segment(&vendor.vendor_id));
            Row::from(vec![
                Cell::Link { href, text: vendor.name },
                Cell::Written(vendor.vendor_id),
                Cell::Written(vendor.country),
                format::count(vendor.users).into(),
            ])
        });
        let columns =
            vec![Column::text("Vendor"), Column::text("Id"), Column::text("Country"), Column::number("Users")];
        scrolling("card scroll", "Vendors", table("plain", columns, rows.collect(), None))
    };
    view! {
        <h1>"Vendors"</h1>
        {filter(search)}
        {body}
        {next.map(|href| view! { <nav class="pager" aria-label="Pages"><a class="button quiet" href=href>"Next page"</a></nav> })}
    }
    .into_any()
}

fn filter(search: Option<String>) -> AnyView {
    let field = Input {
        id: "search",
        label: "Name or id".to_owned(),
        kind: "search",
        class: "grow",
        value: search,
        autocomplete: Some("off"),
        ..Default::default()
    };
    let fields = view! { {input(field)} <button class="quiet" type="submit">"Filter"</button> };
    query_form("/admin/vendors", "filter", Some("search"), fields.into_any())
}

fn next_href(search: Option<&str>, after: &str) -> String {
    let search = search.map(|search| format!("&search={}", encode_segment(search))).unwrap_or_default();
    format!("/admin/vendors?after={}{search}", encode_segment(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_what_was_searched_for() {
        assert_eq!(next_href(Some("a&b"), "7"), "/admin/vendors?after=7&search=a%26b");
        assert_eq!(next_href(None, "7"), "/admin/vendors?after=7");
    }
}
