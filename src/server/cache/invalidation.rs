//! Invalidating: now if the store takes it, later if it must be, never silently not.

use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::{Cache, Cause, Invalidation, keys::Tag, lookup, millis, stats::Counter};

/// How long [`Cache::invalidate`] keeps its caller waiting for a store that does not take the invalidation.
const PATIENCE: Duration = Duration::from_secs(1);
/// Tags of one attempt to deliver late.
const TAGS_AT_ONCE: usize = 256;
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl Cache {
    /// Gives each tag a new generation: no entry stamped with an older one is served again. Returns once the store has taken it, or
    /// once it can no longer be wrong that it has not: this process then trusts no entry of these tags until it is delivered, which
    /// goes on in the background. (What other instances must then know is the outbox's business, issue 3.)
    pub async fn invalidate(&self, tags: &[Tag], cause: &Cause) {
        let tags = lookup::normal(tags);
        if tags.is_empty() {
            return;
        }
        let started = Instant::now();
        let message = Invalidation::new(&tags, cause, self.0.clock.now_micros());
        // A caller that goes away (its client hung up) has committed already: from here on the work is this task's.
        let (cache, in_task) = (self.clone(), (tags.clone(), message.clone()));
        let delivered = tokio::spawn(async move { cache.deliver_or_distrust(&in_task.0, in_task.1).await }).await.unwrap_or(false);
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
        let _ = self.0.messages.send(message);
    }

    /// Invalidations of this process, as they are published. One that is lost or repeated harms nothing.
    pub fn subscribe(&self) -> broadcast::Receiver<Invalidation> {
        self.0.messages.subscribe()
    }

    /// Invalidations that this process still has to deliver, in tags.
    pub fn undelivered_tags(&self) -> usize {
        self.0.undelivered.len()
    }

    /// Whether the store has taken it within [`PATIENCE`].
    async fn deliver_or_distrust(&self, tags: &[Tag], message: Invalidation) -> bool {
        let Err(error) = self.0.store.invalidate(tags, &message.to_json()).await else { return true };
        tracing::warn!(%error, "invalidation not delivered yet: these tags are not trusted");
        if self.0.undelivered.add(tags) {
            tokio::spawn(self.clone().deliver_late(message));
        }
        tokio::time::timeout(PATIENCE, self.0.undelivered.until_delivered(tags)).await.is_ok()
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
