//! What a change of many products would touch, before it is made.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use super::products::change_fields;
use crate::{
    components::{
        feedback::{Refusal, refused},
        fields::{Input, once},
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        query_form::query_form,
        status::status,
        table::{Cell, Column, Row, scrolling, table},
        written::written,
    },
    domain::{
        accounts::path_segment,
        catalog::{Product, ProductStatus, changed_price},
        money::Currency,
    },
    format,
    server_functions::{
        bulk::{Action, ChangeProducts, ProductsChange, WrongChange, load_products_change},
        lists::list_left,
    },
    words,
};

#[component]
pub fn ChangeProductsPage() -> impl IntoView {
    let (picked, action, value) = parameters(|query| {
        let picked: Vec<String> = super::picked(query);
        (picked, query.get("action").unwrap_or_default(), query.get("value").unwrap_or_default())
    });
    view! {
        <Title text="Change products"/>
        {loaded(Section::Products, load_products_change(picked, action, value), |view| &view.viewer, review,
            || ().into_any())}
    }
}

fn review(view: ProductsChange) -> AnyView {
    let refusal = Refusal::of::<ChangeProducts>();
    let back = view! { <a class="button quiet" href=list_left("/products")>"Cancel"</a> };
    let crumb = view! { <p class="crumb"><a href=list_left("/products")>"Products"</a></p> };
    let change = match (view.products.is_empty(), view.change) {
        (true, _) => return nothing_picked(),
        (_, Err(wrong)) => return mend(&view.products, wrong),
        (_, Ok(change)) => change,
    };
    let count = format::counted(view.products.len() as i64, "product", "products");
    let heading = match &change {
        Action::Stock(stock) => words::set_stock(&count, *stock),
        Action::Status(ProductStatus::Active) => words::put_on_sale(&count),
        Action::Status(ProductStatus::Archived) => words::archive(&count),
        Action::Category(category) => words::move_to(&count, category),
        Action::Price(bps) => words::change_prices(&count, *bps),
    };
    let rows = view.products.iter().map(|product| {
        let (before, after) = sides(product, &change, view.vendor.currency);
        Row::from(vec![
            Cell::Link { href: format!("/products/{}", path_segment(&product.product_id)), text: product.name.clone() },
            before,
            after,
        ])
    });
    let number = if matches!(change, Action::Price(_) | Action::Stock(_)) { "number" } else { "" };
    let columns =
        vec![Column::text("Product"), Column::classed("Now", number).named(), Column::classed("After", number).named()];
    let (slug, value) = change.written();
    let hidden = view.products.iter().enumerate().map(|(at, product)| {
        view! {
            <input type="hidden" name=format!("form[products][{at}][id]") value=product.product_id.clone()/>
            <input type="hidden" name=format!("form[products][{at}][shown]") value=change.now(product)/>
        }
    });
    view! {
        {crumb}
        <h1 dir="auto">{heading}</h1>
        {refused(&refusal)}
        {scrolling("card scroll", "Products to change", table("plain stacked", columns, rows.collect(), None))}
        <form method="post" action=ChangeProducts::url() class="actions">
            {hidden.collect::<Vec<_>>()}
            <input type="hidden" name="form[action]" value=slug/>
            <input type="hidden" name="form[value]" value=value/>
            <input type="hidden" name="form[list]" value=list_left("/products")/>
            {once()}
            <button type="submit" autofocus=true>{format!("Change {count}")}</button>
            {back}
        </form>
    }
    .into_any()
}

/// What was wrong with the change, and a form to mend it in: what was picked stays.
fn mend(products: &[Product], WrongChange { action, value, told }: WrongChange) -> AnyView {
    let picked = products.iter().enumerate().map(|(at, product)| {
        view! { <input type="hidden" name=format!("pick[{at}]") value=product.product_id.clone()/> }
    });
    let picked = picked.collect::<Vec<_>>();
    let count = format::counted(products.len() as i64, "product", "products");
    let names = products.iter().map(|product| view! { <li>{written(product.name.clone())}</li> }).collect::<Vec<_>>();
    let value = Input { value: Some(value), error: Some(told), announces: true, autofocus: true, ..Default::default() };
    let fields = view! {
        {picked}
        {change_fields(&action, value)}
        <div class="actions wide">
            <button type="submit">"Review…"</button>
            <a class="button quiet" href=list_left("/products")>"Cancel"</a>
        </div>
    };
    view! {
        <p class="crumb"><a href=list_left("/products")>"Products"</a></p>
        <h1>{format!("Change {count}")}</h1>
        {query_form("/products/change", "card form", None, fields.into_any())}
        <ul>{names}</ul>
    }
    .into_any()
}

fn nothing_picked() -> AnyView {
    view! {
        <p class="crumb"><a href=list_left("/products")>"Products"</a></p>
        <section class="problem" role="alert">
            <h1>"Change products"</h1>
            <p>{words::NOTHING_PICKED}</p>
            <a class="button" href=list_left("/products")>"Back to products"</a>
        </section>
    }
    .into_any()
}

fn sides(product: &Product, change: &Action, currency: Currency) -> (Cell, Cell) {
    match change {
        Action::Stock(stock) => (format::count(product.stock).into(), format::count(*stock).into()),
        Action::Status(next) => (status(product.status).into(), status(*next).into()),
        Action::Category(category) => (Cell::Written(product.category.clone()), Cell::Written(category.clone())),
        Action::Price(bps) => {
            let money = |price| Cell::Text(format::money(currency, price));
            (money(product.unit_price), money(changed_price(product.unit_price, *bps)))
        }
    }
}
