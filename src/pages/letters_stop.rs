use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    components::{
        feedback::{Refusal, refused},
        parameters::parameters,
    },
    server_functions::account::StopLetters,
    words,
};

/// Where the last line of a letter leads: one click, and no more letters. Opening it changes nothing, since programs
/// open what is in letters too.
#[component]
pub fn LettersStopPage() -> impl IntoView {
    let (reader, done) = parameters(|query| (query.get("reader").unwrap_or_default(), query.get("done").is_some()));
    let body = match done {
        true => view! { <p class="notice good" role="status">{words::LETTERS_STOPPED}</p> }.into_any(),
        false => view! {
            <p>{words::STOP_LETTERS}</p>
            {refused(&Refusal::of::<StopLetters>())}
            <input type="hidden" name="reader" value=reader/>
            <button type="submit">"Stop all emails"</button>
        }
        .into_any(),
    };
    view! {
        <Title text="Stop emails"/>
        <main class="login" id="main">
            <form method="post" action=StopLetters::url() class="card">
                <h1>"Emails from Vendorscope"</h1>
                {body}
            </form>
        </main>
    }
}
