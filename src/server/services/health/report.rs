use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;
use vendorscope_cache::{
    Span, Tag,
    frequent::Frequent,
    stats::{Counter, Counts},
    times::{Times, Timing},
};

use super::{
    ASK_WITHIN, Health, SHOWN_FOR, SILENT_AFTER,
    facts::{Facts, lookups, sum},
    rows::{self, EventRow, InstanceRow, InvalidationRow},
    rules, written_tags,
};
use crate::{
    format,
    server::{cache_keys, db::DbError},
    server_functions::{
        admin::{MissesByReason, MissesByTag, Percentiles},
        cache_health::{
            CacheReport, CountsWindow, Finding, HealthEvent, InstanceHealth, InstanceState, InvalidationShown, Level,
            MissCause, MissedTag, MostRead, Presence, Savings, Windows,
        },
    },
};

/// Minutes of a day, and hours of a week.
const DAY: usize = 24 * 60;
const WEEK: usize = 7 * 24;
/// Invalidations that a verdict is reached from, and those that are shown.
const INVALIDATIONS: i64 = 5_000;
const INVALIDATIONS_SHOWN: usize = 20;
const EVENTS: i64 = 200;
const EVENTS_SHOWN: usize = 15;
const MOST_READ: usize = 10;
const MISSED_TAGS: usize = 10;

impl Health {
    /// All that the page shows, but the counters since the last reset. `session_eviction` is the policy by which the
    /// sessions' Redis may throw them away.
    pub async fn report(&self, session_eviction: Option<String>) -> CacheReport {
        *self.looked_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(tokio::time::Instant::now());
        let facts = Box::pin(self.facts(session_eviction)).await;
        let hours = self.cache.course(Span::Hour, WEEK).await;
        let mut findings = rules::judge(&facts).into_iter();
        let verdict = match findings.next() {
            Some(finding) => Finding { since: finding.since.or(self.since(&finding.rule).await), ..finding },
            None => {
                let well = rules::well(&facts);
                let since = self.since(&well.rule).await.unwrap_or(self.started);
                Finding { since: Some(since), ..well }
            }
        };
        let (names, names_since) = self.names(facts.now).await;
        let reset = self.ask(rows::last_event(&self.db, "counters_reset")).await.flatten();
        CacheReport {
            computed_at: facts.now,
            store: facts.store.to_owned(),
            is_whole: facts.is_whole,
            counted_since: reset.map(|event| instant(event.at_us)),
            verdict,
            also: findings.collect(),
            windows: Windows {
                now: window(&facts.last(5)),
                hour: window(&facts.last(60)),
                day: window(&sum(&facts.minutes)),
                week: window(&sum(&hours.spans)),
            },
            namespaces: self.samples.namespaces(&self.cache).await,
            most_read: self.most_read(&names.reads).await,
            missed_tags: missed_tags(&names.missed, &facts, names_since),
            names_since,
            instances: facts.instances,
            redis: facts.redis,
            invalidations: facts.invalidations.into_iter().take(INVALIDATIONS_SHOWN).collect(),
            events: facts.events.into_iter().take(EVENTS_SHOWN).collect(),
        }
    }

    /// Entries that all instances are asked for most.
    async fn most_read(&self, read: &Frequent) -> Vec<MostRead> {
        let mut shown = Vec::new();
        for read in read.ranking().into_iter().take(MOST_READ) {
            // Every key that is asked for is one that can be read.
            let Ok(key) = cache_keys::parse_key(&read.name) else { continue };
            let found = self.entry(&key).await;
            shown.push(MostRead {
                key: found.key,
                reads: read.count,
                is_estimate: read.too_high_by > 0,
                is_served: found.standing == "served",
                age_seconds: found.header.as_ref().map(|header| header.age_seconds),
                left_seconds: found.header.as_ref().map(|header| header.left_seconds),
                size: found.header.as_ref().map(|header| header.stored_size),
            });
        }
        shown
    }

