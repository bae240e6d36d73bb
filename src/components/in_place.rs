use leptos::prelude::*;

/// Where a page that changes in place says what is the matter, and tells those who listen what it shows now: `said`.
pub fn in_place(said: String) -> AnyView {
    view! {
        <div id="trouble" class="notice warn" role="alert" hidden>
            <p></p>
            <button type="button" class="quiet">"Try again"</button>
        </div>
        <p id="announce" class="unseen" role="status" data-own="" data-say=said></p>
    }
    .into_any()
}
