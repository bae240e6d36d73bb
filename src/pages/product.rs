use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{
    dashboard::{
        cards::cards,
        compared_with,
        metric::Metric,
        notes, range_picker,
        sales::{exports, sales},
    },
    id_in,
    ranges::RangeQuery,
};
use crate::{
    components::{
        feedback::{Refusal, done, refused},
        fields::once,
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        product_form::product_form,
        scripts::{scripts, unsaved},
        status::status,
        title::title,
        written::written,
    },
    domain::{accounts::path_segment, period::DateRange},
    format,
    server_functions::{
        dashboard::remembered_range,
        lists::list_left,
        products::{DeleteProduct, ProductFigures, SaveProduct, load_figures},
    },
    words,
};

#[component]
pub fn ProductPage() -> impl IntoView {
    let id = use_params_map().with_untracked(id_in);
    let page = format!("/products/{}", path_segment(&id));
    let mut query = parameters(|params| RangeQuery::of_page(page, params));
    if query.has_no_days() {
        query.range = remembered_range();
    }
    (query.product, query.category, query.status) = (Some(id.clone()), None, None);
    let (asked, again) = (query.clone(), query.clone());
    let load = load_figures(id, move |today| asked.asked(today));
    view! {
        <Title text="Product"/>
        {loaded(Section::Products, load, |view| &view.dashboard.viewer, move |view| page_of(view, query),
            move || range_picker::form(&again, None))}
    }
}

fn page_of(view: ProductFigures, query: RangeQuery) -> AnyView {
    let shown = figures(&view, &query);
    let ProductFigures { dashboard, product, .. } = view;
    let may_write = dashboard.viewer.role.may_write();
    let (save, delete) = (Refusal::of::<SaveProduct>(), Refusal::of::<DeleteProduct>());
    let is_saved = save.error.is_none() && delete.error.is_none() && parameters(|query| query.get("saved").is_some());
    let product_id = product.product_id.clone();
    view! {
        {title(&product.name)}
        <p class="crumb"><a href=list_left("/products")>"Products"</a></p>
        {is_saved.then(|| done(words::SAVED))}
        {shown}
        <h2>"Details"</h2>
        {(!may_write).then(|| view! { <p class="hint">{words::PRODUCTS_READ_ONLY}</p> })}
        <fieldset class="bare" disabled=!may_write>{product_form(&dashboard.vendor, Some(product))}</fieldset>
        {may_write.then(|| delete_form(product_id, &delete))}
        {unsaved()}
        {scripts()}
    }
    .into_any()
}

fn delete_form(product_id: String, refusal: &Refusal) -> AnyView {
    view! {
        <details class="card danger" open=refusal.error.is_some()>
            <summary>"Delete this product…"</summary>
            <p>{words::DELETE_PRODUCT}</p>
            {refused(refusal)}
            <form method="post" action=DeleteProduct::url()>
                <input type="hidden" name="product_id" value=product_id/>
                <input type="hidden" name="list" value=list_left("/products")/>
                {once()}
                <button class="bad" type="submit">"Delete product"</button>
            </form>
        </details>
    }
    .into_any()
}

/// How the product does.
fn figures(ProductFigures { dashboard, product, days_of_cover, why }: &ProductFigures, query: &RangeQuery) -> AnyView {
    let (snapshot, unfinished) = (&dashboard.snapshot, dashboard.unfinished);
    let days = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let compared = compared_with(snapshot, unfinished);
    let range = match &compared {
        Some(compared) => format!("{}, compared with {compared}", format::range(days)),
        None => format::range(days),
    };
    let stock = format::counted(product.stock, "unit", "units");
    let lasts = words::lasts(&format::cover(product.stock, *days_of_cover));
    let price = format::money(dashboard.vendor.currency, product.unit_price);
    let metric = Metric::of(query.metric.as_deref());
    view! {
        <div class="head">
            <div>
                <h1>{written(product.name.clone())} " " {status(product.status)}</h1>
                <p class="lead">{written(product.category.clone())} {format!(" · {price} · {stock} in stock, {lasts}")}</p>
                <p class="lead">{range}</p>
            </div>
            {range_picker::picker(query, days, dashboard.today, None)}
        </div>
        {cards(snapshot, unfinished, dashboard.customers_are_fair, query, compared.as_deref())}
        {sales(snapshot, &dashboard.clock, unfinished, metric, Some(exports(snapshot, query)), None,
            notes::by_point(snapshot, why, &dashboard.clock))}
        {notes::list(why, snapshot, query, false)}
    }
    .into_any()
}
