//! From a miss to a value: share a load of this process, or take the lease, or wait for who has it; load, keep, answer.

use std::{
    fmt::Display,
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    time::{Duration, Instant},
};

use futures::FutureExt;
use tracing::Instrument;

use crate::{
    Cache, Loaded, Outcome, Payload, Served,
    clock::micros,
    derived::Derived,
    entry::Entry,
    generations::{Generation, Stamp},
    key::{Key, Tag},
    lease::Lease,
    lookup::Found,
    millis, seen_through,
    single_flight::{Joined, LoadResult, WorkName, result_of},
    stats::Counter,
    times::Timing,
};

/// Joining somebody's load that is then lost (its loader panicked) is tried this often before a caller loads for
/// itself.
const JOINS: usize = 2;
const FIRST_LOOK_AGAIN: Duration = Duration::from_millis(5);
const LONGEST_LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A source that neither its outbox nor a loader gets an answer from within this counts as failing.
const FALL_BACK_AFTER: Duration = Duration::from_secs(1);
/// How much longer what a reload found unchanged may live than before.
const LIFE_GROWS_BY: u32 = 8;

tokio::task_local! {
    /// Set while a loader runs. A lookup made by a loader waits for no permit and for nobody who waits for one: the
    /// permit it would be waiting for might be its loader's own.
    static LOADING: ();
}

/// What is to be loaded, and what was known when that was found out.
pub(crate) struct Miss {
    pub key: Key,
    /// Tags with the generations they had when the miss was found.
    pub stamp: Stamp,
    /// What they were seen through.
    pub mask: u64,
    /// Expired, but not invalidated.
    pub expired: Option<Entry>,
    /// A payload that was current and could not be decoded: it is not what is being looked for.
    pub rejected: Option<Payload>,
    pub started: Instant,
}

impl Miss {
    fn tags(&self) -> Vec<Tag> {
        self.stamp.iter().map(|(tag, _)| tag.clone()).collect()
    }
}

impl Cache {
    /// A generation for every tag: those that were read, and new ones for those that had none. `None` if the store
    /// gives none.
    pub(crate) async fn complete(
        &self,
        tags: &[Tag],
        generations: Vec<Option<Generation>>,
        mask: u64,
    ) -> Option<Stamp> {
        let complete: Option<Vec<_>> = generations.into_iter().collect();
        let generations = match complete {
            Some(generations) => generations,
            None => {
                let minted =
                    self.0.store.mint(tags).await.inspect_err(|error| tracing::debug!(%error, "no generation")).ok()?;
                minted.into_iter().map(|generation| generation.seen_through(mask)).collect()
            }
        };
        (generations.len() == tags.len()).then(|| tags.iter().cloned().zip(generations).collect())
    }

    /// One load, shared by everyone in this process who found the same generations.
    pub(crate) async fn load_missing<E, F, Fut>(&self, miss: Miss, load: F) -> Result<Served<Payload>, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Display + Send + Sync + Clone + 'static,
    {
        let (key, started, expired, nested) = (miss.key.clone(), miss.started, miss.expired.clone(), is_nested());
        let name = WorkName::Stamped(miss.key.clone(), miss.stamp.clone());
        let cache = self.clone();
        let result =
            self.share(name, false, move || async move { cache.load_under_lease(miss, load, nested).await }).await;
        match (result, expired) {
            (Ok(result), _) if result.outcome == Outcome::Stale => {
                Ok(self.serve_stale(&key, result.entry, &"being loaded elsewhere", started))
            }
            (Ok(result), _) => Ok(self.served(result, started)),
            // Nobody invalidated it: it is what the source said last, only older than it should be.
            (Err(error), Some(entry)) => Ok(self.serve_stale(&key, entry, &error, started)),
            (Err(error), None) => Err(error),
        }
    }

    /// Loads from the source without the store: nothing is known of generations, so nothing may be kept, and only those
    /// may share a load who asked before it began. `fallback` is served where the source fails, or does not answer
    /// within [`FALL_BACK_AFTER`].
    pub(crate) async fn load_unstamped<E, F, Fut>(
        &self,
        key: &Key,
        why: &str,
        fallback: Option<Entry>,
        load: F,
        started: Instant,
    ) -> Result<Served<Payload>, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Display + Send + Sync + Clone + 'static,
    {
        self.0.stats.add(Counter::Bypasses);
        tracing::info!(key = key.as_str(), owner = key.owner(), reason = why, "cache bypassed");
        let (cache, schema) = (self.clone(), key.schema());
        let work = move || async move {
            let created_micros = cache.0.clock.now_micros();
            let loaded = cache.run(load).await?;
            let entry = Entry {
                created_micros,
                expires_micros: created_micros,
                load_micros: 0,
                schema,
                digest: 0,
                base_ttl_micros: 0,
                stamp: Stamp::new(),
                payload: Payload::new(&loaded.bytes),
                derived: Derived::default(),
            };
            Ok(LoadResult { entry, outcome: Outcome::Bypass })
        };
        let loading = self.share(WorkName::Unstamped(key.clone()), true, work);
        let Some(entry) = fallback else { return Ok(self.served(loading.await?, started)) };
        match tokio::time::timeout(FALL_BACK_AFTER, loading).await {
            Ok(Ok(result)) => Ok(self.served(result, started)),
            Ok(Err(error)) => Ok(self.serve_stale(key, entry, &error, started)),
            Err(_) => Ok(self.serve_stale(key, entry, &"the source does not answer", started)),
        }
    }

