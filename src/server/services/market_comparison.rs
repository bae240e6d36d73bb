//! The whole marketplace against the time before. Where a range is not over, each vendor's comparison counts up to the
//! same hour of the same day by its own clock: nobody is compared with hours that it has not had.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan, Unit, tz::TimeZone};
use vendorscope_cache::{Loaded, Payload, Served};

use super::{analytics::daily, costed, from_json, marketplace::Marketplace};
use crate::{
    domain::{
        market::TOP_VENDORS,
        market_comparison::{
            CurrencyComparison, LEAST_RISE, LISTED, MarketComparison, PreviousPoint, VendorChange, VendorReturns,
        },
        period::{DateRange, Interval, day_from_number, day_number},
        snapshot::Sums,
    },
    server::{
        AppError,
        cache_keys::{self, ADMIN_METRICS_TTL},
        db::{
            Db, DbError,
            marketplace::{
                self,
                comparison::{self, Compared, MarketHour, VendorBeside, tail},
            },
            vendors,
        },
    },
};

/// How long a moment lasts, in seconds: no zone is anything but whole quarters of an hour away from UTC, so that hours
/// begin, and are half over, with one.
const MOMENT: i64 = 900;

impl Marketplace {
    /// Through the cache: stale with every vendor's sales, and another entry with every moment of a range that is not
    /// over.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "marketplace.comparison", skip_all)]
    pub async fn comparison(
        &self,
        range: DateRange,
        previous: DateRange,
        now: Timestamp,
    ) -> Result<Served<MarketComparison>, AppError> {
        self.get_comparison(range, previous, now, from_json).await
    }

    /// The same as JSON, as the API serves it.
    pub async fn comparison_json(
        &self,
        range: DateRange,
        previous: DateRange,
        now: Timestamp,
    ) -> Result<Served<Payload>, AppError> {
        self.get_comparison(range, previous, now, |payload| Ok(payload.clone())).await
    }

    async fn get_comparison<T>(
        &self,
        range: DateRange,
        previous: DateRange,
        now: Timestamp,
        decode: fn(&Payload) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        let moment = moment(range, now);
        let cut = moment.map_or_else(|| "-".to_owned(), |moment| moment.as_second().to_string());
        let detail = format!("{}:{}:{}:{}:{cut}", range.from, range.to, previous.from, previous.to);
        let key = cache_keys::market_comparison_key(&detail);
        let db = self.db.clone();
        let load = move || costed(async move { load(&db, range, previous, moment).await });
        self.cache.get_or_load_decoded(&key, &[cache_keys::marketplace_tag()], load, decode).await
    }
}

/// When the comparison is cut, rounded down; `None` where the range is over in every zone: the last of them is twelve
/// hours behind UTC.
fn moment(range: DateRange, now: Timestamp) -> Option<Timestamp> {
    let last_today = now.to_zoned(TimeZone::UTC).date().saturating_sub(1.day());
    let moment = Timestamp::from_second(now.as_second().div_euclid(MOMENT) * MOMENT).ok()?;
    (range.to >= last_today).then_some(moment)
}

/// Where a zone stands in a range that is not over.
struct Standing {
    zone: TimeZone,
    /// Hours of the comparison that began before count, in microseconds since 1970.
    cut_us: i64,
    /// How many hours of the range's last day have begun: 0 to 24.
    begun: usize,
}

impl Standing {
    /// Without a moment the range is over.
    fn new(zone: TimeZone, range: DateRange, previous: DateRange, moment: Option<Timestamp>) -> Self {
        let over = |zone| Self { zone, cut_us: i64::MAX, begun: 24 };
        let Some(moment) = moment else { return over(zone) };
        let local = moment.to_zoned(zone.clone()).datetime();
        // Days of the range that have not begun.
        let left = day_number(range.to) - day_number(local.date());
        if left < 0 {
            return over(zone);
        }
        // To the nearest full hour, as on a vendor's dashboard.
        let until = local.round(Unit::Hour).unwrap_or(local);
        let days_on = day_number(until.date()) - day_number(local.date());
        let day = day_from_number(day_number(previous.to) - left + days_on);
        let cut = zone.to_ambiguous_timestamp(day.at(until.hour(), 0, 0, 0)).compatible();
        let cut_us = cut.map_or(i64::MAX, |cut| cut.as_microsecond());
        let begun = if left > 0 { 0 } else { usize::from(local.hour().unsigned_abs()) + 1 };
        Self { zone, cut_us, begun }
    }

    /// The hour that this zone's clock showed, 0 to 23.
    fn hour(&self, hour_us: i64) -> usize {
        let at = Timestamp::from_microsecond(hour_us).unwrap_or_default();
        usize::from(self.zone.to_datetime(at).hour().unsigned_abs())
    }
}

