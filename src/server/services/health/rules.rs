//! When the cache is not well, why, and what to do: every rule in one table. The first that finds something is the
//! verdict; what the others find stands below it.

use jiff::Timestamp;

use super::facts::{Facts, lookups};
use crate::{
    format::{self, counted},
    server_functions::cache_health::{Finding, Level},
};

/// What one rule looks for.
pub struct Rule {
    /// Stays the same: machines go by it.
    pub name: &'static str,
    pub level: Level,
    /// The paragraph that says more.
    pub docs: &'static str,
    find: fn(&Facts) -> Option<Found>,
}

/// What a rule has found.
struct Found {
    sentence: String,
    reason: String,
    remedy: &'static str,
    since: Option<Timestamp>,
}

/// What is worse stands first.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    Rule { name: "redis_away", level: Level::Bad, docs: "docs/operations.md#redis-is-away", find: redis_away },
    Rule { name: "redis_refuses", level: Level::Bad, docs: "docs/redis.md#rights", find: redis_refuses },
    Rule { name: "stores_differ", level: Level::Bad, find: stores_differ,
        docs: "docs/operations.md#instances-do-not-agree-on-their-store" },
    Rule { name: "outbox_stuck", level: Level::Bad, docs: "docs/operations.md#invalidations-wait", find: outbox_stuck },
    Rule { name: "outbox_unseen", level: Level::Bad, find: outbox_unseen,
        docs: "docs/operations.md#invalidations-wait" },
    Rule { name: "loads_fail", level: Level::Bad, docs: "docs/operations.md#not-ready", find: loads_fail },
    Rule { name: "redis_full", level: Level::Bad, docs: "docs/redis.md#memory-and-eviction", find: redis_full },
    Rule { name: "values_not_kept", level: Level::Warning, find: values_not_kept,
        docs: "docs/operations.md#redis-is-away" },
    Rule { name: "hit_rate_fell", level: Level::Warning, find: hit_rate_fell,
        docs: "docs/operations.md#the-hit-rate-falls" },
    Rule { name: "redis_evicts", level: Level::Warning, docs: "docs/redis.md#memory-and-eviction", find: redis_evicts },
    Rule { name: "loads_slow", level: Level::Warning, docs: "docs/operations.md#slow", find: loads_slow },
    Rule { name: "redis_slow", level: Level::Warning, docs: "docs/operations.md#slow", find: redis_slow },
    Rule { name: "connections_scarce", level: Level::Warning, find: connections_scarce,
        docs: "docs/redis.md#memory-and-eviction" },
    Rule { name: "instance_silent", level: Level::Warning, find: instance_silent,
        docs: "docs/operations.md#an-instance-is-silent" },
    Rule { name: "sessions_evictable", level: Level::Warning, find: sessions_evictable,
        docs: "docs/redis.md#memory-and-eviction" },
    Rule { name: "releases_differ", level: Level::Notice, docs: "docs/deployment.md", find: releases_differ },
    Rule { name: "redis_was_away", level: Level::Notice, find: redis_was_away,
        docs: "docs/operations.md#redis-is-away" },
];

/// Lookups below which a share of them says nothing.
const FEW: u64 = 50;
/// What is meant by lately, in minutes.
const LATELY: usize = 10;

/// What all rules find, the worst first. Of rules of the same level, those that stand first in the table.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let found = RULES.iter().filter_map(|rule| {
        let Found { sentence, reason, remedy, since } = (rule.find)(facts)?;
        Some(Finding {
            rule: rule.name.to_owned(),
            level: rule.level,
            sentence,
            reason,
            remedy: remedy.to_owned(),
            docs: rule.docs.to_owned(),
            since,
        })
    });
    found.collect()
}

/// What there is to say where no rule finds anything. Not since when: that is written down.
pub fn well(facts: &Facts) -> Finding {
    let hour = facts.last(60);
    let asked = lookups(&hour);
    let (sentence, reason) = match hour.hit_rate_percent() {
        Some(rate) if asked >= FEW => (
            format!("The cache is well: {rate:.1}% of the last hour's lookups were answered from it."),
            format!(
                "{} within the last hour. Of {} rules, none has found anything.",
                counted_u(asked, "lookup", "lookups"),
                RULES.len()
            ),
        ),
        _ => (
            "The cache is well, and hardly anybody asks.".to_owned(),
            format!(
                "{} within the last hour: too few for a share to say anything.",
                counted_u(asked, "lookup", "lookups")
            ),
        ),
    };
    Finding {
        rule: "well".to_owned(),
        level: Level::Ok,
        sentence,
        reason,
        remedy: String::new(),
        docs: String::new(),
        since: None,
    }
}

fn minutes_since(facts: &Facts, since: Timestamp) -> usize {
    usize::try_from(facts.now.duration_since(since).as_secs() / 60 + 1).unwrap_or(1)
}

fn number(value: u64) -> String {
    format::count(i64::try_from(value).unwrap_or(i64::MAX))
}

fn counted_u(value: u64, one: &str, many: &str) -> String {
    counted(i64::try_from(value).unwrap_or(i64::MAX), one, many)
}

/// Rules about what is counted.
mod figures;
/// Rules about instances and their Redis.
mod state;

use figures::{hit_rate_fell, loads_fail, loads_slow, values_not_kept};
use state::{
    connections_scarce, instance_silent, outbox_stuck, outbox_unseen, redis_away, redis_evicts, redis_full,
    redis_refuses, redis_slow, redis_was_away, releases_differ, sessions_evictable, stores_differ,
};

/// Each rule on what would drive it.
#[cfg(test)]
mod tests;
