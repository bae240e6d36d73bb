use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    components::{
        fields::{Input, input},
        parameters::parameters,
    },
    server_functions::auth::LoginCode,
    words,
};

/// Where a login goes on whose password was right, for those who have a second factor.
#[component]
pub fn LoginCodePage() -> impl IntoView {
    let (error, is_refused, next) =
        parameters(|query| (query.get("error"), query.get("__err").is_some(), query.get("next")));
    let message = match error.as_deref() {
        Some("code") => Some(words::WRONG_CODE),
        Some("unreadable") => Some(words::CODES_UNREADABLE),
        Some("limited") => Some(words::LOGIN_LIMITED),
        Some("unavailable") => Some(words::LOGIN_UNAVAILABLE),
        Some(_) => Some(words::LOGIN_FAILED),
        None => is_refused.then_some(words::LOGIN_FAILED),
    };
    let next = next.map(|next| view! { <input type="hidden" name="next" value=next/> });
    let code = Input {
        id: "code",
        label: "Code".to_owned(),
        required: true,
        autofocus: true,
        max_length: Some(40),
        autocomplete: Some("one-time-code"),
        hint: Some(words::CODE_HINT.to_owned()),
        ..Default::default()
    };
    view! {
        <Title text=if message.is_some() { "Not logged in" } else { "Enter your code" }/>
        <main class="login" id="main">
            <form method="post" action=LoginCode::url() class="card">
                <h1>"Enter your code"</h1>
                <div role="alert">{message.map(|text| view! { <p class="notice bad">{text}</p> })}</div>
                {next}
                {input(code)}
                <button type="submit">"Log in"</button>
                <p class="hint"><a href="/login">{words::BACK_TO_LOGIN}</a></p>
            </form>
        </main>
    }
}
