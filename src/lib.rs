//! Vendorscope: vendor analytics for marketplaces, behind a read-through cache that is never stale.
//!
//! Feature `ssr` is the server with every page on it; feature `hydrate` is the part of the pages that `crates/browser` runs in the
//! browser. Read `crates/domain` first: it says what a vendor, a range and a figure are.
#![recursion_limit = "512"]

/// What a page is told when a server function could not do its work.
mod api_error;
/// The document around every page, and which page stands at which address.
pub mod app;
/// Charts as SVG, made where the page is made.
mod charts;
/// What two pages or more are built from.
mod components;
/// Numbers, money and dates as text.
mod format;
/// One file a route.
mod pages;
/// Everything that only the server has: configuration, services, cache, database, sessions, HTTP.
#[cfg(feature = "ssr")]
pub mod server;
/// Server functions: the typed boundary between the pages and the server.
pub mod server_functions;

pub use api_error::ApiError;
/// Types and rules of a marketplace, without input or output.
pub use vendorscope_domain as domain;

#[cfg(all(feature = "ssr", target_arch = "wasm32"))]
compile_error!("the browser half is built by crates/browser, which takes this crate with feature `hydrate` alone");
