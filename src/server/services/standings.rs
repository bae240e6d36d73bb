//! Vendors side by side: what they sold in the last 28 days that are over, against the 28 before.

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::{Timestamp, ToSpan, civil::Date};
use vendorscope_cache::{Loaded, Served};

use super::{costed, from_json, marketplace::Marketplace};
use crate::{
    domain::{
        field_error::Checks,
        market::{VendorSort, VendorStanding},
        money::{Currency, permille},
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
        let after =
            non_empty(asked.after).and_then(|text| checks.accept(cursor::decode(&list, is_by_text(sort), text)));
        checks.finish()?;
        let range = DateRange { from: today.saturating_sub(DAYS.days()), to: today.saturating_sub(1.day()) };
        let served = self.load_standings(range).await?;
        let (freshness, mut vendors) = (cache_keys::freshness(&served), served.value);
        self.add_users(&mut vendors).await?;
        let currencies = by_orders(&vendors);
        if let Some(text) = &text {
            let wanted = search::fold(text);
            vendors.retain(|vendor| {
                search::fold(&vendor.name).contains(&wanted) || search::fold(&vendor.vendor_id).contains(&wanted)
            });
        }
        let mut placed: Vec<_> =
            vendors.into_iter().map(|vendor| (place(&vendor, sort, &currencies), vendor)).collect();
        // What stood there may have moved, and the figures may be newer: the page begins behind the place.
        placed.retain(|(place, _)| after.as_ref().is_none_or(|after| compare(place, after, sort).is_gt()));
        placed.sort_by(|(a, _), (b, _)| compare(a, b, sort));
        let has_more = placed.len() > PAGE;
        placed.truncate(PAGE);
        let next = placed.last().filter(|_| has_more).map(|(last, _)| cursor::encode(&list, last));
        let vendors = placed.into_iter().map(|(_, vendor)| vendor).collect();
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

/// The currencies, the one with the most orders first.
fn by_orders(vendors: &[VendorStanding]) -> Vec<Currency> {
    let mut orders: BTreeMap<&str, (i64, Currency)> = BTreeMap::new();
    for vendor in vendors {
        orders.entry(vendor.currency.code()).or_insert((0, vendor.currency)).0 += vendor.orders;
    }
    let mut currencies: Vec<_> = orders.into_values().collect();
    currencies.sort_by_key(|(orders, _)| std::cmp::Reverse(*orders));
    currencies.into_iter().map(|(_, currency)| currency).collect()
}

fn is_by_text(sort: VendorSort) -> bool {
    use VendorSort::*;
    matches!(sort, NetSalesDesc | NetSalesAsc | NameAsc | NameDesc | CountryAsc | CountryDesc)
}

/// Where a vendor stands in the list. Amounts of different currencies are never compared: vendors stand by currency,
/// and what rises and falls does so in percent. Equals stand by name, which holds no line break, and id.
fn place(vendor: &VendorStanding, sort: VendorSort, currencies: &[Currency]) -> Position {
    let change = || permille(vendor.net_sales - vendor.previous_net_sales, vendor.previous_net_sales.abs());
    let returned = || permille(vendor.returns, vendor.sold);
    // Those that cannot be told come last.
    let told = |value: Option<i64>| value.unwrap_or(if sort.is_descending() { i64::MIN } else { i64::MAX });
    // Those that never did come before those that did so long ago.
    let ever = |at: Option<Timestamp>| at.map_or(i64::MIN, |at| at.as_microsecond());
    use VendorSort::*;
    let value = match sort {
        NetSalesDesc | NetSalesAsc => {
            let rank = currencies.iter().position(|currency| *currency == vendor.currency).unwrap_or_default();
            SortValue::Text(in_currency(rank, vendor.net_sales, sort.is_descending()))
        }
        NameAsc | NameDesc => SortValue::Text(search::fold(&vendor.name)),
        CountryAsc | CountryDesc => SortValue::Text(search::fold(&vendor.country)),
        ChangeDesc | ChangeAsc => SortValue::Integer(told(change())),
        OrdersDesc | OrdersAsc => SortValue::Integer(vendor.orders),
        ReturnsDesc | ReturnsAsc => SortValue::Integer(told(returned())),
        LastOrderAsc | LastOrderDesc => SortValue::Integer(ever(vendor.last_order_at)),
        LastLoginAsc | LastLoginDesc => SortValue::Integer(ever(vendor.last_login_at)),
        UsersDesc | UsersAsc => SortValue::Integer(vendor.users),
    };
    Position { value, id: format!("{}\n{}", vendor.name, vendor.vendor_id) }
}

/// An amount as a text that sorts as amounts do, within its currency. The currencies stay in their order where the
/// amounts are turned around.
fn in_currency(rank: usize, amount: i64, is_descending: bool) -> String {
    const MOST: usize = 9_999;
    let rank = if is_descending { MOST - rank.min(MOST) } else { rank };
    format!("{rank:04} {:020}", i128::from(amount) - i128::from(i64::MIN))
}

fn compare(a: &Position, b: &Position, sort: VendorSort) -> Ordering {
    let by_value = a.value.cmp(&b.value);
    let by_value = if sort.is_descending() { by_value.reverse() } else { by_value };
    by_value.then_with(|| a.id.cmp(&b.id))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn sorted(vendors: &[VendorStanding], sort: VendorSort) -> Vec<String> {
        let currencies = by_orders(vendors);
        let mut placed: Vec<_> = vendors.iter().map(|vendor| (place(vendor, sort, &currencies), vendor)).collect();
        placed.sort_by(|(a, _), (b, _)| compare(a, b, sort));
        placed.into_iter().map(|(_, vendor)| vendor.vendor_id.clone()).collect()
    }

    #[test]
    fn each_way_to_sort_puts_first_whom_it_is_about() {
        let vendors = [
            vendor("steady", 100, 100, 1, Some("2026-01-03T00:00:00Z")),
            vendor("rising", 50, 10, 0, Some("2026-01-04T00:00:00Z")),
            vendor("falling", 10, 90, 30, Some("2026-01-02T00:00:00Z")),
            vendor("silent", 0, 0, 0, None),
        ];
        for (sort, order) in [
            ("net_sales_desc", ["steady", "rising", "falling", "silent"]),
            ("net_sales_asc", ["silent", "falling", "rising", "steady"]),
            ("name", ["falling", "rising", "silent", "steady"]),
            ("name_desc", ["steady", "silent", "rising", "falling"]),
            ("orders", ["steady", "rising", "falling", "silent"]),
            ("orders_asc", ["silent", "falling", "rising", "steady"]),
            // Whoever sold nothing before has not changed by so many percent.
            ("rising", ["rising", "steady", "falling", "silent"]),
            ("falling", ["falling", "steady", "rising", "silent"]),
            ("returns", ["falling", "steady", "rising", "silent"]),
            ("returns_asc", ["rising", "steady", "falling", "silent"]),
            ("last_order", ["silent", "falling", "steady", "rising"]),
            ("last_order_desc", ["rising", "steady", "falling", "silent"]),
            // Equals stand by their names.
            ("last_login", ["rising", "falling", "silent", "steady"]),
            ("users_desc", ["falling", "rising", "silent", "steady"]),
            ("country_desc", ["falling", "rising", "silent", "steady"]),
        ] {
            assert_eq!(sorted(&vendors, sort.parse().unwrap()), order, "{sort}");
        }
        assert_eq!(VendorSort::default().as_str(), "net_sales_desc");
        for (at, sort) in VendorSort::ALL.into_iter().enumerate() {
            assert_eq!(sort.as_str().parse(), Ok(sort));
            let first_way = VendorSort::ALL[at / 2 * 2].as_str();
            assert_eq!(sort.as_str().rsplit_once('_').unwrap().0, first_way.rsplit_once('_').unwrap().0, "in pairs");
        }
    }

    #[test]
    fn amounts_of_two_currencies_are_never_compared() {
        let of = |id: &str, currency: &str, orders, net_sales| VendorStanding {
            currency: Currency::parse(currency).unwrap(),
            orders,
            ..vendor(id, net_sales, 0, 0, None)
        };
        let names = ["Zweig", "árbol", "Berg"].map(|name| of(name, "EUR", 1, 1));
        assert_eq!(sorted(&names, VendorSort::NameAsc), ["árbol", "Berg", "Zweig"], "whatever their case and accents");
        let vendors =
            [of("a", "JPY", 1, 900_000), of("b", "EUR", 5, 20), of("c", "EUR", 5, -7), of("d", "JPY", 1, 1_000_000)];
        assert_eq!(sorted(&vendors, VendorSort::NetSalesDesc), ["b", "c", "d", "a"]);
        assert_eq!(sorted(&vendors, VendorSort::NetSalesAsc), ["c", "b", "a", "d"]);
    }
}
