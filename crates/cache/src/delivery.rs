//! Telling the store what has changed, and answering a writer no sooner than nobody can be wrong about it.

use std::{
    collections::HashSet,
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
    trust::{LOOK_EVERY, TRUST_FOR},
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
        if !tags.is_empty() {
            let invalidation = Invalidation::new(&tags, cause, jiff::Timestamp::now());
            let id = match self.0.trust.outbox() {
                Some(outbox) => outbox.record(&invalidation).await?,
                None => self.0.trust.next_id(),
            };
            self.deliver(PendingInvalidation { id, invalidation }).await;
        }
        Ok(())
    }

    /// The same for a row of the [outbox](crate::Outbox) that a transaction has left: to be called as soon as it has
    /// committed, and before it is answered.
    pub async fn deliver(&self, row: PendingInvalidation) {
        let committed = Instant::now();
        self.flush_counts_soon();
        self.0.journal.note(&row.invalidation);
        self.0.stats.add_many(Counter::InvalidatedTags, row.invalidation.tags.len() as u64);
        // A caller that goes away (its client hung up) has committed already: from here on the work is this task's.
        let cache = self.clone();
        let work = tokio::spawn(async move {
            let delivered = cache.answer_after(committed, cache.deliver_all(std::slice::from_ref(&row))).await;
            let Invalidation { tags, who, why, .. } = &row.invalidation;
            for tag in tags {
                let elapsed_ms = millis(committed.elapsed());
                tracing::info!(tag, who, why, delivered, elapsed_ms, "cache invalidated by tag");
            }
            if !delivered {
                cache.0.trust.add(row);
                cache.start_relay();
            }
        });
        // It ends early only with the runtime.
        let _ = work.await;
    }

    /// For a write that found everything as it should be and changed nothing: what it rests on may have been committed
    /// a moment ago, by somebody who has not told the store yet. Returns once whoever asks from now on sees it. `None`:
    /// it may rest on anything.
    pub async fn wait_until_delivered(&self, tags: Option<&[Tag]>) {
        let began = Instant::now();
        let (cache, tags) = (self.clone(), tags.map(lookup::normal));
        let work = async move {
            let delivering = async {
                let _looking = cache.0.trust.looking.lock().await;
                // A look that begins now, whatever an earlier one has found.
                cache.look_and_settle(tags.as_deref()).await
            };
            cache.answer_after(began, delivering).await;
        };
        let _ = tokio::spawn(work).await;
    }

    /// Invalidations of every instance, as far as they are heard: one may come twice, and one that is lost harms
    /// nothing.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.messages.subscribe()
    }

    /// Invalidations that this instance knows to be pending.
    pub fn pending_invalidations(&self) -> usize {
        self.0.trust.pending_for(None).len()
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
        let Some(claim) = self.0.trust.bound_claim() else { return false };
        let names: HashSet<&String> = rows.iter().flat_map(|row| &row.invalidation.tags).collect();
        let tags: Vec<Tag> = names.into_iter().map(|name| Tag::new(name.clone())).collect();
        for some in tags.chunks(TAGS_AT_ONCE) {
            let names = some.iter().map(|tag| tag.name().to_owned()).collect();
            let invalidation = Invalidation { tags: names, ..rows[0].invalidation.clone() };
            let message = Message { invalidation, from: self.0.name };
            if let Err(error) = self.0.store.invalidate(some, &message.to_json()).await {
                tracing::warn!(%error, rows = rows.len(), "invalidation not delivered yet: these tags are not trusted");
                return false;
            }
            // Nobody listening is no error.
            let _ = self.0.messages.send(Event::Invalidated(message.invalidation));
        }
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let acknowledged = match self.0.trust.outbox() {
            Some(outbox) => outbox.acknowledge(&ids, &claim).await,
            None => Ok(true),
        };
        match acknowledged {
            Ok(true) => {
                self.0.trust.remove(&ids);
                true
            }
            Ok(false) => {
                tracing::info!("another store counts by now: what was delivered to this one is delivered again");
                self.0.trust.doubt();
                false
            }
            Err(error) => {
                tracing::warn!(error, rows = ids.len(), "delivered invalidations cannot be acknowledged: they stay");
                false
            }
        }
    }

    /// Looks and delivers from now on, until the cache is gone.
    pub(crate) fn start_relay(&self) {
        if !self.0.relaying.swap(true, Ordering::AcqRel) {
            tokio::spawn(relay(Arc::downgrade(&self.0)));
        }
    }

    /// One look, and what has been pending since the one before is delivered: its writer takes too long. Returns when
    /// to look next.
    async fn look_and_deliver(&self) -> Duration {
        let _looking = self.0.trust.looking.lock().await;
        if self.look(self.0.trust.asks_store()).await.is_err() {
            return LOOK_EVERY;
        }
        let waiting = self.0.trust.waiting();
        if !waiting.is_empty() && self.deliver_all(&waiting).await {
            tracing::info!(rows = waiting.len(), "delivered what was pending");
        }
        self.0.trust.look_again_after()
    }
}

async fn relay(cache: Weak<CacheInner>) {
    loop {
        let Some(inner) = cache.upgrade() else { return };
        let pause = Cache(inner).look_and_deliver().await;
        sleep(pause).await;
    }
}
