use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{
        change::{More, delta},
        chips::{Chip, chips},
        feedback::done,
        fields::{Input, input, select},
        frame::Section,
        in_place::in_place,
        loaded::loaded,
        pager::pager,
        parameters::parameters,
        picking::{pick, picking},
        query_form::query_form,
        scripts::scripts,
        shortcuts,
        stale::stale,
        status::status,
        table::{Cell, Column, Row, Sorting, scrolling, table},
    },
    domain::{
        accounts::{encode_segment, path_segment},
        catalog::ProductStatus,
        clock::WallClock,
        money::Currency,
        product_lists::{MOST_SUMMED, PriceChange, ProductQuery, ProductSort, ProductSums, StockLevel},
    },
    format,
    islands::Keys,
    server_functions::{
        lists::note_list,
        products::{ProductsView, load_products},
    },
    words,
};

/// The list's address, as it stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ListQuery {
    search: Option<String>,
    status: Option<String>,
    category: Option<String>,
    stock: Option<String>,
    sort: Option<String>,
    after: Option<String>,
}

impl ListQuery {
    fn is_filtered(&self) -> bool {
        self.search.is_some() || self.status.is_some() || self.category.is_some() || self.stock.is_some()
    }

    /// All of the list as a file.
    fn file(&self) -> String {
        self.href(None).replacen("/products", "/api/vendor/products.csv", 1)
    }

    /// The same list from a place on, or from its beginning.
    fn href(&self, after: Option<&str>) -> String {
        let filters = [
            ("after", after),
            ("search", self.search.as_deref()),
            ("status", self.status.as_deref()),
            ("category", self.category.as_deref()),
            ("stock", self.stock.as_deref()),
            ("sort", self.sort.as_deref()),
        ];
        let pairs = filters.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encode_segment(value?))));
        let pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() { "/products".to_owned() } else { format!("/products?{}", pairs.join("&")) }
    }
}

#[component]
pub fn ProductsPage() -> impl IntoView {
    let query = parameters(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        ListQuery {
            search: value("search"),
            status: value("status"),
            category: value("category"),
            stock: value("stock"),
            sort: value("sort"),
            after: value("after"),
        }
    });
    let ListQuery { search, status, category, stock, sort, after } = query.clone();
    let load = load_products(search, status, category, stock, sort, after);
    let again = query.clone();
    view! {
        <Title text="Products"/>
        {loaded(Section::Products, load, |view| &view.viewer, move |view| list(view, query), move || filter(&again))}
    }
}

