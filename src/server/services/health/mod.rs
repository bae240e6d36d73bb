//! How the cache fares: what this instance watches and writes down for the others, and what its page shows.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use vendorscope_cache::{Cache, Condition, InvalidationTally, Tag};

use crate::server::{
    AppError, cache_keys,
    db::{
        Db, DbError,
        health::{self as rows, EventRow, InstanceRow, InvalidationRow, NamesRow},
    },
};
use crate::server_functions::cache_health::{Finding, InstanceState};

/// What actions would cost.
mod costs;
/// Figures over time.
mod course;
/// A look at one entry.
mod entry;
/// What a verdict is reached from.
mod facts;
/// What is read most, and what makes lookups miss.
mod names;
/// What the page shows and the API gives.
mod report;
/// When the cache is not well.
mod rules;
/// What the store says of itself, asked now and then.
mod samples;

pub use costs::{Carriers, find_carriers};
pub use report::window;

use names::Slots;
use samples::Samples;

/// How often an instance writes how it fares.
const NOTED_EVERY: Duration = Duration::from_secs(10);
/// How often it looks at its connections meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long after it was last asked something an instance counts as one in use.
const IN_USE_FOR: Duration = Duration::from_secs(60);
/// An instance that has written nothing for this long is silent.
const SILENT_AFTER: SignedDuration = SignedDuration::from_secs(35);
/// How long a silent or ended one is shown.
const SHOWN_FOR: SignedDuration = SignedDuration::from_hours(1);
/// What is older is removed.
const KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// The database gets this long to say what is shown: the page is needed most while something does not answer.
const ASK_WITHIN: Duration = Duration::from_secs(2);
/// Events and invalidations that wait for a database that does not answer; of more, the oldest are lost.
const WAITING: usize = 1_000;

/// Tags of one invalidation that are written down; of more, none.
const NAMED: usize = 50;

/// This release, as instances tell each other.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is known of the cache's health.
pub struct Health {
    db: Db,
    cache: Cache,
    id: String,
    name: OnceLock<String>,
    started: Timestamp,
    samples: Samples,
    waiting: Mutex<Waiting>,
    slots: Mutex<Slots>,
    /// Held while something is being written down. Whether that this instance stops has been: then nothing else is.
    noting: tokio::sync::Mutex<bool>,
    /// When somebody last looked at what is shown here.
    looked_at: Mutex<Option<tokio::time::Instant>>,
}

/// Not written down yet.
#[derive(Default)]
struct Waiting {
    events: VecDeque<EventRow>,
    invalidations: VecDeque<InvalidationRow>,
    /// What was seen last, to tell when it becomes another.
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    down_since: Option<Timestamp>,
    openings: u64,
    epoch: Option<i64>,
}

