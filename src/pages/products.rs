use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        feedback::done,
        fields::{Input, input, select},
        frame::Section,
        loaded::loaded,
        query_form::query_form,
        status::status,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{Vendor, encode_segment, path_segment},
        catalog::{Product, ProductSort, ProductStatus},
    },
    format,
    server_functions::products::{ProductsView, load_products},
    words,
};

/// The list's address, as it stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ListQuery {
    search: Option<String>,
    status: Option<String>,
    sort: Option<String>,
    after: Option<String>,
}

impl ListQuery {
    fn is_filtered(&self) -> bool {
        self.search.is_some() || self.status.is_some()
    }

    fn next_href(&self, after: &str) -> String {
        let mut href = format!("/products?after={}", encode_segment(after));
        for (name, value) in [("search", &self.search), ("status", &self.status), ("sort", &self.sort)] {
            if let Some(value) = value {
                href.push_str(&format!("&{name}={}", encode_segment(value)));
            }
        }
        href
    }
}

#[component]
pub fn ProductsPage() -> impl IntoView {
    let query = use_query_map().with_untracked(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        ListQuery { search: value("search"), status: value("status"), sort: value("sort"), after: value("after") }
    });
    let load = load_products(query.search.clone(), query.status.clone(), query.sort.clone(), query.after.clone());
    let again = query.clone();
    view! {
        <Title text="Products"/>
        {loaded(Section::Products, load, |view| &view.viewer, move |view| list(view, query), move || filter(&again))}
    }
}

fn list(ProductsView { vendor, page, .. }: ProductsView, asked: ListQuery) -> AnyView {
    let is_deleted = use_query_map().with_untracked(|params| params.get("deleted").is_some());
    let deleted = is_deleted.then(|| done(words::PRODUCT_DELETED));
    let body = match (page.products.is_empty(), asked.is_filtered() || asked.after.is_some()) {
        (true, false) => view! {
            <section class="card empty">
                <h2>"No products yet"</h2>
                <p>{words::FIRST_PRODUCT}</p>
                <a class="button" href="/products/new">"New product"</a>
            </section>
        }
        .into_any(),
        (true, true) => view! {
            <section class="card empty"><h2>{words::NO_MATCHING_PRODUCTS}</h2><p><a href="/products">{words::CLEAR_FILTERS}</a></p></section>
        }
        .into_any(),
        (false, _) => rows(page.products, &vendor),
    };
    let next = page.next.map(
        |after| view! { <nav class="pager" aria-label="Pages"><a class="button quiet" href=asked.next_href(&after)>"Next page"</a></nav> },
    );
    view! {
        <div class="head"><h1>"Products"</h1><a class="button" href="/products/new">"New product"</a></div>
        {deleted}
        {filter(&asked)}
        {body}
        {next}
    }
    .into_any()
}

fn filter(asked: &ListQuery) -> AnyView {
    let search = Input {
        id: "search",
        label: "Search by name".to_owned(),
        kind: "search",
        class: "grow",
        value: asked.search.clone(),
        ..Default::default()
    };
    let statuses = vec![("", "All"), (ProductStatus::Active.as_str(), "Active"), (ProductStatus::Archived.as_str(), "Archived")];
    let sorts = vec![(ProductSort::Name.as_str(), "Name"), (ProductSort::Stock.as_str(), "Stock"), (ProductSort::Price.as_str(), "Price")];
    let fields = view! {
            {input(search)}
            {select("status", "status", "Status", statuses, asked.status.as_deref().unwrap_or_default())}
            {select("sort", "sort", "Sort by", sorts, asked.sort.as_deref().unwrap_or(ProductSort::default().as_str()))}
            <button class="quiet" type="submit">"Filter"</button>
    };
    query_form("/products", "filter", Some("search"), fields.into_any())
}

fn rows(products: Vec<Product>, vendor: &Vendor) -> AnyView {
    let (currency, default) = (vendor.currency, vendor.low_stock_threshold);
    let rows = products.into_iter().map(|product| {
        let low = product.status == ProductStatus::Active && product.stock <= product.low_stock_threshold.unwrap_or(default);
        let stock = format::count(product.stock);
        let stock = if low { view! { <span class="low">"Low "</span> {stock} }.into_any().into() } else { Cell::Text(stock) };
        Row::from(vec![
            Cell::Link { href: format!("/products/{}", path_segment(&product.product_id)), text: product.name },
            Cell::Written(product.category),
            status(product.status).into(),
            stock,
            format::money(currency, product.unit_price).into(),
        ])
    });
    let columns = vec![
        Column::text("Product"),
        Column::classed("Category", "spare"),
        Column::text("Status"),
        Column::number("Stock"),
        Column::number("Price"),
    ];
    scrolling("card scroll", "Products", table("plain", columns, rows.collect(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_search_and_the_order() {
        let query = ListQuery { search: Some("tea & more".to_owned()), sort: Some("price".to_owned()), ..Default::default() };
        assert_eq!(query.next_href("a=1"), "/products?after=a%3D1&search=tea%20%26%20more&sort=price");
    }
}
