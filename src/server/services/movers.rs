//! What sells better and what sells worse than before, and what happened in the meantime.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use vendorscope_cache::{Key, Loaded, Origin, Payload, Served};

use super::{
    analytics::{Analytics, tags},
    costed, from_json, listing_detail,
};
use crate::{
    domain::{
        accounts::VendorRef,
        movers::{
            CategoryChange, MOST_NOTES, MOST_REFUNDS_NOTED, MOVERS, Movers, NewSince, Notes, ProductChange,
            StatusChange,
        },
        orders::OrderStatus,
        period::DateRange,
        snapshot::{Narrowed, ProductSales, StatusOrders, TOP},
    },
    server::{
        AppError,
        cache_keys::{self, SNAPSHOT_TTL},
        db::{Tx, movers, narrowed, own_notes, vendors},
    },
};

impl Analytics {
    /// Changes between two ranges, of a part of what is sold or of no part, through the cache, and the entry that they
    /// were served from.
    pub async fn movers(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        previous: DateRange,
        part: &Narrowed,
    ) -> Result<(Movers, Option<Origin>), AppError> {
        let served = self.get_movers(vendor, range, previous, part, from_json).await?;
        let origin = Origin::of(&movers_key(vendor, range, previous, part), &tags(vendor), &served);
        Ok((served.value, origin))
    }

    /// The same of no part, as JSON, as the API serves it.
    pub async fn movers_json(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        previous: DateRange,
    ) -> Result<Served<Payload>, AppError> {
        self.get_movers(vendor, range, previous, &Narrowed::default(), |payload| Ok(payload.clone())).await
    }

