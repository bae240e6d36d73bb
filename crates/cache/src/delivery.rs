//! Telling the store what has changed, and answering a writer no sooner than nobody can be wrong about it.

use std::{
    slice,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::broadcast,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use crate::{
    Cache, CacheInner, Cause, Event, Invalidation,
    key::Tag,
    lookup,
    message::Message,
    millis,
    outbox::PendingInvalidation,
    stats::Counter,
    trust::{Pending, TRUST_FOR, in_time},
};

/// A writer whose invalidation is not delivered answers after this: longer than anybody's look at the outbox holds.
const ANSWER_AFTER: Duration = Duration::from_millis(1_100);
/// Tags of one request to the store.
const TAGS_AT_ONCE: usize = 256;

const _: () = assert!(ANSWER_AFTER.as_millis() > TRUST_FOR.as_millis());

impl Cache {
    /// Gives each tag a new generation: no entry stamped with an older one is served again, on any instance, once this
    /// returns. For changes that no transaction of the data belongs to; fails only where the outbox cannot be written,
    /// with a reason for the log.
    pub async fn invalidate(&self, tags: &[Tag], cause: &Cause) -> Result<(), String> {
        let tags = lookup::normal(tags);
        if tags.is_empty() {
            return Ok(());
        }
        let invalidation = Invalidation::new(&tags, cause, jiff::Timestamp::now());
        let row = match self.0.trust.outbox() {
            Some(outbox) => PendingInvalidation { id: outbox.record(&invalidation).await?, invalidation },
            None => {
                let row = PendingInvalidation { id: rand::random(), invalidation };
                // Nobody here takes the store's word for its tags until it is delivered.
                self.0.trust.add(row.clone());
                self.start_relay();
                row
            }
        };
        self.deliver(row).await;
        Ok(())
    }

    /// The same for a row of the [outbox](crate::Outbox) that a transaction has left: to be called as soon as it has
    /// committed, and before it is answered. Where that is given up in the middle, the row is delivered all the same.
    pub async fn deliver(&self, row: PendingInvalidation) {
        let committed = Instant::now();
        self.flush_counts_soon();
        self.0.journal.note(&row.invalidation);
        self.0.stats.add_many(Counter::InvalidatedTags, row.invalidation.tags.len() as u64);
        let delivered = self.answer_after(committed, self.deliver_all(slice::from_ref(&row))).await;
        let Invalidation { tags, who, why, .. } = &row.invalidation;
        for tag in tags {
            let elapsed_ms = millis(committed.elapsed());
            tracing::info!(tag, who, why, delivered, elapsed_ms, "cache invalidated by tag");
        }
    }

    /// For a write that found everything as it should be and changed nothing: what it rests on may have been committed
    /// a moment ago, by somebody who has not told the store yet. Returns once whoever asks from now on sees it. `None`:
    /// it may rest on anything.
    pub async fn wait_until_delivered(&self, tags: Option<&[Tag]>) {
        if !tags.is_some_and(<[Tag]>::is_empty) {
            self.answer_after(Instant::now(), self.settle_now(tags)).await;
        }
    }

    /// Invalidations of every instance, as far as they are heard: one may come twice, and one that is lost harms
    /// nothing.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.messages.subscribe()
    }

    /// Whether `delivering` succeeded, after waiting for as long as another instance may still be wrong: where it did
    /// not, until each has looked at the outbox since `committed`; where it did, until each has seen which store
    /// counts.
    async fn answer_after(&self, committed: Instant, delivering: impl Future<Output = bool>) -> bool {
        let latest = committed + ANSWER_AFTER;
        let delivered = timeout_at(latest, delivering).await.unwrap_or(false);
        let until = if delivered { self.0.trust.epoch_seen().map(|seen| seen + ANSWER_AFTER) } else { Some(latest) };
        if let Some(until) = until {
            sleep_until(until).await;
        }
        delivered
    }

    /// Has the store that counts take these rows, and acknowledges them. Whether it still counted when it had.
    pub(crate) async fn deliver_all(&self, rows: &[PendingInvalidation]) -> bool {
        if rows.is_empty() {
            return true;
        }
        let delivered = self.try_to_deliver(rows).await;
        if let Err(error) = &delivered
            && let Some(lasted) = self.0.undelivered.fails(error)
        {
            let waiting = self.0.trust.glance();
            let (rows, waiting_ms) = (waiting.pending.max(rows.len()), millis(waiting.pending_for.unwrap_or(lasted)));
            tracing::warn!(error, rows, waiting_ms, "invalidation not delivered yet: these tags are not trusted");
        }
        delivered.is_ok()
    }

    async fn try_to_deliver(&self, rows: &[PendingInvalidation]) -> Result<(), String> {
        let claim = self.0.trust.bound_claim().ok_or("another store counts")?;
        let names = rows.iter().flat_map(|row| &row.invalidation.tags);
        let tags = lookup::normal(&names.map(Tag::new).collect::<Vec<_>>());
        for some in tags.chunks(TAGS_AT_ONCE) {
            let tags = some.iter().map(|tag| tag.name().to_owned()).collect();
            let invalidation = Invalidation { tags, ..rows[0].invalidation.clone() };
            let message = Message { invalidation, from: self.0.name };
            self.0.store.invalidate(some, &message.to_json()).await.map_err(|error| error.to_string())?;
            // Nobody listening is no error.
            let _ = self.0.messages.send(Event::Invalidated(message.invalidation));
        }
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        if let Some(outbox) = self.0.trust.outbox() {
            let acknowledged = in_time(outbox.acknowledge(&ids, &claim)).await;
            if !acknowledged.map_err(|error| format!("delivered, but cannot be acknowledged: {error}"))? {
                return Err("delivered to a store that does not count any more".to_owned());
            }
        }
        self.0.trust.remove(&ids);
        Ok(())
    }

    /// Looks and delivers from now on, until the cache is gone.
    pub(crate) fn start_relay(&self) {
        if !self.0.relaying.swap(true, Ordering::AcqRel) {
            tokio::spawn(relay(Arc::downgrade(&self.0)));
        }
    }
}

async fn relay(cache: Weak<CacheInner>) {
    while let Some(inner) = cache.upgrade() {
        let cache = Cache(inner);
        let looking = cache.0.trust.looking.lock().await;
        cache.settle(Pending::is_left_lying).await;
        drop(looking);
        let pause = cache.0.trust.look_again_after();
        drop(cache);
        sleep(pause).await;
    }
}
