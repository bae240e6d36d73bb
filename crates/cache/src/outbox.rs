//! What writes owe the store, and when the store's word may be taken.
//!
//! A writer that cannot reach the store has changed data that other instances, which can, still find current. They learn of it from
//! the **outbox**: a row for each invalidation, written in the transaction of the change, removed once the store has taken it.
//!
//! An instance takes the store's word only while its last look at the outbox began less than [`TRUST_FOR`] ago, and found nothing
//! owed to the tags in question. A writer that could not deliver answers only after [`TRUST_FOR`] and a little more. So whoever asks
//! after that answer asks an instance that has looked since the commit, or that must look first.
//!
//! Whoever sees a row delivers it, if its writer does not: rows outlive a writer that died between commit and invalidation.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout};

use crate::{Cache, CacheInner, Event, Invalidation, key::Tag};

/// How long a look at the outbox holds.
pub(crate) const TRUST_FOR: Duration = Duration::from_secs(1);
/// A writer whose invalidation is not delivered answers after this: longer than anybody's look holds.
pub(crate) const ANSWER_AFTER: Duration = Duration::from_millis(1_100);
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// While something is owed. What is still there at the second look is delivered by whoever sees it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// For one look. A database that has not said in this time that nothing is owed would not load anything sooner.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// After a look that failed, nobody waits for another for this long.
const LEAVE_ALONE_FOR: Duration = Duration::from_secs(1);
/// Rows of one look. Where there are more, no tag is trusted until there are fewer.
const ROWS: usize = 1_000;

/// Where invalidations wait until the store has taken them: beside the data, in the writer's own transaction.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// At most `limit` of those committed when this was called, the oldest first. Fails with a reason for the log.
    async fn owed(&self, limit: usize) -> Result<Vec<Owed>, String>;

    /// Removes those that the store has taken.
    async fn settle(&self, ids: &[i64]) -> Result<(), String>;
}

/// An invalidation that the store may not have taken yet.
#[derive(Debug, Clone)]
pub struct Owed {
    /// Never used twice.
    pub id: i64,
    pub invalidation: Invalidation,
}

/// Why the store's word is not taken.
pub(crate) enum Distrust {
    /// Something is owed to one of the tags, and cannot be delivered.
    Owed(String),
    /// Nobody knows: the outbox does not answer.
    Overdue(String),
}

#[derive(Default)]
pub(crate) struct Trust {
    outbox: OnceLock<Arc<dyn Outbox>>,
    known: Mutex<OutboxView>,
    /// Held while looking and delivering.
    looking: tokio::sync::Mutex<()>,
    /// Rows of writes of this process, which sees to them itself.
    own: Mutex<HashSet<i64>>,
    settled: Mutex<Settled>,
}

#[derive(Default)]
struct OutboxView {
    looked: Option<Instants>,
    owed: Vec<Owed>,
    tags: HashSet<String>,
    too_many: bool,
    /// When each row was first seen.
    seen: HashMap<i64, Instant>,
    /// When the last look failed, if it did.
    silent_since: Option<Instant>,
}

#[derive(Default)]
struct Settled {
    ids: Vec<i64>,
    removing: bool,
}

enum Judgement {
    Trusted,
    Owed,
    Overdue,
}

/// By two clocks, of which the one that says more counts: a machine that slept has a monotonic clock that did not notice.
#[derive(Clone, Copy)]
struct Instants {
    monotonic: Instant,
    wall: SystemTime,
}

