//! Whether the store's word may be taken.
//!
//! An instance takes it only after a look at the [outbox](crate::Outbox) that found nothing pending for the tags in
//! question, and that the store it speaks to is the one that counts. The look began less than [`TRUST_FOR`] before the
//! lookup, or since: however long it took, it has seen whatever was committed before. So does every other instance. A
//! writer that could not deliver answers only after longer than that: whoever asks after its answer asks an instance
//! that has looked since the commit, or that looks first.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use crate::{
    Cache, Condition,
    clock::Instants,
    generations::epoch_mask,
    key::Tag,
    millis,
    outbox::{Look, Outbox, PendingInvalidation, StoreClaim},
};

/// How long a look at the outbox holds.
pub(crate) const TRUST_FOR: Duration = Duration::from_secs(1);
/// How often an instance looks whom nobody asks, and how often while something is pending.
const LOOK_EVERY: Duration = Duration::from_millis(400);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// For one question to the outbox. A database that has not said in this time that nothing is pending would not load
/// anything sooner.
const OUTBOX_TIMEOUT: Duration = Duration::from_secs(2);
/// What a lookup waits at most for whoever is looking, and for its own look and delivery.
const TRUST_TIMEOUT: Duration = Duration::from_secs(3);
/// After a lookup's own look that did not help, no other lookup waits for one for this long.
const SPARE_FOR: Duration = Duration::from_millis(100);
/// A store that has not been the one that counts for this long, and is still all that this instance can reach, is
/// claimed all the same.
const CLAIM_AFTER: Duration = Duration::from_secs(10);

/// Why the store's word is not taken.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Distrust {
    /// Something is pending for one of the tags, and cannot be delivered.
    Pending,
    /// Nobody knows: the outbox does not answer.
    Overdue,
    /// The store that is there is not known to be the one that counts.
    OtherStore,
}

impl Distrust {
    pub fn why(self) -> &'static str {
        match self {
            Self::Pending => "an invalidation is not delivered yet",
            Self::Overdue => "the outbox does not answer in time",
            Self::OtherStore => "the store is away, or another one counts",
        }
    }
}

#[derive(Default)]
pub(crate) struct Trust {
    /// Without one everything that is pending is known here, and whatever store is there counts: right for one process.
    outbox: OnceLock<Arc<dyn Outbox>>,
    view: Mutex<View>,
    /// Held while looking and delivering.
    pub looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct View {
    looked: Option<Instants>,
    /// Whether the last look failed: until one does not, none but the relay's is waited for.
    is_silent: bool,
    pending: Vec<Pending>,
    /// Whether there may be more than the last look could show: then any tag may be among them, until another look
    /// shows all there is, however many of those that are known have been delivered.
    is_cut: bool,
    /// Which store counts, as the last look found it.
    claim: StoreClaim,
    /// When this epoch was first seen here: others may have seen it this much later.
    epoch_seen: Option<Instant>,
    /// When the store last said that it is the one that counts; `None` once it is known not to be.
    confirmed: Option<Instants>,
    /// What the store was when it last counted here, or was refused.
    known_server: String,
    /// Since when another store counts.
    differs_since: Option<Instant>,
    /// Until when nobody waits for another look.
    spared_until: Option<Instant>,
    /// Whether anybody asked since the last look: an idle instance leaves its store alone.
    is_used: bool,
}

pub(crate) struct Pending {
    /// By this instance, first.
    seen: Instant,
    row: PendingInvalidation,
}

impl Pending {
    pub fn concerns(&self, tags: &[Tag]) -> bool {
        self.row.invalidation.tags.iter().any(|name| tags.iter().any(|tag| tag.name() == name))
    }

    /// Its writer takes so long that whoever sees it delivers it.
    pub fn is_left_lying(&self) -> bool {
        self.seen.elapsed() >= LOOK_AGAIN
    }
}

impl Cache {
    /// Has this cache go by an outbox in a database: delivers what is pending, as far as the store takes it, and looks
    /// again and again from then on.
    pub async fn watch(&self, outbox: Arc<dyn Outbox>) {
        if self.0.trust.outbox.set(outbox).is_ok() {
            self.settle_now(None).await;
            self.start_relay();
        }
    }