    /// Runs `work` in a task of its own, or shares the one that runs already. With `closes` it may be shared only until
    /// its load begins; without, until it ends.
    async fn share<E, F, Fut>(&self, name: WorkName, closes: bool, work: F) -> Result<LoadResult, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<LoadResult, E>> + Send + 'static,
        E: Send + Sync + Clone + 'static,
    {
        let joins = if is_nested() { 0 } else { JOINS };
        for _ in 0..joins {
            match self.0.loads.join(name.clone()) {
                Joined::Leader(mut leader) => {
                    let cache = self.clone();
                    return join(tokio::spawn(
                        async move {
                            let _permit = if closes {
                                leader.wait_for_previous().await;
                                let permit = cache.load_permit(false).await;
                                leader.close();
                                permit
                            } else {
                                None
                            };
                            let result = work().await;
                            leader.complete(&result);
                            result
                        }
                        .in_current_span(),
                    ))
                    .await;
                }
                Joined::Follower(follower) => {
                    if let Some(result) = result_of(follower).await {
                        self.0.stats.add(Counter::Coalesced);
                        return result;
                    }
                }
            }
        }
        join(tokio::spawn(work().in_current_span())).await
    }

    /// Waits for another instance's load, or takes the lease and loads.
    async fn load_under_lease<E, F, Fut>(&self, miss: Miss, load: F, nested: bool) -> Result<LoadResult, E>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<Loaded, E>> + Send,
    {
        let tags = miss.tags();
        let lease = Lease::to_load(&miss.key, &miss.stamp, self.0.settings.lease_lasts);
        let (mut stamp, mut pause, began) = (miss.stamp, FIRST_LOOK_AGAIN, tokio::time::Instant::now());
        let mut held = None;
        // Without an answer the load goes ahead: a lease saves work and nothing else.
        while let Ok((won, reading)) = self.0.store.try_acquire(&miss.key, &tags, &lease).await {
            if let Some(newer) =
                seen_through(miss.mask, reading.generations.clone()).into_iter().collect::<Option<Vec<_>>>()
            {
                stamp = tags.iter().cloned().zip(newer).collect();
            }
            let expired = match self.judge(&miss.key, &tags, reading, miss.mask) {
                // Somebody loaded it between the miss and now.
                Found::Current { entry, .. } if miss.rejected.as_ref() != Some(&entry.payload) => {
                    if won {
                        self.give_back(&lease).await;
                    }
                    self.0.l1.keep(&miss.key, &entry).await;
                    return Ok(LoadResult { entry, outcome: Outcome::Miss });
                }
                Found::Missing { expired, .. } => expired,
                Found::Current { .. } | Found::Unknown { .. } => None,
            };
            if won {
                held = Some(lease);
                break;
            }
            if let Some(entry) = expired {
                return Ok(LoadResult { entry, outcome: Outcome::Stale });
            }
            if began.elapsed() >= self.0.settings.lease_wait {
                tracing::warn!(key = miss.key.as_str(), "another instance's load takes too long: loading too");
                break;
            }
            if pause == FIRST_LOOK_AGAIN {
                self.0.stats.add(Counter::LeaseWaits);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_LOOK_AGAIN);
        }
        let _permit = self.load_permit(nested).await;
        let result =
            AssertUnwindSafe(self.load_and_keep(&miss.key, stamp, miss.expired.as_ref(), load)).catch_unwind().await;
        if let Some(lease) = held {
            self.give_back(&lease).await;
        }
        match result {
            Ok(result) => result.map(|entry| LoadResult { entry, outcome: Outcome::Miss }),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// `stamp` holds generations that were taken before this is called: that is what the cache's promise rests on.
    /// `previous` is what has been served so far, uninvalidated.
    pub(crate) async fn load_and_keep<E, F, Fut>(
        &self,
        key: &Key,
        stamp: Stamp,
        previous: Option<&Entry>,
        load: F,
    ) -> Result<Entry, E>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<Loaded, E>> + Send,
    {
        let (created_micros, began) = (self.0.clock.now_micros(), Instant::now());
        let loaded = self.run(load).await?;
        let load_time = began.elapsed();
        let (base_ttl, life) = lifetime(&loaded, previous, self.0.settings.ttl_jitter);
        let entry = Entry {
            created_micros,
            expires_micros: created_micros.saturating_add(micros(life)),
            load_micros: micros(load_time),
            schema: key.schema(),
            digest: loaded.adaptive.map_or(0, |adaptive| adaptive.digest),
            base_ttl_micros: micros(base_ttl),
            stamp,
            payload: Payload::new(&loaded.bytes),
            derived: Derived::default(),
        };
        if life.is_zero() {
            return Ok(entry);
        }
        let tags: Vec<Tag> = entry.stamp.iter().map(|(tag, _)| tag.clone()).collect();
        let keep = if loaded.stands_in { life.saturating_add(self.0.settings.stale_for) } else { life };
        match self.0.store.write(key, entry.encode(key), &tags, keep).await {
            Ok(()) => {
                self.0.l1.keep(key, &entry).await;
                tracing::info!(
                    key = key.as_str(),
                    owner = key.owner(),
                    bytes = entry.payload.size(),
                    load_ms = millis(load_time),
                    "cache set"
                );
            }
            Err(error) => {
                self.0.stats.add(Counter::WriteFailures);
                tracing::warn!(key = key.as_str(), %error, "value not cached");
            }
        }
        Ok(entry)
    }

    async fn run<E, F, Fut>(&self, load: F) -> Result<Loaded, E>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<Loaded, E>> + Send,
    {
        self.0.stats.add(Counter::Loads);
        let began = Instant::now();
        let result = LOADING.scope((), async { load().await }).await;
        match &result {
            Ok(loaded) => {
                self.0.stats.time(Timing::Load, began.elapsed());
                self.0.stats.add_many(Counter::LoadStatements, loaded.statements);
            }
            Err(_) => self.0.stats.add(Counter::LoadFailures),
        }
        result
    }

    /// One of a bounded number of load_permits to load, held until dropped.
    async fn load_permit(&self, nested: bool) -> Option<tokio::sync::OwnedSemaphorePermit> {
        // The semaphore is never closed.
        if nested { None } else { self.0.load_permits.clone().acquire_owned().await.ok() }
    }

    pub(crate) async fn give_back(&self, lease: &Lease) {
        if let Err(error) = self.0.store.release(lease).await {
            tracing::debug!(lease = lease.name, %error, "lease not given back: it runs out by itself");
        }
    }

    fn served(&self, result: LoadResult, started: Instant) -> Served<Payload> {
        let age = Duration::from_micros(result.entry.age_micros(self.0.clock.now_micros()));
        Served {
            value: result.entry.payload,
            outcome: result.outcome,
            age,
            elapsed: started.elapsed(),
            derived: result.entry.derived,
        }
    }

    fn serve_stale(&self, key: &Key, entry: Entry, why: &impl Display, started: Instant) -> Served<Payload> {
        self.0.stats.add(Counter::Stale);
        let age = Duration::from_micros(entry.age_micros(self.0.clock.now_micros()));
        tracing::warn!(key = key.as_str(), owner = key.owner(), age_ms = millis(age), reason = %why, stale = true,
            "serving from cache");
        Served {
            value: entry.payload,
            outcome: Outcome::Stale,
            age,
            elapsed: started.elapsed(),
            derived: entry.derived,
        }
    }
}

fn is_nested() -> bool {
    LOADING.try_with(|()| ()).is_ok()
}

/// The result of a task; its panic goes on in the caller.
async fn join<T>(task: tokio::task::JoinHandle<T>) -> T {
    match task.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Nobody aborts these tasks but a runtime that is shutting down, and then this one is not polled again
            // either.
            Err(_) => std::future::pending().await,
        },
    }
}

/// How long a value might live, and how long it will: as its loader says, or longer where it says what the one before
/// said. Up to 10 % shorter or longer, so that what was loaded together does not expire together.
fn lifetime(loaded: &Loaded, previous: Option<&Entry>, jitter: f64) -> (Duration, Duration) {
    let jitter = rand::random_range(1.0 - jitter..=1.0 + jitter);
    let base_ttl = match (loaded.adaptive, previous) {
        (Some(adaptive), Some(previous)) if previous.digest == adaptive.digest => {
            Duration::from_micros(previous.base_ttl_micros)
                .saturating_mul(LIFE_GROWS_BY)
                .min(adaptive.at_most)
                .max(loaded.ttl)
        }
        _ => loaded.ttl,
    };
    (base_ttl, base_ttl.mul_f64(jitter).min(loaded.ends_in))
}