impl Instants {
    fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    fn age(self) -> Duration {
        self.monotonic.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

/// The duty to deliver what one write owes. Dropped undelivered, the row is anybody's again.
pub struct Debt {
    id: i64,
    cache: Cache,
    paid: bool,
}

impl Drop for Debt {
    fn drop(&mut self) {
        // The row of one that is paid is still there for a moment: looks go on leaving it out until it is not.
        if !self.paid {
            lock(&self.cache.0.trust.own).remove(&self.id);
        }
    }
}

impl Cache {
    /// Has this cache go by an outbox: delivers what is owed, as far as the store takes it, and looks again and again from then on.
    pub async fn watch(&self, outbox: Arc<dyn Outbox>) {
        if self.0.trust.outbox.set(outbox).is_err() {
            return;
        }
        {
            let _looking = self.0.trust.looking.lock().await;
            if self.look().await.is_ok() {
                self.deliver(&self.0.trust.owed()).await;
            }
        }
        tokio::spawn(relay(Arc::downgrade(&self.0)));
    }

    /// Whether writes have to record what they owe: others see the store too, and there is an outbox to record it in.
    pub fn keeps_debts(&self) -> bool {
        self.0.store.is_shared() && self.0.trust.outbox.get().is_some()
    }

    /// Takes the duty for a row that a transaction of this process has written. To be called before it commits.
    pub fn owe(&self, id: i64) -> Debt {
        lock(&self.0.trust.own).insert(id);
        Debt { id, cache: self.clone(), paid: false }
    }

    /// Rows that the last look found, those of this process left out.
    pub fn owed_rows(&self) -> usize {
        lock(&self.0.trust.known).owed.len()
    }

    /// Whether the store's word may be taken for these tags. Looks first if the last look is too old; delivers what is owed to them.
    pub(crate) async fn trust(&self, tags: &[Tag]) -> Result<(), Distrust> {
        if self.0.undelivered.contains_any(tags) {
            return Err(Distrust::Owed("an invalidation is not delivered yet".to_owned()));
        }
        // Nobody else writes past a store that nobody else sees, but for imports, and those wait for the relay.
        if !self.keeps_debts() {
            return Ok(());
        }
        match self.0.trust.judge(tags) {
            Judgement::Trusted => return Ok(()),
            Judgement::Overdue if self.0.trust.failed_just_now() => {
                return Err(Distrust::Overdue("the outbox cannot be looked at".to_owned()));
            }
            Judgement::Overdue | Judgement::Owed => {}
        }
        match timeout(LOOK_TIMEOUT, self.earn_trust(tags)).await {
            Ok(result) => result,
            Err(_) => Err(Distrust::Overdue("the outbox does not answer in time".to_owned())),
        }
    }

    async fn earn_trust(&self, tags: &[Tag]) -> Result<(), Distrust> {
        let _looking = self.0.trust.looking.lock().await;
        // Somebody may have looked while this one waited to.
        if matches!(self.0.trust.judge(tags), Judgement::Trusted) {
            return Ok(());
        }
        self.look().await.map_err(Distrust::Overdue)?;
        match self.0.trust.judge(tags) {
            Judgement::Trusted => Ok(()),
            Judgement::Overdue => Err(Distrust::Overdue("the outbox answers too slowly".to_owned())),
            Judgement::Owed => {
                let theirs: Vec<_> = self.0.trust.owed().into_iter().filter(|owed| concerns(owed, tags)).collect();
                if self.deliver(&theirs).await && matches!(self.0.trust.judge(tags), Judgement::Trusted) {
                    Ok(())
                } else {
                    Err(Distrust::Owed("an invalidation of another instance is not delivered yet".to_owned()))
                }
            }
        }
    }

    /// Asks the outbox. To be called with `looking` held.
    async fn look(&self) -> Result<(), String> {
        let trust = &self.0.trust;
        let Some(outbox) = trust.outbox.get() else { return Ok(()) };
        let began = Instants::now();
        let found = timeout(LOOK_TIMEOUT, outbox.owed(ROWS)).await.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let mut known = lock(&trust.known);
        match found {
            Ok(rows) => {
                if known.silent_since.take().is_some() {
                    tracing::info!("the outbox answers again");
                }
                known.looked = Some(began);
                known.too_many = rows.len() >= ROWS;
                let own = lock(&trust.own);
                known.owed = rows.into_iter().filter(|owed| !own.contains(&owed.id)).collect();
                known.index();
                Ok(())
            }
            Err(error) => {
                if known.silent_since.replace(Instant::now()).is_none() {
                    tracing::warn!(error, "the outbox cannot be looked at: the cache is not trusted until it can");
                }
                Err(format!("the outbox cannot be looked at: {error}"))
            }
        }
    }

    /// Has the store take these rows, and removes them. Whether it did. To be called with `looking` held.
    async fn deliver(&self, rows: &[Owed]) -> bool {
        if rows.is_empty() {
            return true;
        }
        let mut tags: Vec<_> = rows.iter().flat_map(|row| row.invalidation.tags.iter().map(|name| Tag::new(name.clone()))).collect();
        tags.sort_unstable();
        tags.dedup();
        for some in tags.chunks(256) {
            let names = some.iter().map(|tag| tag.name().to_owned()).collect();
            let message = Invalidation { tags: names, ..rows[0].invalidation.clone() };
            if let Err(error) = self.0.store.invalidate(some, &message.to_json()).await {
                tracing::debug!(%error, rows = rows.len(), "what is owed cannot be delivered yet");
                return false;
            }
            // Nobody listening is no error.
            let _ = self.0.messages.send(Event::Invalidated(message));
        }
        tracing::info!(rows = rows.len(), tags = tags.len(), "delivered what was owed");
        let ids: HashSet<_> = rows.iter().map(|row| row.id).collect();
        {
            let mut known = lock(&self.0.trust.known);
            known.owed.retain(|owed| !ids.contains(&owed.id));
            known.index();
        }
        self.remove_soon(ids);
        true
    }

    /// The store has taken it.
    pub(crate) fn settle(&self, mut debt: Debt) {
        debt.paid = true;
        self.remove_soon([debt.id]);
    }

    /// Removes rows from the outbox, together with whatever else becomes ready while a removal runs.
    fn remove_soon(&self, ids: impl IntoIterator<Item = i64>) {
        let mut settled = lock(&self.0.trust.settled);
        settled.ids.extend(ids);
        if !std::mem::replace(&mut settled.removing, true) {
            tokio::spawn(self.clone().remove_settled());
        }
    }

    async fn remove_settled(self) {
        let Some(outbox) = self.0.trust.outbox.get() else { return };
        loop {
            let ids = {
                let mut settled = lock(&self.0.trust.settled);
                settled.removing = !settled.ids.is_empty();
                std::mem::take(&mut settled.ids)
            };
            if ids.is_empty() {
                return;
            }
            if let Err(error) = outbox.settle(&ids).await {
                // They are seen again, delivered again, and removed then.
                tracing::debug!(error, rows = ids.len(), "delivered rows stay in the outbox for now");
            }
            let mut own = lock(&self.0.trust.own);
            ids.iter().for_each(|id| {
                own.remove(id);
            });
        }
    }

    /// One look, and what has been owed since the one before is delivered. Returns when to look next.
    async fn look_and_deliver(&self) -> Duration {
        let _looking = self.0.trust.looking.lock().await;
        if self.look().await.is_err() {
            return LOOK_EVERY;
        }
        let waiting = self.0.trust.waiting();
        if self.deliver(&waiting).await && self.0.trust.expects_more() { LOOK_AGAIN } else { LOOK_EVERY }
    }
}

impl Trust {
    fn judge(&self, tags: &[Tag]) -> Judgement {
        let known = lock(&self.known);
        match known.looked {
            Some(looked) if looked.age() < TRUST_FOR => {
                let owed = known.too_many || (!known.tags.is_empty() && tags.iter().any(|tag| known.tags.contains(tag.name())));
                if owed { Judgement::Owed } else { Judgement::Trusted }
            }
            _ => Judgement::Overdue,
        }
    }

    fn failed_just_now(&self) -> bool {
        lock(&self.known).silent_since.is_some_and(|when| when.elapsed() < LEAVE_ALONE_FOR)
    }

    fn owed(&self) -> Vec<Owed> {
        lock(&self.known).owed.clone()
    }

    fn expects_more(&self) -> bool {
        let known = lock(&self.known);
        known.too_many || !known.owed.is_empty()
    }

    /// What was there at an earlier look already: its writer takes too long.
    fn waiting(&self) -> Vec<Owed> {
        let (mut guard, now) = (lock(&self.known), Instant::now());
        let known = &mut *guard;
        let there: HashSet<_> = known.owed.iter().map(|owed| owed.id).collect();
        known.seen.retain(|id, _| there.contains(id));
        for id in there {
            known.seen.entry(id).or_insert(now);
        }
        let waited = |owed: &&Owed| known.seen.get(&owed.id).is_some_and(|first| now.duration_since(*first) >= LOOK_AGAIN);
        known.owed.iter().filter(waited).cloned().collect()
    }
}

impl OutboxView {
    fn index(&mut self) {
        self.tags = self.owed.iter().flat_map(|owed| owed.invalidation.tags.iter().cloned()).collect();
    }
}

fn concerns(owed: &Owed, tags: &[Tag]) -> bool {
    owed.invalidation.tags.iter().any(|name| tags.iter().any(|tag| tag.name() == name))
}

/// Looks and delivers until the cache is gone.
async fn relay(cache: Weak<CacheInner>) {
    loop {
        let Some(shared) = cache.upgrade() else { return };
        let pause = Cache(shared).look_and_deliver().await;
        sleep(pause).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
