//! When the cache is not well, why, and what to do: every rule in one table. The first that finds something is the
//! verdict; what the others find stands below it.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use vendorscope_cache::{
    stats::{Counter, Counts},
    times::Timing,
};

use super::facts::{Facts, lookups, sum};
use crate::{
    format::{self, counted, utc},
    server_functions::cache_health::{Finding, Level, Presence},
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
    Rule { name: "stores_differ", level: Level::Bad, docs: "docs/operations.md#instances-do-not-agree-on-their-store", find: stores_differ },
    Rule { name: "outbox_stuck", level: Level::Bad, docs: "docs/operations.md#invalidations-wait", find: outbox_stuck },
    Rule { name: "outbox_unseen", level: Level::Bad, docs: "docs/operations.md#invalidations-wait", find: outbox_unseen },
    Rule { name: "loads_fail", level: Level::Bad, docs: "docs/operations.md#not-ready", find: loads_fail },
    Rule { name: "redis_full", level: Level::Bad, docs: "docs/redis.md#memory-and-eviction", find: redis_full },
    Rule { name: "values_not_kept", level: Level::Warning, docs: "docs/operations.md#redis-is-away", find: values_not_kept },
    Rule { name: "hit_rate_fell", level: Level::Warning, docs: "docs/operations.md#the-hit-rate-falls", find: hit_rate_fell },
    Rule { name: "redis_evicts", level: Level::Warning, docs: "docs/redis.md#memory-and-eviction", find: redis_evicts },
    Rule { name: "loads_slow", level: Level::Warning, docs: "docs/operations.md#slow", find: loads_slow },
    Rule { name: "redis_slow", level: Level::Warning, docs: "docs/operations.md#slow", find: redis_slow },
    Rule { name: "connections_scarce", level: Level::Warning, docs: "docs/redis.md#memory-and-eviction", find: connections_scarce },
    Rule { name: "instance_silent", level: Level::Warning, docs: "docs/operations.md#an-instance-is-silent", find: instance_silent },
    Rule { name: "sessions_evictable", level: Level::Warning, docs: "docs/redis.md#memory-and-eviction", find: sessions_evictable },
    Rule { name: "releases_differ", level: Level::Notice, docs: "docs/deployment.md", find: releases_differ },
    Rule { name: "redis_was_away", level: Level::Notice, docs: "docs/operations.md#redis-is-away", find: redis_was_away },
];

/// Lookups below which a share of them says nothing.
const FEW: u64 = 50;
/// What is meant by lately, in minutes.
const LATELY: usize = 10;
/// A hit rate that is lower by so many points than it usually is has fallen.
const FELL_BY: f64 = 10.0;
/// Invalidations that wait this long, in seconds, are stuck: they are delivered within two, or Redis is away.
const STUCK_AFTER: u64 = 10;
/// An instance looks at the outbox every 400 ms; after this many milliseconds it does no longer.
const UNSEEN_AFTER: u64 = 5_000;
/// Of a load, in milliseconds, that is slow whatever it was before.
const SLOW_LOAD: f64 = 250.0;
/// How long instances of two releases run beside each other while one replaces the other.
const RELEASE_TAKES: SignedDuration = SignedDuration::from_mins(30);
/// How long an outage that is over is still told.
const TOLD_FOR: SignedDuration = SignedDuration::from_mins(10);

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
            format!("{} within the last hour, no rule has found anything.", counted_u(asked, "lookup", "lookups")),
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

fn redis_away(facts: &Facts) -> Option<Found> {
    let cut_off: Vec<_> = facts.running().filter(|instance| instance.state.breaker_open_since.is_some()).collect();
    let since = cut_off.iter().filter_map(|instance| instance.state.breaker_open_since).min()?;
    let all = facts.running().count();
    let who = match (cut_off.len(), all) {
        (1, 1) => "The only instance has".to_owned(),
        (some, all) if some == all => format!("All {all} instances have"),
        (1, all) => format!("1 of {all} instances has"),
        (some, all) => format!("{some} of {all} instances have"),
    };
    let (here, reason) = cut_off
        .first()
        .map(|instance| (instance.name.as_str(), instance.state.breaker_reason.as_deref().unwrap_or("no answer")))?;
    let bypassed = facts.last(minutes_since(facts, since)).get(Counter::Bypasses);
    Some(Found {
        sentence: format!(
            "{who} been without Redis since {}: lookups there go to the database.",
            utc(since, facts.now)
        ),
        reason: format!(
            "{here} says of it: {reason}. {} since. Figures stay right; the database carries the load, 16 loads of each instance at a time.",
            counted_u(bypassed, "lookup has bypassed the cache", "lookups have bypassed the cache")
        ),
        remedy: "Bring Redis back, or the way to it. Nothing has to be restarted and nothing emptied: the cache is used again within a second of its first answer.",
        since: Some(since),
    })
}

