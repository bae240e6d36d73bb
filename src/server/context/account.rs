use super::{api_error, api_error_for, cookies, request};
use crate::{
    ApiError,
    domain::accounts::OwnSession,
    server::{
        AppError,
        identity::sessions::{BrowserUser, request_session},
        request::{account, addresses, one_time, wants_html},
    },
};

/// Logs in; says where to go next. Wrong credentials are no error but a way back to the form, so that it works without
/// scripts.
pub async fn log_in(email: &str, password: &str, next: Option<&str>) -> Result<String, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let next = next.and_then(addresses::local_path);
    match account::log_in(&state, &parts, email, password).await {
        Ok(user) => Ok(next.unwrap_or_else(|| addresses::home(&user)).to_owned()),
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
pub async fn create_key(name: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let made = account::create_key(&state, &parts, name).await.map_err(|error| api_error_for(&parts, error))?;
    cookies::keep_new_key(&state, &made.secret);
    Ok(())
}

/// Revokes a key.
pub async fn revoke_key(key_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::revoke_key(&state, &parts, key_id).await.map_err(|error| api_error_for(&parts, error))
}

/// Gives the vendor of whoever is logged in another time zone.
pub async fn change_time_zone(name: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::change_time_zone(&state, &parts, name).await.map_err(|error| api_error_for(&parts, error))
}