/// At most four statements, however many vendors there are, all of them from one state of the database.
async fn load(db: &Db, range: DateRange, previous: DateRange, moment: Option<Timestamp>) -> Result<Loaded, AppError> {
    let mut tx = db.read().await?;
    let zones = comparison::list_zones(&mut tx).await?;
    let standing = |name: &str| vendors::time_zone(name).map(|zone| Standing::new(zone, range, previous, moment));
    let standings: BTreeMap<String, Standing> =
        zones.iter().map(|(_, name)| Ok((name.clone(), standing(name)?))).collect::<Result<_, DbError>>()?;
    let cuts: Vec<_> = standings.iter().map(|(zone, standing)| (zone.clone(), standing.cut_us)).collect();
    let is_unfinished = cuts.iter().any(|(_, cut_us)| *cut_us < i64::MAX);
    let compared = Compared { range, previous, cuts: if is_unfinished { &cuts } else { &[] } };
    let vendors = comparison::list_vendors(&mut tx, &compared).await?;
    let days = marketplace::list_days(&mut tx, previous).await?;
    let by_hour = range.days() == 1;
    let hours = match (by_hour, is_unfinished) {
        (true, _) => comparison::list_hours(&mut tx, [day_number(previous.from), day_number(range.to)]).await?,
        (false, true) => comparison::list_hours(&mut tx, tail(previous)).await?,
        (false, false) => Vec::new(),
    };
    tx.commit().await?;
    let compared = Read { range, previous, is_unfinished, zones, standings, days, hours }.compare(vendors);
    let bytes = serde_json::to_vec(&compared?).map_err(|error| AppError::Internal(format!("comparison: {error}")))?;
    Ok(Loaded::new(bytes, ADMIN_METRICS_TTL))
}

/// What was read of both ranges, beside the vendors' sums.
struct Read {
    range: DateRange,
    previous: DateRange,
    is_unfinished: bool,
    /// Every pair of currency and zone.
    zones: Vec<(String, String)>,
    standings: BTreeMap<String, Standing>,
    /// Of the range before, by currency and day.
    days: BTreeMap<String, BTreeMap<i64, Sums>>,
    /// Of one day and the one before it, or of as much of the range before as may count in part.
    hours: Vec<MarketHour>,
}

impl Read {
    fn compare(&self, vendors: Vec<VendorBeside>) -> Result<MarketComparison, AppError> {
        let (silent, silent_total) = silent(&vendors);
        let (returning, returning_total) = returning(&vendors);
        let mut by_currency: BTreeMap<String, Vec<VendorChange>> = BTreeMap::new();
        for vendor in &vendors {
            by_currency.entry(vendor.currency.code().to_owned()).or_default().push(change(vendor));
        }
        let currencies = by_currency.into_iter().map(|(code, vendors)| self.currency(&code, vendors));
        Ok(MarketComparison {
            from: self.previous.from,
            to: self.previous.to,
            is_unfinished: self.is_unfinished,
            currencies: currencies.collect::<Result<_, _>>()?,
            silent,
            silent_total,
            returning,
            returning_total,
        })
    }

    fn currency(&self, code: &str, mut vendors: Vec<VendorChange>) -> Result<CurrencyComparison, AppError> {
        let currency = vendors::currency(code)?;
        let (net_sales, previous_net_sales) =
            (vendors.iter().map(|vendor| vendor.net_sales).sum(), vendors.iter().map(|v| v.previous_net_sales).sum());
        let by_hour = self.range.days() == 1;
        let previous = if by_hour { self.previous_hours(code) } else { self.previous_points(code) };
        vendors.sort_by(|a, b| b.change().cmp(&a.change()).then_with(|| a.vendor_id.cmp(&b.vendor_id)));
        let risers = vendors.iter().filter(|vendor| vendor.change() > 0).take(LISTED).cloned().collect();
        let mut fallers: Vec<_> = vendors.iter().filter(|vendor| vendor.change() < 0).cloned().collect();
        // Those that fell by as much stay as they stand, by their ids.
        fallers.sort_by_key(VendorChange::change);
        fallers.truncate(LISTED);
        vendors.retain(|vendor| vendor.orders != 0 || vendor.net_sales != 0);
        vendors.sort_by(|a, b| b.net_sales.cmp(&a.net_sales).then_with(|| a.vendor_id.cmp(&b.vendor_id)));
        vendors.truncate(TOP_VENDORS);
        Ok(CurrencyComparison {
            currency,
            net_sales,
            previous_net_sales,
            hours: if by_hour { self.hours_begun(code) } else { Vec::new() },
            previous,
            top_vendors: vendors,
            risers,
            fallers,
        })
    }

