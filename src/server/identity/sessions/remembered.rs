use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use tower_sessions::session::{Id, Record};
use vendorscope_redis::{RequestError, Routed, Router};

use super::{record::SessionLogin, store::key};

/// A session that nobody used for this long is read again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
const MOST: u64 = 50_000;
/// How long to wait for being told that a session is there, before it is read as if it was new here.
const TIMEOUT: Duration = Duration::from_millis(250);

/// Sessions that this instance has read. What they say does not change while they live (whoever logs in gets another one); whether they
/// live is asked at every request, over connections that carry what limits and the cache ask at the same time.
#[derive(Clone)]
pub struct Remembered {
    router: Arc<Router>,
    known: Cache<Id, Arc<(Record, SessionLogin)>>,
}

impl Remembered {
    pub fn new(router: Arc<Router>) -> Self {
        Self { router, known: Cache::builder().max_capacity(MOST).time_to_idle(FORGOTTEN_AFTER).build() }
    }

    /// What was read of a session, which may have ended since.
    pub async fn find(&self, id: &Id) -> Option<Arc<(Record, SessionLogin)>> {
        self.known.get(id).await
    }

    /// The same, if the store says that it is still there. Where it does not say, it is no wiser than without this.
    pub async fn find_living(&self, id: &Id) -> Option<Arc<(Record, SessionLogin)>> {
        let known = self.known.get(id).await?;
        match self.is_there(id).await {
            Ok(true) => return Some(known),
            Ok(false) => self.known.invalidate(id).await,
            Err(error) => tracing::debug!(%error, "not known whether a session is still there: it is read again"),
        }
        None
    }

    pub async fn keep(&self, id: &Id, record: &Record, login: &SessionLogin) {
        self.known.insert(*id, Arc::new((record.clone(), login.clone()))).await;
    }

    async fn is_there(&self, id: &Id) -> Result<bool, RequestError> {
        let key = key(id);
        let mut command = redis::cmd("EXISTS");
        command.arg(&key);
        let answers = self.router.ask(vec![Routed { key, command }], TIMEOUT).await?;
        match answers.into_iter().next().map(|answer| answer.value) {
            Some(redis::Value::Int(count)) => Ok(count == 1),
            other => Err(RequestError::Refused(format!("EXISTS: {other:?}"))),
        }
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered")
    }
}
