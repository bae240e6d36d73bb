use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::products::{ProductsView, load_products},
    app::{
        components::{feedback::Done, frame::Section, loaded::loaded, query_form::QueryForm, status::Status},
        format,
    },
    domain::{
        accounts::{Vendor, encode_segment},
        catalog::{Product, ProductSort, ProductStatus},
    },
};

/// The list's address, as it stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
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
    let params = use_query_map();
    let query = Memo::new(move |_| {
        params.with(|params| {
            let value = |name| params.get(name).filter(|value| !value.is_empty());
            ListQuery { search: value("search"), status: value("status"), sort: value("sort"), after: value("after") }
        })
    });
    let data = Resource::new(move || query.get(), |query| load_products(query.search, query.status, query.sort, query.after));
    view! {
        <Title text="Products"/>
        {loaded(Section::Products, data, |view| &view.viewer, move |view| list(view, query), move || filter(query))}
    }
}

pub fn list(ProductsView { vendor, page, .. }: ProductsView, query: Memo<ListQuery>) -> AnyView {
    let params = use_query_map();
    let asked = query.get_untracked();
    let deleted = move || params.with(|params| params.get("deleted").is_some()).then(|| view! { <Done text="The product was deleted."/> });
    let body = match (page.products.is_empty(), asked.is_filtered() || asked.after.is_some()) {
        (true, false) => view! {
            <section class="card empty">
                <h2>"No products yet"</h2>
                <p>"Add your first product; what it sells shows on the dashboard at once."</p>
                <a class="button" href="/products/new">"New product"</a>
            </section>
        }
        .into_any(),
        (true, true) => view! {
            <section class="card empty"><h2>"No product matches"</h2><p><a href="/products">"Show all products"</a></p></section>
        }
        .into_any(),
        (false, _) => table(page.products, &vendor),
    };
    let next = page.next.map(
        |after| view! { <nav class="pager" aria-label="Pages"><a class="button quiet" href=asked.next_href(&after)>"Next page"</a></nav> },
    );
    view! {
        <div class="head"><h1>"Products"</h1><a class="button" href="/products/new">"New product"</a></div>
        {deleted}
        {filter(query)}
        {body}
        {next}
    }
    .into_any()
}

fn filter(query: Memo<ListQuery>) -> AnyView {
    let asked = query.get_untracked();
    let search = asked.search.unwrap_or_default();
    let option = |value: &'static str, label: &'static str, chosen: &Option<String>| {
        let selected = chosen.as_deref().unwrap_or_default() == value;
        view! { <option value=value selected=selected prop:selected=selected>{label}</option> }
    };
    let statuses = [("", "All"), (ProductStatus::Active.as_str(), "Active"), (ProductStatus::Archived.as_str(), "Archived")]
        .map(|(value, label)| option(value, label, &asked.status))
        .collect_view();
    let sort = asked.sort.or_else(|| Some(ProductSort::default().as_str().to_owned()));
    let sorts = [(ProductSort::Name, "Name"), (ProductSort::Stock, "Stock"), (ProductSort::Price, "Price")]
        .map(|(value, label)| option(value.as_str(), label, &sort))
        .collect_view();
    view! {
        <QueryForm action="/products" class="filter" role="search">
            <div class="field grow">
                <label for="search">"Search by name"</label>
                <input id="search" name="search" type="search" value=search.clone() prop:value=search/>
            </div>
            <div class="field"><label for="status">"Status"</label><select id="status" name="status">{statuses}</select></div>
            <div class="field"><label for="sort">"Sort by"</label><select id="sort" name="sort">{sorts}</select></div>
            <button class="quiet" type="submit">"Show"</button>
        </QueryForm>
    }
    .into_any()
}

fn table(products: Vec<Product>, vendor: &Vendor) -> AnyView {
    let (currency, default) = (vendor.currency, vendor.low_stock_threshold);
    let rows = products
        .into_iter()
        .map(|product| {
            let href = format!("/products/{}", encode_segment(&product.product_id));
            let low = product.status == ProductStatus::Active && product.stock <= product.low_stock_threshold.unwrap_or(default);
            view! {
                <tr>
                    <th scope="row"><a href=href>{product.name}</a></th>
                    <td class="spare">{product.category}</td>
                    <td><Status status=product.status/></td>
                    <td class="number">{low.then(|| view! { <span class="low">"Low "</span> })} {format::count(product.stock)}</td>
                    <td class="number">{format::money(currency, product.unit_price)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="card scroll" role="region" aria-label="Products" tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Product"</th>
                        <th scope="col" class="spare">"Category"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col" class="number">"Stock"</th>
                        <th scope="col" class="number">"Price"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
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
