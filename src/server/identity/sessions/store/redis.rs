use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use futures::future::{BoxFuture, join_all, try_join_all};
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
        interfaces::{ClientLike, KeysInterface, SortedSetsInterface},
        types::{
            Expiration, InfoKind, SetOptions,
            config::{
                Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy, Server, ServerConfig, TlsConnector,
                UnresponsiveConfig,
            },
        },
    },
};
use vendorscope_redis::{
    Tls,
    address::{Address, Sentinels},
};

use super::MAX_SESSIONS;
use crate::server::config::{redact, redis_tls};

/// How long one command may take, waiting for a connection that is being made again included.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that leaves a command, a handshake or a new connection without an answer for this long is given up, and the
/// one that took its place looked for: a frozen process keeps its connections open for ever.
const FROZEN_AFTER: Duration = Duration::from_secs(1);
/// Between two attempts to connect again, in milliseconds; without end.
const RECONNECT_MS: u32 = 200;
/// One, over which everything travels at the same time: each notices a frozen server only when it has waited for it in
/// vain itself.
const CONNECTIONS: usize = 1;
/// How long an instance that has said which secret it has is taken to be there.
const SECRET_IS_KNOWN_FOR: Duration = Duration::from_secs(60);

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
/// Speaks through the client of `tower-sessions-redis-store`. The store of that crate keeps its keys bare, and fred's
/// `ClientLike` cannot be implemented outside of fred (its `inner` returns a type without a public name), so the prefix
/// cannot be slipped in beneath it; its three rules are kept here: NX when a session is made, XX when it is saved, EXAT
/// always.
#[derive(Clone)]
pub struct RedisSessionStore {
    pool: Pool,
    /// Its name ends every key, so that two installations behind one Redis do not take each other's cookies.
    installation: String,
}

/// What stands under a key: the record without its id, which is a secret and the key already.
#[derive(Serialize, Deserialize)]
struct Stored {
    data: HashMap<String, serde_json::Value>,
    /// Seconds since 1970.
    expires: i64,
}

