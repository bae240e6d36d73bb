//! Telling open dashboards that something has changed. They ask again through the cache: what is right never depends on a message.

use std::{sync::Arc, time::Duration};

use futures::{Stream, StreamExt, stream};
use tokio::{
    sync::{Semaphore, broadcast::error::RecvError, watch},
    time::Instant,
};

use super::{AppError, cache::Cache};

/// Dashboards that one instance keeps up to date at the same time.
const MAX_STREAMS: usize = 5_000;
/// A stream ends after this, and the browser opens another: so whoever has logged out meanwhile does not go on listening.
const STREAM_LASTS: Duration = Duration::from_secs(600);

/// The streams of this instance.
pub struct Live {
    places: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

impl Default for Live {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_STREAMS)), stopping: watch::channel(false).0 }
    }
}

impl Live {
    /// What changes of a vendor's data, from now on: `products`, `orders` or both at a time. Ends after ten minutes, or when the
    /// server stops. Fails with `Busy` when too many are open.
    pub fn changes(&self, cache: &Cache, vendor: &str) -> Result<impl Stream<Item = Vec<&'static str>> + Send + use<>, AppError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| AppError::Busy)?;
        let (messages, vendor) = (cache.subscribe(), vendor.to_owned());
        let until = Instant::now() + STREAM_LASTS;
        let changes = stream::unfold((messages, vendor, place), |(mut messages, vendor, place)| async move {
            loop {
                let changed = match messages.recv().await {
                    Ok(message) => message.changed_for(&vendor),
                    // It fell behind: something was missed.
                    Err(RecvError::Lagged(_)) => vec!["products", "orders"],
                    Err(RecvError::Closed) => return None,
                };
                if !changed.is_empty() {
                    return Some((changed, (messages, vendor, place)));
                }
            }
        });
        let mut stopping = self.stopping.subscribe();
        let end = async move {
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => (),
                () = tokio::time::sleep_until(until) => (),
            }
        };
        Ok(changes.take_until(Box::pin(end)))
    }

    /// Ends every stream, so that the server can stop.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }
}
