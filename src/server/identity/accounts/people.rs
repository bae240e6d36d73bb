use futures::future::FutureExt;
use serde_json::json;
use vendorscope_cache::Cause;

use super::{Accounts, Actor, digest, now_us, random_token};
use crate::domain::position::{Position, SortValue};
use crate::{
    domain::{
        accounts::{Person, Role, User, VendorRef, normalise_email},
        field_error::FieldError,
    },
    server::{
        AppError, cache_keys, cursor,
        db::{self, Tx, accounts::UserCredentials, password_resets::NewLink},
        identity::passwords,
        services::{Written, write},
    },
};

/// How long an invitation works, in microseconds: three days.
const INVITED_FOR_US: i64 = 72 * 60 * 60 * 1_000_000;
/// The list's name in cursors.
const LIST: &str = "people";
/// People on a page.
const PAGE: usize = 100;

/// A user who was invited, and the token of the link with which a password is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub person: Person,
    pub token: String,
}

/// People by address, and `after` of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonPage {
    pub people: Vec<Person>,
    pub next: Option<String>,
}

/// What becomes of a user; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonChange {
    pub role: Option<Role>,
    /// The marketplace's id of the vendor.
    pub vendor_id: Option<String>,
    pub disabled: Option<bool>,
}

impl Accounts {
    /// A page of 100, by address.
    pub async fn list_people(&self, after: Option<&str>) -> Result<PersonPage, AppError> {
        let after = after.filter(|text| !text.is_empty()).map(|text| cursor::decode(LIST, true, text)).transpose()?;
        let after = after.map_or_else(String::new, |position| position.id);
        let mut people = db::accounts::list_people(&self.db, &after, PAGE as i64 + 1).await?;
        let more = people.len() > PAGE;
        people.truncate(PAGE);
        let next = people.last().filter(|_| more).map(|last| {
            let position = Position { value: SortValue::Text(last.email.clone()), id: last.email.clone() };
            cursor::encode(LIST, &position)
        });
        Ok(PersonPage { people, next })
    }

    /// `NotFound` where there is none of this id.
    pub async fn find_person(&self, user_id: &str) -> Result<Person, AppError> {
        let id = user_id.parse::<i64>().map_err(|_| AppError::NotFound)?;
        db::accounts::find_person(&self.db, id).await?.ok_or(AppError::NotFound)
    }

    /// Adds a user who chooses a password with a link, once, within three days. `Conflict` where the address is taken,
    /// `Invalid` by field.
    pub async fn invite(
        &self,
        email: &str,
        role: Role,
        vendor_id: Option<&str>,
        actor: Actor<'_>,
    ) -> Result<Invitation, AppError> {
        let (email, vendor) = match (normalise_email(email), self.vendor_named(role, vendor_id).await?) {
            (Ok(email), Ok(vendor)) => (email, vendor),
            (email, vendor) => {
                return Err([email.err(), vendor.err()].into_iter().flatten().collect::<Vec<_>>().into());
            }
        };
        // Nobody knows this one.
        let hash = passwords::hash(&random_token()).await?;
        let token = random_token();
        let mut tx = self.db.write().await?;
        let user = db::accounts::insert_user(&mut tx, &email, &hash, role, vendor, now_us(), true).await?;
        let user = user.ok_or_else(|| AppError::Conflict(format!("there is a user `{email}` already")))?;
        put_link(&mut tx, user.id, &token, actor, now_us() + INVITED_FOR_US).await?;
        let entry = actor.entry("user_invite", &user.email).became(&standing(role, user.vendor.as_ref(), false));
        db::accounts::insert_audit(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(Invitation { person: self.find_person(&user.id.to_string()).await?, token })
    }

    /// Changes what a user is. All sessions of the user have ended then, and with another role or vendor all keys too.
    /// `Conflict` where an admin would shut out, or demote, themselves, so that one is always left; or where somebody
    /// else changes the user at the same time. `Forbidden` where `by` is no admin any more.
    pub async fn change_person(
        &self,
        user_id: &str,
        change: &PersonChange,
        by: &User,
        actor: Actor<'_>,
    ) -> Result<User, AppError> {
        let UserCredentials { user, disabled, .. } = self.find_by_id(user_id).await?;
        let role = change.role.unwrap_or(user.role);
        let vendor = match (role, &change.vendor_id, &user.vendor) {
            (Role::Admin, None, _) => None,
            (_, None, Some(vendor)) => Some(vendor.clone()),
            (_, named, _) => self.vendor_named(role, named.as_deref()).await??,
        };
        let now_disabled = change.disabled.unwrap_or(disabled);
        let is_moved = role != user.role || vendor != user.vendor;
        if !is_moved && now_disabled == disabled {
            return Ok(user);
        }
        let stays_admin = role == Role::Admin && !now_disabled;
        if user.id == by.id && !stays_admin {
            return Err(AppError::Conflict("another admin has to do this: it would shut you out".to_owned()));
        }
        // Views that a user has saved are kept with those of the vendor.
        let vendors = if is_moved { [&user.vendor, &vendor] } else { [&None, &None] };
        let stale = vendors.into_iter().flatten().map(|vendor| cache_keys::vendor_tag(&vendor.external_id)).collect();
        let cause = Cause { who: actor.name.to_owned(), why: "user moved" };
        let (actor_name, address) = (actor.name.to_owned(), actor.address.map(str::to_owned));
        let (by, before) = (by.id, user.clone());
        write(&self.db, &self.cache, cause, None, move |tx| {
            async move {
                let user = &before;
                // All admins, always in this order: of two who shut each other out, the second is no admin any more.
                if !db::accounts::lock_admins(tx).await?.contains(&by) {
                    return Err(AppError::Forbidden);
                }
                let now = db::accounts::lock_login(tx, user.id).await?.ok_or(AppError::NotFound)?;
                if now.user != *user || now.disabled != disabled {
                    return Err(AppError::Conflict("somebody else has changed this user at the same time".to_owned()));
                }
                if is_moved {
                    db::accounts::set_role(tx, user.id, role, vendor.as_ref()).await?;
                }
                if now_disabled != disabled {
                    db::accounts::set_disabled(tx, user.id, now_disabled.then(now_us)).await?;
                    db::password_resets::delete_all(tx, user.id).await?;
                }
                if is_moved || now_disabled {
                    db::api_keys::revoke_all(tx, user.id, now_us()).await?;
                }
                Self::note_all_ended(tx, user.id).await?;
                let was = standing(user.role, user.vendor.as_ref(), disabled);
                let became = standing(role, vendor.as_ref(), now_disabled);
                let actor = Actor { name: &actor_name, address: address.as_deref() };
                let entry = actor.entry("user_change", &user.email).was(&was).became(&became);
                db::accounts::insert_audit(tx, &entry).await?;
                Ok(Written::stale((), stale))
            }
            .boxed()
        })
        .await?;
        self.statuses.forget(user.id).await;
        Ok(user)
    }

    /// Ends all sessions of somebody, and revokes all keys, for an admin.
    pub async fn end_sessions_of(&self, user_id: &str, actor: Actor<'_>) -> Result<User, AppError> {
        let user = self.find_by_id(user_id).await?.user;
        let mut tx = self.db.write().await?;
        db::accounts::end_sessions(&mut tx, user.id).await?;
        db::api_keys::revoke_all(&mut tx, user.id, now_us()).await?;
        Self::note_all_ended(&mut tx, user.id).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("sessions_end", &user.email)).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok(user)
    }

