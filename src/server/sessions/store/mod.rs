use async_trait::async_trait;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::Result,
};

mod memory;
mod redis;

pub use memory::MemoryStore;
pub use redis::{OpenError, RedisStore};

/// Where sessions live. Both refuse to overwrite a session when one is made, and to bring back one that was ended when one is saved.
#[derive(Debug)]
pub enum Store {
    Redis(RedisStore),
    Memory(MemoryStore),
}

impl Store {
    /// Connects now; what is down later answers with errors until it is back.
    pub async fn redis(url: &str) -> std::result::Result<Self, OpenError> {
        RedisStore::open(url).await.map(Self::Redis)
    }

    pub fn memory() -> Self {
        Self::Memory(MemoryStore::default())
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
