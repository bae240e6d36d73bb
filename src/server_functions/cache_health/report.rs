use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::server_functions::admin::{MissesByReason, MissesByTag, Percentiles};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    /// To be known; nothing has to be done.
    Notice,
    /// It works, and will not for long, or not as well as it should.
    Warning,
    /// It does not work.
    Bad,
}

/// What one rule has found, or that none has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The rule's name; it stays the same.
    pub rule: String,
    pub level: Level,
    /// What is the matter, in one sentence.
    pub sentence: String,
    /// Why, as far as it is known.
    pub reason: String,
    /// What to do; empty where there is nothing to do.
    pub remedy: String,
    /// The paragraph of the documentation; empty where none is needed.
    pub docs: String,
    /// Since when, as far as it is known.
    pub since: Option<Timestamp>,
}

/// What was counted in a stretch of time, all instances together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CountsWindow {
    /// Hits, misses and bypasses together.
    pub lookups: u64,
    pub hits: u64,
    /// Of the hits, those from the memory of the instance that was asked, and those from the store.
    pub l1_hits: u64,
    pub store_hits: u64,
    pub misses: u64,
    pub misses_by_reason: MissesByReason,
    pub misses_by_tag: MissesByTag,
    pub bypasses: u64,
    /// Answers that were older than they should be; misses or bypasses too.
    pub stale: u64,
    /// Percent of hits and misses, with two decimals; `null` without any.
    pub hit_rate: Option<f64>,
    pub loads: u64,
    pub load_failures: u64,
    pub coalesced: u64,
    pub lease_waits: u64,
    pub refreshes: u64,
    pub warmed: u64,
    pub invalidated_tags: u64,
    pub write_failures: u64,
    pub load_time: Option<Percentiles>,
    pub hit_time: Option<Percentiles>,
    pub savings: Savings,
}

/// What the cache has kept from the database: without it each lookup would have been a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Savings {
    /// Lookups less loads; never below 0.
    pub loads: u64,
    /// The same in percent of lookups, with one decimal; `null` without lookups.
    pub percent: Option<f64>,
    /// Statements of a load, on average; `null` before the first.
    pub statements_per_load: Option<f64>,
    /// Loads saved times that.
    pub statements: u64,
    /// Loads saved times what a load took on average.
    pub database_seconds: f64,
}

/// What was counted until now, over several stretches of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Windows {
    /// The last five minutes: what is meant by now.
    pub now: CountsWindow,
    pub hour: CountsWindow,
    pub day: CountsWindow,
    pub week: CountsWindow,
}

/// How one instance's cache fares, as the instance itself says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceState {
    /// Since when the store is not asked, because it does not answer: the circuit breaker is open.
    pub breaker_open_since: Option<Timestamp>,
    pub breaker_reason: Option<String>,
    /// How often the breaker has opened since the start.
    pub breaker_openings: u64,
    /// Invalidations that are not delivered yet, and for how many seconds it has not been able to deliver the oldest;
    /// `null` where it is.
    pub outbox_pending: u64,
    pub outbox_pending_seconds: Option<u64>,
    /// Milliseconds since the last look at the outbox; `null` before the first.
    pub outbox_looked_ms: Option<u64>,
    /// Whether the store that it speaks to is the one that counts.
    pub is_trusted: bool,
    /// Counted further whenever another store begins to count.
    pub epoch: Option<i64>,
    /// Entries in its own memory, before the store.
    pub near_entries: u64,
    pub near_bytes: u64,
    /// What the store's server does not let it do.
    pub refusal: Option<String>,
}

/// Whether an instance is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    Running,
    /// It has said nothing for a while: killed, or cut off from the database.
    Silent,
    /// It was stopped.
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstanceHealth {
    pub id: String,
    /// Machine and port.
    pub name: String,
    pub version: String,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    pub presence: Presence,
    /// Whether it is the one that answers.
    pub is_here: bool,
    pub level: Level,
    pub state: InstanceState,
}

