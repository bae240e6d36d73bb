use async_trait::async_trait;
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::Result,
};
use vendorscope_redis::Tls;

mod memory;
mod redis;

pub use memory::MemorySessionStore;
pub use redis::{OpenError, RedisSessionStore, decode, key};

/// The most sessions that one user has at a time: where another begins, the oldest ends.
pub const MAX_SESSIONS: usize = 50;

/// Where sessions live. Both refuse to overwrite a session when one is made, and to bring back one that was ended when
/// one is saved; both know which sessions are a user's.
#[derive(Debug)]
pub enum Store {
    Redis(RedisSessionStore),
    Memory(MemorySessionStore),
}

impl Store {
    /// For the installation of this name: its sessions are no other's. Connects now; what is down later answers with
    /// errors until it is back.
    pub async fn redis(url: &str, tls: &Tls, installation: &str) -> std::result::Result<Self, OpenError> {
        RedisSessionStore::open(url, tls, installation).await.map(Self::Redis)
    }

    pub fn memory() -> Self {
        Self::Memory(MemorySessionStore::default())
    }

    /// `redis` or `memory`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Redis(_) => "redis",
            Self::Memory(_) => "memory",
        }
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<()> {
        match self {
            Self::Redis(store) => store.ping().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// The policy by which the store may throw sessions away when memory is short; `None` where it never does.
    pub async fn eviction(&self) -> Result<Option<String>> {
        match self {
            Self::Redis(store) => store.eviction().await,
            Self::Memory(_) => Ok(None),
        }
    }

    /// Notes that an instance has the secret of this fingerprint, and returns those that others have noted lately.
    pub async fn compare_secrets(&self, fingerprint: &str) -> Result<Vec<String>> {
        match self {
            Self::Redis(store) => store.compare_secrets(fingerprint).await,
            Self::Memory(_) => Ok(Vec::new()),
        }
    }

    /// The fingerprints that instances have noted lately.
    pub async fn known_secrets(&self) -> Result<Vec<String>> {
        match self {
            Self::Redis(store) => store.known_secrets().await,
            Self::Memory(_) => Ok(Vec::new()),
        }
    }

    /// Writes a new session of this user's, which ends by `until` whatever happens. From the answer on, `end_all` finds
    /// it. Of more than `MAX_SESSIONS`, those that would end first have ended then.
    pub async fn begin(&self, user: i64, record: &mut Record, until: OffsetDateTime) -> Result<()> {
        match self {
            Self::Redis(store) => store.begin(user, record, until).await,
            Self::Memory(store) => {
                store.begin(user, record);
                Ok(())
            }
        }
    }

    /// Writes a session over itself. `false`, and nothing is written, where it has ended.
    pub async fn replace(&self, record: &Record) -> Result<bool> {
        match self {
            Self::Redis(store) => store.replace(record).await,
            Self::Memory(store) => Ok(store.replace(record)),
        }
    }

    /// Ends one session of this user's.
    pub async fn end(&self, user: i64, id: &Id) -> Result<()> {
        match self {
            Self::Redis(store) => store.end(user, id).await,
            Self::Memory(store) => {
                store.end(id);
                Ok(())
            }
        }
    }

    /// Ends every session of this user's but `keep`. After an error some may have ended; to ask again is safe.
    pub async fn end_all(&self, user: i64, keep: Option<&Id>) -> Result<()> {
        match self {
            Self::Redis(store) => store.end_all(user, keep).await,
            Self::Memory(store) => {
                store.end_all(user, keep);
                Ok(())
            }
        }
    }

    /// The sessions of this user's that have not ended, in no order.
    pub async fn of_user(&self, user: i64) -> Result<Vec<Record>> {
        match self {
            Self::Redis(store) => store.of_user(user).await,
            Self::Memory(store) => Ok(store.of_user(user)),
        }
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        match self {
            Self::Redis(store) => store.create(record).await,
            Self::Memory(store) => store.create(record).await,
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        match self {
            Self::Redis(store) => store.save(record).await,
            Self::Memory(store) => store.save(record).await,
        }
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        match self {
            Self::Redis(store) => store.load(id).await,
            Self::Memory(store) => store.load(id).await,
        }
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        match self {
            Self::Redis(store) => store.delete(id).await,
            Self::Memory(store) => store.delete(id).await,
        }
    }
}