impl RedisSessionStore {
    pub async fn open(url: &str, tls: &Tls, installation: &str) -> std::result::Result<Self, OpenError> {
        let failed = |reason: String| OpenError { url: redact(url), reason };
        let config = client_config(url, tls).map_err(failed)?;
        let performance = PerformanceConfig { default_command_timeout: COMMAND_TIMEOUT, ..Default::default() };
        let connection = ConnectionConfig {
            connection_timeout: FROZEN_AFTER,
            internal_command_timeout: FROZEN_AFTER,
            unresponsive: UnresponsiveConfig { max_timeout: Some(FROZEN_AFTER), interval: FROZEN_AFTER / 2 },
            ..Default::default()
        };
        let pool = Pool::new(
            config,
            Some(performance),
            Some(connection),
            Some(ReconnectPolicy::new_constant(0, RECONNECT_MS)),
            CONNECTIONS,
        )
        .map_err(|e| failed(e.to_string()))?;
        match tokio::time::timeout(CONNECT_TIMEOUT, pool.init()).await {
            Ok(Ok(_)) => Ok(Self { pool, installation: installation.to_owned() }),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))),
        }
    }

    pub async fn ping(&self) -> Result<()> {
        within(self.pool.ping::<()>(None)).await
    }

    /// `None` where nothing is ever evicted: without a bound on its memory, or with one and `noeviction`. Asked by
    /// INFO, which services that keep CONFIG to themselves allow too.
    pub async fn eviction(&self) -> Result<Option<String>> {
        let info: String = within(self.pool.info(Some(InfoKind::Memory))).await?;
        let field =
            |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        let is_bounded = field("maxmemory").is_some_and(|bytes| bytes != "0");
        Ok(field("maxmemory_policy").filter(|policy| is_bounded && *policy != "noeviction").map(str::to_owned))
    }

    /// Notes the fingerprint of an instance's secret, and returns those that others have noted within the last minute.
    pub async fn compare_secrets(&self, fingerprint: &str) -> Result<Vec<String>> {
        let (key, now) = (self.secrets_key(), OffsetDateTime::now_utc().unix_timestamp() as f64);
        within(self.pool.zadd::<(), _, _>(key.clone(), None, None, false, false, (now, fingerprint))).await?;
        within(self.pool.zremrangebyscore::<(), _, _, _>(key, f64::NEG_INFINITY, oldest_secret())).await?;
        Ok(self.known_secrets().await?.into_iter().filter(|other| other != fingerprint).collect())
    }

    /// The fingerprints that were noted within the last minute.
    pub async fn known_secrets(&self) -> Result<Vec<String>> {
        let noted: Vec<(String, f64)> =
            within(self.pool.zrange(self.secrets_key(), 0_i64, -1_i64, None, false, None, true)).await?;
        Ok(noted.into_iter().filter(|(_, at)| *at > oldest_secret()).map(|(fingerprint, _)| fingerprint).collect())
    }

    /// Beside the sessions, and none of them.
    fn secrets_key(&self) -> String {
        format!("sessions:secrets@{}", self.installation)
    }

    /// The session first, the index second: what ends a user's sessions in between misses this one, but not the check
    /// of the user's epoch that follows (`RequestSession::log_in`), and its cookie has not been given to anybody.
    pub async fn begin(&self, user: i64, record: &mut Record, until: OffsetDateTime) -> Result<()> {
        self.create(record).await?;
        let index = self.index(user);
        // The key has no expiry, so that no policy but those that spare nothing evicts it while its sessions live. What
        // it holds is one line for each login of the last day.
        let now = OffsetDateTime::now_utc().unix_timestamp() as f64;
        within(self.pool.zremrangebyscore::<(), _, _, _>(index.clone(), f64::NEG_INFINITY, now)).await?;
        // Microseconds: of two logins in one second one is the older.
        let ends = until.unix_timestamp_nanos() / 1_000;
        let member = (ends as f64 / 1e6, record.id.to_string());
        within(self.pool.zadd::<(), _, _>(index.clone(), None, None, false, false, member)).await?;
        let all_but = -(MAX_SESSIONS as i64) - 1;
        let oldest: Vec<String> = within(self.pool.zrange(index, 0_i64, all_but, None, false, None, false)).await?;
        for id in oldest.iter().filter_map(|member| member.parse().ok()) {
            self.end(user, &id).await?;
        }
        Ok(())
    }

    /// Whether it was there to be written over.
    pub async fn replace(&self, record: &Record) -> Result<bool> {
        self.set(record, SetOptions::XX).await
    }

    pub async fn end(&self, user: i64, id: &Id) -> Result<()> {
        self.delete(id).await?;
        within(self.pool.zrem::<(), _, _>(self.index(user), id.to_string())).await
    }

    pub async fn end_all(&self, user: i64, keep: Option<&Id>) -> Result<()> {
        let ids: Vec<Id> = self.ids(user).await?.into_iter().filter(|id| Some(id) != keep).collect();
        // One by one, because on a cluster they lie anywhere; at the same time, because there may be many. What has not
        // ended stays in the index.
        let ended = join_all(ids.iter().map(|id| self.end(user, id))).await;
        ended.into_iter().collect()
    }

    pub async fn of_user(&self, user: i64) -> Result<Vec<Record>> {
        let ids = self.ids(user).await?;
        Ok(try_join_all(ids.iter().map(|id| self.load(id))).await?.into_iter().flatten().collect())
    }

    fn key(&self, id: &Id) -> String {
        key(id, &self.installation)
    }

    /// A sorted set of a user's sessions by the time they end.
    fn index(&self, user: i64) -> String {
        format!("sessions:user:{user}@{}", self.installation)
    }

    async fn ids(&self, user: i64) -> Result<Vec<Id>> {
        let members: Vec<String> =
            within(self.pool.zrange(self.index(user), 0_i64, -1_i64, None, false, None, false)).await?;
        Ok(members.iter().filter_map(|member| member.parse().ok()).collect())
    }

    /// Whether it was written: not where `rule` forbids it.
    async fn set(&self, record: &Record, rule: SetOptions) -> Result<bool> {
        let stored = Stored { data: record.data.clone(), expires: record.expiry_date.unix_timestamp() };
        let value = serde_json::to_vec(&stored).map_err(|e| Error::Encode(e.to_string()))?;
        let expires = Expiration::EXAT(stored.expires);
        within(self.pool.set::<Option<String>, _, _>(
            self.key(&record.id),
            value.as_slice(),
            Some(expires),
            Some(rule),
            false,
        ))
        .await
        .map(|ok| ok.is_some())
    }
}

/// Instances that noted their secret before this, in seconds since 1970, are taken to be gone.
fn oldest_secret() -> f64 {
    OffsetDateTime::now_utc().unix_timestamp() as f64 - SECRET_IS_KNOWN_FOR.as_secs_f64()
}

