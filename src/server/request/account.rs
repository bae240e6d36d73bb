//! What people do with their account. Each of these asks who it is by itself, counts what could be guessed at, and is
//! carried to its end even if whoever asked goes away in the middle.

use axum::http::{header, request::Parts};
use tracing::Instrument;

use super::{
    attempts::{Attempt, attempt_from, remember_browser, too_many},
    client_address, wrong_codes,
};
use crate::domain::{
    accounts::{LetterWishes, User},
    field_error::FieldError,
};
use crate::server::{
    AppError, AppState,
    identity::accounts::{Actor, Authenticated, KeyOrder, NewKey, Proof, TotpSetup},
    identity::sessions::{Browser, BrowserUser, WritingVendor, request_session},
    letters,
    rate_limit::{Purpose, account_key},
    services::{Sender, to_the_end},
};
use crate::words;

/// Logs in, for the API: checks the password, and the one-time code where there is a second factor, begins the session,
/// and notes all outcomes. `CodeMissing` where the password was right and a code has to be sent too.
pub async fn log_in(
    state: &AppState,
    parts: &Parts,
    email: &str,
    password: &str,
    code: Option<&str>,
) -> Result<User, AppError> {
    let authenticated = prove_password(state, parts, email, password).await?;
    match code {
        _ if !authenticated.second_factor => begin_session(state, parts, authenticated, "").await,
        None => Err(AppError::CodeMissing),
        Some(code) => {
            let proof = prove_code(state, parts, &authenticated, code).await?;
            begin_session(state, parts, authenticated, proof.name()).await
        }
    }
}

/// The same in two steps, for forms: where there is a second factor, the answer is `CodeMissing` and a cookie with
/// which `log_in_by_code` goes on.
pub async fn log_in_by_form(state: &AppState, parts: &Parts, email: &str, password: &str) -> Result<User, AppError> {
    let authenticated = prove_password(state, parts, email, password).await?;
    if !authenticated.second_factor {
        return begin_session(state, parts, authenticated, "").await;
    }
    half_log_in(state, parts, &authenticated)?;
    Err(AppError::CodeMissing)
}

/// Has this browser asked for a code next: all else that there is to prove was proved.
pub(super) fn half_log_in(state: &AppState, parts: &Parts, authenticated: &Authenticated) -> Result<(), AppError> {
    if let Some(cookie) = state.sessions.half_logins().set(authenticated) {
        request_session(parts)?.set_cookie(cookie);
    }
    Ok(())
}

/// The second step of a login by form. `Unauthenticated` where the first was too long ago, or not here.
pub async fn log_in_by_code(state: &AppState, parts: &Parts, code: &str) -> Result<User, AppError> {
    let half_logins = state.sessions.half_logins();
    let (user, epoch) = half_logins.read(&parts.headers).ok_or(AppError::Unauthenticated)?;
    let authenticated = state.accounts.authenticated_before(user, epoch).await?.ok_or(AppError::Unauthenticated)?;
    let proof = prove_code(state, parts, &authenticated, code).await?;
    let user = begin_session(state, parts, authenticated, proof.name()).await?;
    if let Some(cookie) = half_logins.clear() {
        request_session(parts)?.set_cookie(cookie);
    }
    Ok(user)
}

async fn prove_password(
    state: &AppState,
    parts: &Parts,
    email: &str,
    password: &str,
) -> Result<Authenticated, AppError> {
    let attempt = Attempt::begin(state, parts, email).await?;
    match state.accounts.authenticate(email, password).await {
        Ok(authenticated) => {
            attempt.succeeded().await;
            Ok(authenticated)
        }
        Err(AppError::WrongCredentials) => {
            state.accounts.note_failed_login(email, "", client_address(parts).as_deref()).await?;
            Err(AppError::WrongCredentials)
        }
        Err(error) => Err(error),
    }
}