    /// What generations are to be seen through, where the store's word may be taken for these tags. Looks first if the
    /// last look is too old; delivers what is pending for them.
    pub(crate) async fn trust(&self, tags: &[Tag]) -> Result<u64, Distrust> {
        let (trust, asked) = (&self.0.trust, Instants::now());
        if let Some(known) = trust.known(tags, asked) {
            return known;
        }
        let judge = || {
            let mut view = trust.view();
            let judgement = trust.judge(&view, tags, asked);
            view.spared_until = judgement.is_err().then(|| Instant::now() + SPARE_FOR);
            judgement
        };
        let look = async {
            let _looking = trust.looking.lock().await;
            // Somebody may have looked while this one waited to.
            if let Some(known) = trust.known(tags, asked) {
                return known;
            }
            self.settle(|pending| pending.concerns(tags)).await;
            judge()
        };
        timeout(TRUST_TIMEOUT, look).await.unwrap_or_else(|_| judge())
    }

    /// Looks, and delivers what is pending and wanted; everything where that is more than one look shows, until one
    /// shows the rest. Whether none of it is pending any more. To be called with `looking` held.
    pub(crate) async fn settle(&self, wanted: impl Fn(&Pending) -> bool) -> bool {
        loop {
            let began = Instant::now();
            if !self.look().await {
                return false;
            }
            if self.0.trust.glance().pending == 0
                && let Some(lasted) = self.0.undelivered.is_over(began)
            {
                let lasted_ms = millis(lasted);
                tracing::info!(lasted_ms, "no invalidation waits any more: what could not be delivered has been");
            }
            let (rows, is_cut) = self.0.trust.pending(&wanted);
            if !self.deliver_all(&rows).await {
                return false;
            }
            if !rows.is_empty() {
                tracing::info!(rows = rows.len(), "delivered what was pending");
            }
            if !is_cut {
                return true;
            }
        }
    }

    /// The same for these tags, or for any, by a look that begins now, whatever an earlier one has found.
    pub(crate) async fn settle_now(&self, tags: Option<&[Tag]>) -> bool {
        let _looking = self.0.trust.looking.lock().await;
        self.0.trust.view().is_used = true;
        self.settle(|pending| tags.is_none_or(|tags| pending.concerns(tags))).await
    }

    /// Asks the outbox what is pending and which store counts, and the store what it is. Whether the outbox said.
    async fn look(&self) -> bool {
        let (trust, began) = (&self.0.trust, Instants::now());
        let Some(outbox) = trust.outbox() else { return true };
        let asks_store = trust.view().takes_to_ask_store();
        let asked = async { if asks_store { Some(self.0.store.server().await) } else { None } };
        let rows = self.0.settings.rows_at_once.max(1);
        let (found, server) = tokio::join!(in_time(outbox.look(rows)), asked);
        let Some(claim) = trust.note(began, rows, found) else { return false };
        match server {
            Some(Ok(server)) if server == claim.server => self.confirm(began, claim),
            Some(Ok(server)) if trust.view().may_claim(&server) => match in_time(outbox.claim(claim.epoch, &server))
                .await
            {
                Ok(true) => {
                    let (epoch, before) = (claim.epoch + 1, claim.server);
                    tracing::warn!(epoch, server, before, "this store counts from now on: nothing cached before is");
                    self.confirm(began, StoreClaim { epoch, server });
                }
                // Somebody was faster: the next look tells.
                Ok(false) => {}
                Err(error) => tracing::warn!(error, "which store counts cannot be written"),
            },
            // Perhaps the address leads somewhere else by now.
            Some(Ok(_)) => self.0.store.reconnect(),
            // What it said before holds for as long as it would have.
            Some(Err(error)) => tracing::debug!(%error, "the store does not say what it is"),
            None => {}
        }
        true
    }

    /// The store that is there is the one that counts.
    fn confirm(&self, at: Instants, claim: StoreClaim) {
        self.0.store.bind(&claim.server);
        let mut view = self.0.trust.view();
        view.known_server.clone_from(&claim.server);
        view.know(claim);
        (view.confirmed, view.differs_since) = (Some(at), None);
    }
}

impl Trust {
    pub fn outbox(&self) -> Option<&dyn Outbox> {
        self.outbox.get().map(|outbox| &**outbox)
    }

    fn judge(&self, view: &View, tags: &[Tag], asked: Instants) -> Result<u64, Distrust> {
        let holds =
            |at: Option<Instants>| self.outbox().is_none() || at.is_some_and(|at| at.is_within(TRUST_FOR, asked));
        match () {
            // Before anything else: what is known to be pending makes the store wrong, however old that knowledge is.
            () if view.is_cut || view.pending.iter().any(|row| row.concerns(tags)) => Err(Distrust::Pending),
            () if !holds(view.looked) => Err(Distrust::Overdue),
            // The same database would say which store counts.
            () if !holds(view.confirmed) && view.is_silent => Err(Distrust::Overdue),
            () if !holds(view.confirmed) => Err(Distrust::OtherStore),
            () => Ok(epoch_mask(view.claim.epoch)),
        }
    }

