//! Vendorscope: vendor analytics for marketplaces, behind a read-through cache that is never stale.
//!
//! Feature `ssr` is the server with every page on it; feature `hydrate` is the islands, the few parts of the pages that
//! are code in the browser, which `crates/browser` builds. Read `crates/domain` first: it says what a vendor, a range
//! and a figure are.
#![recursion_limit = "512"]
#![warn(clippy::large_futures)]

/// What a page is told when a server function could not do its work.
#[cfg(feature = "ssr")]
mod api_error;
/// The document around every page, and which page stands at which address.
#[cfg(feature = "ssr")]
pub mod app;
/// Charts as SVG, made where the page is made.
#[cfg(feature = "ssr")]
mod charts;
/// The command line. In the library and not in `main.rs`, so that what it awaits is compiled once, on all cores.
#[cfg(feature = "ssr")]
pub mod command_line;
/// What two pages or more are built from.
#[cfg(feature = "ssr")]
mod components;
/// Numbers, money and dates as text.
#[cfg(feature = "ssr")]
mod format;
/// What is code in the browser.
pub mod islands;
/// One file a route.
#[cfg(feature = "ssr")]
mod pages;
/// Everything that only the server has: configuration, services, cache, database, sessions, HTTP.
#[cfg(feature = "ssr")]
pub mod server;
/// Server functions: what pages ask for, and where their forms are sent.
#[cfg(feature = "ssr")]
pub mod server_functions;
/// What was typed into a refused form.
#[cfg(feature = "ssr")]
mod typed;
/// What the interface says.
pub mod words;

#[cfg(feature = "ssr")]
pub use api_error::ApiError;
/// Types and rules of a marketplace, without input or output.
#[cfg(feature = "ssr")]
pub use vendorscope_domain as domain;

#[cfg(all(feature = "ssr", target_arch = "wasm32"))]
compile_error!("the browser half is built by crates/browser, which takes this crate with feature `hydrate` alone");
