//! What two pages or more are built from.

/// A figure against its comparison: percent, sign and words.
pub mod change;
/// What a list or figures are narrowed to.
pub mod chips;
/// Messages about a form: refused, saved.
pub mod feedback;
/// Form fields, each with its label.
pub mod fields;
/// Header, navigation and main part of every page.
pub mod frame;
/// What a page has that changes in place.
pub mod in_place;
/// A page around what it loads: shown, or failed.
pub mod loaded;
/// From page to page of a list.
pub mod pager;
/// What the address of a page says after its question mark.
pub mod parameters;
/// Picking rows of a list.
pub mod picking;
/// Why a page cannot be shown, and what to do about it.
pub mod problem;
/// The form that a product is made and changed with.
pub mod product_form;
/// Forms that ask for an address.
pub mod query_form;
/// The form that money and goods are given back with.
pub mod refund_form;
/// What starts the islands of a page.
pub mod scripts;
/// What is shown once.
pub mod secret;
/// The sheet of keys.
pub mod shortcuts;
/// That figures are from before.
pub mod stale;
/// The status of an order or a product.
pub mod status;
/// Tables.
pub mod table;
/// What a tab is called.
pub mod title;
/// What people have written.
pub mod written;

/// As the server writes it, but for the empty comments between nodes.
#[cfg(test)]
pub(crate) fn html(view: impl leptos::prelude::RenderHtml) -> String {
    view.to_html().replace("<!>", "")
}
