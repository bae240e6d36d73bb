use std::{collections::HashMap, future::Future, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};
use tower_sessions_redis_store::{
    RedisStoreError,
    fred::{
        clients::Pool,
        interfaces::{ClientLike, KeysInterface},
        types::{
            Expiration, SetOptions,
            config::{Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy},
        },
    },
};

use crate::server::config::redact;

/// How long one command may take, waiting for a connection that is being made again included.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two attempts to connect again, in milliseconds; without end.
const RECONNECT_MS: u32 = 200;
const CONNECTIONS: usize = 4;

/// Redis cannot be reached at start.
#[derive(Debug, thiserror::Error)]
#[error("no Redis for sessions at {url}: {reason}")]
pub struct OpenError {
    /// Without its password.
    url: String,
    reason: String,
}

/// Sessions in Redis, under `sess:{id}`, until they expire.
///
/// Speaks through the client of `tower-sessions-redis-store`. The store of that crate keeps its keys bare, and fred's `ClientLike`
/// cannot be implemented outside of fred (its `inner` returns a type without a public name), so the prefix cannot be slipped in
/// beneath it; its three rules are kept here: NX when a session is made, XX when it is saved, EXAT always.
#[derive(Clone)]
pub struct RedisStore {
    pool: Pool,
}

/// What stands under a key: the record without its id, which is a secret and the key already.
#[derive(Serialize, Deserialize)]
struct Stored {
    data: HashMap<String, serde_json::Value>,
    /// Seconds since 1970.
    expires: i64,
}

impl RedisStore {
    pub async fn open(url: &str) -> std::result::Result<Self, OpenError> {
        let failed = |reason: String| OpenError { url: redact(url), reason };
        let config = Config::from_url(url).map_err(|e| failed(e.to_string()))?;
        let performance = PerformanceConfig { default_command_timeout: COMMAND_TIMEOUT, ..Default::default() };
        let connection =
            ConnectionConfig { connection_timeout: CONNECT_TIMEOUT, internal_command_timeout: CONNECT_TIMEOUT, ..Default::default() };
        let pool =
            Pool::new(config, Some(performance), Some(connection), Some(ReconnectPolicy::new_constant(0, RECONNECT_MS)), CONNECTIONS)
                .map_err(|e| failed(e.to_string()))?;
        match tokio::time::timeout(CONNECT_TIMEOUT, pool.init()).await {
            Ok(Ok(_)) => Ok(Self { pool }),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))),
        }
    }

    pub async fn ping(&self) -> Result<()> {
        within(self.pool.ping::<()>(None)).await
    }

    /// Whether it was written: not where `rule` forbids it.
    async fn set(&self, record: &Record, rule: SetOptions) -> Result<bool> {
        let stored = Stored { data: record.data.clone(), expires: record.expiry_date.unix_timestamp() };
        let value = serde_json::to_vec(&stored).map_err(|e| Error::Encode(e.to_string()))?;
        let expires = Expiration::EXAT(stored.expires);
        within(self.pool.set::<Option<String>, _, _>(key(&record.id), value.as_slice(), Some(expires), Some(rule), false))
            .await
            .map(|ok| ok.is_some())
    }
}

fn key(id: &Id) -> String {
    format!("sess:{id}")
}

/// The client's own timeout covers a command in flight; this one, whatever it does before and after.
async fn within<T>(command: impl Future<Output = std::result::Result<T, tower_sessions_redis_store::fred::error::Error>>) -> Result<T> {
    match tokio::time::timeout(COMMAND_TIMEOUT, command).await {
        Ok(result) => result.map_err(|e| RedisStoreError::Redis(e).into()),
        Err(_) => Err(Error::Backend(format!("no answer within {} ms", COMMAND_TIMEOUT.as_millis()))),
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        while !self.set(record, SetOptions::NX).await? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.set(record, SetOptions::XX).await.map(|_| ())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(value) = within(self.pool.get::<Option<Vec<u8>>, _>(key(id))).await? else { return Ok(None) };
        let stored = serde_json::from_slice::<Stored>(&value).ok();
        let record = stored.and_then(|stored| {
            let expiry_date = OffsetDateTime::from_unix_timestamp(stored.expires).ok()?;
            Some(Record { id: *id, data: stored.data, expiry_date })
        });
        if record.is_none() {
            // Not this program's writing: as good as absent. An error would lock its owner out until it expires.
            tracing::warn!("a session in Redis that cannot be read");
        }
        Ok(record)
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        within(self.pool.del::<(), _>(key(id))).await
    }
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisStore")
    }
}