    async fn get_movers<T>(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        previous: DateRange,
        part: &Narrowed,
        decode: fn(&Payload) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        let key = movers_key(vendor, range, previous, part);
        let (db, vendor_id, part) = (self.db.clone(), vendor.id, part.clone());
        let load = move || {
            costed(async move {
                let mut tx = db.read().await?;
                let (compared, statuses) = match part.is_whole() {
                    true => (
                        movers::list_compared(&mut tx, vendor_id, range, previous).await?,
                        movers::list_statuses(&mut tx, vendor_id, range, previous).await?,
                    ),
                    false => of_part(&mut tx, vendor_id, range, previous, &part).await?,
                };
                tx.commit().await?;
                let is_empty = compared.is_empty() && statuses.is_empty();
                let movers = sort(compared, statuses);
                match part.is_whole() {
                    true => loaded(&movers),
                    // Of a category that there is not, perhaps: of those there are as many as anybody can think of.
                    false if is_empty => json(&movers).map(Loaded::passing),
                    false => Ok(loaded(&movers)?.not_standing_in()),
                }
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
    pub async fn notes_json(&self, vendor: &VendorRef, range: DateRange) -> Result<Served<Payload>, AppError> {
        self.get_notes(vendor, range, |payload| Ok(payload.clone())).await
    }

    async fn get_notes<T>(
        &self,
        vendor: &VendorRef,
        range: DateRange,
        decode: fn(&Payload) -> Result<T, AppError>,
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

fn movers_key(vendor: &VendorRef, range: DateRange, previous: DateRange, part: &Narrowed) -> Key {
    let mut detail = format!("{}:{}:{}:{}", range.from, range.to, previous.from, previous.to);
    if !part.is_whole() {
        detail.push_str(&format!(":{}", listing_detail(part)));
    }
    cache_keys::movers_key(&vendor.external_id, &detail)
}

fn loaded(value: &impl serde::Serialize) -> Result<Loaded, AppError> {
    Ok(Loaded::new(json(value)?, SNAPSHOT_TTL))
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, AppError> {
    serde_json::to_vec(value).map_err(|error| AppError::Internal(format!("movers: {error}")))
}

/// A product with its category and what it sold in both ranges, and how many orders each status has.
type Compared = (Vec<(ProductChange, String)>, Vec<StatusChange>);

/// What a part sold in both ranges, each read by itself: there are no sums of parts.
async fn of_part(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    previous: DateRange,
    part: &Narrowed,
) -> Result<Compared, AppError> {
    let now = narrowed::list_products(tx, vendor_id, range, part).await?;
    let before = narrowed::list_products(tx, vendor_id, previous, part).await?;
    let placed = narrowed::list_statuses(tx, vendor_id, range, part).await?;
    let placed_before = narrowed::list_statuses(tx, vendor_id, previous, part).await?;
    Ok((side_by_side(now, before), statuses_side_by_side(placed, placed_before)))
}

/// The best of the range first.
fn side_by_side(now: Vec<(ProductSales, String)>, before: Vec<(ProductSales, String)>) -> Vec<(ProductChange, String)> {
    let none = |product: &ProductSales| ProductChange {
        product_id: product.product_id.clone(),
        name: product.name.clone(),
        units: 0,
        previous_units: 0,
        net_sales: 0,
        previous_net_sales: 0,
    };
    let mut both: BTreeMap<String, (ProductChange, String)> = BTreeMap::new();
    for (product, category) in now {
        let entry = both.entry(product.product_id.clone()).or_insert_with(|| (none(&product), category));
        (entry.0.units, entry.0.net_sales) = (product.units, product.net_sales);
    }
    for (product, category) in before {
        let entry = both.entry(product.product_id.clone()).or_insert_with(|| (none(&product), category));
        (entry.0.previous_units, entry.0.previous_net_sales) = (product.units, product.net_sales);
    }
    let mut both: Vec<_> = both.into_values().collect();
    both.sort_by_key(|(product, _)| std::cmp::Reverse(product.net_sales));
    both
}

fn statuses_side_by_side(now: Vec<StatusOrders>, before: Vec<StatusOrders>) -> Vec<StatusChange> {
    let orders = |list: &[StatusOrders], status| {
        list.iter().filter(|entry| entry.status == status).map(|entry| entry.orders).sum::<i64>()
    };
    let changes = OrderStatus::ALL.map(|status| StatusChange {
        status,
        orders: orders(&now, status),
        previous_orders: orders(&before, status),
    });
    let mut changes: Vec<_> =
        changes.into_iter().filter(|change| change.orders != 0 || change.previous_orders != 0).collect();
    changes.sort_by_key(|change| change.status.as_str());
    changes
}

/// `compared` has the best of the range first.
fn sort(compared: Vec<(ProductChange, String)>, statuses: Vec<StatusChange>) -> Movers {
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
    let mut fallers: Vec<_> = products.into_iter().filter(|product| product.change() < 0).collect();
    // Those that fell by as much stay as they stand, by their ids.
    fallers.sort_by_key(ProductChange::change);
    fallers.truncate(MOVERS);
    Movers { risers, fallers, top_products, categories, statuses }
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
        let movers = sort(
            vec![
                of(product("a", 900, 1_000)),
                of(product("b", 500, 100)),
                of(product("c", 0, 700)),
                of(product("d", 0, 0)),
                of(product("e", 500, 600)),
            ],
            Vec::new(),
        );
        let ids = |list: &[ProductChange]| list.iter().map(|product| product.product_id.clone()).collect::<Vec<_>>();
        assert_eq!(
            (ids(&movers.risers), ids(&movers.fallers)),
            (vec!["b".to_owned()], vec!["c".to_owned(), "a".to_owned(), "e".to_owned()]),
            "of those that fell by as much, the first by its id stands first"
        );
        let mugs = &movers.categories[0];
        assert_eq!((mugs.net_sales, mugs.previous_net_sales), (1_900, 2_400));
    }

    #[test]
    fn what_a_part_sold_in_both_ranges_stands_side_by_side() {
        let sold = |id: &str, units, net_sales| {
            (ProductSales { product_id: id.to_owned(), name: id.to_owned(), units, net_sales }, "Mugs".to_owned())
        };
        let both = side_by_side(vec![sold("a", 1, 100), sold("b", 3, 300)], vec![sold("a", 2, 250), sold("c", 1, 90)]);
        let told = both.iter().map(|(product, _)| {
            let ProductChange { product_id, units, previous_units, net_sales, previous_net_sales, .. } = product;
            (product_id.as_str(), *units, *previous_units, *net_sales, *previous_net_sales)
        });
        assert_eq!(told.collect::<Vec<_>>(), [("b", 3, 0, 300, 0), ("a", 1, 2, 100, 250), ("c", 0, 1, 0, 90)]);
        let placed = |status, orders| StatusOrders { status, orders };
        let statuses = statuses_side_by_side(
            vec![placed(OrderStatus::Shipped, 2)],
            vec![placed(OrderStatus::Shipped, 1), placed(OrderStatus::Cancelled, 4)],
        );
        let told = statuses.iter().map(|change| (change.status, change.orders, change.previous_orders));
        assert_eq!(told.collect::<Vec<_>>(), [(OrderStatus::Cancelled, 0, 4), (OrderStatus::Shipped, 2, 1)]);
    }
}