/// Of whoever has proved the password before: nobody else's guesses are counted here.
async fn prove_code(
    state: &AppState,
    parts: &Parts,
    authenticated: &Authenticated,
    code: &str,
) -> Result<Proof, AppError> {
    let attempt = Attempt::of_login_code(state, parts, authenticated).await?;
    match state.accounts.take_code(authenticated.user.id, code).await? {
        Some(proof) => {
            attempt.succeeded().await;
            Ok(proof)
        }
        None => {
            wrong_codes::note(state, &authenticated.user, client_address(parts).as_deref()).await?;
            Err(AppError::WrongCode)
        }
    }
}

/// Begins the session of whoever has proved all that there is to prove. `way`: what beside the password has proved it,
/// for the audit log.
pub(super) async fn begin_session(
    state: &AppState,
    parts: &Parts,
    authenticated: Authenticated,
    way: &str,
) -> Result<User, AppError> {
    // Before there is a session: nobody is in without a line that says so.
    state.accounts.audit(&authenticated.user.email, "login", way, client_address(parts).as_deref()).await?;
    request_session(parts)?.log_in(&authenticated, browser(parts)).await?;
    remember_browser(state, parts, &authenticated.user.email, authenticated.epoch)?;
    Ok(authenticated.user)
}

/// Ends the session, if there is one.
pub async fn log_out(state: &AppState, parts: &Parts) -> Result<(), AppError> {
    let session = request_session(parts)?;
    let user = session.logged_in_user().await?;
    session.log_out().await?;
    if let Some(user) = user {
        state.accounts.audit(&user.email, "logout", "", client_address(parts).as_deref()).await?;
    }
    Ok(())
}

/// Ends every session of whoever asks, on every instance.
pub async fn log_out_everywhere(state: &AppState, parts: &Parts) -> Result<(), AppError> {
    let (state, parts) = (state.clone(), parts.clone());
    to_the_end(async move {
        let BrowserUser(user) = BrowserUser::of(&parts).await?;
        let address = client_address(&parts);
        let epoch = state.accounts.end_sessions(&user, actor(&user, address.as_deref())).await?;
        remember_browser(&state, &parts, &user.email, epoch)?;
        request_session(&parts)?.log_out_everywhere(&user).await
    })
    .await
}

/// Ends one of the sessions of whoever asks.
pub async fn end_session(state: &AppState, parts: &Parts, session_id: &str) -> Result<(), AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    request_session(parts)?.end_one(&user, session_id).await?;
    state.accounts.audit(&user.email, "session_end", session_id, client_address(parts).as_deref()).await
}

/// Changes the password of whoever asks. All sessions end, and this browser gets a new one. `DoneInPart` where the
/// password has been changed and the sessions could not be.
pub async fn change_password(state: &AppState, parts: &Parts, current: String, new: String) -> Result<(), AppError> {
    let (state, parts) = (state.clone(), parts.clone());
    to_the_end(async move {
        let BrowserUser(user) = BrowserUser::of(&parts).await?;
        let attempt = Attempt::of_user(&state, &user).await?;
        let address = client_address(&parts);
        let changed = state.accounts.change_password(&user, &current, &new, actor(&user, address.as_deref())).await;
        attempt.unless_wrong(&changed, "current").await;
        let changed = changed?;
        remember_browser(&state, &parts, &user.email, changed.epoch)?;
        request_session(&parts)?.log_in_alone(&changed, browser(&parts)).await.map_err(|error| {
            tracing::error!(%error, "a password was changed, and its sessions were not");
            AppError::DoneInPart(
                "The password was changed. Not every session could be ended at once; please log in again.".to_owned(),
            )
        })
    })
    .await
}

