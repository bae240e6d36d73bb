use leptos::prelude::*;

use crate::ApiError;

/// Logs in and goes to `next` (a local path) or to the start page of the role. A refusal goes back to
/// `/login?error=credentials`, the same for an unknown address and a wrong password, so that the form works without
/// scripts.
#[server(prefix = "/_fn", endpoint = "login")]
pub async fn login(email: String, password: String, next: Option<String>) -> Result<(), ApiError> {
    use crate::server::context;
    let destination = context::log_in(&email, &password, next.as_deref()).await?;
    leptos_axum::redirect(&destination);
    Ok(())
}

/// Goes on with a login whose password was right, with a one-time code or a recovery code; to where `login` would have
/// gone.
#[server(prefix = "/_fn", endpoint = "login/code")]
pub async fn login_code(code: String, next: Option<String>) -> Result<(), ApiError> {
    let destination = crate::server::context::log_in_by_code(&code, next.as_deref()).await?;
    leptos_axum::redirect(&destination);
    Ok(())
}

/// Has a link for a lost password sent to an account, if there is one, and goes to `/login?done=mail`.
#[server(prefix = "/_fn", endpoint = "forgot")]
pub async fn forgot(email: String) -> Result<(), ApiError> {
    crate::server::context::send_reset_link(&email).await?;
    leptos_axum::redirect("/login?done=mail");
    Ok(())
}

/// Whether links for lost passwords are sent by mail here.
pub fn has_mail() -> bool {
    crate::server::context::has_mail()
}

/// What the marketplace's login is called here, if people can log in through it.
pub fn provider_name() -> Option<String> {
    crate::server::context::provider_name()
}

/// Ends the session and goes to `/login`.
#[server(prefix = "/_fn", endpoint = "logout")]
pub async fn logout() -> Result<(), ApiError> {
    crate::server::context::log_out().await?;
    leptos_axum::redirect("/login");
    Ok(())
}
