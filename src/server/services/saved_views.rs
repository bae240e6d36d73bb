//! Views of the dashboard that users have saved.

use futures::future::FutureExt;
use jiff::Timestamp;
use vendorscope_cache::{Loaded, Origin};

use super::{
    Written,
    analytics::{Analytics, tags},
    by_vendor, costed, from_json, write,
};
use crate::{
    domain::{
        accounts::{User, VendorRef, encode_segment},
        field_error::Checks,
        views::{MAX_VIEW_NAME, MAX_VIEW_QUERY, MOST_VIEWS, SavedView},
    },
    server::{
        AppError,
        cache_keys::{self, SNAPSHOT_TTL},
        db::saved_views,
    },
};

/// What of a dashboard's address is kept.
const KEPT: [&str; 9] =
    ["range", "dateFrom", "dateTo", "compare", "interval", "metric", "product", "category", "status"];

/// What is kept of the parameters of an address: those that the dashboard knows, written as it writes them.
fn kept(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs = pairs.filter(|(name, value)| KEPT.contains(&name.as_ref()) && !value.is_empty());
    pairs.map(|(name, value)| format!("{name}={}", encode_segment(&value))).collect::<Vec<_>>().join("&")
}

/// The dashboard that an address with these parameters shows, and `more`.
pub fn back_to(query: &str, more: &str) -> String {
    let kept = kept(query);
    if kept.is_empty() { format!("/?{more}") } else { format!("/?{kept}&{more}") }
}

impl Analytics {
    /// Those of one user, by their names, through the cache, and the entry that they were served from: one for all
    /// users of the vendor, so that it can be there before any of them comes.
    pub async fn saved_views(
        &self,
        vendor: &VendorRef,
        user_id: i64,
    ) -> Result<(Vec<SavedView>, Option<Origin>), AppError> {
        let key = cache_keys::views_key(&vendor.external_id);
        let (db, vendor_id) = (self.db.clone(), vendor.id);
        let load = move || {
            costed(async move {
                let mut tx = db.read().await?;
                let views = saved_views::list(&mut tx, vendor_id).await?;
                tx.commit().await?;
                let bytes =
                    serde_json::to_vec(&views).map_err(|error| AppError::Internal(format!("saved views: {error}")))?;
                Ok(Loaded::new(bytes, SNAPSHOT_TTL))
            })
        };
        let served = self.cache.get_or_load_decoded(&key, &tags(vendor), load, from_json).await?;
        let origin = Origin::of(&key, &tags(vendor), &served);
        let all: Vec<(i64, SavedView)> = served.value;
        Ok((all.into_iter().filter(|(user, _)| *user == user_id).map(|(_, view)| view).collect(), origin))
    }

    /// Saves a view under a name, in place of another of that name. Returns the parameters that were kept, and whether the
    /// name is new.
    pub async fn save_view(
        &self,
        vendor: &VendorRef,
        user: &User,
        name: &str,
        query: &str,
    ) -> Result<(String, bool), AppError> {
        let (mut name, query) = (name.to_owned(), kept(query));
        let mut checks = Checks::default();
        checks.line("name", &mut name, MAX_VIEW_NAME);
        checks.require(query.chars().count() <= MAX_VIEW_QUERY, "query", || {
            format!("is longer than {MAX_VIEW_QUERY} characters")
        });
        checks.finish()?;
        let (user_id, vendor_id, tags) = (user.id, vendor.id, tags(vendor));
        write(&self.db, &self.cache, by_vendor(vendor, "view saved"), None, move |tx| {
            async move {
                let mut views = saved_views::list(tx, vendor_id).await?;
                views.retain(|(user, _)| *user == user_id);
                let is_new = views.iter().all(|(_, view)| view.name != name);
                if views.len() >= MOST_VIEWS && is_new {
                    return Err(AppError::Conflict(format!("You have {MOST_VIEWS} views. Delete one first.")));
                }
                saved_views::save(tx, user_id, &name, &query, Timestamp::now().as_microsecond()).await?;
                let [of_vendor, _] = tags;
                Ok(Written::stale((query, is_new), vec![of_vendor]))
            }
            .boxed()
        })
        .await
    }

    /// `NotFound` where there is none of this id, of this user.
    pub async fn delete_view(&self, vendor: &VendorRef, user: &User, view_id: &str) -> Result<(), AppError> {
        let id: i64 = view_id.parse().map_err(|_| AppError::NotFound)?;
        let (user_id, tags) = (user.id, tags(vendor));
        write(&self.db, &self.cache, by_vendor(vendor, "view deleted"), None, move |tx| {
            async move {
                if !saved_views::delete(tx, user_id, id).await? {
                    return Err(AppError::NotFound);
                }
                let [of_vendor, _] = tags;
                Ok(Written::stale((), vec![of_vendor]))
            }
            .boxed()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_what_the_dashboard_knows_is_kept() {
        let query = "range=last_month&x=1&category=Mugs+%26+more&compare=&next=//evil.example";
        assert_eq!(kept(query), "range=last_month&category=Mugs%20%26%20more");
    }
}
