//! How far back "All time" goes.

use jiff::civil::Date;
use vendorscope_cache::{Cache, Key, Loaded, Origin, Served, Tag};

use super::{
    analytics::{Analytics, tags},
    costed, from_json,
    marketplace::Marketplace,
};
use crate::{
    domain::{accounts::VendorRef, period::day_from_number},
    server::{
        AppError,
        cache_keys::{self, ADMIN_METRICS_TTL, SNAPSHOT_TTL},
        db::{Db, snapshot},
    },
};

impl Analytics {
    /// The first day of a vendor's that there is anything of, through the cache, and the entry that it was served from.
    pub async fn first_day(&self, vendor: &VendorRef) -> Result<(Option<Date>, Option<Origin>), AppError> {
        let (key, tags) = (cache_keys::first_day_key(&vendor.external_id), tags(vendor));
        let served = get(&self.db, &self.cache, &key, &tags, Some(vendor.id)).await?;
        let origin = Origin::of(&key, &tags, &served);
        Ok((served.value, origin))
    }
}

impl Marketplace {
    /// The first day of any vendor's that there is anything of, through the cache.
    pub async fn first_day(&self) -> Result<Served<Option<Date>>, AppError> {
        let tags = [cache_keys::marketplace_tag()];
        get(&self.db, &self.cache, &cache_keys::market_first_day_key(), &tags, None).await
    }
}

async fn get(
    db: &Db,
    cache: &Cache,
    key: &Key,
    tags: &[Tag],
    vendor_id: Option<i64>,
) -> Result<Served<Option<Date>>, AppError> {
    let db = db.clone();
    let ttl = if vendor_id.is_some() { SNAPSHOT_TTL } else { ADMIN_METRICS_TTL };
    let load = move || {
        costed(async move {
            let mut tx = db.read().await?;
            let day = snapshot::find_first_day(&mut tx, vendor_id).await?.map(day_from_number);
            tx.commit().await?;
            let bytes = serde_json::to_vec(&day).map_err(|error| AppError::Internal(format!("first day: {error}")))?;
            Ok(Loaded::new(bytes, ttl))
        })
    };
    cache.get_or_load_decoded(key, tags, load, from_json).await
}
