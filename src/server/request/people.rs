//! What admins do to other people's accounts: in a browser alone, since a key may have been stolen, and with the
//! password again where it gives somebody access.

use axum::http::request::Parts;

use super::{account::with_own_password, client_address};
use crate::{
    domain::accounts::{Person, Role, User},
    server::{
        AppError, AppState,
        identity::{
            accounts::{Actor, Invitation, PersonChange},
            sessions::{BrowserUser, WritingAdmin},
        },
        services::to_the_end,
    },
    words,
};

/// A link for somebody, and how it gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub person: Person,
    /// To be passed on; `None` where it was sent by mail.
    pub link: Option<String>,
}

/// Invites somebody: by mail where there is a server for it, else with a link for the admin to pass on.
pub async fn invite(
    state: &AppState,
    parts: &Parts,
    password: &str,
    email: &str,
    role: Role,
    vendor_id: Option<&str>,
) -> Result<Link, AppError> {
    let (admin, address) = admin(parts).await?;
    let actor = actor(&admin, address.as_deref());
    prove(state, &admin, password, actor).await?;
    let invitation = state.accounts.invite(email, role, vendor_id, actor).await?;
    Ok(deliver(state, invitation).await)
}

/// A link with which somebody chooses another password, or their first. Of another admin it goes by mail or from the
/// command line: `Conflict` where it would be shown to whoever asks.
pub async fn link(state: &AppState, parts: &Parts, password: &str, user_id: &str) -> Result<Link, AppError> {
    let (admin, address) = admin(parts).await?;
    let actor = actor(&admin, address.as_deref());
    prove(state, &admin, password, actor).await?;
    let person = state.accounts.find_person(user_id).await?;
    let is_an_admins = person.role == Role::Admin && !person.invited;
    if is_an_admins && state.mail.is_none() {
        return Err(AppError::Conflict(words::NO_LINK_OF_AN_ADMIN.to_owned()));
    }
    let delivered = deliver(state, state.accounts.create_link(user_id, actor).await?).await;
    if is_an_admins && delivered.link.is_some() {
        return Err(AppError::Conflict(words::NO_LINK_OF_AN_ADMIN.to_owned()));
    }
    Ok(delivered)
}

/// Changes role, vendor and standing of somebody, whose sessions end on every instance.
pub async fn change(
    state: &AppState,
    parts: &Parts,
    password: &str,
    user_id: &str,
    change: PersonChange,
) -> Result<Person, AppError> {
    let (admin, address) = admin(parts).await?;
    prove(state, &admin, password, actor(&admin, address.as_deref())).await?;
    let (state, user_id) = (state.clone(), user_id.to_owned());
    to_the_end(async move {
        let actor = actor(&admin, address.as_deref());
        let user = state.accounts.change_person(&user_id, &change, &admin, actor).await?;
        state.sessions.end_all(&user, None).await?;
        state.accounts.find_person(&user_id).await
    })
    .await
}

/// Ends all sessions of somebody, on every instance, and revokes all keys.
pub async fn end_sessions(state: &AppState, parts: &Parts, user_id: &str) -> Result<(), AppError> {
    let (admin, address) = admin(parts).await?;
    let (state, user_id) = (state.clone(), user_id.to_owned());
    to_the_end(async move {
        let user = state.accounts.end_sessions_of(&user_id, actor(&admin, address.as_deref())).await?;
        state.sessions.end_all(&user, None).await
    })
    .await
}

/// Has somebody's login through the marketplace be nobody's.
pub async fn unbind(state: &AppState, parts: &Parts, password: &str, user_id: &str) -> Result<(), AppError> {
    let (admin, address) = admin(parts).await?;
    prove(state, &admin, password, actor(&admin, address.as_deref())).await?;
    let (state, user_id) = (state.clone(), user_id.to_owned());
    to_the_end(async move {
        let person = state.accounts.find_person(&user_id).await?;
        let unbound = state.accounts.unbind_provider_login(&person.email, actor(&admin, address.as_deref()));
        state.sessions.end_all(&unbound.await?, None).await
    })
    .await
}

/// Makes anybody's key worthless, on every instance at once.
pub async fn revoke_key(state: &AppState, parts: &Parts, key_id: &str) -> Result<(), AppError> {
    let (admin, address) = admin(parts).await?;
    state.accounts.revoke_any_key(key_id, actor(&admin, address.as_deref())).await
}

/// Takes the second factor away from somebody who has lost it.
pub async fn reset_second_factor(
    state: &AppState,
    parts: &Parts,
    password: &str,
    user_id: &str,
) -> Result<(), AppError> {
    let (admin, address) = admin(parts).await?;
    prove(state, &admin, password, actor(&admin, address.as_deref())).await?;
    let (state, user_id) = (state.clone(), user_id.to_owned());
    to_the_end(async move {
        let person = state.accounts.find_person(&user_id).await?;
        if person.email == admin.email {
            return Err(AppError::Conflict("another admin has to do this: remove your own on your account".to_owned()));
        }
        let user = state.accounts.reset_totp(&person.email, actor(&admin, address.as_deref())).await?;
        state.sessions.end_all(&user, None).await
    })
    .await
}

async fn admin(parts: &Parts) -> Result<(User, Option<String>), AppError> {
    let WritingAdmin { user, .. } = WritingAdmin::of(parts).await?;
    BrowserUser::of(parts).await?;
    Ok((user, client_address(parts)))
}

async fn prove(state: &AppState, admin: &User, password: &str, actor: Actor<'_>) -> Result<(), AppError> {
    with_own_password(state, admin, state.accounts.prove_own_password(admin, password, actor)).await
}

fn actor<'a>(user: &'a User, address: Option<&'a str>) -> Actor<'a> {
    Actor { name: &user.email, address }
}

/// By mail; where there is no server for it, or it does not take it, by whoever asked.
pub(super) async fn deliver(state: &AppState, Invitation { person, token }: Invitation) -> Link {
    let link = format!("{}/reset?token={token}", state.config.http.public_url);
    let (subject, text) = if person.invited {
        (
            "Your invitation to Vendorscope",
            format!(
                "You have been invited to Vendorscope.\n\nChoose your password here, within three days of being \
                 invited:\n{link}\n\n\
                 If you did not expect this, do nothing: without a password nobody can log in.\n"
            ),
        )
    } else {
        (
            "Choose a new Vendorscope password",
            format!(
                "Your marketplace has sent you a link to choose a new password. It works once, within an \
                 hour:\n{link}\n\n\
                 If you did not ask for this, do nothing: your password stays as it is.\n"
            ),
        )
    };
    let is_sent = match &state.mail {
        Some(mail) => mail.send(&person.email, subject, text).await,
        None => false,
    };
    Link { person, link: (!is_sent).then_some(link) }
}