fn redis_refuses(facts: &Facts) -> Option<Found> {
    let (instance, refusal) =
        facts.running().find_map(|instance| Some((instance, instance.state.refusal.as_ref()?)))?;
    Some(Found {
        sentence: "Redis does not let this program do what the cache needs, so the cache is of no use.".to_owned(),
        reason: format!("It answered {} with: {refusal}.", instance.name),
        remedy: "Give the user of REDIS_URL the rights that it lacks: `redis-cli ACL LOG` names them.",
        since: None,
    })
}

fn stores_differ(facts: &Facts) -> Option<Found> {
    let since = facts.now - SignedDuration::from_mins(LATELY as i64);
    let claims: Vec<_> = facts.events_since("store_changed", since).collect();
    // Once is a restart or a failover of Redis.
    let first = claims.last().filter(|_| claims.len() >= 4)?;
    Some(Found {
        sentence: "Instances take the cache from each other: they speak to different Redis servers.".to_owned(),
        reason: format!(
            "Another store began to count {} times within {LATELY} minutes. Each time everything cached is given up.",
            claims.len()
        ),
        remedy: "Give every instance the same REDIS_URL, and see that behind it there is one server, or one master.",
        since: Some(first.at),
    })
}

fn outbox_stuck(facts: &Facts) -> Option<Found> {
    let waits = |instance: &crate::server_functions::cache_health::InstanceHealth| {
        instance.state.outbox_pending_seconds.filter(|seconds| *seconds >= STUCK_AFTER)
    };
    let seconds = facts.running().filter_map(waits).max()?;
    let pending = facts.running().map(|instance| instance.state.outbox_pending).max().unwrap_or(0);
    let since = facts.now - SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    Some(Found {
        sentence: format!(
            "{} since {}.",
            counted_u(pending, "invalidation waits to be delivered", "invalidations wait to be delivered"),
            utc(since, facts.now)
        ),
        reason: "No instance can tell Redis of them, or the database keeps none from removing what was told. What they name is loaded anew on every request, so that nobody sees old figures.".to_owned(),
        remedy: "See that Redis takes writes (not full, no replica) and that the database does: the log says `invalidation not delivered yet` or `cannot be acknowledged`, with the reason.",
        since: Some(since),
    })
}

fn outbox_unseen(facts: &Facts) -> Option<Found> {
    let blind = facts.running().find(|instance| {
        instance.is_here && instance.state.outbox_looked_ms.is_some_and(|looked| looked >= UNSEEN_AFTER)
    })?;
    let looked = blind.state.outbox_looked_ms.unwrap_or(0) / 1_000;
    Some(Found {
        sentence: format!("The database does not say which invalidations are pending, for {looked} s now."),
        reason: format!("{} cannot look at the outbox, and takes nothing that Redis holds for fresh.", blind.name),
        remedy: "See to the database: the log says `the outbox cannot be looked at`, with the reason. Meanwhile what is cached is served as STALE, with its age.",
        since: Some(facts.now - SignedDuration::from_secs(i64::try_from(looked).unwrap_or(0))),
    })
}

fn loads_fail(facts: &Facts) -> Option<Found> {
    let lately = facts.last(LATELY);
    let (loads, failures) = (lately.get(Counter::Loads), lately.get(Counter::LoadFailures));
    if failures < 3 || failures * 20 < loads {
        return None;
    }
    let since = first_minute(facts, LATELY, |minute| minute.get(Counter::LoadFailures) > 0);
    Some(Found {
        sentence: format!(
            "{} of {} from the database failed within {LATELY} minutes.",
            number(failures),
            counted_u(loads, "load", "loads")
        ),
        reason: format!(
            "{} instead.",
            counted_u(lately.get(Counter::Stale), "older answer was served", "older answers were served")
        ),
        remedy: "See to the database: `/readyz` names what does not answer, the log line `not available` has the error of each request.",
        since,
    })
}

