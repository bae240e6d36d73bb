use super::{api_error, api_error_for, cookies, request};
use crate::{
    ApiError,
    domain::accounts::Role,
    server::{
        AppError,
        identity::accounts::PersonChange,
        request::people::{self, Link},
    },
};

/// Invites somebody; says where to go next: to the list, which shows the link where it was not sent by mail.
pub async fn invite(password: &str, email: &str, role: &str, vendor_id: &str) -> Result<String, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let invited = async {
        let role: Role = role.parse().map_err(AppError::from)?;
        people::invite(&state, &parts, password, email, role, Some(vendor_id)).await
    };
    let Link { person, link } = invited.await.map_err(|error| api_error_for(&parts, error))?;
    Ok(after(&person.user_id, link))
}

/// Makes a link for somebody; says where to go next.
pub async fn link_for(password: &str, user_id: &str) -> Result<String, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let made = people::link(&state, &parts, password, user_id).await;
    let Link { person, link } = made.map_err(|error| api_error_for(&parts, error))?;
    Ok(after(&person.user_id, link))
}

/// Changes what somebody is.
pub async fn change_person(password: &str, user_id: &str, change: PersonChange) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let changed = people::change(&state, &parts, password, user_id, change).await;
    changed.map(|_| ()).map_err(|error| api_error_for(&parts, error))
}

/// Ends all sessions of somebody.
pub async fn end_sessions_of(user_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    people::end_sessions(&state, &parts, user_id).await.map_err(|error| api_error_for(&parts, error))
}

/// Takes the second factor away from somebody.
pub async fn reset_second_factor_of(password: &str, user_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let reset = people::reset_second_factor(&state, &parts, password, user_id).await;
    reset.map_err(|error| api_error_for(&parts, error))
}

/// Has somebody's login through the marketplace be nobody's.
pub async fn unbind(password: &str, user_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    people::unbind(&state, &parts, password, user_id).await.map_err(|error| api_error_for(&parts, error))
}

/// Makes anybody's key worthless.
pub async fn revoke_key_of_anybody(key_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    people::revoke_key(&state, &parts, key_id).await.map_err(|error| api_error_for(&parts, error))
}

/// The page of whoever the link is for, which shows it once, or says that it was sent.
fn after(user_id: &str, link: Option<String>) -> String {
    match (link, request()) {
        (Some(link), Ok((state, _))) => {
            cookies::keep_new_link(&state, &link);
            format!("/admin/users/{user_id}?done=link")
        }
        _ => format!("/admin/users/{user_id}?done=sent"),
    }
}