    /// The hours of one currency, each with where its zone stands.
    fn hours_of<'a>(&'a self, code: &'a str) -> impl Iterator<Item = (&'a MarketHour, &'a Standing)> {
        let hours = self.hours.iter().filter(move |hour| hour.currency == code);
        hours.filter_map(|hour| Some((hour, self.standings.get(&hour.time_zone)?)))
    }

    fn hours_begun(&self, code: &str) -> Vec<i64> {
        let day = day_number(self.range.to);
        let mut sums = vec![0; 24];
        for (hour, standing) in self.hours_of(code).filter(|(hour, _)| hour.day == day) {
            sums[standing.hour(hour.hour_us)] += hour.net_sales;
        }
        let of_currency = self.zones.iter().filter(|(currency, _)| currency == code);
        let begun = of_currency.filter_map(|(_, zone)| Some(self.standings.get(zone)?.begun)).max();
        sums.truncate(begun.unwrap_or_default());
        sums
    }

    fn previous_hours(&self, code: &str) -> Vec<PreviousPoint> {
        let day = day_number(self.previous.to);
        let mut points = vec![PreviousPoint::default(); 24];
        for (hour, standing) in self.hours_of(code).filter(|(hour, _)| hour.day == day) {
            let point = &mut points[standing.hour(hour.hour_us)];
            point.whole += hour.net_sales;
            if hour.hour_us < standing.cut_us {
                point.net_sales += hour.net_sales;
            }
        }
        points
    }

    fn previous_points(&self, code: &str) -> Vec<PreviousPoint> {
        let interval = Interval::automatic(self.range);
        let starts = self.previous.starts_beside(interval, &self.range);
        let none = BTreeMap::new();
        let series = daily(self.previous, &starts, self.days.get(code).unwrap_or(&none));
        let mut points: Vec<_> =
            series.iter().map(|point| PreviousPoint { net_sales: point.net_sales, whole: point.net_sales }).collect();
        for (hour, _) in self.hours_of(code).filter(|(hour, standing)| hour.hour_us >= standing.cut_us) {
            let at = starts.partition_point(|start| day_number(*start) <= hour.day);
            if let Some(point) = at.checked_sub(1).and_then(|at| points.get_mut(at)) {
                point.net_sales -= hour.net_sales;
            }
        }
        points
    }
}

fn change(vendor: &VendorBeside) -> VendorChange {
    VendorChange {
        vendor_id: vendor.vendor_id.clone(),
        name: vendor.name.clone(),
        currency: vendor.currency,
        orders: vendor.now.orders,
        previous_orders: vendor.before.orders,
        net_sales: vendor.now.net_sales(),
        previous_net_sales: vendor.before.net_sales(),
    }
}

/// Those without an order that counts, and how many there are.
fn silent(vendors: &[VendorBeside]) -> (Vec<VendorChange>, i64) {
    let mut silent: Vec<_> = vendors.iter().filter(|vendor| vendor.now.orders == 0).collect();
    let total = silent.len() as i64;
    silent.sort_by_key(|vendor| (std::cmp::Reverse(vendor.before.orders), &vendor.name, &vendor.vendor_id));
    (silent.into_iter().take(LISTED).map(change).collect(), total)
}

