use super::{api_error, api_error_for, cookies, request};
use crate::{
    ApiError,
    domain::{
        accounts::{LetterWishes, OwnSession},
        field_error::FieldError,
    },
    server::{
        AppError,
        identity::accounts::{KeyOrder, TotpSetup},
        identity::sessions::{BrowserUser, request_session},
        request::{account, addresses, one_time, wants_html},
    },
    server_functions::account::KeyForm,
};

/// Logs in; says where to go next. Wrong credentials are no error but a way back to the form, so that it works without
/// scripts.
pub async fn log_in(email: &str, password: &str, next: Option<&str>) -> Result<String, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let next = next.and_then(addresses::local_path);
    match account::log_in_by_form(&state, &parts, email, password).await {
        Ok(user) => Ok(next.unwrap_or_else(|| addresses::home(&user)).to_owned()),
        Err(AppError::CodeMissing) => Ok(addresses::code_address(None, next)),
        // Codes, for which the page has the words: nobody else's text ever stands there.
        Err(AppError::WrongCredentials) => Ok(addresses::login_address(Some("credentials"), next)),
        Err(AppError::TooMany { .. }) => Ok(addresses::login_address(Some("limited"), next)),
        Err(error) => match api_error_for(&parts, error) {
            error if !wants_html(&parts.headers) => Err(error),
            ApiError::Unavailable => Ok(addresses::login_address(Some("unavailable"), next)),
            _ => Ok(addresses::login_address(Some("failed"), next)),
        },
    }
}

/// The second step of a login: a one-time code, or a recovery code. Says where to go next.
pub async fn log_in_by_code(code: &str, next: Option<&str>) -> Result<String, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let next = next.and_then(addresses::local_path);
    match account::log_in_by_code(&state, &parts, code).await {
        Ok(user) => Ok(next.unwrap_or_else(|| addresses::home(&user)).to_owned()),
        Err(AppError::WrongCode) => Ok(addresses::code_address(Some("code"), next)),
        Err(AppError::CodesUnreadable) => Ok(addresses::code_address(Some("unreadable"), next)),
        Err(AppError::TooMany { .. }) => Ok(addresses::code_address(Some("limited"), next)),
        Err(AppError::Unauthenticated) => Ok(addresses::login_address(Some("late"), next)),
        Err(error) => match api_error_for(&parts, error) {
            error if !wants_html(&parts.headers) => Err(error),
            ApiError::Unavailable => Ok(addresses::code_address(Some("unavailable"), next)),
            _ => Ok(addresses::code_address(Some("failed"), next)),
        },
    }
}

/// Begins to set up a second factor.
pub async fn begin_totp(password: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::begin_totp(&state, &parts, password).await.map_err(|error| api_error_for(&parts, error)).map(|_| ())
}

/// Confirms it, and gives the browser that asked the recovery codes to show once: see `take_recovery_codes`.
pub async fn confirm_totp(code: String) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let codes = account::confirm_totp(&state, &parts, code).await.map_err(|error| api_error_for(&parts, error))?;
    cookies::keep_recovery_codes(&state, &codes);
    Ok(())
}

/// What this browser has begun to set up.
pub async fn unconfirmed_totp() -> Result<Option<TotpSetup>, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::unconfirmed_totp(&state, &parts).await.map_err(|error| api_error_for(&parts, error))
}

/// Removes it.
pub async fn remove_totp(password: &str, code: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::remove_totp(&state, &parts, password, code).await.map_err(|error| api_error_for(&parts, error))
}

/// Ends the session, if there is one.
pub async fn log_out() -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::log_out(&state, &parts).await.map_err(|error| api_error_for(&parts, error))
}

/// The sessions of whoever is logged in.
pub async fn list_sessions(current: &BrowserUser) -> Result<Vec<OwnSession>, ApiError> {
    let (_, parts) = request().map_err(api_error)?;
    let listed = async { request_session(&parts)?.list(&current.0).await };
    listed.await.map_err(|error| api_error_for(&parts, error))
}

/// Ends every session of whoever is logged in.
pub async fn log_out_everywhere() -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::log_out_everywhere(&state, &parts).await.map_err(|error| api_error_for(&parts, error))
}

/// Ends one of the sessions of whoever is logged in.
pub async fn end_session(session_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::end_session(&state, &parts, session_id).await.map_err(|error| api_error_for(&parts, error))
}

/// Changes the password; says where to go next. Where the sessions could not be dealt with, that is the login.
pub async fn change_password(current: String, new: String) -> Result<&'static str, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    match account::change_password(&state, &parts, current, new).await {
        Ok(()) => Ok("/account?done=password"),
        Err(AppError::DoneInPart(_)) => Ok("/login?done=password"),
        Err(error) => Err(api_error_for(&parts, error)),
    }
}

/// Has a link for a lost password sent.
pub async fn send_reset_link(email: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::send_reset_link(&state, &parts, email).await.map_err(|error| api_error_for(&parts, error))
}

/// Has whoever is logged in get these letters, and no others.
pub async fn set_letter_wishes(wishes: LetterWishes) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::set_letter_wishes(&state, &parts, wishes).await.map_err(|error| api_error_for(&parts, error))
}

/// Stops all letters of whoever was sent this address.
pub async fn stop_letters(token: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::stop_letters(&state, &parts, token).await.map_err(|error| api_error_for(&parts, error))
}

/// Whether letters are sent here.
pub fn has_mail() -> bool {
    request().is_ok_and(|(state, _)| state.mail.is_some())
}

/// What the button that leads to the marketplace's login calls it; `None` where there is none.
pub fn provider_name() -> Option<String> {
    request().ok().and_then(|(state, _)| state.provider.as_ref().map(|provider| provider.name().to_owned()))
}

/// Chooses another password with the token of the link that this browser has opened.
pub async fn reset_password(new: String) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let production = state.config.production;
    let token = one_time::kept(production, &parts.headers).unwrap_or_default();
    match account::reset_password(&state, &parts, token, new).await {
        Ok(()) | Err(AppError::DoneInPart(_)) => {
            request_session(&parts).map_err(api_error)?.set_cookie(one_time::forget(production));
            Ok(())
        }
        Err(error) => Err(api_error_for(&parts, error)),
    }
}

/// Makes a key, and gives the browser that asked what to show once: see `take_new_key`.
pub async fn create_key(form: &KeyForm, once: Option<&str>) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let order = read_key_form(form).map_err(|refused| api_error_for(&parts, refused.into()))?;
    let made = account::create_key_once(&state, &parts, &form.password, &order, once).await;
    let made = made.map_err(|error| api_error_for(&parts, error))?;
    cookies::keep_new_key(&state, &made.secret);
    Ok(())
}

/// What the form for a key says; nothing is what a field left empty says.
fn read_key_form(form: &KeyForm) -> Result<KeyOrder, FieldError> {
    let days = form.days.trim();
    Ok(KeyOrder {
        name: form.name.clone(),
        scope: form.scope.parse()?,
        vendor_id: form.vendor_id.as_deref().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned),
        days: match days {
            "" => None,
            days => Some(days.parse().map_err(|_| FieldError::new("expiresInDays", "must be a whole number of days"))?),
        },
    })
}

/// Revokes a key.
pub async fn revoke_key(key_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::revoke_key(&state, &parts, key_id).await.map_err(|error| api_error_for(&parts, error))
}

/// Gives the vendor of whoever is logged in another time zone. Whether it had another one.
pub async fn change_time_zone(name: &str) -> Result<bool, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::change_time_zone(&state, &parts, name).await.map_err(|error| api_error_for(&parts, error))
}
