use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::Result,
};

use super::MAX_SESSIONS;

/// Sessions in this process, for development: they end when it does. (The memory store of `tower-sessions` keeps
/// expired sessions for good, and brings ended ones back when they are saved.)
#[derive(Debug)]
pub struct MemorySessionStore(Mutex<Records>);

#[derive(Debug)]
struct Records {
    by_id: HashMap<Id, Held>,
    next_sweep: OffsetDateTime,
    /// How many there have been.
    made: u64,
}

#[derive(Debug)]
struct Held {
    record: Record,
    /// Whose it is; `None` where nobody said.
    user: Option<i64>,
    /// Which one of all it was.
    number: u64,
}

/// How often a new session looks for expired ones.
const SWEEP_EVERY: Duration = Duration::MINUTE;

impl Default for MemorySessionStore {
    fn default() -> Self {
        Self(Mutex::new(Records { by_id: HashMap::new(), next_sweep: OffsetDateTime::UNIX_EPOCH, made: 0 }))
    }
}

impl MemorySessionStore {
    pub fn begin(&self, user: i64, record: &mut Record) {
        self.create_at(record, Some(user), OffsetDateTime::now_utc());
        let mut records = self.records();
        let mut own: Vec<(u64, Id)> = records
            .by_id
            .iter()
            .filter(|(_, held)| held.user == Some(user))
            .map(|(id, held)| (held.number, *id))
            .collect();
        own.sort_unstable_by_key(|(number, _)| *number);
        let too_many = own.len().saturating_sub(MAX_SESSIONS);
        for (_, id) in own.into_iter().take(too_many) {
            records.by_id.remove(&id);
        }
    }

    /// Whether there was one to replace.
    pub fn replace(&self, record: &Record) -> bool {
        match self.records().by_id.get_mut(&record.id) {
            Some(held) => {
                held.record = record.clone();
                true
            }
            None => false,
        }
    }

    pub fn end(&self, id: &Id) {
        self.records().by_id.remove(id);
    }

    pub fn end_all(&self, user: i64, keep: Option<&Id>) {
        self.records().by_id.retain(|id, held| held.user != Some(user) || Some(id) == keep);
    }

    pub fn of_user(&self, user: i64) -> Vec<Record> {
        let now = OffsetDateTime::now_utc();
        let records = self.records();
        records
            .by_id
            .values()
            .filter(|held| held.user == Some(user) && held.record.expiry_date > now)
            .map(|held| held.record.clone())
            .collect()
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        // A panic elsewhere leaves the map whole: every change to it is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create_at(&self, record: &mut Record, user: Option<i64>, now: OffsetDateTime) {
        let mut records = self.records();
        if now >= records.next_sweep {
            records.by_id.retain(|_, held| held.record.expiry_date > now);
            records.next_sweep = now + SWEEP_EVERY;
        }
        while records.by_id.contains_key(&record.id) {
            record.id = Id::default();
        }
        records.made += 1;
        let number = records.made;
        records.by_id.insert(record.id, Held { record: record.clone(), user, number });
    }

    fn load_at(&self, id: &Id, now: OffsetDateTime) -> Option<Record> {
        let mut records = self.records();
        let record = records.by_id.get(id)?.record.clone();
        if record.expiry_date > now {
            Some(record)
        } else {
            records.by_id.remove(id);
            None
        }
    }
}

#[async_trait]
impl SessionStore for MemorySessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.create_at(record, None, OffsetDateTime::now_utc());
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.replace(record);
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        Ok(self.load_at(id, OffsetDateTime::now_utc()))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.end(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(expiry_date: OffsetDateTime) -> Record {
        Record { id: Id::default(), data: HashMap::new(), expiry_date }
    }

    #[test]
    fn expired_sessions_are_not_found_and_leave_the_memory() {
        let store = MemorySessionStore::default();
        let start = OffsetDateTime::now_utc();
        let (mut first, mut second) = (record(start + Duration::HOUR), record(start + Duration::HOUR));
        store.create_at(&mut first, None, start);
        store.create_at(&mut second, Some(1), start);
        assert!(store.load_at(&first.id, start + Duration::minutes(59)).is_some());
        assert!(store.load_at(&first.id, start + Duration::HOUR).is_none());
        let mut third = record(start + Duration::hours(3));
        store.create_at(&mut third, Some(1), start + Duration::hours(2));
        assert_eq!(store.records().by_id.keys().collect::<Vec<_>>(), [&third.id]);
    }
}
