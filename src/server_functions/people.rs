use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::domain::accounts::{ApiKey, KeyOfUser, Person, Viewer};

/// All that the list of people shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeopleView {
    pub viewer: Viewer,
    pub people: Vec<Person>,
    /// `after` of the next page.
    pub next: Option<String>,
    /// Whether invitations are sent by mail.
    pub has_mail: bool,
}

/// All that one person's page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonView {
    pub viewer: Viewer,
    pub person: Person,
    pub keys: Vec<ApiKey>,
    /// The link that was just made in this browser. The next time it is not there.
    pub new_link: Option<String>,
}

pub async fn load_people(after: Option<String>) -> Result<PeopleView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_admin().await?;
    let page = state.accounts.list_people(after.as_deref()).await.map_err(context::api_error)?;
    let has_mail = state.mail.is_some();
    Ok(PeopleView { viewer: current.viewer(), people: page.people, next: page.next, has_mail })
}

pub async fn load_person(user_id: String) -> Result<PersonView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_admin().await?;
    let person = state.accounts.find_person(&user_id).await.map_err(context::api_error)?;
    let keys = state.accounts.list_keys_of(&person).await.map_err(context::api_error)?;
    Ok(PersonView { viewer: current.viewer(), person, keys, new_link: context::take_new_link() })
}

/// All that the list of everybody's keys shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeysView {
    pub viewer: Viewer,
    pub keys: Vec<KeyOfUser>,
}

pub async fn load_keys() -> Result<KeysView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_admin().await?;
    let keys = state.accounts.list_all_keys().await.map_err(context::api_error)?;
    Ok(KeysView { viewer: current.viewer(), keys })
}

/// Makes anybody's key worthless, and goes to the list.
#[server(prefix = "/_fn", endpoint = "admin/key/revoke")]
pub async fn revoke_users_key(key_id: String) -> Result<(), ApiError> {
    crate::server::context::revoke_key_of_anybody(&key_id).await?;
    leptos_axum::redirect("/admin/keys?done=key");
    Ok(())
}

/// Invites somebody, and goes to their page, which shows the link, once, or says that it was sent.
#[server(prefix = "/_fn", endpoint = "admin/user/invite")]
pub async fn invite_user(email: String, role: String, vendor_id: String, password: String) -> Result<(), ApiError> {
    let next = crate::server::context::invite(&password, &email, &role, &vendor_id).await?;
    leptos_axum::redirect(&next);
    Ok(())
}

/// Makes a link with which somebody chooses a password, and goes to their page.
#[server(prefix = "/_fn", endpoint = "admin/user/link")]
pub async fn make_link(user_id: String, password: String) -> Result<(), ApiError> {
    let next = crate::server::context::link_for(&password, &user_id).await?;
    leptos_axum::redirect(&next);
    Ok(())
}

/// Gives somebody another role or vendor, and goes to their page.
#[server(prefix = "/_fn", endpoint = "admin/user/role")]
pub async fn change_role(user_id: String, role: String, vendor_id: String, password: String) -> Result<(), ApiError> {
    use crate::server::{context, identity::accounts::PersonChange};
    let role =
        role.parse().map_err(|invalid: crate::domain::field_error::FieldError| context::api_error(invalid.into()))?;
    let vendor_id = Some(vendor_id.trim().to_owned()).filter(|id| !id.is_empty());
    let change = PersonChange { role: Some(role), vendor_id, disabled: None };
    context::change_person(&password, &user_id, change).await?;
    leptos_axum::redirect(&format!("/admin/users/{}?done=changed", crate::domain::accounts::path_segment(&user_id)));
    Ok(())
}

/// Shuts somebody out (`disabled`: `yes`), or lets them in again, and goes to their page.
#[server(prefix = "/_fn", endpoint = "admin/user/disable")]
pub async fn disable_user(user_id: String, disabled: String, password: String) -> Result<(), ApiError> {
    use crate::server::{context, identity::accounts::PersonChange};
    let change = PersonChange { disabled: Some(disabled == "yes"), ..PersonChange::default() };
    context::change_person(&password, &user_id, change).await?;
    leptos_axum::redirect(&format!("/admin/users/{}?done=changed", crate::domain::accounts::path_segment(&user_id)));
    Ok(())
}

/// Ends all sessions of somebody, and goes to their page.
#[server(prefix = "/_fn", endpoint = "admin/user/sessions/end")]
pub async fn end_user_sessions(user_id: String) -> Result<(), ApiError> {
    crate::server::context::end_sessions_of(&user_id).await?;
    leptos_axum::redirect(&format!("/admin/users/{}?done=ended", crate::domain::accounts::path_segment(&user_id)));
    Ok(())
}

/// Has somebody's login through the marketplace be nobody's, and goes to their page.
#[server(prefix = "/_fn", endpoint = "admin/user/unbind")]
pub async fn unbind_user(user_id: String, password: String) -> Result<(), ApiError> {
    crate::server::context::unbind(&password, &user_id).await?;
    leptos_axum::redirect(&format!("/admin/users/{}?done=unbound", crate::domain::accounts::path_segment(&user_id)));
    Ok(())
}

/// Takes the second factor away from somebody, and goes to their page.
#[server(prefix = "/_fn", endpoint = "admin/user/totp/reset")]
pub async fn reset_user_totp(user_id: String, password: String) -> Result<(), ApiError> {
    crate::server::context::reset_second_factor_of(&password, &user_id).await?;
    leptos_axum::redirect(&format!("/admin/users/{}?done=totp", crate::domain::accounts::path_segment(&user_id)));
    Ok(())
}
