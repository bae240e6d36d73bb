use vendorscope_cache::{Loaded, Origin};

use super::{
    analytics::{Analytics, tags},
    costed, from_json,
};
use crate::{
    domain::{accounts::VendorRef, period::DateRange, snapshot::CustomersUntil},
    server::{
        AppError,
        cache_keys::{self, SNAPSHOT_TTL},
        db::{customers, vendors},
    },
};

impl Analytics {
    /// How many customers a range had whose last day counts up to an hour of the vendor's clock (0 to 23), through the
    /// cache: and the entry that this was served from.
    pub async fn customers_until(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        hour: i8,
    ) -> Result<(CustomersUntil, Option<Origin>), AppError> {
        let key = cache_keys::customers_key(&vendor.external_id, &format!("{}:{}:{hour}", range.from, range.to));
        let (db, vendor_id) = (self.db.clone(), vendor.id);
        let load = move || {
            costed(async move {
                let mut tx = db.read().await?;
                let zone = vendors::find_time_zone(&mut tx, vendor_id).await?.ok_or(AppError::NotFound)?;
                let until = zone.to_ambiguous_timestamp(range.to.at(hour, 0, 0, 0)).compatible();
                let until = until.map_err(|error| AppError::Internal(format!("{hour}:00 of {}: {error}", range.to)))?;
                let counted = customers::count_until(&mut tx, vendor_id, range, until.as_microsecond()).await?;
                tx.commit().await?;
                let bytes =
                    serde_json::to_vec(&counted).map_err(|error| AppError::Internal(format!("customers: {error}")))?;
                Ok(Loaded::new(bytes, SNAPSHOT_TTL))
            })
        };
        let served = self.cache.get_or_load_decoded(&key, &tags(vendor), load, from_json).await?;
        let origin = Origin::of(&key, &tags(vendor), &served);
        Ok((served.value, origin))
    }
}