    /// What can be said without another look.
    fn known(&self, tags: &[Tag], asked: Instants) -> Option<Result<u64, Distrust>> {
        let mut view = self.view();
        view.is_used = true;
        let judgement = self.judge(&view, tags, asked);
        let is_spared = view.is_silent || view.spared_until.is_some_and(|until| Instant::now() < until);
        (judgement.is_ok() || is_spared).then_some(judgement)
    }

    /// The claim under which this instance may deliver, and see generations; `None` while another store counts, or
    /// before the first look.
    pub fn bound_claim(&self) -> Option<StoreClaim> {
        let view = self.view();
        (self.outbox().is_none() || view.confirmed.is_some()).then(|| view.claim.clone())
    }

    /// What generations were last to be seen through.
    pub fn last_mask(&self) -> Option<u64> {
        self.bound_claim().map(|claim| epoch_mask(claim.epoch))
    }

    /// When this epoch was first seen here.
    pub fn epoch_seen(&self) -> Option<Instant> {
        self.view().epoch_seen
    }

    /// How things stand; nothing of the near cache and of connections.
    pub fn glance(&self) -> Condition {
        let is_trusted = self.bound_claim().is_some();
        let view = self.view();
        Condition {
            looked_ago: view.looked.map(Instants::age),
            pending: view.pending.len(),
            pending_for: view.pending.iter().map(|row| row.seen.elapsed()).max(),
            epoch: view.looked.map(|_| view.claim.epoch),
            is_trusted,
            ..Condition::default()
        }
    }

    /// What is pending and wanted; everything, where it hides more (`true`).
    fn pending(&self, wanted: impl Fn(&Pending) -> bool) -> (Vec<PendingInvalidation>, bool) {
        let view = self.view();
        let rows = view.pending.iter().filter(|row| view.is_cut || wanted(row));
        (rows.map(|pending| pending.row.clone()).collect(), view.is_cut)
    }

    pub fn add(&self, row: PendingInvalidation) {
        self.view().pending.push(Pending { seen: Instant::now(), row });
    }

    pub fn remove(&self, ids: &[i64]) {
        self.view().pending.retain(|pending| !ids.contains(&pending.row.id));
    }

    /// When to look next.
    pub fn look_again_after(&self) -> Duration {
        let view = self.view();
        if view.pending.is_empty() || view.is_silent { LOOK_EVERY } else { LOOK_AGAIN }
    }

    /// What a look for at most `rows` rows found. Returns which store counts.
    fn note(&self, began: Instants, rows: usize, found: Result<Look, String>) -> Option<StoreClaim> {
        let mut view = self.view();
        let was_silent = std::mem::replace(&mut view.is_silent, found.is_err());
        let look = match found {
            Ok(look) => look,
            Err(error) => {
                if !was_silent {
                    tracing::warn!(error, "the outbox cannot be looked at: the cache is not trusted until it can");
                }
                return None;
            }
        };
        if was_silent {
            tracing::info!("the outbox answers again");
        }
        let before = std::mem::take(&mut view.pending);
        let seen = |id| before.iter().find(|known| known.row.id == id).map_or_else(Instant::now, |known| known.seen);
        view.is_cut = look.pending.len() >= rows;
        view.pending = look.pending.into_iter().map(|row| Pending { seen: seen(row.id), row }).collect();
        view.looked = Some(began);
        view.know(look.claim);
        Some(view.claim.clone())
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    /// Which store counts.
    fn know(&mut self, claim: StoreClaim) {
        if self.claim != claim {
            self.confirmed = None;
            // Before the first epoch no store counted: there is nobody who could still be wrong.
            self.epoch_seen = (claim.epoch > 1).then(Instant::now);
            self.claim = claim;
        }
    }

    /// Whether this store, which does not count, may be made the one that does: at once where it is new here (after a
    /// start, a failover), and after a while where it is not, so that two instances that cannot agree do not take it
    /// from each other all the time.
    fn may_claim(&mut self, server: &str) -> bool {
        self.confirmed = None;
        let since = *self.differs_since.get_or_insert_with(Instant::now);
        let is_new = self.known_server != server;
        server.clone_into(&mut self.known_server);
        is_new || since.elapsed() >= CLAIM_AFTER
    }

    /// Whether the next look is to ask the store what it is: somebody used it since the last, or something is still
    /// pending. That may be so because the store is another one, and of an instance that only writes nobody else asks.
    fn takes_to_ask_store(&mut self) -> bool {
        std::mem::take(&mut self.is_used) || !self.pending.is_empty()
    }
}

/// What the outbox says, if it does in time: whoever looks or delivers keeps others waiting.
pub(crate) async fn in_time<T>(asked: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(OUTBOX_TIMEOUT, asked).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}
