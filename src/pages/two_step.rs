//! Two-step verification, as the account page shows it.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    components::{
        feedback::{Messages, Refusal},
        fields::{Input, input},
    },
    domain::{accounts::MAX_PASSWORD, field_error::FieldError},
    server_functions::account::{BeginTotp, ConfirmTotp, RemoveTotp, SecondFactorView},
    words,
};

/// Longest code that is typed, in characters: a recovery code with its dashes, and some blanks.
const MAX_CODE: usize = 40;

pub fn two_step_card(email: String, view: SecondFactorView) -> AnyView {
    let SecondFactorView { status, required, setup, recovery_codes } = view;
    let body = match (status.enabled, setup) {
        (true, _) => enabled(email, status.recovery_codes_left, required),
        (false, Some((secret, url, picture))) => confirm(secret, url, picture),
        (false, None) => begin(email),
    };
    view! {
        <section class="card" id="two-step">
            <h2>"Two-step verification"</h2>
            {recovery(recovery_codes)}
            {body}
        </section>
    }
    .into_any()
}

fn recovery(codes: Vec<String>) -> Option<AnyView> {
    if codes.is_empty() {
        return None;
    }
    let items = codes.into_iter().map(|code| view! { <li><code class="secret">{code}</code></li> }).collect_view();
    let view = view! {
        <div class="notice good" role="status">
            <p>{words::RECOVERY_CODES}</p>
            <ul class="codes">{items}</ul>
        </div>
    };
    Some(view.into_any())
}

fn begin(email: String) -> AnyView {
    let messages = messages(&Refusal::of::<BeginTotp>(), "totp_password", "totp_code");
    view! {
        <p>{words::TOTP_WHAT}</p>
        {messages.summary()}
        <form method="post" action=BeginTotp::url() class="filter">
            <input type="text" autocomplete="username" value=email readonly hidden/>
            {input(messages.mark(Input { class: "", ..password("totp_password") }))}
            <button type="submit">"Set up"</button>
        </form>
    }
    .into_any()
}

fn confirm(secret: String, url: String, picture: String) -> AnyView {
    let messages = messages(&Refusal::of::<ConfirmTotp>(), "totp_password", "totp_code");
    view! {
        <p>{words::TOTP_SCAN}</p>
        // Drawn by this program, of letters and digits: there is nothing in it that anybody else has written.
        <div class="qr" role="img" aria-label="QR code for an authenticator app" inner_html=picture></div>
        <p><code class="secret">{secret}</code></p>
        <p><a href=url>"Open in an app on this device"</a></p>
        {messages.summary()}
        <form method="post" action=ConfirmTotp::url() class="form">
            {input(messages.mark(code("totp_code", words::TOTP_CODE_HINT)))}
            <div class="actions wide"><button type="submit">"Turn on"</button></div>
        </form>
    }
    .into_any()
}

fn enabled(email: String, left: i64, required: bool) -> AnyView {
    let messages = messages(&Refusal::of::<RemoveTotp>(), "totp_password", "totp_code");
    let remove = (!required).then(|| {
        view! {
            {messages.summary()}
            <form method="post" action=RemoveTotp::url() class="form">
                <input type="text" autocomplete="username" value=email readonly hidden/>
                {input(messages.mark(password("totp_password")))}
                {input(messages.mark(code("totp_code", words::CODE_HINT)))}
                <div class="actions wide"><button class="quiet" type="submit">"Turn off"</button></div>
            </form>
        }
    });
    view! {
        <p>{words::recovery_codes_left(left)}</p>
        {remove}
    }
    .into_any()
}

fn password(id: &'static str) -> Input {
    Input {
        id,
        name: Some("password"),
        label: "Your password".to_owned(),
        kind: "password",
        class: "grow",
        required: true,
        max_length: Some(MAX_PASSWORD),
        autocomplete: Some("current-password"),
        ..Default::default()
    }
}

fn code(id: &'static str, hint: &str) -> Input {
    Input {
        id,
        name: Some("code"),
        label: "Code".to_owned(),
        required: true,
        max_length: Some(MAX_CODE),
        autocomplete: Some("one-time-code"),
        hint: Some(hint.to_owned()),
        ..Default::default()
    }
}

fn messages(refusal: &Refusal, password: &'static str, code: &'static str) -> Messages {
    refusal.messages(|field: &FieldError| match field.field.as_str() {
        "password" => Some((password.to_owned(), words::YOUR_PASSWORD_WRONG.to_owned())),
        "code" => Some((code.to_owned(), words::WRONG_CODE.to_owned())),
        _ => None,
    })
}
