use vendorscope_cache::{
    stats::{Counter, Counts, Stats},
    times::Timing,
};

use super::*;
use crate::server_functions::cache_health::{
    HealthEvent, InstanceHealth, InstanceState, InvalidationShown, Presence, RedisHealth,
};

const NOW: i64 = 1_800_000_000;

fn at(seconds_ago: i64) -> Timestamp {
    Timestamp::from_second(NOW - seconds_ago).expect("a time")
}

/// One minute of lookups.
fn minute(hits: u64, absent: u64, invalidated: u64) -> Counts {
    let mut counts = Counts::default();
    counts.set(Counter::Hits, hits);
    counts.set(Counter::MissesAbsent, absent);
    counts.set(Counter::MissesInvalidated, invalidated);
    counts
}

fn server() -> RedisHealth {
    RedisHealth {
        version: "7.0.15".to_owned(),
        role: "master".to_owned(),
        up_since: at(3_600),
        asked_at: at(0),
        used_memory: 10_000_000,
        max_memory: 100_000_000,
        memory_level: Level::Ok,
        policy: "volatile-lru".to_owned(),
        policy_level: Level::Ok,
        evicted_keys: 0,
        evicted_last_hour: 0,
        eviction_level: Level::Ok,
        expired_keys: 0,
        connections: 5,
        max_connections: 10_000,
        refused_connections: 0,
        connection_level: Level::Ok,
        commands_per_day: 1_000,
        latency_ms: 0.1,
        latency_level: Level::Ok,
    }
}

fn instance(name: &str) -> InstanceHealth {
    InstanceHealth {
        id: name.to_owned(),
        name: name.to_owned(),
        version: "1".to_owned(),
        started_at: at(7_200),
        seen_at: at(1),
        presence: Presence::Running,
        is_here: name == "a",
        level: Level::Ok,
        state: InstanceState { is_trusted: true, outbox_looked_ms: Some(100), ..InstanceState::default() },
    }
}

/// A day of 95 %, two instances, and a Redis that has room.
fn facts() -> Facts {
    Facts {
        now: at(0),
        store: "redis",
        is_whole: true,
        instances: vec![instance("a"), instance("b")],
        redis: vec![server()],
        session_eviction: None,
        minutes: vec![minute(95, 5, 0); 24 * 60],
        minutes_from: NOW - 24 * 3_600 + 60,
        invalidations: Vec::new(),
        events: Vec::new(),
    }
}

fn event(kind: &str, seconds_ago: i64) -> HealthEvent {
    HealthEvent { at: at(seconds_ago), kind: kind.to_owned(), text: "For 3 s.".to_owned(), instance: "a".to_owned() }
}

fn set_last(facts: &mut Facts, minutes: usize, counts: &Counts) {
    let from = facts.minutes.len() - minutes;
    facts.minutes[from..].fill(counts.clone());
}

