//! Vendors side by side: what they sold in the last 28 days that are over, against the 28 before.

use std::{cmp::Reverse, collections::HashMap};

use jiff::{ToSpan, civil::Date};
use vendorscope_cache::Loaded;

use super::{costed, from_json, marketplace::Marketplace};
use crate::{
    domain::{
        field_error::Checks,
        market::{VendorSort, VendorStanding},
        money::divide_rounded,
        period::DateRange,
        text::{non_empty, read_search},
    },
    server::{
        AppError,
        cache_keys::{self, ADMIN_METRICS_TTL},
        db::{search, standings},
    },
};

/// Vendors on one page.
const PAGE: usize = 50;
/// The longest search text, in characters.
const MAX_SEARCH: usize = 200;
const DAYS: i64 = 28;

/// Which vendors to list, as texts from an address.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandingParameters<'a> {
    pub search: Option<&'a str>,
    pub sort: Option<&'a str>,
    /// From 1.
    pub page: Option<&'a str>,
}

/// One page of vendors, each with how many users it has.
pub struct Standings {
    pub range: DateRange,
    pub vendors: Vec<(VendorStanding, i64)>,
    pub sort: VendorSort,
    pub next: Option<usize>,
}

impl Marketplace {
    /// A page of 50. Figures are as old as the marketplace's may be; who may log in is as it is now.
    pub async fn standings(&self, today: Date, asked: &StandingParameters<'_>) -> Result<Standings, AppError> {
        let mut checks = Checks::default();
        let text = asked.search.and_then(|text| checks.accept(read_search(text, MAX_SEARCH))).flatten();
        let sort = non_empty(asked.sort).and_then(|text| checks.accept(text.parse())).unwrap_or_default();
        let page: usize = match non_empty(asked.page).map(str::parse) {
            None => 1,
            Some(Ok(page)) if page > 0 => page,
            Some(_) => {
                checks.require(false, "page", || "must be a whole number from 1 on".to_owned());
                1
            }
        };
        checks.finish()?;
        let range = DateRange { from: today.saturating_sub(DAYS.days()), to: today.saturating_sub(1.day()) };
        let mut vendors = self.load_standings(range).await?;
        if let Some(text) = &text {
            let wanted = search::fold(text);
            vendors.retain(|vendor| {
                search::fold(&vendor.name).contains(&wanted) || vendor.vendor_id.to_lowercase().contains(&wanted)
            });
        }
        order(&mut vendors, sort);
        let has_more = vendors.len() > page.saturating_mul(PAGE);
        let vendors: Vec<_> = vendors.into_iter().skip((page - 1).saturating_mul(PAGE)).take(PAGE).collect();
        let users = self.count_users(&vendors).await?;
        let of = |id: &str| users.get(id).copied().unwrap_or_default();
        let vendors = vendors.into_iter().map(|vendor| (of(&vendor.vendor_id), vendor));
        let vendors = vendors.map(|(users, vendor)| (vendor, users)).collect();
        Ok(Standings { range, vendors, sort, next: has_more.then_some(page + 1) })
    }

    async fn load_standings(&self, range: DateRange) -> Result<Vec<VendorStanding>, AppError> {
        let key = cache_keys::standings_key(&format!("{}:{}", range.from, range.to));
        let db = self.db.clone();
        let load = move || {
            costed(async move {
                let to = range.from.saturating_sub(1.day());
                let previous = DateRange { from: to.saturating_sub((DAYS - 1).days()), to };
                let mut tx = db.read().await?;
                let vendors = standings::list(&mut tx, range, previous).await?;
                tx.commit().await?;
                let bytes =
                    serde_json::to_vec(&vendors).map_err(|error| AppError::Internal(format!("standings: {error}")))?;
                Ok(Loaded::new(bytes, ADMIN_METRICS_TTL))
            })
        };
        Ok(self.cache.get_or_load_decoded(&key, &[cache_keys::marketplace_tag()], load, from_json).await?.value)
    }

    async fn count_users(&self, vendors: &[VendorStanding]) -> Result<HashMap<String, i64>, AppError> {
        let ids: Vec<&str> = vendors.iter().map(|vendor| vendor.vendor_id.as_str()).collect();
        let mut tx = self.db.read().await?;
        let users = standings::count_users(&mut tx, &ids).await?;
        tx.commit().await?;
        Ok(users)
    }
}

/// Amounts of different currencies are never compared: what rises and falls does so in percent.
fn order(vendors: &mut [VendorStanding], sort: VendorSort) {
    let change = |vendor: &VendorStanding| {
        let delta = (vendor.net_sales - vendor.previous_net_sales).checked_mul(1_000)?;
        divide_rounded(delta, vendor.previous_net_sales.abs())
    };
    let returned = |vendor: &VendorStanding| divide_rounded(vendor.returns.checked_mul(1_000)?, vendor.sold);
    vendors.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.vendor_id.cmp(&b.vendor_id)));
    match sort {
        VendorSort::Name => {}
        VendorSort::Orders => vendors.sort_by_key(|vendor| Reverse(vendor.orders)),
        VendorSort::Rising => vendors.sort_by_key(|vendor| Reverse(change(vendor))),
        // Those that cannot be told come last.
        VendorSort::Falling => vendors.sort_by_key(|vendor| (change(vendor).is_none(), change(vendor))),
        VendorSort::Returns => vendors.sort_by_key(|vendor| Reverse(returned(vendor))),
        VendorSort::LastOrder => vendors.sort_by_key(|vendor| vendor.last_order_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn vendor(id: &str, net_sales: i64, previous_net_sales: i64, returns: i64, last: Option<&str>) -> VendorStanding {
        VendorStanding {
            vendor_id: id.to_owned(),
            name: id.to_owned(),
            country: String::new(),
            currency: Currency::parse("EUR").unwrap(),
            net_sales,
            previous_net_sales,
            sold: net_sales + returns,
            returns,
            orders: net_sales,
            last_order_at: last.map(|at| at.parse().unwrap()),
        }
    }

    #[test]
    fn each_way_to_sort_puts_first_whom_it_is_about() {
        let mut vendors = [
            vendor("steady", 100, 100, 1, Some("2026-01-03T00:00:00Z")),
            vendor("rising", 50, 10, 0, Some("2026-01-04T00:00:00Z")),
            vendor("falling", 10, 90, 30, Some("2026-01-02T00:00:00Z")),
            vendor("silent", 0, 0, 0, None),
        ];
        for (sort, first) in [
            (VendorSort::Name, "falling"),
            (VendorSort::Orders, "steady"),
            (VendorSort::Rising, "rising"),
            (VendorSort::Falling, "falling"),
            (VendorSort::Returns, "falling"),
            (VendorSort::LastOrder, "silent"),
        ] {
            order(&mut vendors, sort);
            assert_eq!(vendors[0].name, first, "{sort:?}");
        }
    }
}