fn redis_full(facts: &Facts) -> Option<Found> {
    let full = facts.redis.iter().find(|server| server.memory_level == Level::Bad)?;
    Some(Found {
        sentence: format!(
            "Redis is full: {} of {} are in use, and it evicts nothing.",
            format::bytes(full.used_memory),
            format::bytes(full.max_memory)
        ),
        reason: format!("Its policy is {}: what is new is not kept.", full.policy),
        remedy: "Give it more memory, or a policy that evicts (`volatile-lru`) where no sessions are in it.",
        since: None,
    })
}

fn values_not_kept(facts: &Facts) -> Option<Found> {
    let failures = facts.last(LATELY).get(Counter::WriteFailures);
    (failures > 0).then(|| Found {
        sentence: format!("Redis did not take {} within {LATELY} minutes.", counted_u(failures, "value", "values")),
        reason: "Its memory is full under noeviction, it is a replica, its user lacks a right, or it did not answer in time.".to_owned(),
        remedy: "The log line `value not cached` has the reason. Each of these values is loaded again by whoever asks next.",
        since: first_minute(facts, LATELY, |minute| minute.get(Counter::WriteFailures) > 0),
    })
}

fn hit_rate_fell(facts: &Facts) -> Option<Found> {
    let lately = facts.last(LATELY);
    let now = lately.hit_rate_percent()?;
    let usual = usual_rate(facts)?;
    if lately.get(Counter::Hits) + lately.misses() < FEW || usual - now < FELL_BY {
        return None;
    }
    let middle = (usual + now) / 2.0;
    let last_good = facts.minutes.iter().rposition(|minute| {
        minute.get(Counter::Hits) + minute.misses() >= 5 && minute.hit_rate_percent().is_some_and(|rate| rate >= middle)
    });
    let place = last_good.map_or(0, |place| (place + 1).min(facts.minutes.len().saturating_sub(1)));
    let since = facts.minute(place);
    let counts = sum(&facts.minutes[place..]);
    let (reason, remedy) = why_it_fell(facts, since, &counts);
    Some(Found {
        sentence: format!("Hit rate fell from {usual:.0}% to {now:.0}% at {}.", utc(since, facts.now)),
        reason,
        remedy,
        since: Some(since),
    })
}

/// What most misses since then come from.
fn why_it_fell(facts: &Facts, since: Timestamp, counts: &Counts) -> (String, &'static str) {
    let of = |counter| counts.get(counter);
    let reasons = [
        Counter::MissesInvalidated,
        Counter::MissesAbsent,
        Counter::MissesExpired,
        Counter::MissesUndecodable,
        Counter::MissesCorrupt,
    ];
    let most = reasons.into_iter().max_by_key(|reason| of(*reason)).unwrap_or(Counter::MissesAbsent);
    let misses = format!("{} of {}", number(of(most)), counted_u(counts.misses(), "miss", "misses"));
    let evicted: u64 = facts.redis.iter().map(|server| server.evicted_last_hour).sum();
    let restarted = facts.events_since("store_changed", since - SignedDuration::from_mins(2)).next();
    match most {
        Counter::MissesInvalidated => match top_cause(facts, since) {
            Some((cause, true)) => (
                format!("{misses} are of invalidated entries: {cause}, one at a time."),
                "Send them in batches: some hundreds in one request to /api/ingest, every few seconds.",
            ),
            Some((cause, false)) => (
                format!("{misses} are of invalidated entries: {cause}."),
                "If this goes on, ask whoever writes to do it in batches.",
            ),
            None => (
                format!("{misses} are of invalidated entries."),
                "See below who invalidates what. Whoever writes one at a time should do it in batches.",
            ),
        },
        Counter::MissesAbsent if restarted.is_some() => (
            format!(
                "{misses} found no entry: the cache began anew at {}, with another Redis, or the same after a restart.",
                utc(restarted.map_or(since, |event| event.at), facts.now)
            ),
            "Nothing, if that was meant: it fills by itself. `vendorscope cache warm` fills it sooner.",
        ),
        Counter::MissesAbsent if evicted > 0 => (
            format!(
                "{misses} found no entry, and Redis evicted {} within the last hour.",
                counted_u(evicted, "key", "keys")
            ),
            "Give Redis more memory.",
        ),
        Counter::MissesAbsent => (
            format!("{misses} found no entry: ranges that nobody has asked for before, or a Redis that was emptied."),
            "Nothing, if new people look at new ranges. Otherwise look for FLUSHALL or FLUSHDB in what was run against Redis.",
        ),
        Counter::MissesUndecodable => (
            format!("{misses} are of entries that another release has written."),
            "Nothing: it passes within minutes of the last instance's restart.",
        ),
        Counter::MissesCorrupt => (
            format!("{misses} found something under the key that is no entry."),
            "Find out what else writes to this Redis under these keys; the log line `entry cannot be read` names one.",
        ),
        _ => (
            format!("{misses} are of expired entries: people ask too seldom for what they ask for to stay."),
            "Nothing is wrong: few people ask.",
        ),
    }
}

