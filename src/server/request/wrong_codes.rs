//! Wrong one-time codes. Only who knows the password gets to send any: many of them say that somebody else does.

use tracing::Instrument;

use crate::{
    domain::accounts::User,
    server::{AppError, AppState, rate_limit::Purpose},
};

/// Notes one. Where there have been many lately, that is noted too, for admins, and the owner is written to where there
/// is a server for mail: once a day at most.
pub async fn note(state: &AppState, user: &User, address: Option<&str>) -> Result<(), AppError> {
    state.accounts.audit(&user.email, "code_failed", "", address).await?;
    let who = user.id.to_string();
    let lets_in = async |purpose| {
        let admission = state.limits.admit(purpose, &who).await;
        admission.is_some_and(|admission| admission.decision.admitted)
    };
    if lets_in(Purpose::WrongCodes).await || !lets_in(Purpose::CodeAlarms).await {
        return Ok(());
    }
    tracing::warn!(user = user.id, "many wrong one-time codes, sent by who knows the password");
    state.accounts.audit(&user.email, "codes_guessed", "the password is known to whoever guesses", address).await?;
    let (state, to) = (state.clone(), user.email.clone());
    let send = async move {
        let Some(mail) = &state.mail else { return };
        let text = format!(
            "Somebody who knows your Vendorscope password has sent many wrong one-time codes.\n\n\
             If that was not you, change your password now, and nobody else knows it any more:\n{}/account\n",
            state.config.http.public_url
        );
        mail.send(&to, "Somebody is guessing at your Vendorscope codes", text).await;
    };
    tokio::spawn(send.in_current_span());
    Ok(())
}
