use std::collections::HashSet;

use jiff::SignedDuration;
use vendorscope_cache::stats::Counter;

use super::{Found, LATELY, counted_u, minutes_since, number};
use crate::{
    format::{self, utc},
    server::services::health::facts::Facts,
    server_functions::cache_health::{InstanceHealth, Level, Presence},
};

/// Invalidations that wait this long, in seconds, are stuck: they are delivered within two, or Redis is away.
const STUCK_AFTER: u64 = 10;
/// An instance looks at the outbox every 400 ms; after this many milliseconds it does no longer.
const UNSEEN_AFTER: u64 = 5_000;
/// How long instances of two releases run beside each other while one replaces the other.
const RELEASE_TAKES: SignedDuration = SignedDuration::from_mins(30);
/// How long an outage that is over is still told.
const TOLD_FOR: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn redis_away(facts: &Facts) -> Option<Found> {
    let cut_off: Vec<_> = facts.running().filter(|instance| instance.state.breaker_open_since.is_some()).collect();
    let since = cut_off.iter().filter_map(|instance| instance.state.breaker_open_since).min()?;
    let all = facts.running().count();
    let who = match (cut_off.len(), all) {
        (1, 1) => "The only instance has".to_owned(),
        (2, 2) => "Both instances have".to_owned(),
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
            "{here} says of it: {reason}. {} since. Figures stay right; the database carries the load, 16 loads of \
             each instance at a time.",
            counted_u(bypassed, "lookup has bypassed the cache", "lookups have bypassed the cache")
        ),
        remedy: "Bring Redis back, or the way to it. Nothing has to be restarted and nothing emptied: the cache is \
            used again within a second of its first answer.",
        since: Some(since),
    })
}

pub(super) fn redis_refuses(facts: &Facts) -> Option<Found> {
    let (instance, refusal) =
        facts.running().find_map(|instance| Some((instance, instance.state.refusal.as_ref()?)))?;
    Some(Found {
        sentence: "Redis does not let this program do what the cache needs, so the cache is of no use.".to_owned(),
        reason: format!("It answered {} with: {refusal}.", instance.name),
        remedy: "Give the user of REDIS_URL the rights that it lacks: `redis-cli ACL LOG` names them.",
        since: None,
    })
}

pub(super) fn stores_differ(facts: &Facts) -> Option<Found> {
    let since = facts.now - SignedDuration::from_mins(LATELY as i64);
    let claims: Vec<_> = facts.events_since("store_changed", since).collect();
    // Every instance tells of each: by its text, which has the epoch. Once is a restart or a failover of Redis.
    let times = claims.iter().map(|claim| claim.text.as_str()).collect::<HashSet<_>>().len();
    let first = claims.last().filter(|_| times >= 4)?;
    Some(Found {
        sentence: "Instances take the cache from each other: they speak to different Redis servers.".to_owned(),
        reason: format!(
            "Another store began to count {} times within {LATELY} minutes. Each time everything cached is given up.",
            times
        ),
        remedy: "Give every instance the same REDIS_URL, and see that behind it there is one server, or one master.",
        since: Some(first.at),
    })
}

pub(super) fn outbox_stuck(facts: &Facts) -> Option<Found> {
    let waits =
        |instance: &InstanceHealth| instance.state.outbox_pending_seconds.filter(|seconds| *seconds >= STUCK_AFTER);
    let seconds = facts.running().filter_map(waits).max()?;
    let pending = facts.running().map(|instance| instance.state.outbox_pending).max().unwrap_or(0);
    let since = facts.now - SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    Some(Found {
        sentence: format!(
            "{} since {}.",
            counted_u(pending, "invalidation waits to be delivered", "invalidations wait to be delivered"),
            utc(since, facts.now)
        ),
        reason: "No instance can tell Redis of them, or the database keeps none from removing what was told. What \
            they name is loaded anew on every request, so that nobody sees old figures."
            .to_owned(),
        remedy: "See that Redis takes writes (not full, no replica) and that the database does: the log says \
            `invalidation not delivered yet`, with the reason.",
        since: Some(since),
    })
}

pub(super) fn outbox_unseen(facts: &Facts) -> Option<Found> {
    let blind = facts.running().find(|instance| {
        instance.is_here && instance.state.outbox_looked_ms.is_some_and(|looked| looked >= UNSEEN_AFTER)
    })?;
    let looked = blind.state.outbox_looked_ms.unwrap_or(0) / 1_000;
    Some(Found {
        sentence: format!("The database does not say which invalidations are pending, for {looked} s now."),
        reason: format!("{} cannot look at the outbox, and takes nothing that Redis holds for fresh.", blind.name),
        remedy: "See to the database: the log says `the outbox cannot be looked at`, with the reason. Meanwhile what \
            is cached is served as STALE, with its age.",
        since: Some(facts.now - SignedDuration::from_secs(i64::try_from(looked).unwrap_or(0))),
    })
}

pub(super) fn redis_full(facts: &Facts) -> Option<Found> {
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

pub(super) fn redis_evicts(facts: &Facts) -> Option<Found> {
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

pub(super) fn redis_slow(facts: &Facts) -> Option<Found> {
    let slow = facts.redis.iter().find(|server| server.latency_level >= Level::Warning)?;
    Some(Found {
        sentence: format!("Redis answers slowly: {:.1} ms for a question and its answer.", slow.latency_ms),
        reason: "Every cached read waits for it once. Usual is less than 1 ms.".to_owned(),
        remedy: "Put Redis near the instances. Look for slow commands of others (`redis-cli SLOWLOG GET`), for a \
            machine that swaps, and at the network.",
        since: None,
    })
}

pub(super) fn connections_scarce(facts: &Facts) -> Option<Found> {
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

pub(super) fn instance_silent(facts: &Facts) -> Option<Found> {
    let silent: Vec<_> = facts.instances.iter().filter(|instance| instance.presence == Presence::Silent).collect();
    let first = silent.iter().min_by_key(|instance| instance.seen_at)?;
    Some(Found {
        sentence: match silent.len() {
            1 => format!("Instance {} has said nothing since {}.", first.name, utc(first.seen_at, facts.now)),
            some => format!("{some} instances have said nothing, the first since {}.", utc(first.seen_at, facts.now)),
        },
        reason: "It was not stopped: it was killed, it hangs, or it does not reach the database.".to_owned(),
        remedy: "Look at its log and at its machine. One that is gone for good disappears from here an hour after it \
            was last heard of.",
        since: Some(first.seen_at),
    })
}

pub(super) fn sessions_evictable(facts: &Facts) -> Option<Found> {
    let policy = facts.session_eviction.as_ref()?;
    Some(Found {
        sentence: "People may be logged out when Redis is full.".to_owned(),
        reason: format!("Redis evicts keys (policy {policy}) when its memory is full, and sessions are among them."),
        remedy: "Use a separate Redis with noeviction for sessions (SESSION_REDIS_URL).",
        since: None,
    })
}

pub(super) fn releases_differ(facts: &Facts) -> Option<Found> {
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

pub(super) fn redis_was_away(facts: &Facts) -> Option<Found> {
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