/// Who invalidates most since then, in words, and whether that is one vendor over and over again.
fn top_cause(facts: &Facts, since: Timestamp) -> Option<(String, bool)> {
    let mut causes: HashMap<(&str, &str), (u64, HashMap<&str, u64>)> = HashMap::new();
    for row in facts.invalidations.iter().filter(|row| row.at >= since) {
        let (times, vendors) = causes.entry((&row.who, &row.why)).or_default();
        *times += row.times;
        for vendor in row.tags.iter().filter_map(|tag| tag.strip_prefix("vendor:")) {
            *vendors.entry(vendor).or_default() += row.times;
        }
    }
    let ((who, why), (times, vendors)) = causes.into_iter().max_by_key(|(_, (times, _))| *times)?;
    let most = vendors.iter().max_by_key(|(_, times)| **times);
    let whose = match most {
        Some((vendor, of_vendor)) if *of_vendor * 2 > times => format!(" of vendor {vendor}"),
        Some(_) => format!(" of {}", counted_u(vendors.len() as u64, "vendor", "vendors")),
        None => String::new(),
    };
    let is_one_by_one = times >= 20 && most.is_some_and(|(_, of_vendor)| *of_vendor >= 20);
    Some((format!("{}{whose} by {who} ({why})", counted_u(times, "invalidation", "invalidations")), is_one_by_one))
}

/// The hit rate in the middle of the last day's stretches of ten minutes, the present one left out; `None` where too
/// few of them had lookups.
fn usual_rate(facts: &Facts) -> Option<f64> {
    let before = &facts.minutes[..facts.minutes.len().saturating_sub(LATELY)];
    let mut rates: Vec<f64> = before
        .rchunks(LATELY)
        .map(sum)
        .filter(|counts| counts.get(Counter::Hits) + counts.misses() >= FEW)
        .filter_map(|counts| counts.hit_rate_percent())
        .collect();
    rates.sort_by(f64::total_cmp);
    (rates.len() >= 3).then(|| rates[rates.len() / 2])
}

fn redis_evicts(facts: &Facts) -> Option<Found> {
    let evicting = facts.redis.iter().find(|server| server.eviction_level >= Level::Warning)?;
    Some(Found {
        sentence: format!(
            "Redis evicted {} within the last hour: its memory is too small for what is cached.",
            counted_u(evicting.evicted_last_hour, "key", "keys")
        ),
        reason: format!(
            "It holds {} of at most {}. What is evicted is loaded again: slower, never wrong.",
            format::bytes(evicting.used_memory),
            format::bytes(evicting.max_memory)
        ),
        remedy: "Give it more memory (`maxmemory`).",
        since: None,
    })
}

fn loads_slow(facts: &Facts) -> Option<Found> {
    let p95 = |counts: &Counts| Some(counts.times(Timing::Load).percentile(0.95)?.as_secs_f64() * 1e3);
    let lately = facts.last(LATELY);
    let now = p95(&lately).filter(|_| lately.times(Timing::Load).count() >= 10)?;
    let before = sum(&facts.minutes[..facts.minutes.len().saturating_sub(LATELY)]);
    let usual = p95(&before).filter(|_| before.times(Timing::Load).count() >= 50);
    let is_slow = match usual {
        Some(usual) => now >= SLOW_LOAD && now >= 3.0 * usual,
        None => now >= 4.0 * SLOW_LOAD,
    };
    is_slow.then(|| Found {
        sentence: format!("Loading from the database takes long: one of twenty took more than {now:.0} ms within {LATELY} minutes."),
        reason: usual.map_or_else(|| "There is no earlier time to compare it with.".to_owned(), |usual| format!("Before, within the last day, it was {usual:.0} ms.")),
        remedy: "Look at the database: its load, its disk, who holds locks, and whether all DATABASE_CONNECTIONS are in use.",
        since: None,
    })
}

