use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    components::{
        feedback::typed,
        fields::{Input, input},
        parameters::parameters,
    },
    domain::accounts::encode_segment,
    server_functions::auth::{Login, has_mail, provider_name},
    words,
};

#[component]
pub fn LoginPage() -> impl IntoView {
    let (error, is_refused, done, next, has_ended) = parameters(|query| {
        let has_ended = query.get("ended").is_some();
        (query.get("error"), query.get("__err").is_some(), query.get("done"), query.get("next"), has_ended)
    });
    let is_wrong = error.as_deref() == Some("credentials");
    // By its code: what an address says is never shown here, where anybody may lead anybody.
    let message = match error.as_deref() {
        // Beside the fields.
        Some("credentials") => None,
        Some("limited") => Some(words::LOGIN_LIMITED),
        Some("late") => Some(words::LOGIN_LATE),
        Some("unavailable") => Some(words::LOGIN_UNAVAILABLE),
        Some("away") => Some(words::PROVIDER_AWAY),
        Some("cancelled") => Some(words::PROVIDER_CANCELLED),
        Some("unverified") => Some(words::PROVIDER_UNVERIFIED),
        Some("stranger") => Some(words::PROVIDER_STRANGER),
        Some("invitation") => Some(words::PROVIDER_INVITATION_ENDED),
        Some(_) => Some(words::LOGIN_FAILED),
        None => is_refused.then_some(words::LOGIN_FAILED),
    };
    let done = match done.as_deref() {
        Some("password") => Some(words::PASSWORD_CHANGED_LOG_IN),
        Some("mail") => Some(words::LINK_ON_ITS_WAY),
        Some("everywhere") => Some(words::LOGGED_OUT_EVERYWHERE),
        _ => None,
    };
    let forgotten = match has_mail() {
        true => view! { <a href="/forgot">{words::FORGOT}</a> }.into_any(),
        false => words::FORGOT_PASSWORD.into_any(),
    };
    // A link: the way leads to another site, where forms of this one may not go.
    let provider = provider_name().map(|name| {
        let next = next.as_deref().map(|next| format!("?next={}", encode_segment(next))).unwrap_or_default();
        let href = format!("/login/marketplace{next}");
        view! { <a class="button quiet" href=href>"Log in with " {name}</a> }
    });
    let next = next.map(|next| view! { <input type="hidden" name="next" value=next/> });
    let title = match (is_wrong, &message) {
        (true, _) => "Wrong email or password",
        (false, Some(_)) => "Not logged in",
        (false, None) => "Log in",
    };
    // Where the email was typed, the password is what is left to type.
    let typed = typed("email").filter(|email| !email.is_empty());
    let has_email = typed.is_some();
    let field = |id, label: &str, kind, autocomplete| Input {
        id,
        label: label.to_owned(),
        kind,
        autocomplete: Some(autocomplete),
        required: true,
        ..Default::default()
    };
    view! {
        <Title text=title/>
        <main class="login" id="main">
            <form method="post" action=Login::url() class="card">
                <svg class="mark" viewBox="0 0 24 24" width="32" height="32" aria-hidden="true">
                    <path d="M3 17.5 9 11l4 3.5L21 6" fill="none" stroke="currentColor" stroke-width="2.5"
                        stroke-linecap="round" stroke-linejoin="round"/>
                    <circle cx="21" cy="6" r="2.5" fill="currentColor"/>
                </svg>
                <h1>"Log in to Vendorscope"</h1>
                <div role="alert">{message.map(|text| view! { <p class="notice bad">{text}</p> })}</div>
                <div role="status">
                    {done.map(|text| view! { <p class="notice good">{text}</p> })}
                    {has_ended.then(|| view! { <p class="notice note">{words::LOGIN_AFTER_END}</p> })}
                </div>
                {next}
                {input(Input { value: typed, autofocus: !has_email, ..field("email", "Email", "email", "username") })}
                {input(Input {
                    autofocus: has_email,
                    error: is_wrong.then(|| words::WRONG_CREDENTIALS.to_owned()),
                    announces: true,
                    ..field("password", "Password", "password", "current-password")
                })}
                <button type="submit">"Log in"</button>
                {provider}
                <p class="hint">{forgotten}</p>
            </form>
        </main>
    }
}
