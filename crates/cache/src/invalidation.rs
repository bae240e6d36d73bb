//! Invalidating: now if the store takes it, later if it must be, never silently not.

use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::{
    Cache, Cause, Event, Invalidation,
    key::Tag,
    lookup, millis,
    outbox::{ANSWER_AFTER, Debt},
    stats::Counter,
};

/// Tags of one attempt to deliver late.
const TAGS_AT_ONCE: usize = 256;
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl Cache {
    /// Gives each tag a new generation: no entry stamped with an older one is served again. Returns once the store has taken it, or
    /// once it can no longer be wrong that it has not: no instance then trusts entries of these tags until it is delivered, which
    /// goes on in the background. This process alone knows what is not delivered yet: see [`invalidate_owed`](Self::invalidate_owed).
    pub async fn invalidate(&self, tags: &[Tag], cause: &Cause) {
        self.invalidate_owed(tags, cause, None).await;
    }

    /// The same for a write that has recorded in the [outbox](super::Outbox) what it owes.
    pub async fn invalidate_owed(&self, tags: &[Tag], cause: &Cause, debt: Option<Debt>) {
        let tags = lookup::normal(tags);
        if tags.is_empty() {
            return;
        }
        let started = Instant::now();
        let message = Invalidation::new(&tags, cause, jiff::Timestamp::now());
        // A caller that goes away (its client hung up) has committed already: from here on the work is this task's.
        let (cache, in_task) = (self.clone(), (tags.clone(), message.clone()));
        let delivered = tokio::spawn(async move { cache.deliver_or_distrust(&in_task.0, in_task.1, debt).await }).await.unwrap_or(false);
        self.0.stats.add_many(Counter::InvalidatedTags, tags.len() as u64);
        self.flush_counts_soon();
        for tag in &tags {
            tracing::info!(
                tag = tag.name(),
                who = cause.who,
                why = cause.why,
                delivered,
                elapsed_ms = millis(started.elapsed()),
                "cache invalidated by tag"
            );
        }
        // Nobody listening is no error.
        let _ = self.0.messages.send(Event::Invalidated(message));
    }

    /// Invalidations of every instance, as far as they are heard: some come twice, and one that is lost harms nothing.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.messages.subscribe()
    }

    /// Invalidations that this process still has to deliver, in tags.
    pub fn undelivered_tags(&self) -> usize {
        self.0.undelivered.len()
    }

    /// Whether the store has taken it within [`ANSWER_AFTER`].
    async fn deliver_or_distrust(&self, tags: &[Tag], message: Invalidation, debt: Option<Debt>) -> bool {
        let deadline = tokio::time::Instant::now() + ANSWER_AFTER;
        let Err(error) = self.0.store.invalidate(tags, &message.to_json()).await else {
            debt.into_iter().for_each(|debt| self.settle(debt));
            return true;
        };
        tracing::warn!(%error, "invalidation not delivered yet: these tags are not trusted");
        if self.0.undelivered.add(tags) {
            tokio::spawn(self.clone().deliver_late(message));
        }
        let (cache, late) = (self.clone(), tags.to_vec());
        let delivered = tokio::spawn(async move {
            cache.0.undelivered.until_delivered(&late).await;
            debt.into_iter().for_each(|debt| cache.settle(debt));
        });
        tokio::time::timeout_at(deadline, delivered).await.is_ok()
    }

    /// Delivers what waits, until nothing does.
    async fn deliver_late(self, message: Invalidation) {
        let mut pause = FIRST_PAUSE;
        while let Some((tags, moment)) = self.0.undelivered.next(TAGS_AT_ONCE) {
            let message = Invalidation { tags: tags.iter().map(|tag| tag.name().to_owned()).collect(), ..message.clone() };
            match self.0.store.invalidate(&tags, &message.to_json()).await {
                Ok(()) => {
                    tracing::info!(tags = tags.len(), "late invalidation delivered");
                    self.0.undelivered.delivered(&tags, moment);
                }
                Err(error) => {
                    tracing::debug!(%error, tags = tags.len(), "invalidation still not delivered");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}