    /// A link with which somebody chooses a password: of an invitation that waits, within three days; else within an
    /// hour.
    pub async fn create_link(&self, user_id: &str, actor: Actor<'_>) -> Result<Invitation, AppError> {
        let person = self.find_person(user_id).await?;
        if !person.invited {
            let token = self.create_reset(&person.email, actor).await?;
            return Ok(Invitation { person, token });
        }
        if person.disabled {
            return Err(AppError::Conflict(format!("`{}` is disabled: enable it first", person.email)));
        }
        let id = user_id.parse::<i64>().map_err(|_| AppError::NotFound)?;
        let token = random_token();
        let mut tx: Tx = self.db.write().await?;
        put_link(&mut tx, id, &token, actor, now_us() + INVITED_FOR_US).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("user_invite", &person.email)).await?;
        tx.commit().await?;
        Ok(Invitation { person, token })
    }

    /// The same for whoever has this address. An invitation ends when it would have: only an admin makes another one.
    /// `NotFound` where nobody has the address, or is shut out, or was invited too long ago.
    pub async fn create_link_for(&self, email: &str, address: Option<&str>) -> Result<Invitation, AppError> {
        let login = self.find_user(email).await?;
        if login.disabled {
            return Err(AppError::NotFound);
        }
        let (id, actor) = (login.user.id, Actor { name: &login.user.email, address });
        let person = self.find_person(&id.to_string()).await?;
        if !person.invited {
            return self.create_link(&person.user_id, actor).await;
        }
        let token = random_token();
        let mut tx = self.db.write().await?;
        let until = db::password_resets::expiry(&mut tx, id, now_us()).await?.ok_or(AppError::NotFound)?;
        put_link(&mut tx, id, &token, actor, until).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("password_reset_link", &person.email)).await?;
        tx.commit().await?;
        Ok(Invitation { person, token })
    }

    /// Proves that it is the user of this session who asks, by the password.
    pub async fn prove_own_password(&self, user: &User, password: &str, actor: Actor<'_>) -> Result<(), AppError> {
        self.check_own_password(user, password, actor).await.map(|_| ())
    }

    async fn find_by_id(&self, user_id: &str) -> Result<UserCredentials, AppError> {
        let id = user_id.parse::<i64>().map_err(|_| AppError::NotFound)?;
        db::accounts::find_login_by_id(&self.db, id).await?.ok_or(AppError::NotFound)
    }

    /// As `vendor_of`, with errors under the API's name.
    async fn vendor_named(
        &self,
        role: Role,
        vendor_id: Option<&str>,
    ) -> Result<Result<Option<VendorRef>, FieldError>, AppError> {
        let vendor_id = vendor_id.map(str::trim).filter(|id| !id.is_empty());
        let found = self.vendor_of(role, vendor_id).await?;
        Ok(found.map_err(|error| FieldError::new("vendorId", error.message)))
    }
}

async fn put_link(tx: &mut Tx, user: i64, token: &str, actor: Actor<'_>, expires_us: i64) -> Result<(), AppError> {
    let link = NewLink { user, token_hash: &digest(token), made_by: actor.name, expires_us };
    Ok(db::password_resets::insert(tx, &link, now_us()).await?)
}

fn standing(role: Role, vendor: Option<&VendorRef>, disabled: bool) -> serde_json::Value {
    json!({ "role": role, "vendorId": vendor.map(|vendor| &vendor.external_id), "disabled": disabled })
}