/// Has a link for a lost password sent to an account, if there is one and it may log in. The answer, and how long it
/// takes, says nothing of that. `NotFound` where there is no server for mail, `TooMany` for an address that asks too
/// often.
pub async fn send_reset_link(state: &AppState, parts: &Parts, email: &str) -> Result<(), AppError> {
    if state.mail.is_none() {
        return Err(AppError::NotFound);
    }
    attempt_from(state, parts).await?;
    let account = account_key(email);
    if let Some(admission) = state.limits.admit(Purpose::Links, &account).await
        && !admission.decision.admitted
    {
        // Who asks for it is not who has the account, maybe: nothing is said.
        tracing::warn!(limit = Purpose::Links.name(), "no link sent: too many for one account");
        return Ok(());
    }
    let (state, email, address) = (state.clone(), email.to_owned(), client_address(parts));
    let send = async move {
        match state.accounts.create_link_for(&email, address.as_deref()).await {
            Ok(invitation) => {
                super::people::deliver(&state, invitation).await;
            }
            Err(error) => tracing::debug!(%error, "no link sent"),
        }
    };
    tokio::spawn(send.in_current_span());
    Ok(())
}

/// Chooses another password with a link's token. All sessions of the user end.
pub async fn reset_password(state: &AppState, parts: &Parts, token: String, new: String) -> Result<(), AppError> {
    let (state, parts) = (state.clone(), parts.clone());
    to_the_end(async move {
        attempt_from(&state, &parts).await?;
        let address = client_address(&parts);
        let (user, epoch) = state.accounts.reset_password(&token, &new, address.as_deref()).await?;
        // Whoever had the link is the account's owner: others' guesses do not keep them out from now on.
        remember_browser(&state, &parts, &user.email, epoch)?;
        state.sessions.end_all(&user, None).await.map_err(|error| {
            tracing::error!(%error, "a password was changed, and its sessions were not");
            AppError::DoneInPart("The password was changed. Not every session could be ended at once.".to_owned())
        })
    })
    .await
}

/// Begins to set up a second factor for whoever asks.
pub async fn begin_totp(state: &AppState, parts: &Parts, password: &str) -> Result<TotpSetup, AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    let address = client_address(parts);
    let begin = state.accounts.begin_totp(&user, password, actor(&user, address.as_deref()));
    let setup = with_own_password(state, &user, begin).await?;
    if let Some(cookie) = state.sessions.totp_setups().set(&setup.digest()) {
        request_session(parts)?.set_cookie(cookie);
    }
    Ok(setup)
}

/// What whoever asks has begun to set up, in this browser.
pub async fn unconfirmed_totp(state: &AppState, parts: &Parts) -> Result<Option<TotpSetup>, AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    let shown = state.sessions.totp_setups().read(&parts.headers);
    state.accounts.unconfirmed_totp(&user, shown.as_deref()).await
}

/// Has whoever asks log in with codes from now on. All sessions end, and this browser gets a new one. The recovery
/// codes.
pub async fn confirm_totp(state: &AppState, parts: &Parts, code: String) -> Result<Vec<String>, AppError> {
    let (state, parts) = (state.clone(), parts.clone());
    to_the_end(async move {
        let BrowserUser(user) = BrowserUser::of(&parts).await?;
        let attempt = Attempt::of_own_code(&state, &user).await?;
        let address = client_address(&parts);
        let shown = state.sessions.totp_setups().read(&parts.headers);
        let actor = actor(&user, address.as_deref());
        let confirmed = state.accounts.confirm_totp(&user, shown.as_deref(), &code, actor).await;
        attempt.unless_wrong(&confirmed, "code").await;
        let (codes, authenticated) = confirmed?;
        remember_browser(&state, &parts, &user.email, authenticated.epoch)?;
        if let Some(cookie) = state.sessions.totp_setups().clear() {
            request_session(&parts)?.set_cookie(cookie);
        }
        // The codes are told whatever becomes of the sessions: nobody can find them out again.
        if let Err(error) = request_session(&parts)?.log_in_alone(&authenticated, browser(&parts)).await {
            tracing::error!(%error, "a second factor was set up, and its sessions were not");
        }
        Ok(codes)
    })
    .await
}

