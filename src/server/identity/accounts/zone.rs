use futures::future::FutureExt;

use super::{Accounts, Actor, now_us};
use crate::domain::accounts::VendorRef;
use crate::{
    domain::clock::parse_time_zone,
    server::{
        AppError, cache_keys,
        db::{
            accounts::{AuditEntry, insert_audit},
            orders,
        },
        ingest,
        services::{Written, by_vendor, ingest::refused, write},
    },
};

impl Accounts {
    /// Gives the vendor's days another clock. Every order and refund moves to the day, and the hour, that it falls on
    /// there, and with them all figures: in one transaction, audited. Where it is the vendor's zone already, nothing is
    /// done. `Invalid` for a name that is none of IANA's.
    pub async fn change_time_zone(&self, vendor: &VendorRef, name: &str, actor: Actor<'_>) -> Result<bool, AppError> {
        let zone = parse_time_zone("timeZone", name.trim())?;
        let (who, address) = (actor.name.to_owned(), actor.address.map(str::to_owned));
        write(&self.db, &self.cache, by_vendor(vendor, "time zone changed"), None, {
            let vendor = vendor.clone();
            move |tx| {
                async move {
                    let before = orders::lock_vendor(tx, vendor.id).await?.ok_or(AppError::NotFound)?.time_zone;
                    if before == zone {
                        return Ok(Written::nothing(false, Some(vec![cache_keys::vendor_tag(&vendor.external_id)])));
                    }
                    ingest::move_to_zone(tx, vendor.id, &zone).await.map_err(refused)?;
                    let detail = format!("vendor {}: {before} to {zone}", vendor.external_id);
                    let (was, became) = (format!("\"{before}\""), format!("\"{zone}\""));
                    let entry = AuditEntry {
                        at_us: now_us(),
                        actor: &who,
                        action: "time_zone_change",
                        detail: &detail,
                        address: address.as_deref(),
                        was: Some(was),
                        became: Some(became),
                    };
                    insert_audit(tx, &entry).await?;
                    Ok(Written::stale(
                        true,
                        vec![cache_keys::vendor_tag(&vendor.external_id), cache_keys::marketplace_tag()],
                    ))
                }
                .boxed()
            }
        })
        .await
    }
}
