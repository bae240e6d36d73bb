use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        feedback::refusal,
        fields::{Input, input},
    },
    server_functions::auth::Login,
};

#[component]
pub fn LoginPage() -> impl IntoView {
    let action = ServerAction::<Login>::new();
    let query = use_query_map();
    let refused = refusal(action);
    let message = move || match query.with(|query| query.get("error")).as_deref() {
        Some("credentials") => Some("The email address or the password is not right.".to_owned()),
        Some("limited") => Some("Too many attempts. Please wait a few minutes and try again.".to_owned()),
        Some("unavailable") => Some("Logging in is not possible at the moment. Please try again shortly.".to_owned()),
        Some(_) => Some("Logging in did not work. Please try again.".to_owned()),
        None => refused.get().map(|error| error.to_string()),
    };
    let done = move || match query.with(|query| query.get("done")).as_deref() {
        Some("password") => Some("Your password was changed. Log in with the new one."),
        Some("everywhere") => Some("You are logged out everywhere."),
        _ => None,
    };
    let next = move || query.with(|query| query.get("next")).map(|next| view! { <input type="hidden" name="next" value=next/> });
    view! {
        <Title text="Log in"/>
        <main class="login" id="main">
            <ActionForm action attr:class="card">
                <svg class="mark" viewBox="0 0 24 24" width="32" height="32" aria-hidden="true">
                    <path d="M3 17.5 9 11l4 3.5L21 6" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>
                    <circle cx="21" cy="6" r="2.5" fill="currentColor"/>
                </svg>
                <h1>"Log in to Vendorscope"</h1>
                <div role="alert">{move || message().map(|text| view! { <p class="notice bad">{text}</p> })}</div>
                <div role="status">{move || done().map(|text| view! { <p class="notice good">{text}</p> })}</div>
                {next}
                {input(Input { id: "email", label: "Email".to_owned(), kind: "email", autocomplete: Some("username"), required: true, ..Default::default() })}
                {input(Input { id: "password", label: "Password".to_owned(), kind: "password", autocomplete: Some("current-password"), required: true, ..Default::default() })}
                <button type="submit" disabled=move || action.pending().get()>"Log in"</button>
            </ActionForm>
        </main>
    }
}