impl Health {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self {
            db,
            cache,
            id: format!("{:016x}", rand::random::<u64>()),
            name: OnceLock::new(),
            started: Timestamp::now(),
            samples: Samples::default(),
            waiting: Mutex::default(),
            slots: Mutex::default(),
            noting: tokio::sync::Mutex::default(),
            looked_at: Mutex::default(),
        }
    }

    fn was_looked_at_within(&self, time: Duration) -> bool {
        let looked_at = *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        looked_at.is_some_and(|at| at.elapsed() <= time)
    }

    /// Watches until the process ends, as the instance that listens on this port.
    /// `session_eviction` asks for the policy by which the sessions' Redis may throw them away.
    pub async fn watch<F>(&self, port: u16, session_eviction: impl Fn() -> F)
    where
        F: Future<Output = Option<String>>,
    {
        let _ = self.name.set(format!("{}:{port}", machine()));
        if let Err(error) = self.note_start().await {
            tracing::debug!(%error, "the start is not written down");
        }
        let (mut noted, mut forgotten) = (tokio::time::Instant::now(), tokio::time::Instant::now());
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.look();
            if noted.elapsed() >= NOTED_EVERY {
                self.note().await;
                // An instance that nobody asks leaves Redis alone: there are services that count every command.
                if self.cache.was_used_within(IN_USE_FOR) || self.was_looked_at_within(IN_USE_FOR) {
                    self.samples.take(&self.cache).await;
                    self.note_verdict(session_eviction().await).await;
                }
                noted = tokio::time::Instant::now();
            }
            if forgotten.elapsed() >= FORGET_EVERY {
                let (before, names_before) = (Timestamp::now() - KEPT, names::kept_from(Timestamp::now()));
                if let Err(error) = rows::forget(&self.db, before.as_microsecond(), names_before).await {
                    tracing::debug!(%error, "what is old is not removed");
                }
                forgotten = tokio::time::Instant::now();
            }
        }
    }

    /// Writes down that this instance stops.
    pub async fn stop(&self) {
        let noting = async {
            let mut has_stopped = self.noting.lock().await;
            *has_stopped = true;
            self.event(Timestamp::now(), "stopped", VERSION);
            let mut taken = Taken::from(self);
            let row = InstanceRow { ended_us: Some(Timestamp::now().as_microsecond()), ..self.row() };
            taken.is_written = true;
            rows::note(&self.db, &row, &taken.events, &taken.invalidations, &taken.names).await
        };
        if !matches!(tokio::time::timeout(ASK_WITHIN, noting).await, Ok(Ok(()))) {
            tracing::debug!("the stop is not written down");
        }
    }

    /// Writes down that the counters begin anew.
    pub async fn note_reset(&self, who: &str) -> Result<(), AppError> {
        let mut tx = self.db.write().await?;
        let event = EventRow {
            at_us: Timestamp::now().as_microsecond(),
            instance: self.name().to_owned(),
            kind: "counters_reset".to_owned(),
            detail: who.to_owned(),
        };
        rows::insert_event(&mut tx, &event).await?;
        Ok(tx.commit().await?)
    }

    async fn note_start(&self) -> Result<(), DbError> {
        // Whoever was started last before: from which release this one comes.
        let before = rows::list_instances(&self.db, 0).await?.into_iter().map(|row| row.version).next();
        let kind = if before.is_some_and(|version| version != VERSION) { "released" } else { "started" };
        self.event(self.started, kind, VERSION);
        self.note().await;
        Ok(())
    }

    /// Notices when the breaker opens and closes, and when another store begins to count.
    fn look(&self) {
        let condition = self.cache.condition();
        let (down, openings) = (down_since(&condition), openings(&condition));
        let mut waiting = self.waiting();
        let before = std::mem::replace(
            &mut waiting.seen,
            Seen { down_since: down.as_ref().map(|(since, _)| *since), openings, epoch: condition.epoch },
        );
        drop(waiting);
        match (before.down_since, &down) {
            (None, Some((since, reason))) => self.event(*since, "redis_away", reason),
            (Some(since), None) => {
                let now = Timestamp::now();
                self.event(now, "redis_back", &now.duration_since(since).as_secs().to_string());
            }
            // Open and closed again between two looks.
            (None, None) if openings > before.openings => self.event(Timestamp::now(), "redis_away", "for a moment"),
            _ => {}
        }
        if let (Some(before), Some(now)) = (before.epoch, condition.epoch)
            && now > before
            && before > 0
        {
            self.event(Timestamp::now(), "store_changed", &now.to_string());
        }
    }

    /// Writes down how this instance fares, and what has happened since. May be given up at any moment.
    async fn note(&self) {
        let has_stopped = self.noting.lock().await;
        if *has_stopped {
            return;
        }
        let mut taken = Taken::from(self);
        match rows::note(&self.db, &self.row(), &taken.events, &taken.invalidations, &taken.names).await {
            Ok(()) => {
                self.slots().are_written(&taken.names);
                taken.is_written = true;
            }
            Err(error) => tracing::debug!(%error, "how this instance fares is written down later"),
        }
    }

    /// Writes down what the verdict has become, where this is the instance to do it: one does for all.
    async fn note_verdict(&self, session_eviction: Option<String>) {
        let facts = Box::pin(self.facts(session_eviction)).await;
        if facts.running().map(|instance| &instance.id).min() != Some(&self.id) {
            return;
        }
        let verdict = rules::judge(&facts).into_iter().next().unwrap_or_else(|| rules::well(&facts));
        let written = async {
            let before = rows::last_event(&self.db, "verdict").await?;
            let before: Option<Finding> = before.and_then(|event| serde_json::from_str(&event.detail).ok());
            if before.is_some_and(|before| before.rule == verdict.rule) {
                return Ok(());
            }
            let event = EventRow {
                at_us: verdict.since.unwrap_or(facts.now).as_microsecond(),
                instance: self.name().to_owned(),
                kind: "verdict".to_owned(),
                detail: serde_json::to_string(&verdict).unwrap_or_default(),
            };
            let mut tx = self.db.write().await?;
            rows::insert_event(&mut tx, &event).await?;
            tx.commit().await
        };
        let written: Result<(), DbError> = written.await;
        if let Err(error) = written {
            tracing::debug!(%error, "the verdict is not written down");
        }
    }

    fn name(&self) -> &str {
        self.name.get().map_or("this instance", String::as_str)
    }

    fn event(&self, at: Timestamp, kind: &str, detail: &str) {
        self.waiting().events.push_back(EventRow {
            at_us: at.as_microsecond(),
            instance: self.name().to_owned(),
            kind: kind.to_owned(),
            detail: detail.to_owned(),
        });
    }

    fn row(&self) -> InstanceRow {
        InstanceRow {
            id: self.id.clone(),
            name: self.name().to_owned(),
            version: VERSION.to_owned(),
            started_us: self.started.as_microsecond(),
            seen_us: Timestamp::now().as_microsecond(),
            ended_us: None,
            state: serde_json::to_string(&self.state()).unwrap_or_default(),
        }
    }

    /// How this instance fares now.
    fn state(&self) -> InstanceState {
        let condition = self.cache.condition();
        let down = down_since(&condition);
        InstanceState {
            breaker_open_since: down.as_ref().map(|(since, _)| *since),
            breaker_reason: down.map(|(_, reason)| reason),
            breaker_openings: openings(&condition),
            outbox_pending: condition.pending as u64,
            outbox_pending_seconds: condition.pending_for.map(|waits| waits.as_secs()),
            outbox_looked_ms: condition.looked_ago.map(|ago| u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)),
            is_trusted: condition.is_trusted,
            epoch: condition.epoch,
            near_entries: condition.near_entries,
            near_bytes: condition.near_bytes,
            refusal: self.cache.refusal(),
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is being written down. What is not written in the end waits again.
struct Taken<'h> {
    health: &'h Health,
    events: Vec<EventRow>,
    invalidations: Vec<InvalidationRow>,
    /// These stay where they are until they are written.
    names: Vec<NamesRow>,
    is_written: bool,
}

