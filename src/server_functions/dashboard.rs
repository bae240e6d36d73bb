/// The comparison of days that are not over.
mod cut;

pub use cut::WholePoint;
use cut::{cut_comparison, cut_customers, last_whole};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    ApiError,
    domain::{
        accounts::{Vendor, VendorRef, Viewer},
        clock::WallClock,
        field_error::FieldError,
        movers::{Movers, NewSince, Notes, finished},
        period::{Comparison, DateRange},
        snapshot::{Narrowed, Snapshot},
        views::SavedView,
    },
    words,
};

/// All that the dashboard page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    pub viewer: Viewer,
    pub vendor: Vendor,
    /// Today in the vendor's time zone.
    pub today: Date,
    /// With an unfinished last day, its comparison is cut at the same hour: see `unfinished`.
    pub snapshot: Snapshot,
    /// `None` where every day of the range is over.
    pub unfinished: Option<Unfinished>,
    /// Whether the customers of the comparison are cut at the hour too.
    pub customers_are_fair: bool,
    /// What the figures are of.
    pub part: Narrowed,
    /// Of the product that the figures are narrowed to.
    pub product_name: Option<String>,
    pub freshness: Freshness,
    /// Exact for the hours of the series, where it is cut into hours.
    pub clock: WallClock,
}

/// A range whose last day is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// The hour of the vendor's day that it is, to the nearest full one (0 to 24): the last day of the comparison
    /// counts up to it.
    pub until_hour: i8,
    pub now: Timestamp,
    /// The last point of the comparison with all of its last day, where the snapshot has it up to that hour.
    pub whole_before: Option<WholePoint>,
}

/// Where the figures came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    pub source: Source,
    /// Seconds since the figures were computed.
    pub age_seconds: u64,
}

impl Freshness {
    /// Of both together: stale where either is, then as old as the older of those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |of: &Self| (of.source == Source::Stale, of.age_seconds);
        std::cmp::max_by_key(self, other, rank)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    Hit,
    Miss,
    Stale,
    Bypass,
}

/// The parameters of the snapshot API, as texts from the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// From the first day on that there is anything of: then dates and comparison count for nothing.
    pub all_time: bool,
    /// Without dates: the last 28 days, today among them.
    pub date_from: Option<String>,
    pub date_to: Option<String>,
    pub compare: Option<String>,
    pub interval: Option<String>,
    /// What the figures are narrowed to.
    pub product: Option<String>,
    pub category: Option<String>,
    pub status: Option<String>,
}

/// `vendor_id` is required of admins, and refused to vendors: a vendor is who is logged in. `asked` is told which day
/// it is there.
pub async fn load_dashboard(
    vendor_id: Option<String>,
    asked: impl FnOnce(Date) -> Asked + Send,
) -> Result<Dashboard, ApiError> {
    let (state, viewer, of) = crate::server::context::vendor_to_show(vendor_id.as_deref()).await?;
    load(&state, viewer, &of, asked).await.map(|(dashboard, _)| dashboard)
}

/// The dashboard with the cache entries that it is made of: `None` among them for what none is.
async fn load(
    state: &crate::server::AppState,
    viewer: Viewer,
    of: &VendorRef,
    asked: impl FnOnce(Date) -> Asked + Send,
) -> Result<(Dashboard, Vec<Option<crate::server::context::Origin>>), ApiError> {
    use crate::server::{
        cache_keys, context,
        services::{
            analytics::{self, SnapshotQuery},
            narrowed::parse_narrowed,
        },
    };
    let profile = state.accounts.profile(of).await.map_err(context::api_error)?;
    let mut made_of = vec![state.accounts.profile_origin(of, &profile)];
    let vendor = profile.value;
    let today = analytics::today(&vendor);
    let mut asked = asked(today);
    if asked.all_time {
        let (first, origin) = state.analytics.first_day(of).await.map_err(context::api_error)?;
        made_of.push(origin);
        let range = DateRange::all_time(first, today);
        (asked.date_from, asked.date_to) = (Some(range.from.to_string()), Some(range.to.to_string()));
        // Before it there is nothing.
        asked.compare = Some(Comparison::None.as_str().to_owned());
    }
    let parse = |to: Option<&str>| {
        SnapshotQuery::parse(
            asked.date_from.as_deref(),
            to,
            asked.compare.as_deref(),
            asked.interval.as_deref(),
            Some(today),
        )
        .map_err(|invalid| context::api_error(invalid.into()))
    };
    let mut query = parse(asked.date_to.as_deref())?;
    if query.range.from > today {
        return Err(context::api_error(FieldError::new("dateFrom", words::IN_THE_FUTURE).into()));
    }
    if query.range.to > today {
        // What has not happened is not compared with what has.
        query = parse(Some(&today.to_string()))?;
    }
    let narrowed = parse_narrowed(asked.product.as_deref(), asked.category.as_deref(), asked.status.as_deref())
        .map_err(|invalid| context::api_error(invalid.into()))?;
    let served = state.analytics.narrowed(of, &query, &narrowed).await.map_err(context::api_error)?;
    made_of.push(state.analytics.origin(of, &query, &served));
    let freshness = cache_keys::freshness(&served);
    let mut snapshot = served.value;
    let now = Timestamp::now();
    let unfinished = (snapshot.range.to == today).then(|| Unfinished {
        until_hour: analytics::until_hour(&vendor.time_zone, now),
        now,
        whole_before: last_whole(&snapshot),
    });
    let mut customers_are_fair = true;
    if let (Some(unfinished), Some(comparison)) = (unfinished, snapshot.comparison) {
        let by_hour = SnapshotQuery::by_hour(comparison.to);
        let served = state.analytics.narrowed(of, &by_hour, &narrowed).await.map_err(context::api_error)?;
        made_of.push(state.analytics.origin(of, &by_hour, &served));
        let day = served.value;
        let clock =
            WallClock::covering(&vendor.time_zone, day.series.iter().filter_map(|point| point.start.parse().ok()));
        cut_comparison(&mut snapshot, &day, |at| clock.local(at).hour() < unfinished.until_hour);
        if unfinished.until_hour < 24 && !narrowed.is_whole() {
            // Nobody has counted those of a part of a day.
            customers_are_fair = false;
        } else if unfinished.until_hour < 24 {
            let before = DateRange { from: comparison.from, to: comparison.to };
            let until = state.analytics.customers_until(of, before, unfinished.until_hour).await;
            let (until, origin) = until.map_err(context::api_error)?;
            made_of.push(origin);
            cut_customers(&mut snapshot, day.totals.new_customers, &until);
        }
    }
    if !narrowed.is_paid() {
        // What was cut is worked out from points, which do not say so.
        snapshot.make_unpaid();
    }
    let points = snapshot.series.iter().chain(snapshot.previous_series.iter().flatten());
    let clock = WallClock::covering(&vendor.time_zone, points.filter_map(|point| point.start.parse().ok()));
    let product_name = match &narrowed.product {
        Some(id) => {
            let known = state.catalog.find_name(of, id).await.map_err(context::api_error)?;
            let (name, is_deleted) = known.ok_or(crate::server::AppError::NotFound).map_err(context::api_error)?;
            Some(words::product_or_deleted(name, is_deleted))
        }
        None => None,
    };
    if !narrowed.is_whole() {
        // Its product's name is read from the database.
        made_of.push(None);
    }
    let dashboard = Dashboard {
        viewer,
        vendor,
        today,
        snapshot,
        unfinished,
        customers_are_fair,
        part: narrowed,
        product_name,
        freshness,
        clock,
    };
    Ok((dashboard, made_of))
}

