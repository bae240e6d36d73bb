use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::id_in;
use crate::{
    components::{
        feedback::{Done, Refused, accepted, refusal},
        frame::Section,
        loaded::loaded,
        product_form::ProductForm,
        status::status,
        written::written,
    },
    server_functions::products::{DeleteProduct, ProductView, SaveProduct, load_product},
};

#[component]
pub fn ProductPage() -> impl IntoView {
    let save = ServerAction::<SaveProduct>::new();
    let delete = ServerAction::<DeleteProduct>::new();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(id_in));
    let saved = accepted(save);
    let data = Resource::new(move || (id.get(), saved.get()), |(id, _)| load_product(Some(id)));
    view! {
        <Title text="Product"/>
        {loaded(Section::Products, data, |view| &view.viewer, move |view| product(view, save, delete), || ().into_any())}
    }
}

pub fn product(
    ProductView { vendor, product, .. }: ProductView,
    save: ServerAction<SaveProduct>,
    delete: ServerAction<DeleteProduct>,
) -> AnyView {
    let query = use_query_map();
    let saved =
        move || query.with(|query| query.get("saved").is_some() && query.get("__err").is_none()).then(|| view! { <Done text="Saved."/> });
    let head = product.clone().map(|product| view! { <h1>{written(product.name)} " " {status(product.status)}</h1> });
    let product_id = product.as_ref().map(|product| product.product_id.clone()).unwrap_or_default();
    view! {
        <p class="crumb"><a href="/products">"Products"</a></p>
        {head}
        {saved}
        <ProductForm action=save vendor product/>
        <details class="card danger">
            <summary>"Delete this product"</summary>
            <p>"It leaves every list. What it has sold stays in your figures. This cannot be undone."</p>
            <Refused error=refusal(delete)/>
            <ActionForm action=delete>
                <input type="hidden" name="product_id" value=product_id/>
                <button class="bad" type="submit" disabled=move || delete.pending().get()>"Yes, delete it"</button>
            </ActionForm>
        </details>
    }
    .into_any()
}
