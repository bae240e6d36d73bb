//! What admins do to the cache: for the pages and for the API.

use vendorscope_cache::Cause;

use crate::{
    domain::field_error::FieldError,
    server::{AppError, AppState, cache_keys, identity::sessions::CurrentAdmin, services::warming},
};

/// The most tags of one request.
const MAX_TAGS: usize = 100;

/// Invalidates tags by their names, audited. Returns how many.
pub async fn invalidate_tags(
    state: &AppState,
    admin: &CurrentAdmin,
    names: &[&str],
    address: Option<&str>,
) -> Result<usize, AppError> {
    if !(1..=MAX_TAGS).contains(&names.len()) {
        return Err(FieldError::new("tags", format!("must name 1 to {MAX_TAGS} tags, such as vendor:42")).into());
    }
    let mut tags = names.iter().map(|name| cache_keys::parse_tag(name)).collect::<Result<Vec<_>, _>>()?;
    tags.sort();
    tags.dedup();
    let detail = tags.iter().map(cache_keys::written_tag).collect::<Vec<_>>().join(" ");
    state.accounts.audit(&admin.user.email, "cache_invalidate", &detail, address).await?;
    let cause = Cause { who: admin.user.email.clone(), why: "asked for by an admin" };
    state.cache.invalidate(&tags, &cause).await.map_err(AppError::Internal)?;
    Ok(tags.len())
}

/// The most vendors of one request.
const MAX_WARMED: usize = 100;

/// Has snapshots in the cache, audited: the dashboards of these vendors as they open, or whatever this instance is
/// asked for most. Returns how many were not there before.
pub async fn warm(
    state: &AppState,
    admin: &CurrentAdmin,
    vendors: Option<&[String]>,
    address: Option<&str>,
) -> Result<usize, AppError> {
    let snapshots = match vendors {
        None => state.analytics.popularity().ranking(),
        Some(ids) => {
            if !(1..=MAX_WARMED).contains(&ids.len()) {
                return Err(FieldError::new("vendorIds", format!("must name 1 to {MAX_WARMED} vendors")).into());
            }
            let mut snapshots = Vec::with_capacity(ids.len());
            for id in ids {
                snapshots.push(warming::opening_snapshot(&state.accounts, id).await?);
            }
            snapshots
        }
    };
    let detail = vendors.map_or_else(|| "most asked for".to_owned(), |ids| ids.join(" "));
    state.accounts.audit(&admin.user.email, "cache_warm", &detail, address).await?;
    Ok(match vendors {
        Some(_) => warming::warm_dashboards(&state.analytics, &snapshots).await,
        None => warming::warm(&state.analytics, &snapshots).await,
    })
}