/// Where a session is: the keys of an installation end with its name.
pub fn key(id: &Id, installation: &str) -> String {
    // Not `format!`, which was a tenth of the instructions of a hot request.
    ["sess:", &id.to_string(), "@", installation].concat()
}

/// Reads what is under a session's key; `None` for what this program did not write.
pub fn decode(id: &Id, value: &[u8]) -> Option<Record> {
    let stored = serde_json::from_slice::<Stored>(value).ok()?;
    let expiry_date = OffsetDateTime::from_unix_timestamp(stored.expires).ok()?;
    Some(Record { id: *id, data: stored.data, expiry_date })
}

/// The same addresses as the cache's, in the words of this client.
fn client_config(url: &str, tls: &Tls) -> std::result::Result<Config, String> {
    let address = Address::parse(url)?;
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let is_tls = scheme.starts_with("rediss");
    // Where there are authorities of one's own, the client's way to TLS would ask for the machine's.
    let own_tls = (is_tls && !tls.is_usual()).then(|| redis_tls::client_config(tls)).transpose()?;
    let base = if is_tls && own_tls.is_none() { "rediss" } else { "redis" };
    let from_url = |url: String| Config::from_url(&url).map_err(|error| error.to_string());
    let mut config = match address {
        // Its own reading of such an address knows credentials and the database's number.
        Address::Server(_) => from_url(format!("{base}://{rest}"))?,
        Address::Master(Sentinels { sentinels, master, like }) => {
            let hosts = sentinels.iter().map(server).collect::<std::result::Result<_, _>>()?;
            let server = ServerConfig::Sentinel { hosts, service_name: master, username: None, password: None };
            at(from_url(format!("{base}://localhost"))?, server, &like)
        }
        Address::Cluster(members) => {
            let hosts = members.iter().map(server).collect::<std::result::Result<_, _>>()?;
            let server = ServerConfig::Clustered { hosts, policy: Default::default() };
            at(from_url(format!("{base}://localhost"))?, server, members.first().ok_or("it names no host")?)
        }
    };
    if let Some(own) = own_tls {
        config.tls = Some(TlsConnector::from(own).into());
    }
    Ok(config)
}

fn at(config: Config, server: ServerConfig, like: &::redis::ConnectionInfo) -> Config {
    let settings = like.redis_settings();
    Config {
        server,
        username: settings.username().map(str::to_owned),
        password: settings.password().map(str::to_owned),
        database: u8::try_from(settings.db()).ok().filter(|db| *db > 0),
        ..config
    }
}

fn server(info: &::redis::ConnectionInfo) -> std::result::Result<Server, String> {
    match info.addr() {
        ::redis::ConnectionAddr::Tcp(host, port) | ::redis::ConnectionAddr::TcpTls { host, port, .. } => {
            Ok(Server::new(host.as_str(), *port))
        }
        _ => Err("only hosts and ports are accepted".to_owned()),
    }
}

/// The client's own timeout covers a command in flight; this one, whatever it does before and after.
///
/// In a box: what the client awaits takes 13 KB, which would be a part of whatever may ever ask who sends a request, and
/// be copied with it.
fn within<'a, T: 'a>(
    command: impl Future<Output = std::result::Result<T, tower_sessions_redis_store::fred::error::Error>> + Send + 'a,
) -> BoxFuture<'a, Result<T>> {
    Box::pin(async {
        match tokio::time::timeout(COMMAND_TIMEOUT, command).await {
            Ok(result) => result.map_err(|e| RedisStoreError::Redis(e).into()),
            Err(_) => Err(Error::Backend(format!("no answer within {} ms", COMMAND_TIMEOUT.as_millis()))),
        }
    })
}

#[async_trait]
impl SessionStore for RedisSessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        while !self.set(record, SetOptions::NX).await? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.replace(record).await.map(|_| ())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(value) = within(self.pool.get::<Option<Vec<u8>>, _>(self.key(id))).await? else { return Ok(None) };
        let record = decode(id, &value);
        if record.is_none() {
            // Not this program's writing: as good as absent. An error would lock its owner out until it expires.
            tracing::warn!("a session in Redis that cannot be read");
        }
        Ok(record)
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        within(self.pool.del::<(), _>(self.key(id))).await
    }
}

impl std::fmt::Debug for RedisSessionStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisSessionStore")
    }
}
