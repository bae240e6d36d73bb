use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::id_in;

use crate::{
    components::{
        frame::Section,
        loaded::loaded,
        table::{Cell, Column, Row, scrolling, table},
        written::written,
    },
    domain::accounts::{UserSummary, path_segment},
    server_functions::vendors::{VendorView, load_vendor},
};

#[component]
pub fn AdminVendorPage() -> impl IntoView {
    let id = use_params_map().with_untracked(id_in);
    view! {
        <Title text="Vendor"/>
        {loaded(Section::Vendors, load_vendor(id), |view| &view.viewer, vendor, || ().into_any())}
    }
}

fn vendor(VendorView { vendor, users, .. }: VendorView) -> AnyView {
    let lead = format!(" · time zone {} · amounts in {}", vendor.time_zone, vendor.currency);
    let dashboard = format!("/admin/vendors/{}/dashboard", path_segment(&vendor.vendor_id));
    view! {
        <p class="crumb"><a href="/admin/vendors">"Vendors"</a></p>
        <div class="head">
            <div>
                <h1>{written(vendor.name)}</h1>
                <p class="lead">{written(vendor.vendor_id.clone())} " · " {written(vendor.country)} {lead}</p>
            </div>
            <a class="button quiet" href=dashboard>"View dashboard"</a>
        </div>
        {users_card(users, vendor.vendor_id)}
    }
    .into_any()
}

fn users_card(users: Vec<UserSummary>, vendor_id: String) -> AnyView {
    let body = if users.is_empty() {
        let command = format!("vendorscope user add EMAIL --role vendor --vendor {vendor_id}");
        view! { <p>"This vendor has no users yet. " <code>{command}</code></p> }.into_any()
    } else {
        let rows = users.into_iter().map(|user| {
            let (name, tone) = if user.disabled { ("Disabled", "status off") } else { ("Active", "status done") };
            Row::from(vec![Cell::from(user.email), view! { <span class=tone>{name}</span> }.into_any().into()])
        });
        let columns = vec![Column::text("Email"), Column::text("Status")];
        scrolling("scroll", "Users", table("plain", columns, rows.collect(), None))
    };
    view! { <section class="card"><h2>"Users"</h2>{body}</section> }.into_any()
}
