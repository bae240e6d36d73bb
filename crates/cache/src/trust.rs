//! Whether the store's word may be taken.
//!
//! An instance takes it only after a look at the [outbox](crate::Outbox) that found nothing pending for the tags in
//! question, and that the store it speaks to is the one that counts. The look began less than [`TRUST_FOR`] before the
//! lookup, or since: however long it took, it has seen whatever was committed before. So does every other instance. A
//! writer that could not deliver answers only after longer than that: whoever asks after its answer asks an instance
//! that has looked since the commit, or that looks first.

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use crate::{
    Cache, Look, Outbox, PendingInvalidation, StoreClaim, clock::Instants, generations::epoch_mask, key::Tag,
    memory_outbox::MemoryOutbox,
};

/// How long a look at the outbox holds.
pub(crate) const TRUST_FOR: Duration = Duration::from_secs(1);
/// For one question to the outbox. A database that has not answered in this time would not load anything sooner.
const OUTBOX_TIMEOUT: Duration = Duration::from_secs(2);
/// What a lookup waits at most for whoever is looking, and for its own look.
const TRUST_TIMEOUT: Duration = Duration::from_secs(3);
/// After a lookup's own look that did not help, no other lookup waits for one for this long.
const SPARE_FOR: Duration = Duration::from_millis(100);
/// A store that has not been the one that counts for this long, and is still all that this instance can reach, is
/// claimed all the same.
const CLAIM_AFTER: Duration = Duration::from_secs(10);

/// Why the store's word is not taken.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub(crate) enum Distrust {
    #[error("an invalidation is not delivered yet")]
    Pending,
    #[error("the outbox does not answer in time")]
    Overdue,
    #[error("the store is away, or another one counts")]
    OtherStore,
}

/// What this instance knows of the outbox and of its store.
#[derive(Default)]
pub(crate) struct View {
    outbox: Option<Arc<dyn Outbox>>,
    pub pending: Vec<PendingInvalidation>,
    /// Whether there may be more than the last look could show: any tag may be among them.
    is_cut: bool,
    pub looked: Option<Instants>,
    /// Whether the last look failed: until one does not, none but the relay's is waited for.
    pub is_silent: bool,
    /// Which store counts, as the last look found it.
    pub claim: StoreClaim,
    /// When this epoch was first seen here: others may have seen it this much later. Nobody was wrong before the first.
    pub epoch_seen: Option<Instant>,
    /// When the store last said that it is the one that counts; `None` once it is known not to be.
    confirmed: Option<Instants>,
    /// What the store was when it last counted here, or could not be claimed.
    known_server: String,
    /// Since when another store counts, always the same one.
    differs_since: Option<Instant>,
    /// Until when nobody waits for another look.
    spared_until: Option<Instant>,
    /// Whether anybody asked since the last look: an idle instance leaves its store alone.
    pub is_used: bool,
}

impl Cache {
    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.0.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn outbox(&self) -> Arc<dyn Outbox> {
        self.view().outbox.get_or_insert_with(|| Arc::new(MemoryOutbox::default())).clone()
    }

    /// Has this cache go by an outbox in a database, and delivers what is pending there, as far as the store takes it.
    pub async fn watch(&self, outbox: Arc<dyn Outbox>) {
        let looking = self.0.looking.lock().await;
        *self.view() = View { outbox: Some(outbox), is_used: true, ..View::default() };
        drop(looking);
        self.settle(|_| true).await;
    }

    /// What generations are to be seen through, where the store's word may be taken for these tags. Looks first if the
    /// last look is too old.
    pub(crate) async fn trust(&self, tags: &[Tag]) -> Result<u64, Distrust> {
        let asked = Instants::now();
        if let Some(known) = self.view().known(tags, asked) {
            return known;
        }
        let look = async {
            let _looking = self.0.looking.lock().await;
            // Somebody may have looked while this one waited to.
            if self.view().known(tags, asked).is_none() {
                self.look().await;
            }
        };
        let _ = timeout(TRUST_TIMEOUT, Box::pin(look)).await;
        let mut view = self.view();
        let judgement = view.judge(tags, asked);
        view.spared_until = judgement.is_err().then(|| Instant::now() + SPARE_FOR);
        judgement
    }

