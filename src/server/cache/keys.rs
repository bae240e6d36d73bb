//! Every key and every lifetime of the cache, in one table.
//!
//! | key | holds | life |
//! | --- | --- | --- |
//! | `analytics:{vendor}:snapshot:FROM:TO:COMPARE:INTERVAL` | snapshot, as JSON | 300 s ± 10 %; 60 s ± 10 % where the range includes today; eight times as long after each reload that found nothing changed, up to 12 h or the vendor's midnight |
//! | `vendors:{vendor}:profile` | name, currency, zone | 300 s ± 10 % |
//! | `products:{vendor}:list:HASH`, `orders:{vendor}:list:HASH` | one page of a listing | 120 s ± 10 % |
//! | `admin:metrics:DETAIL` | figures of the whole marketplace | 300 s ± 10 % |
//! | `cache:stats` | hash of counts, summed over instances | until reset |
//! | `cache:stats:minute:N`, `cache:stats:hour:N` | the same of one minute or hour, counted from 1970 | 25 hours, 8 days |
//! | `tag:vendor:{vendor}`, `tag:products:{vendor}`, `tag:orders:{vendor}`, `tag:analytics`, `tag:marketplace` | the tag's generation | 7 days after its last use |
//!
//! `{…}` is written as it stands: on Redis Cluster the keys of one vendor share a slot by it. Ids are percent-encoded.
//! An entry stays in the store for [`STALE_FOR`] beyond its life, for the time its loader fails. Invalidations are published on the
//! channel `cache:invalidations`.

use std::time::Duration;

use crate::domain::{accounts::encode_segment, field_error::FieldError};

pub const SNAPSHOT_TTL: Duration = Duration::from_secs(300);
/// A range that includes today goes on changing without a write to it (a day ends), so it is kept a shorter time.
pub const SNAPSHOT_TODAY_TTL: Duration = Duration::from_secs(60);
/// What reloads go on finding unchanged lives longer, up to this, and never past the vendor's midnight.
pub const SNAPSHOT_LONGEST_TTL: Duration = Duration::from_secs(12 * 3600);
pub const PROFILE_TTL: Duration = Duration::from_secs(300);
pub const LISTING_TTL: Duration = Duration::from_secs(120);
pub const ADMIN_METRICS_TTL: Duration = Duration::from_secs(300);

/// Lifetimes vary by this share, up or down, so that what was loaded together does not expire together.
pub const TTL_JITTER: f64 = 0.1;
/// How much longer than its life an entry is kept, to be served as stale while its loader fails.
pub const STALE_FOR: Duration = Duration::from_secs(3600);

/// The hash that instances add their counts to.
pub(super) const STATS: &str = "cache:stats";
/// The same for one minute or hour, by its number since 1970, and for how long.
pub(super) fn stats_of(span: Span, number: u64) -> String {
    format!("{STATS}:{}:{number}", span.name())
}

/// Where invalidations are published.
pub(super) const INVALIDATIONS_CHANNEL: &str = "cache:invalidations";
/// A pattern for SCAN that matches every entry and little else; [`is_entry`] decides.
pub(super) const ENTRIES_PATTERN: &str = "[aopv]*:*";

/// Whether a key of the store is an entry's: neither a tag, a session nor a stranger's.
pub(super) fn is_entry(key: &[u8]) -> bool {
    ["analytics:", "vendors:", "products:", "orders:", "admin:metrics:"].iter().any(|family| key.starts_with(family.as_bytes()))
}

/// What counts are kept by, for charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Minute,
    Hour,
}

impl Span {
    pub const ALL: [Self; 2] = [Self::Minute, Self::Hour];

    fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }

    pub fn lasts(self) -> Duration {
        match self {
            Self::Minute => Duration::from_secs(60),
            Self::Hour => Duration::from_secs(3600),
        }
    }

    /// How long the counts of one are kept: a day of minutes, a week of hours, and one more of each.
    pub(super) fn kept(self) -> Duration {
        match self {
            Self::Minute => Duration::from_secs(25 * 3600),
            Self::Hour => Duration::from_secs(8 * 24 * 3600),
        }
    }

    /// The number of the span that this instant, in microseconds since 1970, is in.
    pub(super) fn number(self, at_micros: u64) -> u64 {
        at_micros / 1_000_000 / self.lasts().as_secs()
    }
}

/// The name of an entry in the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CacheKey(String);

impl CacheKey {
    /// `detail` names the range, comparison and interval: calendar days, never a preset's name.
    pub fn snapshot(vendor: &str, detail: &str) -> Self {
        Self(format!("analytics:{{{}}}:snapshot:{detail}", encode_segment(vendor)))
    }

    pub fn profile(vendor: &str) -> Self {
        Self(format!("vendors:{{{}}}:profile", encode_segment(vendor)))
    }

    pub fn products(vendor: &str, detail: &str) -> Self {
        Self(format!("products:{{{}}}:list:{detail}", encode_segment(vendor)))
    }

    pub fn orders(vendor: &str, detail: &str) -> Self {
        Self(format!("orders:{{{}}}:list:{detail}", encode_segment(vendor)))
    }

    /// Figures of the whole marketplace; `detail` names the range.
    pub fn admin_metrics(detail: &str) -> Self {
        Self(format!("admin:metrics:{detail}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The vendor it belongs to, as it is written in the key; for the log.
    pub fn vendor(&self) -> Option<&str> {
        self.0.split_once('{')?.1.split_once('}').map(|(vendor, _)| vendor)
    }
}

/// What a tag is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Vendor,
    Products,
    Orders,
    Analytics,
    Marketplace,
}

/// A name that entries are stamped with, and by which they are invalidated together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    pub fn vendor(vendor: &str) -> Self {
        Self(format!("vendor:{{{}}}", encode_segment(vendor)))
    }

    pub fn products(vendor: &str) -> Self {
        Self(format!("products:{{{}}}", encode_segment(vendor)))
    }

    pub fn orders(vendor: &str) -> Self {
        Self(format!("orders:{{{}}}", encode_segment(vendor)))
    }

    /// Every snapshot.
    pub fn analytics() -> Self {
        Self("analytics".to_owned())
    }

    /// Figures of the whole marketplace: stale with every vendor's sales.
    pub fn marketplace() -> Self {
        Self("marketplace".to_owned())
    }

    /// Reads a tag as people write it: `vendor:42`, `products:42`, `orders:42`, `analytics` or `marketplace`, with or without `tag:`
    /// before it.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let name = text.strip_prefix("tag:").unwrap_or(text);
        let id =
            |id: &str| Some(id.strip_prefix('{').and_then(|id| id.strip_suffix('}')).unwrap_or(id).to_owned()).filter(|id| !id.is_empty());
        match name.split_once(':').map_or((name, None), |(family, rest)| (family, id(rest))) {
            ("analytics", None) => Ok(Self::analytics()),
            ("marketplace", None) => Ok(Self::marketplace()),
            ("vendor", Some(id)) => Ok(Self::vendor(&id)),
            ("products", Some(id)) => Ok(Self::products(&id)),
            ("orders", Some(id)) => Ok(Self::orders(&id)),
            _ => {
                Err(FieldError::new("tags", format!("`{text}` is not accepted: vendor:ID, products:ID, orders:ID, analytics or marketplace")))
            }
        }
    }

    /// A tag whose name is known to be one: it was read from an entry.
    pub(super) fn from_name(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub fn family(&self) -> Family {
        match self.0.split_once(':').map_or(self.0.as_str(), |(family, _)| family) {
            "products" => Family::Products,
            "orders" => Family::Orders,
            "analytics" => Family::Analytics,
            "marketplace" => Family::Marketplace,
            _ => Family::Vendor,
        }
    }

    /// Without the `tag:` that it has in the store.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Where the store keeps its generation.
    pub fn key(&self) -> String {
        format!("tag:{}", self.0)
    }
}
