//! Vendorscope: vendor analytics for marketplaces, behind a read-through cache that is never stale.
//!
//! One crate, two halves: feature `ssr` is the server with every page on it, feature `hydrate` the part of the pages that runs in
//! the browser. Read `domain` first: it says what a vendor, a range and a figure are.
#![recursion_limit = "512"]

/// Server functions: the typed boundary between the pages and the server.
pub mod api;
/// The pages, in Leptos; rendered on the server, taken over in the browser.
pub mod app;
/// Types and rules of a marketplace, without input or output.
pub mod domain;
/// Everything that only the server has: configuration, services, cache, database, sessions, HTTP.
#[cfg(feature = "ssr")]
pub mod server;

#[cfg(all(feature = "ssr", target_arch = "wasm32"))]
compile_error!("the browser half is built with --no-default-features --features hydrate");

/// Takes the server-rendered page over in the browser.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
