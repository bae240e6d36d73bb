use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::frame::{Frame, Section},
    words,
};

/// Every address that is no page. The status, 404, is set by the server's fallback, which alone gets here.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text=words::PAGE_NOT_FOUND/>
        <Frame section=Section::Elsewhere viewer=None>
            <section class="problem">
                <h1>{words::PAGE_NOT_FOUND}</h1>
                <p>{words::NOT_FOUND}</p>
                <a class="button" href="/">{words::GO_TO_DASHBOARD}</a>
            </section>
        </Frame>
    }
}