/// What each rule must find, and what drives it to.
type Drive = fn(&mut Facts);
const DRIVEN: &[(&str, Drive, &[&str])] = &[
    (
        "redis_away",
        |facts| {
            facts.instances[1].state.breaker_open_since = Some(at(125));
            facts.instances[1].state.breaker_reason = Some("connection refused".to_owned());
            let mut bypassed = Counts::default();
            bypassed.set(Counter::Bypasses, 40);
            set_last(facts, 3, &bypassed);
        },
        &[
            "1 of 2 instances has been without Redis since",
            "b says of it: connection refused",
            "120 lookups have bypassed",
        ],
    ),
    (
        "redis_refuses",
        |facts| facts.instances[0].state.refusal = Some("NOPERM no right to mget".to_owned()),
        &["does not let this program", "NOPERM no right to mget", "ACL LOG"],
    ),
    (
        "stores_differ",
        |facts| {
            let claim =
                |epoch: i64| HealthEvent { text: format!("Epoch {epoch}."), ..event("store_changed", 10 * epoch) };
            facts.events = (1..=4).map(claim).collect();
        },
        &["take the cache from each other", "4 times", "REDIS_URL"],
    ),
    (
        "outbox_stuck",
        |facts| {
            facts.instances[0].state.outbox_pending = 7;
            facts.instances[0].state.outbox_pending_seconds = Some(45);
        },
        &["7 invalidations wait to be delivered since", "invalidation not delivered yet"],
    ),
    (
        "outbox_unseen",
        |facts| facts.instances[0].state.outbox_looked_ms = Some(9_400),
        &["for 9 s now", "the outbox cannot be looked at"],
    ),
    (
        "loads_fail",
        |facts| {
            let mut failing = minute(50, 10, 0);
            failing.set(Counter::Loads, 10);
            failing.set(Counter::LoadFailures, 4);
            failing.set(Counter::Stale, 3);
            set_last(facts, 2, &failing);
        },
        &["8 of 20 loads", "6 older answers were served", "/readyz"],
    ),
    (
        "redis_full",
        |facts| {
            facts.redis[0].memory_level = Level::Bad;
            facts.redis[0].policy = "noeviction".to_owned();
            facts.redis[0].used_memory = 99_000_000;
        },
        &["99.0 MB of 100.0 MB", "noeviction", "more memory"],
    ),
    (
        "values_not_kept",
        |facts| {
            let mut refused = minute(50, 10, 0);
            refused.set(Counter::WriteFailures, 2);
            set_last(facts, 1, &refused);
        },
        &["did not take 2 values", "value not cached"],
    ),
    (
        "hit_rate_fell",
        |facts| {
            set_last(facts, 15, &minute(71, 2, 27));
            facts.invalidations = vec![InvalidationShown {
                at: at(60),
                tags: vec!["marketplace".to_owned(), "vendor:69".to_owned()],
                who: "ingest@example.com".to_owned(),
                why: "orders ingested".to_owned(),
                times: 3_100,
            }];
        },
        &[
            "Hit rate fell from 95% to 71% at",
            "405 of 435 misses are of invalidated entries: 3,100 invalidations of vendor 69 by ingest@example.com \
             (orders ingested), one at a time.",
            "batches",
        ],
    ),
    (
        "redis_evicts",
        |facts| {
            facts.redis[0].evicted_last_hour = 1_200;
            facts.redis[0].eviction_level = Level::Warning;
        },
        &["evicted 1,200 keys", "10.0 MB of at most 100.0 MB", "maxmemory"],
    ),
    (
        "loads_slow",
        |facts| {
            let timed = |milliseconds| {
                let stats = Stats::default();
                (0..20).for_each(|_| stats.time(Timing::Load, std::time::Duration::from_millis(milliseconds)));
                stats.take().plus(&minute(95, 5, 0))
            };
            facts.minutes = vec![timed(8); 24 * 60];
            set_last(facts, 10, &timed(900));
        },
        &["takes long", "Before, within the last day, it was 10 ms", "DATABASE_CONNECTIONS"],
    ),
    (
        "redis_slow",
        |facts| {
            facts.redis[0].latency_ms = 41.25;
            facts.redis[0].latency_level = Level::Warning;
        },
        &["41.2 ms", "SLOWLOG"],
    ),
    (
        "connections_scarce",
        |facts| {
            facts.redis[0].connections = 9_500;
            facts.redis[0].connection_level = Level::Warning;
        },
        &["9,500 of at most 10,000 connections", "maxclients"],
    ),
    (
        "instance_silent",
        |facts| {
            facts.instances[1].presence = Presence::Silent;
            facts.instances[1].seen_at = at(300);
        },
        &["Instance b has said nothing since", "It was not stopped"],
    ),
    (
        "sessions_evictable",
        |facts| facts.session_eviction = Some("allkeys-lru".to_owned()),
        &["People may be logged out", "allkeys-lru", "SESSION_REDIS_URL"],
    ),
    (
        "releases_differ",
        |facts| {
            facts.instances[1].version = "2".to_owned();
            facts.instances[1].started_at = at(3_600);
        },
        &["Two releases run beside each other: 1 and 2"],
    ),
    ("redis_was_away", |facts| facts.events = vec![event("redis_back", 60)], &["Redis is back since", "For 3 s."]),
];

