//! Telling the store what has changed, and answering a writer no sooner than nobody can be wrong about it.

use std::{collections::HashSet, sync::Weak, time::Duration};

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::{
    Cache, CacheInner, Cause, Event, Invalidation, PendingInvalidation,
    key::Tag,
    lookup,
    message::Message,
    millis,
    stats::Counter,
    trust::{self, TRUST_FOR},
};

/// A writer whose invalidation is not delivered answers after this: longer than anybody's look at the outbox holds.
const ANSWER_AFTER: Duration = TRUST_FOR.saturating_add(Duration::from_millis(100));
/// How often an instance looks whom nobody asks, and how often while something is pending.
const LOOK_EVERY: Duration = Duration::from_millis(400);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Cache {
    /// Gives each tag a new generation: no entry stamped with an older one is served again, on any instance, once this
    /// returns. For changes that no transaction of the data belongs to; fails only where the outbox cannot be written,
    /// with a reason for the log.
    pub async fn invalidate(&self, tags: &[Tag], cause: &Cause) -> Result<(), String> {
        if tags.is_empty() {
            return Ok(());
        }
        let invalidation = Invalidation::new(&lookup::normal(tags), cause, jiff::Timestamp::now());
        let id = self.outbox().record(&invalidation).await?;
        self.deliver(PendingInvalidation { id, invalidation }).await;
        Ok(())
    }

    /// The same for a row of the [outbox](crate::Outbox) that a transaction has left: to be called as soon as it has
    /// committed, and before it is answered. Where that is given up in the middle, the row is delivered all the same.
    pub async fn deliver(&self, row: PendingInvalidation) {
        let committed = Instant::now();
        self.flush_counts_soon();
        self.0.journal.note(&row.invalidation);
        self.0.stats.add_many(Counter::InvalidatedTags, row.invalidation.tags.len() as u64);
        let delivered = self.answer_after(committed, self.deliver_all(std::slice::from_ref(&row))).await;
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
            let settled = self.settle(|row| tags.is_none_or(|tags| row.invalidation.concerns(tags)));
            self.answer_after(Instant::now(), settled).await;
        }
    }

    /// Whether `delivering` succeeded, after waiting for as long as another instance may still be wrong: where it did
    /// not, until each has looked at the outbox since `committed`; where it did, until each has seen which store
    /// counts, for which such a look is enough, too.
    async fn answer_after(&self, committed: Instant, delivering: impl Future<Output = bool>) -> bool {
        let delivered = timeout_at(committed + ANSWER_AFTER, delivering).await.unwrap_or(false);
        let since = if delivered { self.view().epoch_seen } else { Some(committed) };
        if let Some(since) = since {
            sleep_until(since.min(committed) + ANSWER_AFTER).await;
        }
        delivered
    }

    /// Looks, and delivers what is pending and wanted; everything where that is more than one look shows, until one
    /// shows the rest. Whether none of it is pending any more.
    pub(crate) async fn settle(&self, wanted: impl Fn(&PendingInvalidation) -> bool) -> bool {
        loop {
            let began = Instant::now();
            let looking = self.0.looking.lock().await;
            if !self.look().await {
                return false;
            }
            let (rows, is_cut) = self.view().select(&wanted);
            drop(looking);
            if !self.deliver_all(&rows).await {
                return false;
            }
            if !rows.is_empty() {
                tracing::info!(rows = rows.len(), "delivered what was pending");
            }
            if is_cut {
                continue;
            }
            if self.view().pending.is_empty()
                && let Some(lasted_ms) = self.0.undelivered.is_over(began).map(millis)
            {
                tracing::info!(lasted_ms, "no invalidation waits any more: what could not be delivered has been");
            }
            return true;
        }
    }

    /// Has the store that counts take these rows, and acknowledges them. Whether it still counted when it had.
    async fn deliver_all(&self, rows: &[PendingInvalidation]) -> bool {
        let Err(error) = self.try_to_deliver(rows).await else { return true };
        // An instance that only writes is to find out, too, that its store is another one.
        self.view().is_used = true;
        if let Some(lasted) = self.0.undelivered.fails(&error) {
            let (rows, waiting_ms) = (self.view().pending.len().max(rows.len()), millis(lasted));
            tracing::warn!(error, rows, waiting_ms, "invalidation not delivered yet: these tags are not trusted");
        }
        false
    }

    async fn try_to_deliver(&self, rows: &[PendingInvalidation]) -> Result<(), String> {
        let Some(first) = rows.first() else { return Ok(()) };
        if self.view().bound_claim().is_none() {
            let _ = self.trust(&[]).await;
        }
        let claim = self.view().bound_claim().ok_or("another store counts")?;
        let names = rows.iter().flat_map(|row| &row.invalidation.tags);
        let tags = lookup::normal(&names.map(Tag::new).collect::<Vec<_>>());
        let names = tags.iter().map(|tag| tag.name().to_owned()).collect();
        let message =
            Message { invalidation: Invalidation { tags: names, ..first.invalidation.clone() }, from: self.0.name };
        self.0.store.invalidate(&tags, &message.to_json()).await.map_err(|error| error.to_string())?;
        // Nobody listening is no error.
        let _ = self.0.messages.send(Event::Invalidated(message.invalidation));
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let acknowledged = trust::in_time(self.outbox().acknowledge(&ids, &claim)).await;
        if !acknowledged.map_err(|error| format!("delivered, but cannot be acknowledged: {error}"))? {
            return Err("delivered to a store that does not count any more".to_owned());
        }
        self.view().pending.retain(|row| !ids.contains(&row.id));
        Ok(())
    }
}

/// Looks and delivers, again and again, until the cache is gone.
pub(crate) async fn relay(cache: Weak<CacheInner>) {
    let mut seen = HashSet::new();
    while let Some(inner) = cache.upgrade() {
        let cache = Cache(inner);
        // What was there a look ago, its writer does not deliver soon.
        cache.settle(|row| seen.contains(&row.id)).await;
        let pause = {
            let view = cache.view();
            seen = view.pending.iter().map(|row| row.id).collect();
            if view.is_silent || seen.is_empty() { LOOK_EVERY } else { LOOK_AGAIN }
        };
        drop(cache);
        sleep(pause).await;
    }
}
