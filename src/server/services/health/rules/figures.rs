use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use vendorscope_cache::{
    stats::{Counter, Counts},
    times::Timing,
};

use super::{FEW, Found, LATELY, counted_u, number};
use crate::{
    format::utc,
    server::services::health::facts::{Facts, sum},
};

/// A hit rate that is lower by so many points than it usually is has fallen.
const FELL_BY: f64 = 10.0;
/// Of a load, in milliseconds, that is slow whatever it was before.
const SLOW_LOAD: f64 = 250.0;

pub(super) fn loads_fail(facts: &Facts) -> Option<Found> {
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
        remedy: "See to the database: `/readyz` names what does not answer, the log line `not available` has the \
            error of each request.",
        since,
    })
}

pub(super) fn values_not_kept(facts: &Facts) -> Option<Found> {
    let failures = facts.last(LATELY).get(Counter::WriteFailures);
    (failures > 0).then(|| Found {
        sentence: format!("Redis did not take {} within {LATELY} minutes.", counted_u(failures, "value", "values")),
        reason: "Its memory is full under noeviction, it is a replica, its user lacks a right, or it did not answer \
            in time."
            .to_owned(),
        remedy: "The log line `value not cached` has the reason. Each of these values is loaded again by whoever asks \
            next.",
        since: first_minute(facts, LATELY, |minute| minute.get(Counter::WriteFailures) > 0),
    })
}

pub(super) fn hit_rate_fell(facts: &Facts) -> Option<Found> {
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
            "Nothing, if new people look at new ranges. Otherwise look for FLUSHALL or FLUSHDB in what was run \
             against Redis.",
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
    let rows = || facts.invalidations.iter().filter(|row| row.at >= since);
    let mut causes: HashMap<(&str, &str), u64> = HashMap::new();
    rows().for_each(|row| *causes.entry((&row.who, &row.why)).or_default() += row.times);
    let ((who, why), times) = causes.into_iter().max_by_key(|(_, times)| *times)?;
    let mut vendors: HashMap<&str, u64> = HashMap::new();
    for row in rows().filter(|row| row.who == who && row.why == why) {
        for vendor in row.tags.iter().filter_map(|tag| tag.strip_prefix("vendor:")) {
            *vendors.entry(vendor).or_default() += row.times;
        }
    }
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

pub(super) fn loads_slow(facts: &Facts) -> Option<Found> {
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
        sentence: format!(
            "Loading from the database takes long: one of twenty took more than {now:.0} ms within \
            {LATELY} minutes."
        ),
        reason: usual.map_or_else(
            || {
                "There is no earlier time to compare it \
            with."
                    .to_owned()
            },
            |usual| format!("Before, within the last day, it was {usual:.0} ms."),
        ),
        remedy: "Look at the database: its load, its disk, who holds locks, and whether all DATABASE_CONNECTIONS are \
            in use.",
        since: None,
    })
}

/// The first of the last so many minutes of which this is true.
fn first_minute(facts: &Facts, last: usize, is: impl Fn(&Counts) -> bool) -> Option<Timestamp> {
    let from = facts.minutes.len().saturating_sub(last);
    facts.minutes[from..].iter().position(is).map(|place| facts.minute(from + place))
}
