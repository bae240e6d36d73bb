//! The browser half of Vendorscope: the islands in pages that the server has made.

use wasm_bindgen::prelude::wasm_bindgen;

// Linked for what it exports: one function an island, which the page's script calls by name.
use vendorscope as _;

/// Called once, before the islands, by the script that a page with islands ends with.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