#[test]
fn every_rule_finds_what_drives_it_and_nothing_else_does() {
    let names: Vec<_> = DRIVEN.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, RULES.iter().map(|rule| rule.name).collect::<Vec<_>>(), "each rule is driven");
    assert!(judge(&facts()).is_empty(), "{:?}", judge(&facts()));
    for (name, drive, words) in DRIVEN {
        let mut facts = facts();
        drive(&mut facts);
        let found = judge(&facts);
        assert_eq!(found.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>(), [*name]);
        let said = format!("{} {} {}", found[0].sentence, found[0].reason, found[0].remedy);
        for words in *words {
            assert!(said.contains(words), "{name}: `{words}` is not in: {said}");
        }
    }
}

#[test]
fn one_restart_of_redis_is_no_quarrel_however_many_instances_tell_of_it() {
    let mut facts = facts();
    facts.events = vec![event("store_changed", 20); 9];
    assert!(judge(&facts).is_empty(), "{:?}", judge(&facts));
}

#[test]
fn what_is_worse_is_the_verdict_and_the_rest_stands_below() {
    let mut facts = facts();
    for (_, drive, _) in DRIVEN.iter().filter(|(name, ..)| matches!(*name, "sessions_evictable" | "redis_away")) {
        drive(&mut facts);
    }
    let found = judge(&facts);
    assert_eq!(
        found.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>(),
        ["redis_away", "sessions_evictable"]
    );
    assert_eq!((found[0].level, found[0].since), (Level::Bad, Some(at(125))));
    assert!(RULES.windows(2).all(|rules| rules[0].level >= rules[1].level), "the table is sorted by level");
}

#[test]
fn a_fall_names_the_minute_it_began_and_what_most_misses_come_from() {
    let fell = |counts: Counts, change: fn(&mut Facts)| {
        let mut facts = facts();
        set_last(&mut facts, 15, &counts);
        change(&mut facts);
        judge(&facts).into_iter().find(|finding| finding.rule == "hit_rate_fell")
    };
    let emptied = fell(minute(40, 60, 0), |facts| facts.events = vec![event("store_changed", 14 * 60)]);
    let emptied = emptied.expect("it fell");
    assert_eq!(emptied.since, Some(at(14 * 60)), "the first of fifteen minutes, of which the last has begun");
    assert!(emptied.reason.contains("the cache began anew"), "{emptied:?}");
    let evicted = fell(minute(40, 60, 0), |facts| facts.redis[0].evicted_last_hour = 9).expect("it fell");
    assert!(evicted.reason.contains("Redis evicted 9 keys"), "{evicted:?}");
    let few = |who: &str, times| InvalidationShown {
        at: at(30),
        tags: vec!["vendor:7".to_owned()],
        who: who.to_owned(),
        why: "product updated".to_owned(),
        times,
    };
    let mut rows = facts();
    set_last(&mut rows, 15, &minute(40, 0, 60));
    rows.invalidations = vec![few("vendor 7", 5)];
    let found = judge(&rows);
    assert!(found[0].reason.ends_with("5 invalidations of vendor 7 by vendor 7 (product updated)."), "{found:?}");
    assert!(fell(minute(90, 10, 0), |_| ()).is_none(), "five points are not a fall");
    assert!(fell(minute(1, 2, 0), |_| ()).is_none(), "of 45 lookups nothing can be said");
}

#[test]
fn a_quiet_cache_is_well_and_says_that_nobody_asks() {
    let mut facts = facts();
    assert!(well(&facts).sentence.contains("95.0%"), "{:?}", well(&facts));
    facts.minutes = vec![Counts::default(); 24 * 60];
    assert!(judge(&facts).is_empty());
    assert!(well(&facts).sentence.contains("hardly anybody asks"), "{:?}", well(&facts));
}

/// Where each begins.
mod edges;
