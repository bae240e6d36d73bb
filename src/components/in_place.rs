use leptos::prelude::*;

use crate::words;

/// Where a page that changes in place says what is the matter, and tells those who listen what it shows now: `said`.
/// The link is there instead of the button where the session has ended.
pub fn in_place(said: String) -> AnyView {
    view! {
        <div id="trouble" class="notice warn" role="alert" hidden>
            <p></p>
            <button type="button" class="quiet">{words::TRY_AGAIN}</button>
            <a class="button quiet" href="/login" target="_blank" hidden>{words::LOG_IN_IN_A_NEW_TAB}</a>
        </div>
        <p id="announce" class="unseen" role="status" data-own="" data-say=said></p>
    }
    .into_any()
}