/// Those of whose sales a larger part came back than before, and how many there are.
fn returning(vendors: &[VendorBeside]) -> (Vec<VendorReturns>, i64) {
    let rates = vendors.iter().filter_map(|vendor| {
        let (rate, previous_rate) = (vendor.now.return_rate()?, vendor.before.return_rate()?);
        let of = |text: &String| text.clone();
        Some(VendorReturns { vendor_id: of(&vendor.vendor_id), name: of(&vendor.name), rate, previous_rate })
    });
    let mut rising: Vec<_> = rates.filter(|vendor| vendor.rise() >= LEAST_RISE).collect();
    let total = rising.len() as i64;
    rising.sort_by(|a, b| b.rise().cmp(&a.rise()).then_with(|| a.vendor_id.cmp(&b.vendor_id)));
    rising.truncate(LISTED);
    (rising, total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{market_comparison::VendorFigures, money::Currency};

    fn range(from: &str, to: &str) -> DateRange {
        DateRange::parse(from, to).unwrap()
    }

    fn standing(zone: &str, moment: &str) -> (String, usize) {
        let (now, before) = (range("2026-11-26", "2026-11-26"), range("2026-11-25", "2026-11-25"));
        let standing = Standing::new(TimeZone::get(zone).unwrap(), now, before, moment_of(now, moment));
        (Timestamp::from_microsecond(standing.cut_us).map_or("never".to_owned(), |at| at.to_string()), standing.begun)
    }

    fn moment_of(range: DateRange, now: &str) -> Option<Timestamp> {
        moment(range, now.parse().unwrap())
    }

    #[test]
    fn each_zone_is_compared_up_to_its_own_hour() {
        for (zone, now, cut, begun) in [
            ("UTC", "2026-11-26T09:20:00Z", "2026-11-25T09:00:00Z", 10),
            ("UTC", "2026-11-26T09:30:00Z", "2026-11-25T10:00:00Z", 10),
            // It is 14:50 there, and 18:20.
            ("Asia/Kolkata", "2026-11-26T09:20:00Z", "2026-11-25T09:30:00Z", 15),
            ("Asia/Tokyo", "2026-11-26T09:20:00Z", "2026-11-25T09:00:00Z", 19),
            // Yesterday still: its day before counts in part, and of the last one nothing.
            ("America/Los_Angeles", "2026-11-26T05:20:00Z", "2026-11-25T05:00:00Z", 0),
            // The next day, there: that one is over.
            ("Pacific/Kiritimati", "2026-11-26T11:00:00Z", "never", 24),
            // The last half hour of a day counts as all of it.
            ("UTC", "2026-11-26T23:45:00Z", "2026-11-26T00:00:00Z", 24),
        ] {
            assert_eq!(standing(zone, now), (cut.to_owned(), begun), "{zone} {now}");
        }
    }

    #[test]
    fn what_is_over_everywhere_is_not_cut_and_kept_by_its_days_alone() {
        let yesterday = range("2026-11-24", "2026-11-25");
        assert_eq!(moment_of(yesterday, "2026-11-27T00:00:00Z"), None);
        // West of UTC it is not over.
        assert_eq!(
            moment_of(yesterday, "2026-11-26T09:29:59Z"),
            Some("2026-11-26T09:15:00Z".parse().unwrap()),
            "another one each quarter of an hour"
        );
    }

    fn vendor(id: &str, [sold, returns, orders]: [i64; 3], before: [i64; 3]) -> VendorBeside {
        let figures = |[sold, returns, orders]: [i64; 3]| VendorFigures { sold, returns, orders };
        VendorBeside {
            vendor_id: id.to_owned(),
            name: id.to_owned(),
            currency: Currency::parse("EUR").unwrap(),
            now: figures([sold, returns, orders]),
            before: figures(before),
        }
    }

    #[test]
    fn who_stands_out_is_listed_and_the_rest_counted() {
        let vendors = vec![
            vendor("a", [10_000, 1_500, 20], [10_000, 500, 20]),
            vendor("b", [10_000, 3_000, 20], [10_000, 500, 20]),
            // Of so few, and by so little, it is no news.
            vendor("c", [1_000, 1_000, 1], [1_000, 0, 1]),
            vendor("d", [10_000, 590, 20], [10_000, 500, 20]),
            vendor("e", [0, 0, 0], [900, 0, 3]),
            // A refund alone is no sale.
            vendor("f", [0, 100, 0], [5_000, 0, 9]),
        ];
        let (rising, total) = returning(&vendors);
        let rising: Vec<_> = rising.iter().map(|v| (v.vendor_id.as_str(), v.rate, v.previous_rate)).collect();
        assert_eq!((rising, total), (vec![("b", 300, 50), ("a", 150, 50)], 2));
        let (silent, total) = silent(&vendors);
        let silent: Vec<_> = silent.iter().map(|vendor| vendor.vendor_id.as_str()).collect();
        assert_eq!((silent, total), (vec!["f", "e"], 2));
        let read = Read {
            range: range("2026-03-01", "2026-03-07"),
            previous: range("2026-02-22", "2026-02-28"),
            is_unfinished: false,
            zones: vec![("EUR".to_owned(), "UTC".to_owned())],
            standings: BTreeMap::new(),
            days: BTreeMap::new(),
            hours: Vec::new(),
        };
        let eur = read.compare(vendors).unwrap().currencies.remove(0);
        let ids = |list: &[VendorChange]| list.iter().map(|vendor| vendor.vendor_id.clone()).collect::<Vec<_>>();
        assert_eq!((eur.net_sales, eur.previous_net_sales), (24_810, 35_400));
        assert_eq!(ids(&eur.top_vendors), ["d", "a", "b", "c", "f"]);
        assert_eq!(ids(&eur.risers), Vec::<String>::new());
        // Those that fell by as much stand by their ids.
        assert_eq!(ids(&eur.fallers), ["f", "b", "a", "c", "e"]);
    }
}