/// Has whoever asks log in without codes again.
pub async fn remove_totp(state: &AppState, parts: &Parts, password: &str, code: &str) -> Result<(), AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    if state.config.sessions.require_totp.is_for(user.role) {
        return Err(AppError::Conflict(words::SECOND_FACTOR_REQUIRED.to_owned()));
    }
    let attempt = Attempt::of_own_code(state, &user).await?;
    let address = client_address(parts);
    let remove = state.accounts.remove_totp(&user, password, code, actor(&user, address.as_deref()));
    let removed = with_own_password(state, &user, remove).await;
    attempt.unless_wrong(&removed, "code").await;
    removed
}

/// Counts an attempt at the password of whoever is logged in, unless it was right.
pub(super) async fn with_own_password<T>(
    state: &AppState,
    user: &User,
    work: impl Future<Output = Result<T, AppError>>,
) -> Result<T, AppError> {
    let attempt = Attempt::of_user(state, user).await?;
    let done = work.await;
    attempt.unless_wrong(&done, "password").await;
    done
}

/// Has whoever asks get these letters, and no others.
pub async fn set_letter_wishes(state: &AppState, parts: &Parts, wishes: LetterWishes) -> Result<(), AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    let address = client_address(parts);
    state.accounts.set_letter_wishes(&user, wishes, actor(&user, address.as_deref())).await
}

/// Stops all letters of whoever was sent this address. `Invalid` for one that nobody here has written.
pub async fn stop_letters(state: &AppState, parts: &Parts, token: &str) -> Result<(), AppError> {
    let unknown = || FieldError::new("reader", "is of no letter that was sent from here");
    let user = letters::reader_of(state, token).ok_or_else(unknown)?;
    state.accounts.stop_letters(user, client_address(parts).as_deref()).await
}

/// Makes a key for whoever asks, and proves to be it by the password.
pub async fn create_key(state: &AppState, parts: &Parts, password: &str, order: &KeyOrder) -> Result<NewKey, AppError> {
    create_key_once(state, parts, password, order, None).await
}

/// The same for a form, with what its field says: the key that the first click has made is told to the second one too,
/// for a browser shows the last answer alone.
pub async fn create_key_once(
    state: &AppState,
    parts: &Parts,
    password: &str,
    order: &KeyOrder,
    once: Option<&str>,
) -> Result<NewKey, AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    let address = client_address(parts);
    let sender = Sender::of_form(&user.email, address.clone(), once);
    let create = state.accounts.create_key(&user, password, order, &sender, actor(&user, address.as_deref()));
    with_own_password(state, &user, create).await
}

/// Revokes a key of whoever asks.
pub async fn revoke_key(state: &AppState, parts: &Parts, key_id: &str) -> Result<(), AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    state.accounts.revoke_key(&user, key_id, actor(&user, client_address(parts).as_deref())).await
}

/// Gives the vendor of whoever asks another time zone. Whether it had another one.
pub async fn change_time_zone(state: &AppState, parts: &Parts, name: &str) -> Result<bool, AppError> {
    let WritingVendor { user, vendor, .. } = WritingVendor::of(parts).await?;
    let counted = vendor.id.to_string();
    if let Some(admission) = state.limits.admit(Purpose::ZoneChanges, &counted).await
        && !admission.decision.admitted
    {
        return Err(too_many(&admission));
    }
    let changed = state.accounts.change_time_zone(&vendor, name, actor(&user, client_address(parts).as_deref())).await;
    // What was refused has moved nothing, and neither has the zone that it was already.
    if !matches!(changed, Ok(true)) {
        state.limits.give_back(Purpose::ZoneChanges, &counted).await;
    }
    changed
}

fn actor<'a>(user: &'a User, address: Option<&'a str>) -> Actor<'a> {
    Actor { name: &user.email, address }
}

fn browser(parts: &Parts) -> Browser {
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Browser::new(client_address(parts), user_agent)
}