fn redis_slow(facts: &Facts) -> Option<Found> {
    let slow = facts.redis.iter().find(|server| server.latency_level >= Level::Warning)?;
    Some(Found {
        sentence: format!("Redis answers slowly: {:.1} ms for a question and its answer.", slow.latency_ms),
        reason: "Every cached read waits for it once. Usual is less than 1 ms.".to_owned(),
        remedy: "Put Redis near the instances. Look for slow commands of others (`redis-cli SLOWLOG GET`), for a machine that swaps, and at the network.",
        since: None,
    })
}

fn connections_scarce(facts: &Facts) -> Option<Found> {
    let scarce = facts.redis.iter().find(|server| server.connection_level >= Level::Warning)?;
    Some(Found {
        sentence: format!(
            "{} of at most {} connections to Redis are open.",
            number(scarce.connections),
            number(scarce.max_connections)
        ),
        reason: format!(
            "{} since it was started. An instance opens a handful.",
            counted_u(scarce.refused_connections, "connection was refused", "connections were refused")
        ),
        remedy: "Find out who opens them (`redis-cli CLIENT LIST`), or raise `maxclients`.",
        since: None,
    })
}

fn instance_silent(facts: &Facts) -> Option<Found> {
    let silent: Vec<_> = facts.instances.iter().filter(|instance| instance.presence == Presence::Silent).collect();
    let first = silent.iter().min_by_key(|instance| instance.seen_at)?;
    Some(Found {
        sentence: match silent.len() {
            1 => format!("Instance {} has said nothing since {}.", first.name, utc(first.seen_at, facts.now)),
            some => format!("{some} instances have said nothing, the first since {}.", utc(first.seen_at, facts.now)),
        },
        reason: "It was not stopped: it was killed, it hangs, or it does not reach the database.".to_owned(),
        remedy: "Look at its log and at its machine. One that is gone for good disappears from here an hour after it was last heard of.",
        since: Some(first.seen_at),
    })
}

fn sessions_evictable(facts: &Facts) -> Option<Found> {
    let policy = facts.session_eviction.as_ref()?;
    Some(Found {
        sentence: "People may be logged out when Redis is full.".to_owned(),
        reason: format!("Redis evicts keys (policy {policy}) when its memory is full, and sessions are among them."),
        remedy: "Use a separate Redis with noeviction for sessions (SESSION_REDIS_URL).",
        since: None,
    })
}

fn releases_differ(facts: &Facts) -> Option<Found> {
    let newest = facts.running().max_by_key(|instance| instance.started_at)?;
    let old: Vec<_> = facts.running().filter(|instance| instance.version != newest.version).collect();
    let since = facts.running().filter(|instance| instance.version == newest.version).map(|it| it.started_at).min()?;
    let other = old.first().filter(|_| facts.now.duration_since(since) > RELEASE_TAKES)?;
    Some(Found {
        sentence: format!("Two releases run beside each other: {} and {}.", other.version, newest.version),
        reason: format!(
            "{} since {}. What one has cached the other may have to load again.",
            newest.version,
            utc(since, facts.now)
        ),
        remedy: "Finish the release, or take it back.",
        since: Some(since),
    })
}

fn redis_was_away(facts: &Facts) -> Option<Found> {
    let back = facts.events_since("redis_back", facts.now - TOLD_FOR).next()?;
    Some(Found {
        sentence: format!("Redis is back since {}.", utc(back.at, facts.now)),
        reason: format!(
            "{}: {} What was cached before is used again, unless Redis was restarted: then it fills anew.",
            back.instance, back.text
        ),
        remedy: "",
        since: Some(back.at),
    })
}

/// The first of the last so many minutes of which this is true.
fn first_minute(facts: &Facts, last: usize, is: impl Fn(&Counts) -> bool) -> Option<Timestamp> {
    let from = facts.minutes.len().saturating_sub(last);
    facts.minutes[from..].iter().position(is).map(|place| facts.minute(from + place))
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

/// Each rule on what would drive it.
#[cfg(test)]
mod tests;