    /// What is known now.
    pub(super) async fn facts(&self, session_eviction: Option<String>) -> Facts {
        // What this instance knows and has not written down yet belongs to it.
        if !self.name().is_empty() {
            let _ = timeout(ASK_WITHIN, self.note()).await;
        }
        let now = Timestamp::now();
        let day_ago = now - SignedDuration::from_hours(24);
        let course = self.cache.course(Span::Minute, DAY).await;
        let (instances, events, invalidations) = tokio::join!(
            self.ask(rows::list_instances(&self.db, (now - SHOWN_FOR).as_microsecond())),
            self.ask(rows::list_events(&self.db, day_ago.as_microsecond(), EVENTS)),
            self.ask(rows::list_invalidations(&self.db, day_ago.as_second() / 60, INVALIDATIONS)),
        );
        let mut redis = self.samples.redis(&self.cache).await;
        for server in redis.iter_mut().filter(|server| session_eviction.as_ref() == Some(&server.policy)) {
            server.policy_level = Level::Warning;
        }
        Facts {
            now,
            store: self.cache.store_name(),
            is_whole: course.is_whole,
            instances: self.instances(instances.unwrap_or_default(), now),
            redis,
            session_eviction,
            minutes: course.spans,
            minutes_from: i64::try_from(course.from).unwrap_or(0),
            invalidations: invalidations.unwrap_or_default().iter().map(invalidation).collect(),
            events: events.unwrap_or_default().iter().map(event).collect(),
        }
    }

    /// Since when the verdict is this rule's; `None` where another one was written down last.
    async fn since(&self, rule: &str) -> Option<Timestamp> {
        let event = self.ask(rows::last_event(&self.db, "verdict")).await??;
        let written: Finding = serde_json::from_str(&event.detail).ok()?;
        (written.rule == rule).then(|| instant(event.at_us))
    }

    /// What the database says, if it does so in time.
    pub(super) async fn ask<T>(&self, asked: impl Future<Output = Result<T, DbError>>) -> Option<T> {
        match timeout(ASK_WITHIN, asked).await {
            Ok(Ok(found)) => Some(found),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the database does not say how the cache fared");
                None
            }
            Err(_) => None,
        }
    }

    /// This one as it is now, the others as they said last.
    fn instances(&self, written: Vec<InstanceRow>, now: Timestamp) -> Vec<InstanceHealth> {
        let own = self.row();
        let others = written.into_iter().filter(|row| row.id != own.id);
        let rows = std::iter::once(own.clone()).chain(others);
        let mut shown: Vec<_> = rows
            .map(|row| {
                let seen_at = instant(row.seen_us);
                let presence = match row.ended_us {
                    Some(_) => Presence::Ended,
                    None if now.duration_since(seen_at) > SILENT_AFTER => Presence::Silent,
                    None => Presence::Running,
                };
                let state: InstanceState = serde_json::from_str(&row.state).unwrap_or_default();
                let level = match presence {
                    Presence::Ended => Level::Ok,
                    Presence::Silent => Level::Warning,
                    Presence::Running if state.breaker_open_since.is_some() || state.refusal.is_some() => Level::Bad,
                    Presence::Running if state.outbox_pending > 0 => Level::Notice,
                    Presence::Running => Level::Ok,
                };
                InstanceHealth {
                    is_here: row.id == own.id,
                    id: row.id,
                    name: row.name,
                    version: row.version,
                    started_at: instant(row.started_us),
                    seen_at,
                    presence,
                    level,
                    state,
                }
            })
            .collect();
        // One that was started again at the same place is not missed.
        let is_replaced = |old: &InstanceHealth, all: &[InstanceHealth]| {
            old.presence == Presence::Silent
                && all.iter().any(|new| new.name == old.name && new.started_at > old.started_at)
        };
        let replaced: Vec<bool> = shown.iter().map(|old| is_replaced(old, &shown)).collect();
        for (instance, _) in shown.iter_mut().zip(replaced).filter(|(_, replaced)| *replaced) {
            (instance.presence, instance.level) = (Presence::Ended, Level::Ok);
        }
        shown.sort_by_key(|instance| (instance.presence != Presence::Running, instance.name.clone()));
        shown
    }
}

/// What was counted, as it is shown.
pub fn window(counts: &Counts) -> CountsWindow {
    let of = |counter| counts.get(counter);
    CountsWindow {
        lookups: lookups(counts),
        hits: of(Counter::Hits),
        l1_hits: of(Counter::L1Hits),
        store_hits: of(Counter::Hits).saturating_sub(of(Counter::L1Hits)),
        misses: counts.misses(),
        misses_by_reason: MissesByReason {
            absent: of(Counter::MissesAbsent),
            expired: of(Counter::MissesExpired),
            invalidated: of(Counter::MissesInvalidated),
            corrupt: of(Counter::MissesCorrupt),
            undecodable: of(Counter::MissesUndecodable),
        },
        misses_by_tag: MissesByTag {
            vendor: counts.misses_by_family("vendor"),
            products: counts.misses_by_family("products"),
            orders: counts.misses_by_family("orders"),
            analytics: counts.misses_by_family("analytics"),
            marketplace: counts.misses_by_family("marketplace"),
        },
        bypasses: of(Counter::Bypasses),
        stale: of(Counter::Stale),
        hit_rate: counts.hit_rate_percent(),
        loads: of(Counter::Loads),
        load_failures: of(Counter::LoadFailures),
        coalesced: of(Counter::Coalesced),
        lease_waits: of(Counter::LeaseWaits),
        refreshes: of(Counter::Refreshes),
        warmed: of(Counter::Warmed),
        invalidated_tags: of(Counter::InvalidatedTags),
        write_failures: of(Counter::WriteFailures),
        load_time: percentiles(counts.times(Timing::Load)),
        hit_time: percentiles(counts.times(Timing::Hit)),
        savings: savings(counts),
    }
}

