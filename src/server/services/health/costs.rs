use std::collections::BTreeSet;

use vendorscope_cache::{Cache, Key, Span, Tag, times::Timing};

use super::{Health, facts::sum};
use crate::{server::cache_keys, server_functions::cache_health::ActionCost};

/// Vendors that are named.
const NAMED: usize = 10;

/// Entries that carry one of some tags, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carriers {
    pub entries: u64,
    /// Whether not all keys could be looked at.
    pub is_estimate: bool,
    /// By their ids.
    pub vendors: BTreeSet<String>,
}

/// `None` where the store does not say.
pub async fn find_carriers(cache: &Cache, tags: &[Tag]) -> Option<Carriers> {
    let listing = cache.list_entries().await.ok()?;
    let is_concerned = |name: &&String| tags.iter().any(|tag| cache_keys::carries(name, tag));
    let concerned: Vec<&String> = listing.names.iter().filter(is_concerned).collect();
    let seen = listing.names.len().max(1) as u64;
    Some(Carriers {
        entries: concerned.len() as u64 * listing.entries / seen,
        is_estimate: listing.is_estimate,
        vendors: concerned.iter().filter_map(|name| cache_keys::vendor_of_key(name)).collect(),
    })
}

impl Health {
    /// What it costs to invalidate these: the entries that carry one of them.
    pub async fn cost_of_invalidating(&self, tags: &[Tag]) -> ActionCost {
        match find_carriers(&self.cache, tags).await {
            Some(carriers) => self.cost(carriers.entries, carriers.is_estimate, carriers.vendors).await,
            None => ActionCost { is_estimate: true, ..ActionCost::default() },
        }
    }

    /// What it costs to load those of these that are not there.
    pub async fn cost_of_loading(&self, keys: &[(Key, String)]) -> ActionCost {
        let mut missing = BTreeSet::new();
        let mut entries = 0;
        for (key, vendor) in keys {
            if self.entry(key).await.standing != "served" {
                entries += 1;
                missing.insert(vendor.clone());
            }
        }
        self.cost(entries, false, missing).await
    }

    async fn cost(&self, entries: u64, is_estimate: bool, vendors: BTreeSet<String>) -> ActionCost {
        let times = sum(&self.cache.course(Span::Minute, 24 * 60).await.spans).times(Timing::Load);
        let seconds = (times.count() > 0).then(|| times.sum().as_secs_f64() / times.count() as f64 * entries as f64);
        ActionCost {
            entries: Some(entries),
            is_estimate,
            vendor_count: vendors.len() as u64,
            vendors: vendors.into_iter().take(NAMED).collect(),
            database_seconds: seconds.map(|seconds| (seconds * 1_000.0).round() / 1_000.0),
        }
    }
}
