use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::frame::{Frame, Section},
    server_functions::{account::viewer, request::request_name},
    words,
};

/// Every address that is no page. The status, 404, is set by the server's fallback, which alone gets here.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let page = Suspend::new(async move {
        let viewer = viewer().await;
        view! {
            <Frame section=Section::Elsewhere viewer>
                <section class="problem">
                    <h1>{words::PAGE_NOT_FOUND}</h1>
                    <p>{words::NOT_FOUND}</p>
                    <p class="actions"><a class="button" href="/">{words::GO_TO_DASHBOARD}</a></p>
                    {request_name().map(|name| view! { <p class="hint">{name}</p> })}
                </section>
            </Frame>
        }
    });
    view! {
        <Title text=words::PAGE_NOT_FOUND/>
        <Suspense>{page}</Suspense>
    }
}