/// Without the cache each lookup would have been a load, of as many statements and as long as a load is on average.
fn savings(counts: &Counts) -> Savings {
    let (asked, loads) = (lookups(counts), counts.get(Counter::Loads));
    let saved = asked.saturating_sub(loads);
    let times = counts.times(Timing::Load);
    let succeeded = loads.saturating_sub(counts.get(Counter::LoadFailures));
    let per_load = |sum: f64, of: u64| (of > 0).then(|| sum / of as f64);
    let statements = per_load(counts.get(Counter::LoadStatements) as f64, succeeded);
    let seconds = per_load(times.sum().as_secs_f64(), times.count());
    Savings {
        loads: saved,
        percent: (asked > 0).then(|| (saved as f64 * 1_000.0 / asked as f64).round() / 10.0),
        statements_per_load: statements.map(|statements| (statements * 100.0).round() / 100.0),
        statements: (saved as f64 * statements.unwrap_or(0.0)).round() as u64,
        database_seconds: (saved as f64 * seconds.unwrap_or(0.0) * 1_000.0).round() / 1_000.0,
    }
}

pub fn percentiles(times: Times) -> Option<Percentiles> {
    let at = |share| times.percentile(share).map(|time| (time.as_secs_f64() * 1e6).round() / 1e3);
    Some(Percentiles { p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)? })
}

/// Tags that made most lookups miss, each with what invalidated it most often meanwhile.
fn missed_tags(missed: &Frequent, facts: &Facts, since: Timestamp) -> Vec<MissedTag> {
    let shown = missed.ranking().into_iter().take(MISSED_TAGS).map(|missed| {
        let tag = cache_keys::written_tag(&Tag::new(missed.name));
        let mut causes = BTreeMap::<(&str, &str), u64>::new();
        for done in facts.invalidations.iter().filter(|done| done.at >= since && done.tags.contains(&tag)) {
            *causes.entry((&done.who, &done.why)).or_default() += done.times;
        }
        let cause = causes.into_iter().max_by_key(|(_, times)| *times);
        MissedTag {
            tag,
            misses: missed.count,
            is_estimate: missed.too_high_by > 0,
            cause: cause.map(|((who, why), times)| MissCause { who: who.to_owned(), why: why.to_owned(), times }),
        }
    });
    shown.collect()
}

pub(super) fn invalidation(row: &InvalidationRow) -> InvalidationShown {
    InvalidationShown {
        at: instant(row.last_us),
        tags: written_tags(&row.tags),
        who: row.who.clone(),
        why: row.why.clone(),
        times: u64::try_from(row.times).unwrap_or(0),
    }
}

/// What happened, in words.
pub(super) fn event(row: &EventRow) -> HealthEvent {
    let detail = &row.detail;
    let text = match row.kind.as_str() {
        "started" => format!("Started, release {detail}."),
        "released" => format!("Started with another release than the one before: {detail}."),
        "stopped" => "Stopped.".to_owned(),
        "redis_away" => format!("Redis is not asked any more: {detail}."),
        "redis_back" => match detail.parse() {
            Ok(seconds) => format!("Redis answers again, after {}.", format::seconds(seconds)),
            Err(_) => "Redis answers again.".to_owned(),
        },
        "store_changed" => {
            format!("Another Redis counts, or the same after a restart (epoch {detail}): the cache begins anew.")
        }
        "counters_reset" => format!("{detail} reset the counters."),
        "verdict" => serde_json::from_str::<Finding>(detail).map_or_else(|_| String::new(), |verdict| verdict.sentence),
        _ => detail.clone(),
    };
    HealthEvent { at: instant(row.at_us), kind: row.kind.clone(), text, instance: row.instance.clone() }
}

pub(super) fn instant(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or_default()
}

#[cfg(test)]
mod tests;
