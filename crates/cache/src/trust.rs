//! Whether the store's word may be taken.
//!
//! An instance takes it only after a look at the [outbox](crate::Outbox) that found nothing pending for the tags in
//! question, and that the store it speaks to is the one that counts. The look began less than [`TRUST_FOR`] before the
//! lookup, or since: however long it took, it has seen whatever was committed before. So does every other instance. A
//! writer that could not deliver answers only after longer than that: whoever asks after its answer asks an instance
//! that has looked since the commit, or that looks first.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, timeout};

use crate::{
    Cache, Condition,
    clock::Instants,
    generations::epoch_mask,
    key::Tag,
    outbox::{Look, Outbox, PendingInvalidation, StoreClaim},
};

/// How long a look at the outbox holds.
pub(crate) const TRUST_FOR: Duration = Duration::from_secs(1);
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(400);
/// While something is pending. What is still there at the second look is delivered by whoever sees it.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// While the store that is there cannot be used.
const LOOK_FOR_STORE: Duration = Duration::from_millis(100);
/// For one look. A database that has not said in this time that nothing is pending would not load anything sooner.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// After a look that failed, nobody waits for another for this long.
const LEAVE_ALONE_FOR: Duration = Duration::from_secs(1);
/// A store that has not been the one that counts for this long, and is still all that this instance can reach, is
/// claimed all the same.
const CLAIM_AFTER: Duration = Duration::from_secs(10);

