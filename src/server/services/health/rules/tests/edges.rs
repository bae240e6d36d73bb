//! Where each rule begins to find something: what is just below finds nothing, what is just there does.

use super::*;

/// The rule, what is not yet enough, and what is.
const EDGES: &[(&str, Drive, Drive)] = &[
    ("redis_away", |facts| gone(facts, Presence::Silent), |facts| gone(facts, Presence::Running)),
    ("redis_refuses", |facts| refused(facts, Presence::Ended), |facts| refused(facts, Presence::Running)),
    ("stores_differ", |facts| facts.events = claims(&[1, 2, 3]), |facts| facts.events = claims(&[1, 2, 3, 600])),
    ("stores_differ", |facts| facts.events = claims(&[1, 2, 3, 601]), |facts| facts.events = claims(&[1, 2, 3, 4])),
    ("outbox_stuck", |facts| pending(facts, 9), |facts| pending(facts, 10)),
    ("outbox_unseen", |facts| unseen(facts, 0, 4_999), |facts| unseen(facts, 0, 5_000)),
    // The other one says what it knew when it wrote that down.
    ("outbox_unseen", |facts| unseen(facts, 1, 9_000), |facts| unseen(facts, 0, 9_000)),
    ("loads_fail", |facts| failing(facts, 10, 2, 2), |facts| failing(facts, 10, 3, 3)),
    ("loads_fail", |facts| failing(facts, 10, 61, 3), |facts| failing(facts, 10, 60, 3)),
    ("loads_fail", |facts| failing(facts, 11, 9, 9), |facts| failing(facts, 10, 9, 9)),
    ("values_not_kept", |facts| not_kept(facts, 11), |facts| not_kept(facts, 10)),
    // Ten points below 95: of fifty lookups at least, in ten minutes.
    (
        "hit_rate_fell",
        |facts| set_last(facts, 10, &minute(8_501, 1_499, 0)),
        |facts| set_last(facts, 10, &minute(85, 15, 0)),
    ),
    (
        "hit_rate_fell",
        |facts| {
            set_last(facts, 10, &minute(1, 4, 0));
            set_last(facts, 1, &minute(0, 4, 0));
        },
        |facts| set_last(facts, 10, &minute(1, 4, 0)),
    ),
    // What is usual is known from three stretches of ten minutes.
    ("hit_rate_fell", |facts| fell_after(facts, 2), |facts| fell_after(facts, 3)),
    // Those with hardly a lookup say nothing of what is usual.
    ("hit_rate_fell", |_| {}, fell_among_quiet),
    // Loads that take as long as ever are not slow, nor are those that take a quarter of a second at most.
    ("loads_slow", |facts| loads(facts, (100, 160), (10, 300)), |facts| loads(facts, (100, 160), (10, 700))),
    ("loads_slow", |facts| loads(facts, (100, 8), (10, 240)), |facts| loads(facts, (100, 8), (10, 260))),
    ("loads_slow", |facts| loads(facts, (100, 8), (9, 700)), |facts| loads(facts, (100, 8), (10, 700))),
    // Of few loads before nothing is usual: then a second is slow.
    ("loads_slow", |facts| loads(facts, (49, 8), (10, 700)), |facts| loads(facts, (50, 8), (10, 700))),
    ("loads_slow", |facts| loads(facts, (49, 8), (10, 900)), |facts| loads(facts, (49, 8), (10, 1_100))),
    (
        "redis_full",
        |facts| facts.redis[0].memory_level = Level::Warning,
        |facts| {
            facts.redis[0].memory_level = Level::Bad;
        },
    ),
    (
        "redis_evicts",
        |facts| facts.redis[0].eviction_level = Level::Notice,
        |facts| {
            facts.redis[0].eviction_level = Level::Warning;
        },
    ),
    (
        "redis_slow",
        |facts| facts.redis[0].latency_level = Level::Notice,
        |facts| {
            facts.redis[0].latency_level = Level::Warning;
        },
    ),
    (
        "connections_scarce",
        |facts| facts.redis[0].connection_level = Level::Notice,
        |facts| {
            facts.redis[0].connection_level = Level::Warning;
        },
    ),
    (
        "instance_silent",
        |facts| facts.instances[1].presence = Presence::Ended,
        |facts| {
            facts.instances[1].presence = Presence::Silent;
        },
    ),
    ("releases_differ", |facts| released(facts, 30 * 60), |facts| released(facts, 30 * 60 + 1)),
    (
        "redis_was_away",
        |facts| facts.events = vec![event("redis_back", 601)],
        |facts| {
            facts.events = vec![event("redis_back", 600)];
        },
    ),
    (
        "redis_was_away",
        |facts| facts.events = vec![event("redis_away", 1)],
        |facts| {
            facts.events = vec![event("redis_back", 1)];
        },
    ),
    ("sessions_evictable", |_| {}, |facts| facts.session_eviction = Some("volatile-ttl".to_owned())),
];

