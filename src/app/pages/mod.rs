//! One file a route.

/// `/admin`
pub mod admin;
/// `/admin/cache`
pub mod admin_cache;
/// `/`
pub mod dashboard;
/// `/login`
pub mod login;
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
