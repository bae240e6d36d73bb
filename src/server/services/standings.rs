//! Vendors side by side: what they sold in the last 28 days that are over, against the 28 before.

use jiff::{ToSpan, civil::Date};
use vendorscope_cache::{Loaded, Served};

use super::{costed, from_json, marketplace::Marketplace};
use crate::{
    domain::{
        field_error::Checks,
        market::{VendorSort, VendorStanding},
        money::divide_rounded,
        period::DateRange,
        position::{Position, SortValue},
        text::{non_empty, read_search},
    },
    server::{
        AppError,
        cache_keys::{self, ADMIN_METRICS_TTL},
        cursor,
        db::{search, standings},
    },
    server_functions::dashboard::Freshness,
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
    /// `next` of the page before.
    pub after: Option<&'a str>,
}

/// One page of vendors.
pub struct Standings {
    /// Of the figures.
    pub freshness: Freshness,
    pub range: DateRange,
    pub vendors: Vec<VendorStanding>,
    pub sort: VendorSort,
    pub next: Option<String>,
}

impl Marketplace {
    /// A page of 50. Figures are as old as the marketplace's may be; who may log in, and did, is as it is now.
    pub async fn standings(&self, today: Date, asked: &StandingParameters<'_>) -> Result<Standings, AppError> {
        let mut checks = Checks::default();
        let text = asked.search.and_then(|text| checks.accept(read_search(text, MAX_SEARCH))).flatten();
        let sort: VendorSort = non_empty(asked.sort).and_then(|text| checks.accept(text.parse())).unwrap_or_default();
        let list = format!("vendors.{}", sort.as_str());
        let after = non_empty(asked.after)
            .and_then(|text| checks.accept(cursor::decode(&list, sort == VendorSort::Name, text)));
        checks.finish()?;
        let range = DateRange { from: today.saturating_sub(DAYS.days()), to: today.saturating_sub(1.day()) };
        let served = self.load_standings(range).await?;
        let (freshness, mut vendors) = (cache_keys::freshness(&served), served.value);
        self.add_users(&mut vendors).await?;
        if let Some(text) = &text {
            let wanted = search::fold(text);
            vendors.retain(|vendor| {
                search::fold(&vendor.name).contains(&wanted) || vendor.vendor_id.to_lowercase().contains(&wanted)
            });
        }
        // What stood there may have moved, and the figures may be newer: the page begins behind the place.
        vendors.retain(|vendor| after.as_ref().is_none_or(|after| place(vendor, sort) > *after));
        vendors.sort_by_cached_key(|vendor| place(vendor, sort));
        let has_more = vendors.len() > PAGE;
        vendors.truncate(PAGE);
        let next = vendors.last().filter(|_| has_more).map(|last| cursor::encode(&list, &place(last, sort)));
        Ok(Standings { freshness, range, vendors, sort, next })
    }

    async fn load_standings(&self, range: DateRange) -> Result<Served<Vec<VendorStanding>>, AppError> {
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
        self.cache.get_or_load_decoded(&key, &[cache_keys::marketplace_tag()], load, from_json).await
    }

    async fn add_users(&self, vendors: &mut [VendorStanding]) -> Result<(), AppError> {
        let mut tx = self.db.read().await?;
        let mut users = standings::list_users(&mut tx).await?;
        tx.commit().await?;
        for vendor in vendors {
            (vendor.users, vendor.last_login_at) = users.remove(&vendor.vendor_id).unwrap_or_default();
        }
        Ok(())
    }
}

/// Where a vendor stands in the list. Amounts of different currencies are never compared: what rises and falls does so
/// in percent. Equals stand by name, which holds no line break, and id.
fn place(vendor: &VendorStanding, sort: VendorSort) -> Position {
    let change = || {
        let delta = (vendor.net_sales - vendor.previous_net_sales).checked_mul(1_000)?;
        divide_rounded(delta, vendor.previous_net_sales.abs())
    };
    let returned = || divide_rounded(vendor.returns.checked_mul(1_000)?, vendor.sold);
    // Those that cannot be told come last.
    let largest_first = |value: Option<i64>| value.map_or(i64::MAX, i64::saturating_neg);
    let value = match sort {
        VendorSort::Name => {
            return Position { value: SortValue::Text(vendor.name.clone()), id: vendor.vendor_id.clone() };
        }
        VendorSort::Orders => largest_first(Some(vendor.orders)),
        VendorSort::Rising => largest_first(change()),
        VendorSort::Falling => change().unwrap_or(i64::MAX),
        VendorSort::Returns => largest_first(returned()),
        VendorSort::LastOrder => vendor.last_order_at.map_or(i64::MIN, |at| at.as_microsecond()),
        VendorSort::LastLogin => vendor.last_login_at.map_or(i64::MIN, |at| at.as_microsecond()),
    };
    Position { value: SortValue::Integer(value), id: format!("{}\n{}", vendor.name, vendor.vendor_id) }
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
            users: 1,
            last_login_at: Some("2026-01-05T00:00:00Z".parse().unwrap()).filter(|_| id != "rising"),
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
            (VendorSort::LastLogin, "rising"),
        ] {
            vendors.sort_by_cached_key(|vendor| place(vendor, sort));
            assert_eq!(vendors[0].name, first, "{sort:?}");
        }
    }
}
