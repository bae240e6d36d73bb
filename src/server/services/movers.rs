//! What sells better and what sells worse than before, and what happened in the meantime.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{Timestamp, ToSpan};
use vendorscope_cache::{Key, Loaded, Origin, Served};

use super::{
    analytics::{Analytics, tags},
    costed, from_json,
};
use crate::{
    domain::{
        accounts::VendorRef,
        movers::{CategoryChange, MOST_NOTES, MOST_REFUNDS_NOTED, MOVERS, Movers, NewSince, Notes, ProductChange},
        period::DateRange,
        snapshot::TOP,
    },
    server::{
        AppError,
        cache_keys::{self, SNAPSHOT_TTL},
        db::{movers, own_notes, vendors},
    },
};

impl Analytics {
    /// Changes between two ranges, through the cache, and the entry that they were served from.
    pub async fn movers(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        previous: DateRange,
    ) -> Result<(Movers, Option<Origin>), AppError> {
        let served = self.get_movers(vendor, range, previous, from_json).await?;
        let origin = Origin::of(&movers_key(vendor, range, previous), &tags(vendor), &served);
        Ok((served.value, origin))
    }

    /// The same as JSON, as the API serves it.
    pub async fn movers_json(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        previous: DateRange,
    ) -> Result<Served<Bytes>, AppError> {
        self.get_movers(vendor, range, previous, |bytes| Ok(bytes.clone())).await
    }

    async fn get_movers<T>(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        previous: DateRange,
        decode: fn(&Bytes) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        let key = movers_key(vendor, range, previous);
        let (db, vendor_id) = (self.db.clone(), vendor.id);
        let load = move || {
            costed(async move {
                let mut tx = db.read().await?;
                let compared = movers::list_compared(&mut tx, vendor_id, range, previous).await?;
                tx.commit().await?;
                loaded(&sort(compared))
            })
        };
        self.cache.get_or_load_decoded(&key, &tags(vendor), load, decode).await
    }

    /// What happened on the days of a range, through the cache, and the entry that it was served from.
    pub async fn notes(&self, vendor: &VendorRef, range: DateRange) -> Result<(Notes, Option<Origin>), AppError> {
        let served = self.get_notes(vendor, range, from_json).await?;
        let origin = Origin::of(&notes_key(vendor, range), &tags(vendor), &served);
        Ok((served.value, origin))
    }

    /// The same, as JSON.
    pub async fn notes_json(&self, vendor: &VendorRef, range: DateRange) -> Result<Served<Bytes>, AppError> {
        self.get_notes(vendor, range, |bytes| Ok(bytes.clone())).await
    }

    async fn get_notes<T>(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        decode: fn(&Bytes) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        let key = notes_key(vendor, range);
        let (db, vendor_id) = (self.db.clone(), vendor.id);
        let load = move || {
            costed(async move {
                let mut tx = db.read().await?;
                let zone = vendors::find_time_zone(&mut tx, vendor_id).await?.ok_or(AppError::NotFound)?;
                let midnight = |day: jiff::civil::Date| {
                    let at = zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
                    at.map(|at| at.as_microsecond())
                        .map_err(|error| AppError::Internal(format!("midnight of {day}: {error}")))
                };
                let (from, to) = (midnight(range.from)?, midnight(range.to.saturating_add(1.day()))?);
                let mut notes = movers::list_notes(&mut tx, vendor_id, from, to, MOST_NOTES).await?;
                let refunds = movers::list_unusual_refunds(&mut tx, vendor_id, from, to, MOST_REFUNDS_NOTED).await?;
                notes.own = own_notes::list(&mut tx, vendor_id, range, MOST_NOTES).await?;
                tx.commit().await?;
                notes.total += refunds.len() as i64;
                notes.notes.extend(refunds);
                notes.notes.sort_by_key(|note| std::cmp::Reverse(note.at));
                notes.notes.truncate(MOST_NOTES);
                loaded(&notes)
            })
        };
        self.cache.get_or_load_decoded(&key, &tags(vendor), load, decode).await
    }