impl<'h> Taken<'h> {
    fn from(health: &'h Health) -> Self {
        let new = health.cache.take_invalidations();
        let mut waiting = health.waiting();
        waiting.invalidations.extend(new.iter().map(invalidation_row));
        let (events, invalidations) = (waiting.events.drain(..).collect(), waiting.invalidations.drain(..).collect());
        drop(waiting);
        let mut slots = health.slots();
        slots.add(Timestamp::now(), &health.cache.take_names());
        Self { health, events, invalidations, names: slots.unwritten(), is_written: false }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.is_written {
            return;
        }
        let mut waiting = self.health.waiting();
        let Waiting { events, invalidations, .. } = &mut *waiting;
        self.events.drain(..).rev().for_each(|event| events.push_front(event));
        self.invalidations.drain(..).rev().for_each(|row| invalidations.push_front(row));
        events.drain(..events.len().saturating_sub(WAITING));
        invalidations.drain(..invalidations.len().saturating_sub(WAITING));
    }
}

/// Since when the store, or one of its servers, is not asked, and why.
fn down_since(condition: &Condition) -> Option<(Timestamp, String)> {
    let down = condition.connections.iter().filter_map(|connection| connection.down.as_ref());
    let (reason, since) = down.min_by_key(|(_, since)| *since)?;
    Some((Timestamp::try_from(*since).unwrap_or_default(), reason.clone()))
}

fn openings(condition: &Condition) -> u64 {
    condition.connections.iter().map(|connection| connection.openings).sum()
}

fn invalidation_row(tally: &InvalidationTally) -> InvalidationRow {
    InvalidationRow {
        minute: tally.last.as_second().div_euclid(60),
        tags: if tally.tags.len() > NAMED { String::new() } else { tally.tags.join(" ") },
        who: tally.who.clone(),
        why: tally.why.clone(),
        times: i64::try_from(tally.times).unwrap_or(i64::MAX),
        last_us: tally.last.as_microsecond(),
    }
}

/// Tags as they are kept, as people write them.
fn written_tags(names: &str) -> Vec<String> {
    names.split(' ').filter(|name| !name.is_empty()).map(|name| cache_keys::written_tag(&Tag::new(name))).collect()
}

fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "instance".to_owned() } else { name.to_owned() }
}
