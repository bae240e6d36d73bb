use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::report::{HealthEvent, InvalidationShown};
use crate::server_functions::admin::Percentiles;

/// How far a chart goes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum CourseRange {
    #[default]
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
}

impl CourseRange {
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "1 hour",
            Self::Day => "24 hours",
            Self::Week => "7 days",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.as_str() == text)
    }
}

/// What was counted over time, and what happened meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CacheCourse {
    pub range: CourseRange,
    /// What each point covers.
    pub step_seconds: u64,
    pub is_whole: bool,
    /// The oldest first, without gaps; the last is not over.
    pub points: Vec<CoursePoint>,
    pub events: Vec<HealthEvent>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CoursePoint {
    /// When it begins.
    pub at: Timestamp,
    pub hit_rate: Option<f64>,
    pub l1_hits: u64,
    pub store_hits: u64,
    pub misses: u64,
    pub bypasses: u64,
    pub stale: u64,
    pub loads: u64,
    pub load_time: Option<Percentiles>,
    pub invalidated_tags: u64,
}

/// One entry, without its payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CacheEntry {
    pub key: String,
    /// `served`, `absent`, `expired`, `invalidated`, `corrupt`, `undecodable` or `bypassed`: what a lookup would find.
    pub standing: String,
    /// The same in a sentence.
    pub why: String,
    pub header: Option<EntryHeader>,
}

/// What stands before an entry's payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EntryHeader {
    pub loaded_at: Timestamp,
    pub expires_at: Timestamp,
    pub age_seconds: u64,
    /// 0 where it has expired.
    pub left_seconds: u64,
    /// What loading it took, in milliseconds.
    pub load_ms: f64,
    pub schema: u32,
    /// Bytes of the payload, and in the store, with the header, compressed where that is smaller.
    pub payload_size: u64,
    pub stored_size: u64,
    /// Whether the instance that answers holds it in its own memory as well.
    pub is_near: bool,
    pub tags: Vec<EntryTag>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EntryTag {
    pub tag: String,
    /// The generation that the entry was stamped with before it was loaded.
    pub stamped: String,
    /// The one that counts now; `null` where the store has forgotten it.
    pub current: Option<String>,
    pub is_current: bool,
    /// Who invalidated it last, as far as it was written down.
    pub invalidated_by: Option<InvalidationShown>,
}

/// What an invalidation came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InvalidatedTags {
    /// Tags: each named one once.
    pub invalidated: u64,
    /// Entries that carried one of them, by their names: none of them is served any more. 0: nothing was cached under
    /// these tags. `null` where the store does not say.
    pub entries: Option<u64>,
    /// Whether not all keys could be looked at.
    pub is_estimate: bool,
}

/// What an action would cost, before it is done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ActionCost {
    /// Entries that are concerned, by their names: an estimate where not all keys could be looked at; `null` where the
    /// store does not say.
    pub entries: Option<u64>,
    pub is_estimate: bool,
    /// Vendors whose entries they are, by their ids; of many, some.
    pub vendors: Vec<String>,
    pub vendor_count: u64,
    /// About what loading all of them takes, by what a load took on average within the last day; `null` before the
    /// first load.
    pub database_seconds: Option<f64>,
}
