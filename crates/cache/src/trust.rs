//! Whether the store's word may be taken.
//!
//! An instance takes it only while its last look at the [outbox](crate::Outbox) began less than [`TRUST_FOR`] ago,
//! found nothing pending for the tags in question, and found that the store it speaks to is the one that counts. So
//! does every other instance. A writer that could not deliver answers only after longer than that: whoever asks after
//! its answer asks an instance that has looked since the commit, or that looks first.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, timeout};

use crate::{
    Cache, Condition,
    generations::epoch_mask,
    key::Tag,
    outbox::{Look, Outbox, PendingInvalidation, ProcessOutbox, StoreClaim},
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
/// Rows of one look. Where there are more, no tag is trusted until there are fewer.
const ROWS: usize = 1_000;
/// A store that has not been the one that counts for this long, and is still all that this instance can reach, is
/// claimed all the same.
const CLAIM_AFTER: Duration = Duration::from_secs(10);

/// Why the store's word is not taken.
pub(crate) enum Distrust {
    /// Something is pending for one of the tags and cannot be delivered, or another store counts.
    Refused(String),
    /// Nobody knows: the outbox does not answer.
    Overdue(String),
}

enum Judgement {
    /// With what generations are seen through.
    Trusted(u64),
    Pending,
    Overdue,
    /// Which store counts is not known to be the one that is there.
    OtherStore,
}

#[derive(Default)]
pub(crate) struct Trust {
    database: OnceLock<Arc<dyn Outbox>>,
    process: ProcessOutbox,
    view: Mutex<View>,
    /// Held while looking and delivering.
    pub looking: tokio::sync::Mutex<()>,
    /// Whether anybody asked since the last look: an idle instance leaves its store alone.
    used: AtomicBool,
}

#[derive(Default)]
struct View {
    looked: Option<Instants>,
    pending: Vec<PendingInvalidation>,
    tags: HashSet<String>,
    too_many: bool,
    /// When each row was first seen.
    seen: HashMap<i64, Instant>,
    /// When the last look failed, if it did.
    silent_since: Option<Instant>,
    claim: Option<StoreClaim>,
    /// When this epoch was first seen here: others may have seen it this much later.
    epoch_seen: Option<Instant>,
    /// When the store last said that it is the one that counts.
    confirmed: Option<Instants>,
    /// What the store was when it last counted here, or was refused: a store that has become another one may be claimed
    /// at once.
    known_server: Option<String>,
    /// Since when another store counts.
    differs_since: Option<Instant>,
    /// When a look last found that the store cannot be used.
    refused: Option<Instant>,
}

/// By two clocks, of which the one that says more counts: a machine that slept has a monotonic clock that did not
/// notice.
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

impl Cache {
    /// Has this cache go by an outbox in a database: delivers what is pending, as far as the store takes it, and looks
    /// again and again from then on.
    pub async fn watch(&self, outbox: Arc<dyn Outbox>) {
        if self.0.trust.database.set(outbox).is_err() {
            return;
        }
        {
            let _looking = self.0.trust.looking.lock().await;
            self.0.trust.used.store(true, Ordering::Relaxed);
            if self.look().await.is_ok() {
                self.deliver_all(&self.0.trust.pending_for(None)).await;
            }
        }
        self.start_relay();
    }

    /// What generations are to be seen through, where the store's word may be taken for these tags. Looks first if the
    /// last look is too old; delivers what is pending for them.
    pub(crate) async fn trust(&self, tags: &[Tag]) -> Result<u64, Distrust> {
        self.0.trust.used.store(true, Ordering::Relaxed);
        match self.0.trust.judge(tags) {
            Judgement::Trusted(mask) => return Ok(mask),
            Judgement::Overdue if self.0.trust.failed_just_now() => {
                return Err(Distrust::Overdue("the outbox cannot be looked at".to_owned()));
            }
            Judgement::OtherStore if self.0.trust.refused_just_now() => {
                return Err(Distrust::Refused("the store is away, or another one counts".to_owned()));
            }
            _ => {}
        }
        match timeout(LOOK_TIMEOUT, self.earn_trust(tags)).await {
            Ok(result) => result,
            // What is known to be pending is no less so because nobody answers.
            Err(_) if matches!(self.0.trust.judge(tags), Judgement::Pending) => {
                Err(Distrust::Refused("an invalidation is not delivered yet".to_owned()))
            }
            Err(_) => Err(Distrust::Overdue("the outbox does not answer in time".to_owned())),
        }
    }

    async fn earn_trust(&self, tags: &[Tag]) -> Result<u64, Distrust> {
        let _looking = self.0.trust.looking.lock().await;
        // Somebody may have looked while this one waited to.
        if let Judgement::Trusted(mask) = self.0.trust.judge(tags) {
            return Ok(mask);
        }
        self.look().await.map_err(Distrust::Overdue)?;
        if matches!(self.0.trust.judge(tags), Judgement::Pending)
            && !self.deliver_all(&self.0.trust.pending_for(Some(tags))).await
        {
            return Err(Distrust::Refused("an invalidation is not delivered yet".to_owned()));
        }
        match self.0.trust.judge(tags) {
            Judgement::Trusted(mask) => Ok(mask),
            Judgement::Pending => Err(Distrust::Refused("an invalidation is not delivered yet".to_owned())),
            Judgement::Overdue => Err(Distrust::Overdue("the outbox answers too slowly".to_owned())),
            Judgement::OtherStore => Err(Distrust::Refused("the store is away, or another one counts".to_owned())),
        }
    }

    /// Asks the outbox what is pending and which store counts, and the store what it is. To be called with `looking`
    /// held.
    pub(crate) async fn look(&self) -> Result<(), String> {
        let trust = &self.0.trust;
        let began = Instants::now();
        let ask_store = !trust.is_local() && trust.used.swap(false, Ordering::Relaxed);
        let asked = async { if ask_store { Some(self.0.store.server().await) } else { None } };
        let looked = async {
            timeout(LOOK_TIMEOUT, trust.outbox().look(ROWS))
                .await
                .unwrap_or_else(|_| Err("no answer in time".to_owned()))
        };
        let (found, server) = tokio::join!(looked, asked);
        match (trust.note(began, found)?, server) {
            (Some(claim), Some(Ok(server))) => self.compare(began, claim, server).await,
            (Some(_), Some(Err(error))) => {
                tracing::debug!(%error, "the store does not say what it is");
                trust.refuse();
            }
            _ => {}
        }
        Ok(())
    }

    /// The store that is there against the one that counts.
    async fn compare(&self, began: Instants, claim: StoreClaim, server: String) {
        let trust = &self.0.trust;
        if claim.server == server {
            self.0.store.bind(&server);
            trust.confirm(began, &server);
            return;
        }
        if !trust.may_claim(&server) {
            // Perhaps the address leads somewhere else by now.
            self.0.store.reconnect();
            trust.refuse();
            return;
        }
        match self.outbox().claim(claim.epoch, &server).await {
            Ok(true) => {
                tracing::warn!(
                    epoch = claim.epoch + 1,
                    server,
                    before = claim.server,
                    "this store counts from now on: nothing cached before is"
                );
                self.0.store.bind(&server);
                trust.claimed(began, StoreClaim { epoch: claim.epoch + 1, server });
            }
            // Somebody was faster: the next look tells.
            Ok(false) => trust.doubt(),
            Err(error) => {
                tracing::warn!(error, "which store counts cannot be written");
                trust.refuse();
            }
        }
    }
}

impl Trust {
    pub fn outbox(&self) -> &dyn Outbox {
        self.database.get().map_or(&self.process, |outbox| &**outbox)
    }

    /// Whether there is no database to ask: then everything that is pending is known here.
    pub fn is_local(&self) -> bool {
        self.database.get().is_none()
    }

    fn judge(&self, tags: &[Tag]) -> Judgement {
        let view = self.view();
        // Before anything else: what is known to be pending makes the store wrong, however old that knowledge is.
        if view.too_many || (!view.tags.is_empty() && tags.iter().any(|tag| view.tags.contains(tag.name()))) {
            return Judgement::Pending;
        }
        if self.is_local() {
            return Judgement::Trusted(0);
        }
        let is_fresh = |at: Option<Instants>| at.is_some_and(|at| at.age() < TRUST_FOR);
        match &view.claim {
            _ if !is_fresh(view.looked) => Judgement::Overdue,
            None => Judgement::Trusted(0),
            Some(claim) if is_fresh(view.confirmed) => Judgement::Trusted(epoch_mask(claim.epoch)),
            Some(_) => Judgement::OtherStore,
        }
    }

    /// The claim under which this instance may deliver: `Some(None)` where nobody keeps one, `None` while another store
    /// counts.
    pub fn bound_claim(&self) -> Option<Option<StoreClaim>> {
        let view = self.view();
        match &view.claim {
            _ if self.is_local() => Some(None),
            None => view.looked.map(|_| None),
            Some(claim) => view.confirmed.map(|_| Some(claim.clone())),
        }
    }

    /// What generations were last to be seen through; `None` while another store counts, or before the first look.
    pub fn last_mask(&self) -> Option<u64> {
        self.bound_claim().map(|claim| claim.map_or(0, |claim| epoch_mask(claim.epoch)))
    }

    /// How things stand; nothing of the near cache and of connections.
    pub fn glance(&self) -> Condition {
        let view = self.view();
        let first = view.pending.iter().filter_map(|row| view.seen.get(&row.id)).min();
        Condition {
            looked_ago: view.looked.map(Instants::age),
            pending: view.pending.len(),
            pending_for: first.map(Instant::elapsed),
            epoch: view.claim.as_ref().map(|claim| claim.epoch),
            is_trusted: self.is_local() || view.claim.is_none() || view.confirmed.is_some(),
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
        let concerns = |row: &&PendingInvalidation| {
            tags.is_none_or(|tags| row.invalidation.tags.iter().any(|name| tags.iter().any(|tag| tag.name() == name)))
        };
        self.view().pending.iter().filter(concerns).cloned().collect()
    }

    /// What was there at an earlier look already.
    pub fn waiting(&self) -> Vec<PendingInvalidation> {
        let (mut guard, now) = (self.view(), Instant::now());
        let view = &mut *guard;
        let there: HashSet<_> = view.pending.iter().map(|row| row.id).collect();
        view.seen.retain(|id, _| there.contains(id));
        for id in there {
            view.seen.entry(id).or_insert(now);
        }
        let waited = |row: &&PendingInvalidation| {
            view.seen.get(&row.id).is_some_and(|first| now.duration_since(*first) >= LOOK_AGAIN)
        };
        view.pending.iter().filter(waited).cloned().collect()
    }

    /// When to look next.
    pub fn look_again_after(&self) -> Duration {
        let view = self.view();
        let is_away = view.confirmed.is_none() && view.claim.is_some() && self.used.load(Ordering::Relaxed);
        match () {
            () if view.too_many || !view.pending.is_empty() => LOOK_AGAIN,
            () if is_away => LOOK_FOR_STORE,
            () => LOOK_EVERY,
        }
    }

    pub fn add(&self, rows: &[PendingInvalidation]) {
        let mut view = self.view();
        for row in rows {
            if view.pending.iter().all(|known| known.id != row.id) {
                view.pending.push(row.clone());
            }
        }
        view.index();
    }

    pub fn remove(&self, ids: &[i64]) {
        let mut view = self.view();
        if view.pending.iter().any(|row| ids.contains(&row.id)) {
            view.pending.retain(|row| !ids.contains(&row.id));
            view.index();
        }
    }

    /// The next who asks has to find out which store is there.
    pub fn doubt(&self) {
        self.view().confirmed = None;
        self.used.store(true, Ordering::Relaxed);
    }

    /// A look found that it cannot be used now. What it said before holds for as long as it would have.
    fn refuse(&self) {
        self.view().refused = Some(Instant::now());
    }

    fn refused_just_now(&self) -> bool {
        self.view().refused.is_some_and(|when| when.elapsed() < LOOK_FOR_STORE)
    }

    /// What a look found. Returns which store counts.
    fn note(&self, began: Instants, found: Result<Look, String>) -> Result<Option<StoreClaim>, String> {
        let mut view = self.view();
        match found {
            Ok(look) => {
                if view.silent_since.take().is_some() {
                    tracing::info!("the outbox answers again");
                }
                view.looked = Some(began);
                view.too_many = look.pending.len() >= ROWS;
                view.pending = look.pending;
                view.index();
                if view.claim != look.claim {
                    view.confirmed = None;
                    view.epoch_seen = look.claim.as_ref().and_then(seen_now);
                    view.claim.clone_from(&look.claim);
                }
                Ok(look.claim)
            }
            Err(error) => {
                if view.silent_since.replace(Instant::now()).is_none() {
                    tracing::warn!(error, "the outbox cannot be looked at: the cache is not trusted until it can");
                }
                Err(format!("the outbox cannot be looked at: {error}"))
            }
        }
    }

    fn confirm(&self, at: Instants, server: &str) {
        let mut view = self.view();
        view.confirmed = Some(at);
        view.known_server = Some(server.to_owned());
        view.differs_since = None;
    }

    fn claimed(&self, at: Instants, claim: StoreClaim) {
        let mut view = self.view();
        view.known_server = Some(claim.server.clone());
        (view.confirmed, view.epoch_seen, view.claim, view.differs_since) =
            (Some(at), seen_now(&claim), Some(claim), None);
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

    fn failed_just_now(&self) -> bool {
        self.view().silent_since.is_some_and(|when| when.elapsed() < LEAVE_ALONE_FOR)
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Before the first epoch no store counted: there is nobody who could still be wrong.
fn seen_now(claim: &StoreClaim) -> Option<Instant> {
    (claim.epoch > 1).then(Instant::now)
}

impl View {
    fn index(&mut self) {
        self.tags = self.pending.iter().flat_map(|row| row.invalidation.tags.iter().cloned()).collect();
    }
}
