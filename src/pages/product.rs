use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::id_in;

use crate::{
    components::{
        feedback::{Refusal, done, refused},
        frame::Section,
        loaded::loaded,
        product_form::product_form,
        status::status,
        written::written,
    },
    server_functions::products::{DeleteProduct, ProductView, SaveProduct, load_product},
    words,
};

#[component]
pub fn ProductPage() -> impl IntoView {
    let id = use_params_map().with_untracked(id_in);
    view! {
        <Title text="Product"/>
        {loaded(Section::Products, load_product(Some(id)), |view| &view.viewer, product, || ().into_any())}
    }
}

fn product(ProductView { viewer, vendor, product }: ProductView) -> AnyView {
    let may_write = viewer.role.may_write();
    let (save, delete) = (Refusal::of::<SaveProduct>(), Refusal::of::<DeleteProduct>());
    let is_saved = save.error.is_none()
        && delete.error.is_none()
        && use_query_map().with_untracked(|query| query.get("saved").is_some());
    let head = product.clone().map(|product| view! { <h1>{written(product.name)} " " {status(product.status)}</h1> });
    let product_id = product.as_ref().map(|product| product.product_id.clone()).unwrap_or_default();
    view! {
        <p class="crumb"><a href="/products">"Products"</a></p>
        {head}
        {is_saved.then(|| done(words::SAVED))}
        <fieldset class="bare" disabled=!may_write>{product_form(&vendor, product)}</fieldset>
        {may_write.then(|| delete_form(product_id, &delete))}
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
                <button class="bad" type="submit">"Delete product"</button>
            </form>
        </details>
    }
    .into_any()
}
