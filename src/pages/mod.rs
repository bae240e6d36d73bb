//! One file a route.

use leptos_router::params::ParamsMap;

use crate::domain::accounts::id_of_segment;

/// `/account`
pub mod account;
/// `/admin`
pub mod admin;
/// `/admin/audit`
pub mod admin_audit;
/// `/admin/cache`
pub mod admin_cache;
/// `/admin/keys`
pub mod admin_keys;
/// `/admin/users/{id}`
pub mod admin_user;
/// `/admin/users`
pub mod admin_users;
/// `/admin/vendors/{id}`
pub mod admin_vendor;
/// `/admin/vendors`
pub mod admin_vendors;
/// `/orders/change`
pub mod change_orders;
/// `/products/change`
pub mod change_products;
/// `/`, and `/admin/vendors/{id}/dashboard`
pub mod dashboard;
/// `/forgot`
pub mod forgot;
/// Part of `/account` and of `/admin/keys`.
mod keys;
/// `/letters/stop`
pub mod letters_stop;
/// `/login`
pub mod login;
/// `/login/code`
pub mod login_code;
/// `/products/new`
pub mod new_product;
/// Every other address.
pub mod not_found;
/// `/orders/{id}`
pub mod order;
/// `/orders`
pub mod orders;
/// `/products/{id}`
pub mod product;
/// `/products`
pub mod products;
/// Date ranges in the dashboard's address.
pub mod ranges;
/// `/reset`
pub mod reset;
/// `/returns`
pub mod returns;
/// Part of `/account`.
mod two_step;

/// The rows that were picked in a list: the parameters `pick[…]`, in order.
fn picked(query: &ParamsMap) -> Vec<String> {
    let picked = query.clone().into_iter().filter(|(name, _)| name.starts_with("pick["));
    picked.map(|(_, id)| id).collect()
}

/// The id in a page's address; empty where it has none.
fn id_in(params: &ParamsMap) -> String {
    params.get_str("id").map(id_of_segment).unwrap_or_default().to_owned()
}
