use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::frame::{Frame, Section};

/// Every address that is no page. The status, 404, is set by the server's fallback, which alone gets here.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text="Not found"/>
        <div class="page">
            <Frame section=Section::Elsewhere viewer=None>
                <section class="problem">
                    <h1>"Not found"</h1>
                    <p>"There is no page at this address."</p>
                    <a class="button" href="/">"Back to the start"</a>
                </section>
            </Frame>
        </div>
    }
}