/// What one Redis server of the cache says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RedisHealth {
    pub version: String,
    pub role: String,
    pub up_since: Timestamp,
    pub asked_at: Timestamp,
    /// Bytes.
    pub used_memory: u64,
    /// Bytes; 0 for no limit.
    pub max_memory: u64,
    pub memory_level: Level,
    /// What it does when its memory is full.
    pub policy: String,
    pub policy_level: Level,
    /// Since it was started, and as far as this instance has watched within the last hour.
    pub evicted_keys: u64,
    pub evicted_last_hour: u64,
    pub eviction_level: Level,
    pub expired_keys: u64,
    pub connections: u64,
    pub max_connections: u64,
    pub refused_connections: u64,
    pub connection_level: Level,
    /// On average since it was started.
    pub commands_per_day: u64,
    /// What a question and its answer take from this instance.
    pub latency_ms: f64,
    pub latency_level: Level,
}

/// Entries whose keys begin alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NamespaceUsage {
    pub name: String,
    /// An estimate where not all keys could be looked at.
    pub keys: u64,
    /// Bytes, estimated from `sampled` of them; `null` where none could be measured.
    pub memory: Option<u64>,
    pub sampled: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Namespaces {
    pub list: Vec<NamespaceUsage>,
    pub is_estimate: bool,
    pub looked_at: Timestamp,
}

/// Invalidations of one minute that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InvalidationShown {
    /// The last of them.
    pub at: Timestamp,
    /// As they are written to invalidate them; empty where they were too many to be told apart.
    pub tags: Vec<String>,
    pub who: String,
    pub why: String,
    pub times: u64,
}

/// An entry that all instances together are asked for often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MostRead {
    pub key: String,
    /// Lookups since `names_since`, however they ended.
    pub reads: u64,
    /// Whether `reads` may be too high, because more was asked for than is counted one by one.
    pub is_estimate: bool,
    pub is_served: bool,
    pub age_seconds: Option<u64>,
    /// Until it expires.
    pub left_seconds: Option<u64>,
    /// Bytes in the store.
    pub size: Option<u64>,
}

/// A tag that made lookups miss, of all instances together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MissedTag {
    /// As it is written to invalidate it.
    pub tag: String,
    /// Misses since `names_since`; one that several tags caused counts for each.
    pub misses: u64,
    /// Whether `misses` may be too high, because more tags caused some than are counted one by one.
    pub is_estimate: bool,
    /// What invalidated it most often since then, as far as it was written down.
    pub cause: Option<MissCause>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MissCause {
    pub who: String,
    pub why: String,
    pub times: u64,
}

/// Something that happened to the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HealthEvent {
    pub at: Timestamp,
    /// `started`, `released` (started with another version than the one before), `stopped`, `redis_away`, `redis_back`,
    /// `store_changed`, `counters_reset` or `verdict`.
    pub kind: String,
    /// In words.
    pub text: String,
    /// Machine and port of the instance.
    pub instance: String,
}

/// All of it but the counters since the last reset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CacheReport {
    pub computed_at: Timestamp,
    /// `redis` or `memory`.
    pub store: String,
    /// Whether the store could say what all instances have counted. While it cannot, counts are what it said last and
    /// what the instance that answers has counted since.
    pub is_whole: bool,
    /// When the counters of this answer were last reset; `null` for never.
    pub counted_since: Option<Timestamp>,
    pub verdict: Finding,
    /// What else is the matter, the worst first.
    pub also: Vec<Finding>,
    pub windows: Windows,
    pub instances: Vec<InstanceHealth>,
    pub redis: Vec<RedisHealth>,
    pub namespaces: Option<Namespaces>,
    pub invalidations: Vec<InvalidationShown>,
    /// Since when the next two are counted: an hour, and up to ten minutes more.
    pub names_since: Timestamp,
    pub most_read: Vec<MostRead>,
    pub missed_tags: Vec<MissedTag>,
    pub events: Vec<HealthEvent>,
}
