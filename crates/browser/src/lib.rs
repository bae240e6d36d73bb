//! The browser half of Vendorscope, and nothing else: takes the server-rendered page over.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the script that the server writes into each page.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(vendorscope::app::App);
}
