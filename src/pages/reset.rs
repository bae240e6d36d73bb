use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        feedback::{Refused, refusal},
        fields::{Input, input},
    },
    domain::accounts::{MAX_PASSWORD, MIN_PASSWORD},
    server_functions::account::ResetPassword,
};

/// Where a link for a lost password leads. Whether it is still good is found out when it is used.
#[component]
pub fn ResetPage() -> impl IntoView {
    let query = use_query_map();
    let token = move || query.with(|query| query.get("token")).unwrap_or_default();
    let password = Input {
        id: "password",
        label: "New password".to_owned(),
        kind: "password",
        required: true,
        max_length: Some(MAX_PASSWORD),
        autocomplete: Some("new-password"),
        hint: Some(format!("At least {MIN_PASSWORD} characters, and not easily guessed.")),
        ..Default::default()
    };
    view! {
        <Title text="Choose a password"/>
        <main class="login" id="main">
            <form method="post" action=ResetPassword::url() class="card">
                <h1>"Choose a new password"</h1>
                <Refused error=refusal(ServerAction::<ResetPassword>::new())/>
                <input type="hidden" name="token" value=token/>
                {input(password)}
                <button type="submit">"Change password"</button>
                <p class="hint"><a href="/login" rel="external">"To the login"</a></p>
            </form>
        </main>
    }
}
