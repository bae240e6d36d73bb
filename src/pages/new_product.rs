use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{frame::Section, loaded::loaded, product_form::product_form, scripts::unsaved},
    server_functions::{
        lists::list_left,
        products::{ProductView, load_product},
    },
};

#[component]
pub fn NewProductPage() -> impl IntoView {
    let show = |ProductView { vendor, .. }: ProductView| {
        view! {
            <p class="crumb"><a href=list_left("/products")>"Products"</a></p>
            <h1>"New product"</h1>
            {product_form(&vendor, None)}
            {unsaved()}
        }
        .into_any()
    };
    view! {
        <Title text="New product"/>
        {loaded(Section::Products, load_product(None), |view| &view.viewer, show, || ().into_any())}
    }
}
