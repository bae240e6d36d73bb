use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{frame::Section, loaded::loaded, product_form::ProductForm},
    server_functions::products::{ProductView, SaveProduct, load_product},
};

#[component]
pub fn NewProductPage() -> impl IntoView {
    let save = ServerAction::<SaveProduct>::new();
    let data = Resource::new(|| (), |()| load_product(None));
    let show = move |ProductView { vendor, .. }: ProductView| {
        view! {
            <p class="crumb"><a href="/products">"Products"</a></p>
            <h1>"New product"</h1>
            <ProductForm action=save vendor product=None/>
        }
        .into_any()
    };
    view! {
        <Title text="New product"/>
        {loaded(Section::Products, data, |view| &view.viewer, show, || ().into_any())}
    }
}