fn gone(facts: &mut Facts, presence: Presence) {
    facts.instances[1].presence = presence;
    facts.instances[1].state.breaker_open_since = Some(at(60));
}

fn refused(facts: &mut Facts, presence: Presence) {
    facts.instances[1].presence = presence;
    facts.instances[1].state.refusal = Some("NOPERM".to_owned());
}

/// Another store began to count so many seconds ago each, the newest first.
fn claims(seconds_ago: &[i64]) -> Vec<HealthEvent> {
    let claim = |ago: &i64| HealthEvent { text: format!("Epoch {ago}."), ..event("store_changed", *ago) };
    seconds_ago.iter().map(claim).collect()
}

fn pending(facts: &mut Facts, seconds: u64) {
    facts.instances[1].state.outbox_pending = 1;
    facts.instances[1].state.outbox_pending_seconds = Some(seconds);
}

fn unseen(facts: &mut Facts, instance: usize, milliseconds: u64) {
    facts.instances[instance].state.outbox_looked_ms = Some(milliseconds);
}

/// So many loads, and failures, in one minute: the one that began so many minutes ago, the present one being the first.
fn failing(facts: &mut Facts, minutes_ago: usize, loads: u64, failures: u64) {
    let mut failing = minute(95, 5, 0);
    failing.set(Counter::Loads, loads);
    failing.set(Counter::LoadFailures, failures);
    let place = facts.minutes.len() - minutes_ago;
    facts.minutes[place] = failing;
}

fn not_kept(facts: &mut Facts, minutes_ago: usize) {
    let mut refused = minute(95, 5, 0);
    refused.set(Counter::WriteFailures, 1);
    let place = facts.minutes.len() - minutes_ago;
    facts.minutes[place] = refused;
}

/// A fall of which only so many stretches of ten minutes before have lookups.
fn fell_after(facts: &mut Facts, stretches: usize) {
    let quiet = facts.minutes.len() - 10 - 10 * stretches;
    facts.minutes[..quiet].fill(Counts::default());
    set_last(facts, 10, &minute(10, 90, 0));
}

/// A fall after half an hour as usual, and a day before it in which somebody looked in vain now and then.
fn fell_among_quiet(facts: &mut Facts) {
    let busy = facts.minutes.len() - 40;
    facts.minutes[..busy].fill(Counts::default());
    facts.minutes[..busy].iter_mut().step_by(10).for_each(|quiet| *quiet = minute(0, 1, 0));
    set_last(facts, 10, &minute(10, 90, 0));
}

/// So many loads of so many milliseconds each before, and lately.
fn loads(facts: &mut Facts, before: (u32, u64), lately: (u32, u64)) {
    let timed = |(count, milliseconds)| {
        let stats = Stats::default();
        (0..count).for_each(|_| stats.time(Timing::Load, std::time::Duration::from_millis(milliseconds)));
        stats.take()
    };
    let last = facts.minutes.len() - 1;
    facts.minutes[last - 10] = facts.minutes[last - 10].plus(&timed(before));
    facts.minutes[last - 9] = facts.minutes[last - 9].plus(&timed(lately));
}

