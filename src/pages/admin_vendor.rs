use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{id_in, keys::time};

use crate::{
    components::{
        frame::Section,
        loaded::loaded,
        table::{Cell, Column, Row, scrolling, table},
        title::title,
        written::written,
    },
    domain::accounts::{UserSummary, encode_segment, path_segment},
    server_functions::vendors::{VendorView, load_vendor},
    words,
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
        {title(&vendor.name)}
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
        view! { <p>{words::NO_USERS}</p> }.into_any()
    } else {
        let rows = users.into_iter().map(|user| {
            let (name, tone) = if user.disabled { ("Disabled", "status off") } else { ("Active", "status done") };
            let last = user.last_login_at.map_or_else(|| Cell::Text("never".to_owned()), time);
            Row::from(vec![Cell::from(user.email), view! { <span class=tone>{name}</span> }.into_any().into(), last])
        });
        let columns = vec![Column::text("Email"), Column::text("Status"), Column::text("Last login (UTC)").named()];
        scrolling("scroll", "Users", table("plain stacked", columns, rows.collect(), None))
    };
    let invite = format!("/admin/users?vendor={}#invite", encode_segment(&vendor_id));
    view! { <section class="card"><h2>"Users"</h2>{body}<p class="actions"><a href=invite>"Invite someone"</a></p></section> }
        .into_any()
}