fn list(view: ProductsView, asked: ListQuery) -> AnyView {
    let (viewer, page, freshness) = (view.viewer.clone(), view.page.clone(), view.freshness);
    let new = || viewer.role.may_write().then(|| view! { <a class="button" href="/products/new">"New product"</a> });
    let is_deleted = parameters(|params| params.get("deleted").is_some());
    let deleted = is_deleted.then(|| done(words::PRODUCT_DELETED));
    let changed = parameters(|params| params.get("changed"));
    let changed = changed.map(|count| done(words::changed(&count, "product", "products")));
    note_list("/products", &asked.href(asked.after.as_deref()));
    let next = page.next.clone();
    let (is_empty, shown) = (page.products.is_empty(), page.products.len() as i64);
    let said = match &page.sums {
        Some(sums) => format::counted(sums.products, "product", "products"),
        None => format::counted(shown, "product", "products"),
    };
    let body = match (is_empty, asked.is_filtered() || asked.after.is_some()) {
        (true, false) => view! {
            <section class="card empty">
                <h2>"No products yet"</h2>
                <p>{words::FIRST_PRODUCT}</p>
                {new()}
            </section>
        }
        .into_any(),
        (true, true) => view! {
            <section class="card empty">
                <h2>{words::NO_MATCHING_PRODUCTS}</h2>
                <p><a href="/products">{words::CLEAR_FILTERS}</a></p>
            </section>
        }
        .into_any(),
        (false, _) => rows(view, &asked),
    };
    let pages = pager(asked.after.is_some().then(|| asked.href(None)), next.map(|after| asked.href(Some(&after))));
    let narrowed = asked.category.clone().map(|value| Chip {
        name: "Category",
        value,
        without: ListQuery { category: None, after: None, ..asked.clone() }.href(None),
    });
    view! {
        <div class="head"><h1>"Products"</h1>{new()}</div>
        {stale(freshness)}
        {deleted}
        {changed}
        {in_place(said)}
        {filter(&asked)}
        {chips(narrowed.into_iter().collect())}
        {body}
        {pages}
        <footer class="foot">
            <p class="exports"><a href=asked.file() download="">"Export this list"</a></p>
            {shortcuts::button()}
        </footer>
        {shortcuts::of_list(viewer.role.may_write())}
        <Keys/>
        {scripts()}
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
    let statuses =
        vec![("", "All"), (ProductStatus::Active.as_str(), "Active"), (ProductStatus::Archived.as_str(), "Archived")];
    let stocks = vec![("", "Any"), (StockLevel::Low.as_str(), "Low")];
    let is_low = asked.stock.as_deref() == Some(StockLevel::Low.as_str());
    let sorts = ProductSort::ALL.into_iter().filter(|sort| is_low || !sort.is_of_low_stock());
    let sorts = sorts.map(|sort| (sort.as_str(), words::sort_of_products(sort))).collect();
    let default = if is_low { ProductSort::CoverAsc } else { ProductSort::default() };
    // An older name of a way to sort is shown as what it is.
    let sort = asked.sort.as_deref().and_then(|name| name.parse().ok()).unwrap_or(default);
    // What the form does not ask for stays as it is.
    let kept = asked.category.clone().map(|category| view! { <input type="hidden" name="category" value=category/> });
    let fields = view! {
            {input(search)}
            {kept}
            {select("status", "status", "Status", statuses, asked.status.as_deref().unwrap_or_default())}
            {select("stock", "stock", "Stock", stocks, asked.stock.as_deref().unwrap_or_default())}
            {select("sort", "sort", "Sort by", sorts, sort.as_str())}
            <button class="quiet" type="submit">"Filter"</button>
    };
    query_form("/products", "filter", Some("search"), fields.into_any())
}

fn rows(view: ProductsView, asked: &ListQuery) -> AnyView {
    let ProductsView { viewer, vendor, page, sort, clock, .. } = view;
    let (may_write, currency, default) = (viewer.role.may_write(), vendor.currency, vendor.low_stock_threshold);
    let stock_level = asked.stock.as_deref().and_then(|level| level.parse().ok());
    let is_low = stock_level == Some(StockLevel::Low);
    let known = page.recent.into_iter().zip(page.covers).zip(page.price_changes);
    let rows = page.products.into_iter().zip(known).enumerate().map(|(at, (product, ((sold, cover), changed)))| {
        let low = product.status == ProductStatus::Active
            && (is_low || product.stock <= product.low_stock_threshold.unwrap_or(default));
        let stock = format::count(product.stock);
        let stock =
            if low { view! { <span class="low">"Low "</span> {stock} }.into_any().into() } else { Cell::Text(stock) };
        let href = format!("/products/{}", path_segment(&product.product_id));
        let category = ListQuery { category: Some(product.category.clone()), after: None, ..asked.clone() }.href(None);
        let mut cells = vec![
            pick(may_write, at, &product.product_id, product.name.clone(), href),
            Cell::Link { href: category, text: product.category.clone() },
            status(product.status).into(),
            stock,
            format::money(currency, product.unit_price).into(),
            format::count(sold.units).into(),
            delta(Some(sold.previous_units), sold.units, More::IsGood, format::count).into(),
            lasts(product.stock, cover.days_of_cover),
        ];
        if is_low {
            cells.push(format::money(currency, cover.sales_at_risk).into());
        }
        // Last: where there is no room for all of them, the others are of more use.
        cells.push(price_before(changed, currency, &clock).into());
        Row { id: Some(format!("row-{}", path_segment(&product.product_id))), ..Row::from(cells) }
    });
    let rows = rows.collect();
    let foot = page.sums.map(|sums| sums_of(sums, currency));
    let too_many = foot.is_none().then(|| view! { <p class="hint">{words::too_many_products(MOST_SUMMED)}</p> });
    // The way that most people mean first, the other one at the second click.
    let by = |first: ProductSort, second: ProductSort| {
        let next = if sort == first { second } else { first };
        let href = ListQuery { sort: Some(next.as_str().to_owned()), after: None, ..asked.clone() }.href(None);
        let now =
            [first, second].contains(&sort).then(|| if sort.is_descending() { "descending" } else { "ascending" });
        let reads_all = ProductQuery { sort: next, stock: stock_level, ..Default::default() }.reads_all();
        (foot.is_some() || !reads_all).then_some(Sorting { href, now })
    };
    use ProductSort::*;
    let mut columns = vec![
        Column::text("Product").sorting(by(NameAsc, NameDesc)),
        Column::classed("Category", "spare").sorting(by(CategoryAsc, CategoryDesc)),
        Column::text("Status").sorting(by(StatusAsc, StatusDesc)),
        Column::number("Stock").sorting(by(StockAsc, StockDesc)).named(),
        Column::classed("Price", "number chief").sorting(by(PriceAsc, PriceDesc)),
        Column::number("Sold, 28 days").sorting(by(SoldDesc, SoldAsc)).named(),
        Column::classed("Change", "number spare").sorting(by(ChangeDesc, ChangeAsc)),
        Column::classed("Lasts", "number left").sorting(by(CoverAsc, CoverDesc)),
    ];
    if is_low {
        columns.push(Column::number("Sales at risk").sorting(by(AtRiskDesc, AtRiskAsc)).named());
    }
    columns.push(Column::classed("Price before", "number spare").sorting(by(PriceChangedDesc, PriceChangedAsc)));
    let list = scrolling("card scroll", "Products", table("plain stacked", columns, rows, foot));
    let list = view! { <div class="column" data-rows="">{list} {too_many}</div> }.into_any();
    picking(may_write, "/products/change", change_fields("stock", Input::default()), list)
}

/// What to do with the products that were picked: the action, and its value. `value`: what it begins with, and what is
/// wrong with it.
pub(super) fn change_fields(action: &str, value: Input) -> AnyView {
    let actions = vec![
        ("stock", "Set stock to"),
        ("price", "Change price by %"),
        ("archive", "Archive"),
        ("activate", "Put on sale"),
        ("category", "Move to category"),
    ];
    let value = Input {
        id: "value",
        label: "Stock, percent or category".to_owned(),
        placeholder: Some("12, +5, −2.5, Mugs"),
        max_length: Some(100),
        autocomplete: Some("off"),
        ..value
    };
    view! { {select("action", "action", "With the selected products", actions, action)} {input(value)} }.into_any()
}

/// How long the stock lasts. Where rows are stacked a number of days says what it is; words do anyway.
fn lasts(stock: i64, days_of_cover: Option<f64>) -> Cell {
    let name = (stock > 0 && days_of_cover.is_some()).then(|| view! { <span class="told">"Lasts "</span> });
    view! { {name} {format::cover(stock, days_of_cover)} }.into_any().into()
}

/// What a price was until it last changed; nothing of one that never has.
fn price_before(change: Option<PriceChange>, currency: Currency, clock: &WallClock) -> String {
    change.map_or_else(String::new, |change| {
        let day = format::day(clock.local(change.changed_at).date());
        words::price_until(&format::money(currency, change.previous_price), &day)
    })
}

/// What all pages of the list come to.
fn sums_of(sums: ProductSums, currency: Currency) -> Row {
    let ProductSums { products, stock, stock_value, recent, sales_at_risk } = sums;
    Row::from(vec![
        format::counted(products, "product", "products").into(),
        String::new().into(),
        String::new().into(),
        format::count(stock).into(),
        stock_value.map(|value| words::worth(&format::money(currency, value))).unwrap_or_default().into(),
        format::count(recent.units).into(),
        delta(Some(recent.previous_units), recent.units, More::IsGood, format::count).into(),
        String::new().into(),
        sales_at_risk.map(|at_risk| format::money(currency, at_risk)).unwrap_or_default().into(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_search_and_the_order() {
        let query =
            ListQuery { search: Some("tea & more".to_owned()), sort: Some("price".to_owned()), ..Default::default() };
        assert_eq!(query.href(Some("a=1")), "/products?after=a%3D1&search=tea%20%26%20more&sort=price");
        assert_eq!(query.file(), "/api/vendor/products.csv?search=tea%20%26%20more&sort=price");
    }
}
