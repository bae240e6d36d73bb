//! Keeping what is asked for most in the cache: before it expires, and after it was invalidated. An instance knows what
//! it was asked for itself; where several keep the same warm, the cache's leases see to it that one loads.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use foldhash::fast::RandomState;
use jiff::Timestamp;
use moka::future::Cache as Moka;
use tokio::{
    sync::broadcast::error::TryRecvError,
    time::{Instant, sleep},
};
use vendorscope_cache::Cache;

use super::analytics::{self, Analytics, SnapshotQuery};
use crate::{
    domain::{accounts::VendorRef, field_error::FieldError, movers::finished, snapshot::Narrowed},
    server::{AppError, cache_keys, identity::accounts::Accounts},
};

/// What nobody has asked for this long is not popular, whatever it was before.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
/// From this many requests on.
const POPULAR_FROM: u64 = 3;
/// Remembered at the same time; the least used give way.
const REMEMBERED: u64 = 2_000;
/// Kept from expiring at the same time, the most popular of all.
const KEPT: usize = 50;
/// Warmed after a change, for each vendor.
const KEPT_OF_A_VENDOR: usize = 3;
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between looks for what is about to expire.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// A vendor whose data changes all the time is warmed this often at most.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How often each snapshot was asked for lately.
pub struct Popularity(Moka<(VendorRef, SnapshotQuery), Arc<AtomicU64>, RandomState>);

impl Default for Popularity {
    fn default() -> Self {
        let asked = Moka::builder().max_capacity(REMEMBERED).time_to_idle(FORGOTTEN_AFTER);
        Self(asked.build_with_hasher(RandomState::default()))
    }
}

impl Popularity {
    pub async fn note(&self, snapshot: &(VendorRef, SnapshotQuery), times: u64) {
        let asked = self.0.get_with_by_ref(snapshot, async { Arc::default() }).await;
        asked.fetch_add(times, Ordering::Relaxed);
    }

    /// The most popular first.
    pub fn ranking(&self) -> Vec<(VendorRef, SnapshotQuery)> {
        let counted = self.0.iter().map(|(snapshot, asked)| (asked.load(Ordering::Relaxed), (*snapshot).clone()));
        let mut popular: Vec<_> = counted.filter(|(asked, _)| *asked >= POPULAR_FROM).collect();
        popular.sort_by_key(|(asked, _)| std::cmp::Reverse(*asked));
        popular.into_iter().map(|(_, snapshot)| snapshot).collect()
    }
}

/// Warms until the process ends.
pub async fn keep_warm(cache: &Cache, analytics: &Analytics) {
    let mut messages = cache.subscribe();
    let (mut swept, mut warmed) = (Instant::now(), HashMap::<String, Instant>::new());
    // Changed, and not warmed yet.
    let mut changed = HashSet::new();
    loop {
        sleep(LOOK_EVERY).await;
        let ranking = analytics.popularity().ranking();
        let vendors: HashSet<_> = ranking.iter().map(|(vendor, _)| vendor.external_id.clone()).collect();
        loop {
            match messages.try_recv() {
                Ok(event) => changed.extend(
                    vendors.iter().filter(|vendor| !cache_keys::changed_for(&event, vendor).is_empty()).cloned(),
                ),
                Err(TryRecvError::Lagged(_)) => changed.extend(vendors.iter().cloned()),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed) => return,
            }
        }
        warmed.retain(|_, when| when.elapsed() < AGAIN_AFTER);
        changed.retain(|vendor| vendors.contains(vendor));
        let due: Vec<_> = changed.iter().filter(|vendor| !warmed.contains_key(*vendor)).cloned().collect();
        for vendor in due {
            let theirs: Vec<_> = ranking
                .iter()
                .filter(|(other, _)| other.external_id == vendor)
                .take(KEPT_OF_A_VENDOR)
                .cloned()
                .collect();
            warm(analytics, &theirs).await;
            changed.remove(&vendor);
            warmed.insert(vendor, Instant::now());
        }
        if swept.elapsed() >= SWEEP_EVERY {
            warm(analytics, &ranking[..ranking.len().min(KEPT)]).await;
            swept = Instant::now();
        }
    }
}

/// Loads those of these snapshots that the cache does not have, one after the other. Returns how many. What cannot be
/// loaded is logged and left to whoever asks for it.
pub async fn warm(analytics: &Analytics, snapshots: &[(VendorRef, SnapshotQuery)]) -> usize {
    let mut loaded = 0;
    for (vendor, query) in snapshots {
        match analytics.warm(vendor, query).await {
            Ok(was_loaded) => loaded += usize::from(was_loaded),
            Err(error) => tracing::warn!(vendor = vendor.external_id, %error, "not warmed"),
        }
    }
    loaded
}

/// What the dashboard of a vendor shows when it is opened. `Invalid` where there is no such vendor.
pub async fn opening_snapshot(accounts: &Accounts, vendor_id: &str) -> Result<(VendorRef, SnapshotQuery), AppError> {
    let vendor = match accounts.find_vendor(vendor_id).await {
        Err(AppError::NotFound) => {
            return Err(FieldError::new("vendorIds", format!("there is no vendor `{vendor_id}`")).into());
        }
        found => found?,
    };
    let today = analytics::today(&accounts.vendor(&vendor).await?);
    let query = SnapshotQuery::parse(None, None, None, None, Some(today))?;
    Ok((vendor, query))
}

/// Warms what a dashboard shows when it is opened, and the last day of its comparison by hours, which today is compared
/// with. Returns how many of `snapshots` had to be loaded.
pub async fn warm_dashboards(analytics: &Analytics, snapshots: &[(VendorRef, SnapshotQuery)]) -> usize {
    let loaded = warm(analytics, snapshots).await;
    let days = snapshots.iter().filter_map(|(vendor, query)| {
        let before = query.range.compared(query.comparison)?;
        Some((vendor.clone(), SnapshotQuery::by_hour(before.to)))
    });
    warm(analytics, &days.collect::<Vec<_>>()).await;
    for (vendor, query) in snapshots {
        if let Err(error) = warm_beside(analytics, vendor, query).await {
            tracing::warn!(vendor = vendor.external_id, %error, "not warmed");
        }
    }
    loaded
}

/// What the dashboard shows beside a snapshot of days up to today: what moved, what happened, and the customers of its
/// comparison up to the hour.
async fn warm_beside(analytics: &Analytics, vendor: &VendorRef, query: &SnapshotQuery) -> Result<(), AppError> {
    analytics.notes(vendor, query.range).await?;
    // Of nobody: all users' are one entry.
    analytics.saved_views(vendor, 0).await?;
    let Some(previous) = query.range.compared(query.comparison) else { return Ok(()) };
    if let Some((range, previous)) = finished(query.range, previous, true) {
        analytics.movers(vendor, range, previous, &Narrowed::default()).await?;
    }
    let time_zone = analytics.snapshot(vendor, query).await?.value.time_zone;
    let hour = analytics::until_hour(&time_zone, Timestamp::now());
    if hour < 24 {
        analytics.customers_until(vendor, previous, hour).await?;
    }
    Ok(())
}