/// Why the store's word is not taken.
#[derive(Clone)]
pub(crate) enum Distrust {
    /// Something is pending for one of the tags and cannot be delivered, or another store counts.
    Refused(&'static str),
    /// Nobody knows: the outbox does not answer.
    Overdue(&'static str),
}

enum Judgement {
    /// With what generations are seen through.
    Trusted(u64),
    Pending,
    Overdue,
    /// Which store counts is not known to be the one that is there.
    OtherStore,
}

impl Judgement {
    fn trusted(self) -> Result<u64, Distrust> {
        match self {
            Self::Trusted(mask) => Ok(mask),
            Self::Pending => Err(Distrust::Refused("an invalidation is not delivered yet")),
            Self::Overdue => Err(Distrust::Overdue("the outbox does not answer in time")),
            Self::OtherStore => Err(Distrust::Refused("the store is away, or another one counts")),
        }
    }
}

#[derive(Default)]
pub(crate) struct Trust {
    /// Without one everything that is pending is known here, and whatever store is there counts: right for one process.
    outbox: OnceLock<Arc<dyn Outbox>>,
    last_id: AtomicI64,
    view: Mutex<View>,
    /// Held while looking and delivering.
    pub looking: tokio::sync::Mutex<()>,
    /// Whether anybody asked since the last look: an idle instance leaves its store alone.
    used: AtomicBool,
}

#[derive(Default)]
struct View {
    looked: Option<Instants>,
    /// With the moment each was first seen.
    pending: Vec<(Instant, PendingInvalidation)>,
    /// Whether there may be more than the last look could show: then any tag may be among them, until another look
    /// shows all there is, however many of those that are known have been delivered.
    is_cut: bool,
    /// Which store counts, as the last look found it.
    claim: StoreClaim,
    /// When this epoch was first seen here: others may have seen it this much later.
    epoch_seen: Option<Instant>,
    /// When the store last said that it is the one that counts.
    confirmed: Option<Instants>,
    /// What the store was when it last counted here, or was refused: a store that has become another one may be claimed
    /// at once.
    known_server: Option<String>,
    /// Since when another store counts.
    differs_since: Option<Instant>,
    /// A look has just shown that there is nothing to be had: until when nobody waits for another one, and why.
    leave_alone: Option<(Instant, Distrust)>,
    /// Whether the last look failed.
    silent: bool,
}

impl Cache {
    /// Has this cache go by an outbox in a database: delivers what is pending, as far as the store takes it, and looks
    /// again and again from then on.
    pub async fn watch(&self, outbox: Arc<dyn Outbox>) {
        if self.0.trust.outbox.set(outbox).is_err() {
            return;
        }
        {
            let _looking = self.0.trust.looking.lock().await;
            self.look_and_settle(None).await;
        }
        self.start_relay();
    }

    /// What generations are to be seen through, where the store's word may be taken for these tags. Looks first if the
    /// last look is too old; delivers what is pending for them.
    pub(crate) async fn trust(&self, tags: &[Tag]) -> Result<u64, Distrust> {
        let (trust, asked) = (&self.0.trust, Instants::now());
        trust.used.store(true, Ordering::Relaxed);
        if let Some(known) = trust.known(tags, asked) {
            return known;
        }
        if let Ok(_looking) = timeout(LOOK_TIMEOUT, trust.looking.lock()).await {
            // Somebody may have looked while this one waited to.
            if let Some(known) = trust.known(tags, asked) {
                return known;
            }
            // What is known to be pending is no less so because nobody answers.
            let is_settled = timeout(LOOK_TIMEOUT, self.look_and_settle(Some(tags))).await.unwrap_or(false);
            if !is_settled && matches!(trust.judge(tags, asked), Judgement::Pending) {
                // Nobody else need try at once.
                trust.view().leave_alone_for(LOOK_FOR_STORE, Judgement::Pending);
            }
        }
        trust.judge(tags, asked).trusted()
    }

    /// Asks the outbox what is pending and which store counts, and the store what it is. `Err` where the outbox does
    /// not say. To be called with `looking` held.
    pub(crate) async fn look(&self, ask_store: bool) -> Result<(), String> {
        let (trust, began) = (&self.0.trust, Instants::now());
        let Some(outbox) = trust.outbox() else { return Ok(()) };
        let asked = async { if ask_store { Some(self.0.store.server().await) } else { None } };
        let rows = self.0.settings.rows_at_once.max(1);
        let (found, server) = tokio::join!(timeout(LOOK_TIMEOUT, outbox.look(rows)), asked);
        let claim = trust.note(began, rows, found.unwrap_or_else(|_| Err("no answer in time".to_owned())))?;
        match server {
            None => {}
            Some(Ok(server)) if server == claim.server => self.confirm(began, claim),
            Some(Ok(server)) if trust.may_claim(&server) => match outbox.claim(claim.epoch, &server).await {
                Ok(true) => {
                    let (epoch, before) = (claim.epoch + 1, claim.server);
                    tracing::warn!(epoch, server, before, "this store counts from now on: nothing cached before is");
                    self.confirm(began, StoreClaim { epoch, server });
                }
                // Somebody was faster: the next look tells.
                Ok(false) => trust.doubt(),
                Err(error) => {
                    tracing::warn!(error, "which store counts cannot be written");
                    trust.refuse(&error);
                }
            },
            Some(Ok(_)) => {
                // Perhaps the address leads somewhere else by now.
                self.0.store.reconnect();
                trust.refuse("another store counts");
            }
            Some(Err(error)) => trust.refuse(&error.to_string()),
        }
        Ok(())
    }

    /// Looks, and delivers what is pending for these tags, or for any; all that is pending where it is more than one
    /// look shows, until one shows the rest. Whether none of it is pending any more. To be called with `looking` held.
    pub(crate) async fn look_and_settle(&self, tags: Option<&[Tag]>) -> bool {
        loop {
            if self.look(true).await.is_err() {
                return false;
            }
            let is_cut = self.0.trust.is_cut();
            if !self.deliver_all(&self.0.trust.pending_for(tags.filter(|_| !is_cut))).await {
                return false;
            }
            if !is_cut {
                return true;
            }
        }
    }

    /// The store that is there is the one that counts.
    fn confirm(&self, at: Instants, claim: StoreClaim) {
        self.0.store.bind(&claim.server);
        let mut view = self.0.trust.view();
        view.know(claim);
        (view.confirmed, view.differs_since) = (Some(at), None);
        view.known_server = Some(view.claim.server.clone());
    }
}

impl Trust {
    pub fn outbox(&self) -> Option<&dyn Outbox> {
        self.outbox.get().map(|outbox| &**outbox)
    }

    /// For a row that no outbox gives one.
    pub fn next_id(&self) -> i64 {
        self.last_id.fetch_add(1, Ordering::Relaxed)
    }

    fn judge(&self, tags: &[Tag], asked: Instants) -> Judgement {
        let view = self.view();
        let holds =
            |at: Option<Instants>| self.outbox().is_none() || at.is_some_and(|at| at.is_within(TRUST_FOR, asked));
        match () {
            // Before anything else: what is known to be pending makes the store wrong, however old that knowledge is.
            () if view.is_cut || view.concerning(Some(tags)).next().is_some() => Judgement::Pending,
            () if !holds(view.looked) => Judgement::Overdue,
            () if !holds(view.confirmed) => Judgement::OtherStore,
            () => Judgement::Trusted(epoch_mask(view.claim.epoch)),
        }
    }

    /// The claim under which this instance may deliver; `None` while another store counts, or before the first look.
    pub fn bound_claim(&self) -> Option<StoreClaim> {
        let view = self.view();
        (self.outbox().is_none() || view.confirmed.is_some()).then(|| view.claim.clone())
    }

    /// What generations were last to be seen through; `None` while another store counts, or before the first look.
    pub fn last_mask(&self) -> Option<u64> {
        self.bound_claim().map(|claim| epoch_mask(claim.epoch))
    }

    /// How things stand; nothing of the near cache and of connections.
    pub fn glance(&self) -> Condition {
        let view = self.view();
        let first = view.pending.iter().map(|(seen, _)| *seen).min();
        Condition {
            looked_ago: view.looked.map(Instants::age),
            pending: view.pending.len(),
            pending_for: first.map(|seen| seen.elapsed()),
            epoch: view.looked.map(|_| view.claim.epoch),
            is_trusted: self.outbox().is_none() || view.confirmed.is_some(),
            near_entries: 0,
            near_bytes: 0,
            connections: Vec::new(),
        }
    }

    /// When this epoch was first seen here.
    pub fn epoch_seen(&self) -> Option<Instant> {
        self.view().epoch_seen
    }

    /// What is pending for these tags, or for any.
    pub fn pending_for(&self, tags: Option<&[Tag]>) -> Vec<PendingInvalidation> {
        self.view().concerning(tags).map(|(_, row)| row.clone()).collect()
    }

    /// Whether there may be more than is known.
    pub fn is_cut(&self) -> bool {
        self.view().is_cut
    }

    /// What was there at an earlier look already; everything, where it hides more.
    pub fn waiting(&self) -> Vec<PendingInvalidation> {
        let view = self.view();
        let is_waiting = |seen: &Instant| view.is_cut || seen.elapsed() >= LOOK_AGAIN;
        view.concerning(None).filter(|(seen, _)| is_waiting(seen)).map(|(_, row)| row.clone()).collect()
    }

    /// When to look next.
    pub fn look_again_after(&self) -> Duration {
        let view = self.view();
        let is_away = view.confirmed.is_none() && self.outbox().is_some() && self.used.load(Ordering::Relaxed);
        match () {
            () if view.is_cut || !view.pending.is_empty() => LOOK_AGAIN,
            () if is_away => LOOK_FOR_STORE,
            () => LOOK_EVERY,
        }
    }

    /// Whether the store is to be asked what it is: somebody used it since this was last called, or something is still
    /// pending. That may be so because the store is another one, and of an instance that only writes nobody else asks.
    pub fn asks_store(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed) || !self.view().pending.is_empty()
    }

    pub fn add(&self, row: PendingInvalidation) {
        let mut view = self.view();
        if view.pending.iter().all(|(_, known)| known.id != row.id) {
            view.pending.push((Instant::now(), row));
        }
    }

    pub fn remove(&self, ids: &[i64]) {
        self.view().pending.retain(|(_, row)| !ids.contains(&row.id));
    }

    /// The next who asks has to find out which store is there.
    pub fn doubt(&self) {
        self.view().confirmed = None;
        self.used.store(true, Ordering::Relaxed);
    }

    /// A look found that the store cannot be used now. What it said before holds for as long as it would have.
    fn refuse(&self, why: &str) {
        tracing::debug!(why, "the store cannot be used");
        self.view().leave_alone_for(LOOK_FOR_STORE, Judgement::OtherStore);
    }

    /// What can be said without another look.
    fn known(&self, tags: &[Tag], asked: Instants) -> Option<Result<u64, Distrust>> {
        let judgement = self.judge(tags, asked);
        if let Judgement::Trusted(mask) = judgement {
            return Some(Ok(mask));
        }
        let view = self.view();
        let (_, why) = view.leave_alone.as_ref().filter(|(until, _)| Instant::now() < *until)?;
        // What is known to be pending stands above whatever else nobody can say.
        Some(Err(if matches!(judgement, Judgement::Pending) { judgement.trusted().err()? } else { why.clone() }))
    }

    /// What a look for at most `rows` rows found. Returns which store counts.
    fn note(&self, began: Instants, rows: usize, found: Result<Look, String>) -> Result<StoreClaim, String> {
        let mut view = self.view();
        let was_silent = std::mem::replace(&mut view.silent, found.is_err());
        match found {
            Ok(look) => {
                if was_silent {
                    tracing::info!("the outbox answers again");
                }
                let before = std::mem::take(&mut view.pending);
                view.is_cut = look.pending.len() >= rows;
                let seen =
                    |id| before.iter().find(|(_, row)| row.id == id).map_or_else(Instant::now, |(seen, _)| *seen);
                view.pending = look.pending.into_iter().map(|row| (seen(row.id), row)).collect();
                view.looked = Some(began);
                view.know(look.claim);
                Ok(view.claim.clone())
            }
            Err(error) => {
                if !was_silent {
                    tracing::warn!(error, "the outbox cannot be looked at: the cache is not trusted until it can");
                }
                view.leave_alone_for(LEAVE_ALONE_FOR, Judgement::Overdue);
                Err(error)
            }
        }
    }

    /// Whether this store may be made the one that counts: at once where it is new here (after a start, a failover),
    /// and after a while where it is not, so that two instances that cannot agree do not take it from each other all
    /// the time.
    fn may_claim(&self, server: &str) -> bool {
        let mut view = self.view();
        let since = *view.differs_since.get_or_insert_with(Instant::now);
        let is_new = view.known_server.as_deref() != Some(server);
        view.known_server = Some(server.to_owned());
        view.confirmed = None;
        is_new || since.elapsed() >= CLAIM_AFTER
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    /// What is pending for these tags, or for any.
    fn concerning(&self, tags: Option<&[Tag]>) -> impl Iterator<Item = &(Instant, PendingInvalidation)> {
        let concerns = move |row: &PendingInvalidation| {
            tags.is_none_or(|tags| row.invalidation.tags.iter().any(|name| tags.iter().any(|tag| tag.name() == name)))
        };
        self.pending.iter().filter(move |(_, row)| concerns(row))
    }

    /// Which store counts.
    fn know(&mut self, claim: StoreClaim) {
        if self.claim != claim {
            self.confirmed = None;
            // Before the first epoch no store counted: there is nobody who could still be wrong.
            self.epoch_seen = (claim.epoch > 1).then(Instant::now);
            self.claim = claim;
        }
    }

    fn leave_alone_for(&mut self, time: Duration, why: Judgement) {
        self.leave_alone = why.trusted().err().map(|why| (Instant::now() + time, why));
    }
}
