use std::{sync::Arc, time::Duration};

use foldhash::fast::RandomState;
use moka::future::Cache;
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use vendorscope_redis::{RequestError, Routed, Router};

use super::{
    record::{SessionLogin, handle},
    store::{decode, key},
};

/// A session that nobody used for this long is read again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
const MOST: u64 = 50_000;
/// How long to wait for being told that a session is there, before it is read over the connections that the store has
/// of its own.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Sessions that this instance has read, so that it knows whose a cookie was when the next request brings it. What is
/// there now is read at every request, over connections that carry what limits and the cache ask at the same time;
/// where it is the same, it is not decoded again.
#[derive(Clone)]
pub struct Remembered {
    router: Arc<Router>,
    installation: Arc<str>,
    known: Cache<Id, Arc<KnownSession>, RandomState>,
}

/// A session as it was last read, without the record itself: thousands of them are remembered.
pub struct KnownSession {
    pub id: Id,
    pub expiry_date: OffsetDateTime,
    pub login: SessionLogin,
    /// What it is named by, here and in the database.
    pub handle: String,
    /// What it was decoded from; nothing where that is not known.
    raw: Vec<u8>,
}

impl KnownSession {
    /// Of which it is not known how it is written: it is read once more.
    pub fn new(record: &Record, login: SessionLogin) -> Self {
        Self::decoded(record, login, Vec::new())
    }

    fn decoded(record: &Record, login: SessionLogin, raw: Vec<u8>) -> Self {
        Self { id: record.id, expiry_date: record.expiry_date, handle: handle(&record.id), login, raw }
    }
}

impl Remembered {
    pub fn new(router: Arc<Router>, installation: &str) -> Self {
        let known = Cache::builder().max_capacity(MOST).time_to_idle(FORGOTTEN_AFTER);
        let known = known.build_with_hasher(RandomState::default());
        Self { router, installation: installation.into(), known }
    }

    /// What was read of a session, which may have ended since.
    pub async fn find(&self, id: &Id) -> Option<Arc<KnownSession>> {
        self.known.get(id).await
    }

    /// What a remembered session says now. `None` where it is not there any more, or nobody says: whoever asks then
    /// reads it as if it was new here.
    pub async fn read_again(&self, known: Arc<KnownSession>) -> Option<Arc<KnownSession>> {
        let id = &known.id;
        let raw = match self.get(id).await {
            Ok(Some(raw)) if raw == known.raw => return Some(known),
            Ok(raw) => raw,
            Err(error) => {
                tracing::debug!(%error, "a session is read again, over other connections");
                return None;
            }
        };
        let again = raw.and_then(|raw| {
            let record = decode(id, &raw)?;
            let login = SessionLogin::of(&record)?;
            Some(Arc::new(KnownSession::decoded(&record, login, raw)))
        });
        match &again {
            Some(again) => self.known.insert(*id, again.clone()).await,
            None => self.known.invalidate(id).await,
        }
        again
    }

    pub async fn keep(&self, known: Arc<KnownSession>) {
        self.known.insert(known.id, known).await;
    }

    async fn get(&self, id: &Id) -> Result<Option<Vec<u8>>, RequestError> {
        let key = key(id, &self.installation);
        let mut command = redis::cmd("GET");
        command.arg(&key);
        match self.router.ask_together(Routed { key, command }, TIMEOUT).await?.value {
            redis::Value::BulkString(raw) => Ok(Some(raw)),
            redis::Value::Nil => Ok(None),
            // What was answered may be a session: it is not told.
            _ => Err(RequestError::Refused("GET of a session".to_owned())),
        }
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered")
    }
}