    /// What came in from an instant on, through the cache, and the entry that it was served from.
    pub async fn new_since(
        &self,
        vendor: &VendorRef,
        since: Timestamp,
    ) -> Result<(NewSince, Option<Origin>), AppError> {
        let key = cache_keys::since_key(&vendor.external_id, &since.as_second().to_string());
        let (db, vendor_id) = (self.db.clone(), vendor.id);
        let load = move || {
            costed(async move {
                let mut tx = db.read().await?;
                let counted = movers::count_since(&mut tx, vendor_id, since.as_microsecond()).await?;
                tx.commit().await?;
                loaded(&counted)
            })
        };
        let served = self.cache.get_or_load_decoded(&key, &tags(vendor), load, from_json).await?;
        let origin = Origin::of(&key, &tags(vendor), &served);
        Ok((served.value, origin))
    }
}

fn notes_key(vendor: &VendorRef, range: DateRange) -> Key {
    cache_keys::notes_key(&vendor.external_id, &format!("{}:{}", range.from, range.to))
}

fn movers_key(vendor: &VendorRef, range: DateRange, previous: DateRange) -> Key {
    let detail = format!("{}:{}:{}:{}", range.from, range.to, previous.from, previous.to);
    cache_keys::movers_key(&vendor.external_id, &detail)
}

fn loaded(value: &impl serde::Serialize) -> Result<Loaded, AppError> {
    let bytes = serde_json::to_vec(value).map_err(|error| AppError::Internal(format!("movers: {error}")))?;
    Ok(Loaded::new(bytes, SNAPSHOT_TTL))
}

/// `compared` has the best of the range first.
fn sort(compared: Vec<(ProductChange, String)>) -> Movers {
    let mut categories: BTreeMap<String, CategoryChange> = BTreeMap::new();
    for (product, category) in &compared {
        let sums = categories.entry(category.clone()).or_insert_with(|| CategoryChange {
            category: category.clone(),
            net_sales: 0,
            previous_net_sales: 0,
        });
        sums.net_sales += product.net_sales;
        sums.previous_net_sales += product.previous_net_sales;
    }
    let mut categories: Vec<_> = categories.into_values().collect();
    categories.sort_by_key(|category| std::cmp::Reverse(category.net_sales));
    let mut products: Vec<ProductChange> = compared.into_iter().map(|(product, _)| product).collect();
    let top_products = products.iter().take(TOP).cloned().collect();
    products.sort_by(|a, b| b.change().cmp(&a.change()).then_with(|| a.product_id.cmp(&b.product_id)));
    let risers = products.iter().filter(|product| product.change() > 0).take(MOVERS).cloned().collect();
    let fallers = products.iter().rev().filter(|product| product.change() < 0).take(MOVERS).cloned().collect();
    Movers { risers, fallers, top_products, categories }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rose_most_and_what_fell_most_stand_first() {
        let product = |id: &str, net_sales, previous_net_sales| ProductChange {
            product_id: id.to_owned(),
            name: id.to_owned(),
            units: 0,
            previous_units: 0,
            net_sales,
            previous_net_sales,
        };
        let of = |product: ProductChange| (product, "Mugs".to_owned());
        let movers = sort(vec![
            of(product("a", 900, 1_000)),
            of(product("b", 500, 100)),
            of(product("c", 0, 700)),
            of(product("d", 0, 0)),
        ]);
        let ids = |list: &[ProductChange]| list.iter().map(|product| product.product_id.clone()).collect::<Vec<_>>();
        assert_eq!(
            (ids(&movers.risers), ids(&movers.fallers)),
            (vec!["b".to_owned()], vec!["c".to_owned(), "a".to_owned()])
        );
        let mugs = &movers.categories[0];
        assert_eq!((mugs.net_sales, mugs.previous_net_sales), (1_400, 1_800));
    }
}