fn released(facts: &mut Facts, seconds_ago: i64) {
    facts.instances[1].version = "2".to_owned();
    facts.instances[1].started_at = at(seconds_ago);
}

#[test]
fn every_rule_begins_where_the_table_of_the_docs_says() {
    for rule in RULES {
        assert!(EDGES.iter().any(|(name, ..)| *name == rule.name), "{} has no edge", rule.name);
    }
    for (place, (name, below, there)) in EDGES.iter().enumerate() {
        for (drive, is_found) in [(below, false), (there, true)] {
            let mut facts = facts();
            drive(&mut facts);
            let found: Vec<String> = judge(&facts).into_iter().map(|finding| finding.rule).collect();
            assert_eq!(found.contains(&(*name).to_owned()), is_found, "edge {place}, {name}: {found:?}");
        }
    }
}

/// One tells of the one that was cut off first, and of the pending ones of whoever knows of most.
#[test]
fn of_several_instances_the_worst_is_told() {
    let mut facts = facts();
    for (instance, ago) in [(0, 30), (1, 400)] {
        facts.instances[instance].state.breaker_open_since = Some(at(ago));
        facts.instances[instance].state.outbox_pending = 5 * (instance as u64 + 1);
        facts.instances[instance].state.outbox_pending_seconds = Some(20 + ago.unsigned_abs());
    }
    let found = judge(&facts);
    assert_eq!((found[0].rule.as_str(), found[0].since), ("redis_away", Some(at(400))));
    assert!(found[0].sentence.starts_with("Both instances have been without Redis"), "{found:?}");
    assert_eq!((found[1].rule.as_str(), found[1].since), ("outbox_stuck", Some(at(420))));
    assert!(found[1].sentence.starts_with("10 invalidations wait"), "{found:?}");
    facts.instances.truncate(1);
    assert!(judge(&facts)[0].sentence.starts_with("The only instance has been without Redis"));
    facts.instances.extend([instance("b"), instance("c")]);
    assert!(judge(&facts)[0].sentence.starts_with("1 of 3 instances has been without Redis"));
    for instance in &mut facts.instances {
        instance.state.breaker_open_since = Some(at(30));
    }
    assert!(judge(&facts)[0].sentence.starts_with("All 3 instances have been without Redis"));
    facts.instances[2].state.breaker_open_since = None;
    assert!(judge(&facts)[0].sentence.starts_with("2 of 3 instances have been without Redis"));
}

#[test]
fn what_fails_is_told_since_the_minute_in_which_it_began() {
    for (rule, drive) in [
        ("loads_fail", (|facts| failing(facts, 4, 9, 9)) as Drive),
        ("values_not_kept", |facts| {
            not_kept(facts, 4);
        }),
    ] {
        let mut facts = facts();
        drive(&mut facts);
        let found = judge(&facts);
        assert_eq!((found[0].rule.as_str(), found[0].since), (rule, Some(facts.minute(facts.minutes.len() - 4))));
    }
}

#[test]
fn what_was_invalidated_before_a_fall_is_not_its_cause() {
    let mut facts = facts();
    set_last(&mut facts, 10, &minute(10, 0, 90));
    let row = |who: &str, seconds_ago, times| InvalidationShown {
        at: at(seconds_ago),
        tags: vec!["vendor:7".to_owned()],
        who: who.to_owned(),
        why: "orders ingested".to_owned(),
        times,
    };
    facts.invalidations = vec![row("late", 60, 40), row("early", 7_200, 9_000)];
    let found = judge(&facts);
    assert!(found[0].reason.contains("40 invalidations of vendor 7 by late"), "{found:?}");
}
