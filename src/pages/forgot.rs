use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    components::{
        feedback::Refusal,
        fields::{Input, input},
    },
    server_functions::auth::{Forgot, has_mail},
    words,
};

/// Where those go who have lost their password.
#[component]
pub fn ForgotPage() -> impl IntoView {
    let messages = Refusal::of::<Forgot>().messages(|_| None);
    let email = Input {
        id: "email",
        label: "Email".to_owned(),
        kind: "email",
        required: true,
        autofocus: true,
        autocomplete: Some("username"),
        ..Default::default()
    };
    let body = match has_mail() {
        true => view! {
            <p>{words::FORGOT_HINT}</p>
            {messages.summary()}
            {input(email)}
            <button type="submit">"Send link"</button>
        }
        .into_any(),
        false => view! { <p>{words::FORGOT_PASSWORD}</p> }.into_any(),
    };
    view! {
        <Title text=words::FORGOT/>
        <main class="login" id="main">
            <form method="post" action=Forgot::url() class="card">
                <h1>{words::FORGOT}</h1>
                {body}
                <p class="hint"><a href="/login">{words::BACK_TO_LOGIN}</a></p>
            </form>
        </main>
    }
}