/// What changed beside the figures of a whole dashboard, and what happened; of a product's page, what happened alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// Days that are over, of both ranges; `None` without a comparison, or where no day is over.
    pub movers: Option<Movers>,
    pub notes: Notes,
    /// When whoever looks last looked before this visit, and what came in since: on their own dashboard alone.
    pub since: Option<(Timestamp, NewSince)>,
    /// What whoever looks has saved; `None` where they look at somebody else's.
    pub views: Option<Vec<SavedView>>,
    /// Exact for every note, and for the last look.
    pub clock: WallClock,
}

/// The dashboard with what explains it: all that its page shows.
pub async fn load_explained(
    vendor_id: Option<String>,
    asked: impl FnOnce(Date) -> Asked + Send,
) -> Result<(Dashboard, Why), ApiError> {
    use crate::server::context;
    let own = match vendor_id {
        Some(_) => None,
        None => Some(context::current_vendor().await?.1.user.id),
    };
    let (state, viewer, of) = context::vendor_to_show(vendor_id.as_deref()).await?;
    let (dashboard, mut made_of) = load(&state, viewer, &of, asked).await?;
    let snapshot = &dashboard.snapshot;
    let range = DateRange { from: snapshot.range.from, to: snapshot.range.to };
    let part = dashboard.part.clone();
    let compared = snapshot.comparison.and_then(|comparison| {
        let previous = DateRange { from: comparison.from, to: comparison.to };
        finished(range, previous, dashboard.unfinished.is_some())
    });
    let movers = match compared {
        Some((range, previous)) => {
            let (movers, origin) =
                state.analytics.movers(&of, range, previous, &part).await.map_err(context::api_error)?;
            made_of.push(origin);
            Some(movers)
        }
        None => None,
    };
    let (mut notes, origin) = state.analytics.notes(&of, range).await.map_err(context::api_error)?;
    made_of.push(origin);
    if part.product.is_some() || part.category.is_some() {
        let named = notes.notes.iter().filter_map(|note| note.product_id.as_deref());
        let of_part = state.catalog.list_of_part(&of, &part, named).await.map_err(context::api_error)?;
        // What is of no product holds for all of them; a refund is of an order, whatever else was on it.
        notes.notes.retain(|note| note.product_id.as_ref().map_or(note.order_id.is_none(), |id| of_part.contains(id)));
        notes.total = notes.notes.len() as i64;
    }
    let looked = if own.is_some() { context::last_look(of.id, Timestamp::now()) } else { None };
    let since = match looked {
        Some(looked) => {
            let (since, origin) = state.analytics.new_since(&of, looked).await.map_err(context::api_error)?;
            made_of.push(origin);
            Some((looked, since))
        }
        None => None,
    };
    let views = match own {
        Some(user_id) => {
            let (views, origin) = state.analytics.saved_views(&of, user_id).await.map_err(context::api_error)?;
            made_of.push(origin);
            Some(views)
        }
        None => None,
    };
    let instants = notes.notes.iter().map(|note| note.at).chain(looked);
    let clock = WallClock::covering(&dashboard.vendor.time_zone, instants);
    context::made_of(made_of);
    Ok((dashboard, Why { movers, notes, since, views, clock }))
}

/// The range that was chosen last in this browser, by its name.
pub fn remembered_range() -> Option<String> {
    crate::server::context::remembered_range()
}

/// Has this browser remember a range by its name.
pub fn remember_range(name: &str) {
    crate::server::context::remember_range(name);
}
