//! Telling open dashboards that something has changed. They ask again through the cache: what is right never depends on
//! a message.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt, stream};
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        broadcast::{self, error::RecvError},
        watch,
    },
    time::{Instant, sleep, sleep_until},
};
use vendorscope_cache::{Cache, Event};

use super::{AppError, cache_keys};

/// Dashboards that one instance keeps up to date at the same time.
const MAX_STREAMS: usize = 5_000;
/// Streams that one user has open at one instance: a browser has one for all of its tabs, and a program needs one.
pub const MAX_STREAMS_OF_A_USER: usize = 10;
/// A stream ends after this, and the browser opens another.
const STREAM_LASTS: Duration = Duration::from_secs(600);
/// How long a stream on which nothing happens goes on without asking whether whoever listens still may.
const ASKED_EVERY: Duration = Duration::from_secs(15);
/// While nobody can say: the store of sessions, or the database, does not answer.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The streams of this instance.
pub struct Live {
    places: Arc<Semaphore>,
    /// Streams by user, of those who have any.
    open: Arc<Mutex<HashMap<i64, usize>>>,
    stopping: watch::Sender<bool>,
}

impl Default for Live {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_STREAMS)), open: Arc::default(), stopping: watch::channel(false).0 }
    }
}

impl Live {
    /// What changes of a vendor's data, from now on: `products`, `orders` or both at a time. Ends after ten minutes,
    /// when the server stops, or when `may_listen` says no: it is asked before each message that is handed on, and
    /// every 15 s. While it fails, messages wait. Fails with `TooManyStreams` where the user has as many as one may
    /// have, and with `Busy` when too many are open.
    pub fn changes<A, F>(
        &self,
        cache: &Cache,
        user: i64,
        vendor: &str,
        may_listen: A,
    ) -> Result<impl Stream<Item = Vec<&'static str>> + Send + use<A, F>, AppError>
    where
        A: Fn() -> F + Send,
        F: Future<Output = Result<bool, AppError>> + Send,
    {
        let of_user = OfUser::open(&self.open, user).ok_or(AppError::TooManyStreams(MAX_STREAMS_OF_A_USER))?;
        let place = self.places.clone().try_acquire_owned().map_err(|_| AppError::Busy)?;
        let listener = Listener {
            messages: cache.subscribe(),
            vendor: vendor.to_owned(),
            may_listen,
            asked: Instant::now(),
            _place: place,
            _of_user: of_user,
        };
        let until = Instant::now() + STREAM_LASTS;
        let changes = stream::unfold(listener, |mut listener| async move { Some((listener.next().await?, listener)) });
        let mut stopping = self.stopping.subscribe();
        let end = async move {
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => (),
                () = sleep_until(until) => (),
            }
        };
        Ok(changes.take_until(Box::pin(end)))
    }

    /// Ends every stream, so that the server can stop.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }
}

/// One stream.
struct Listener<A> {
    messages: broadcast::Receiver<Event>,
    vendor: String,
    may_listen: A,
    /// When that last said yes.
    asked: Instant,
    _place: OwnedSemaphorePermit,
    _of_user: OfUser,
}

/// One of the streams that a user has open, until it is dropped.
struct OfUser {
    open: Arc<Mutex<HashMap<i64, usize>>>,
    user: i64,
}

impl OfUser {
    fn open(open: &Arc<Mutex<HashMap<i64, usize>>>, user: i64) -> Option<Self> {
        let mut by_user = open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_user.entry(user).or_default();
        if *count >= MAX_STREAMS_OF_A_USER {
            return None;
        }
        *count += 1;
        Some(Self { open: open.clone(), user })
    }
}

impl Drop for OfUser {
    fn drop(&mut self) {
        let mut by_user = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_user.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                by_user.remove(&self.user);
            }
        }
    }
}

impl<A, F> Listener<A>
where
    A: Fn() -> F,
    F: Future<Output = Result<bool, AppError>>,
{
    /// What has changed next; `None` at the end.
    async fn next(&mut self) -> Option<Vec<&'static str>> {
        loop {
            let changed = tokio::select! {
                message = self.messages.recv() => match message {
                    Ok(event) => cache_keys::changed_for(&event, &self.vendor),
                    // It fell behind: something was missed.
                    Err(RecvError::Lagged(_)) => vec!["products", "orders"],
                    Err(RecvError::Closed) => return None,
                },
                () = sleep_until(self.asked + ASKED_EVERY) => Vec::new(),
            };
            let is_due = self.asked.elapsed() >= ASKED_EVERY;
            if (is_due || !changed.is_empty()) && !self.is_welcome().await {
                return None;
            }
            if !changed.is_empty() {
                return Some(changed);
            }
        }
    }

    /// Whether whoever listens still may, as soon as that can be said.
    async fn is_welcome(&mut self) -> bool {
        loop {
            match (self.may_listen)().await {
                Ok(may) => {
                    self.asked = Instant::now();
                    return may;
                }
                Err(error) => {
                    tracing::debug!(%error, "not known whether a stream may go on: it waits");
                    sleep(ASKED_AGAIN_AFTER).await;
                }
            }
        }
    }
}
