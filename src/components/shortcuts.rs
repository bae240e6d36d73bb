//! The sheet of keys, behind `?`.

use leptos::prelude::*;

/// What a key does.
pub fn key(keys: &'static str, text: impl IntoView + 'static) -> AnyView {
    view! { <div><dt><kbd>{keys}</kbd></dt><dd>{text.into_view()}</dd></div> }.into_any()
}

/// The sheet; `entries` are made by `key`.
pub fn sheet(entries: Vec<AnyView>) -> AnyView {
    view! {
        <dialog id="keys" aria-labelledby="keys-title">
            <h2 id="keys-title">"Keyboard shortcuts"</h2>
            <dl>{entries} {key("?", "This list")} {key("Esc", "Close")}</dl>
            <form method="dialog"><button class="quiet">"Close"</button></form>
        </dialog>
    }
    .into_any()
}

/// Opens it; seen with scripts only.
pub fn button() -> AnyView {
    view! { <button type="button" class="plain" data-keys="" data-own="" hidden>"Keyboard shortcuts"</button> }
        .into_any()
}

/// The sheet of a list.
pub fn of_list(may_write: bool) -> AnyView {
    let mut entries = vec![key("J K", "Next, previous row"), key("Enter", "Open the row")];
    if may_write {
        entries.push(key("X", "Select the row"));
    }
    entries.push(key("/", "Search"));
    sheet(entries)
}