    /// Asks the outbox what is pending and which store counts, and the store what it is. Whether the outbox said. To be
    /// called with `looking` held.
    pub(crate) async fn look(&self) -> bool {
        let (began, limit, outbox) = (Instants::now(), self.0.settings.rows_at_once.max(1), self.outbox());
        let asks_store = std::mem::take(&mut self.view().is_used);
        // What the store said before holds for as long as it would have where it does not say now.
        let server = async { if asks_store { self.0.store.server().await.ok() } else { None } };
        let (found, server) = tokio::join!(in_time(outbox.look(limit)), server);
        let Some(claim) = self.view().note(began, limit, found) else { return false };
        let Some(server) = server else { return true };
        if server != claim.server && self.view().may_claim(&server) {
            let claimed = in_time(outbox.claim(claim.epoch, &server)).await;
            let mut view = self.view();
            // Not before: a look that was given up meanwhile leaves it to the next one.
            view.known_server.clone_from(&server);
            match claimed {
                Ok(true) => view.know(StoreClaim { epoch: claim.epoch + 1, server: server.clone() }),
                // Somebody was faster: the next look tells.
                Ok(false) => return true,
                Err(error) => {
                    tracing::warn!(error, "which store counts cannot be written");
                    return true;
                }
            }
        }
        let mut view = self.view();
        if server == view.claim.server {
            self.0.store.bind(&server);
            (view.confirmed, view.known_server, view.differs_since) = (Some(began), server, None);
        } else {
            // Perhaps the address leads somewhere else by now.
            self.0.store.reconnect();
        }
        true
    }
}

impl View {
    fn judge(&self, tags: &[Tag], asked: Instants) -> Result<u64, Distrust> {
        match self.confirmed {
            // Before anything else: what is known to be pending makes the store wrong, however old that knowledge is.
            _ if self.is_cut || self.pending.iter().any(|row| row.invalidation.concerns(tags)) => {
                Err(Distrust::Pending)
            }
            // A look that confirmed it has said what is pending, too.
            Some(at) if at.is_within(TRUST_FOR, asked) => Ok(epoch_mask(self.claim.epoch)),
            _ if self.is_silent => Err(Distrust::Overdue),
            _ => Err(Distrust::OtherStore),
        }
    }

    /// What can be said without another look.
    fn known(&mut self, tags: &[Tag], asked: Instants) -> Option<Result<u64, Distrust>> {
        self.is_used = true;
        let judgement = self.judge(tags, asked);
        let is_spared = self.is_silent || self.spared_until.is_some_and(|until| Instant::now() < until);
        (judgement.is_ok() || is_spared).then_some(judgement)
    }

    /// What is pending and wanted; everything, where it hides more (`true`).
    pub fn select(&self, wanted: impl Fn(&PendingInvalidation) -> bool) -> (Vec<PendingInvalidation>, bool) {
        (self.pending.iter().filter(|row| self.is_cut || wanted(row)).cloned().collect(), self.is_cut)
    }

    /// What a look for at most `limit` rows found. Returns which store counts.
    fn note(&mut self, began: Instants, limit: usize, found: Result<Look, String>) -> Option<StoreClaim> {
        let was_silent = std::mem::replace(&mut self.is_silent, found.is_err());
        match &found {
            Err(error) if !was_silent => {
                tracing::warn!(error, "the outbox cannot be looked at: the cache is not trusted until it can");
            }
            Ok(_) if was_silent => tracing::info!("the outbox answers again"),
            _ => {}
        }
        let Look { claim, pending } = found.ok()?;
        (self.looked, self.is_cut, self.pending) = (Some(began), pending.len() >= limit, pending);
        if self.claim != claim {
            self.know(claim.clone());
        }
        Some(claim)
    }

    /// Another store counts than did before.
    fn know(&mut self, claim: StoreClaim) {
        if !self.claim.server.is_empty() {
            let (epoch, server, before) = (claim.epoch, &claim.server, &self.claim.server);
            tracing::warn!(epoch, server, before, "another store counts from now on: nothing cached before does");
        }
        (self.confirmed, self.differs_since) = (None, None);
        self.epoch_seen = (claim.epoch > 1).then(Instant::now);
        self.claim = claim;
    }

    /// Whether this store, which does not count, may be made the one that does: at once where it is new here (after a
    /// start, a failover), and after a while where it is not, so that two instances that cannot agree do not take it
    /// from each other all the time.
    fn may_claim(&mut self, server: &str) -> bool {
        self.confirmed = None;
        let since = *self.differs_since.get_or_insert_with(Instant::now);
        self.known_server != server || since.elapsed() >= CLAIM_AFTER
    }

    /// The claim under which this instance may deliver, and see generations; `None` while another store counts.
    pub fn bound_claim(&self) -> Option<StoreClaim> {
        self.confirmed.is_some().then(|| self.claim.clone())
    }
}

/// What the outbox says, if it does in time: whoever looks keeps others waiting.
pub(crate) async fn in_time<T>(asked: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(OUTBOX_TIMEOUT, asked).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}
