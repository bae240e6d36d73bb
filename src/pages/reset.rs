use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    components::{
        feedback::Refusal,
        fields::{Input, input},
    },
    domain::accounts::{MAX_PASSWORD, MIN_PASSWORD},
    server_functions::account::ResetPassword,
    words,
};

/// Where a link for a lost password leads, once its token has been taken out of the address. Whether it is still good
/// is found out when it is used.
#[component]
pub fn ResetPage() -> impl IntoView {
    let messages = Refusal::of::<ResetPassword>().messages(|field| match field.field.as_str() {
        "password" => Some(("password".to_owned(), format!("New password: {}", field.message))),
        _ => Some((String::new(), words::LINK_EXPIRED.to_owned())),
    });
    let password = Input {
        id: "password",
        label: "New password".to_owned(),
        kind: "password",
        required: true,
        max_length: Some(MAX_PASSWORD),
        autocomplete: Some("new-password"),
        hint: Some(words::password_hint(MIN_PASSWORD)),
        ..Default::default()
    };
    let body = if messages.at("").as_deref() == Some(words::LINK_EXPIRED) {
        // Whatever is typed here comes to the same.
        view! {
            <p class="notice bad" role="alert">{words::LINK_EXPIRED}</p>
            <p>{words::LINK_AGAIN}</p>
            <a class="button" href="/forgot">{words::FORGOT}</a>
        }
        .into_any()
    } else {
        view! {
            {messages.summary()}
            {input(messages.mark(password))}
            <button type="submit">"Change password"</button>
        }
        .into_any()
    };
    view! {
        <Title text="Choose a password"/>
        <main class="login" id="main">
            <form method="post" action=ResetPassword::url() class="card">
                <h1>"Choose a new password"</h1>
                {body}
                <p class="hint"><a href="/login">{words::BACK_TO_LOGIN}</a></p>
            </form>
        </main>
    }
}
