//! Entries and generations in Redis.
//!
//! **What a server may have forgotten.** A server that was restarted from a snapshot, or a replica that was promoted, may not know of
//! invalidations that were acknowledged, and then holds old entries and the old generations that match them. Nothing that a server
//! held before such an event may be trusted after it. So every generation is seen through the server process that gave it: stored
//! numbers are combined with that process's run id, which is another one after every restart and failover. Entries from before match
//! nothing any more; nobody has to notice anything.
//!
//! **Commands that take effect late.** A call that was given up may still be carried out. Each attempt of an invalidation therefore
//! brings numbers of its own, each of which is sent once.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redis::{Client, Pipeline, ServerError, Value};
use tokio::time::Instant;

use super::{
    Reading, Store, StoreError, Usage,
    link::{Link, Live, info_field},
};
use crate::server::cache::{
    error::{CacheError, RedactedUrl},
    generations::Generation,
    keys::{self, CacheKey, Tag},
    lease::Lease,
    stats::{Counter, Counts},
};

const READ_TIMEOUT: Duration = Duration::from_millis(250);
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// A tag that no entry was written under for this long is forgotten.
const TAG_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Counting entries stops after this many keys or this long, and the rest is estimated.
const COUNT_KEYS: u64 = 100_000;
const COUNT_FOR: Duration = Duration::from_millis(500);
/// Removes a lease only if it is still the caller's own.
const COMPARE_AND_DELETE: &str = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

pub struct RedisStore {
    link: Link,
}

impl RedisStore {
    /// Fails if the address cannot be used or the server refuses us; a server that is merely not there yet is waited for in the
    /// background. Accepts `redis://` and `rediss://`.
    pub async fn connect(url: &str) -> Result<Self, CacheError> {
        let shown = RedactedUrl::new(url);
        if !(url.starts_with("redis://") || url.starts_with("rediss://")) {
            return Err(CacheError::Url { url: shown, reason: "it must begin with redis:// or rediss://".to_owned() });
        }
        let client = Client::open(url).map_err(|error| CacheError::Url { url: shown.clone(), reason: error.to_string() })?;
        let link = Link::start(client, shown.clone());
        link.first_attempt().await.map_err(|reason| CacheError::Refused { url: shown, reason })?;
        Ok(Self { link })
    }

    async fn ask(&self, pipeline: &mut Pipeline, patience: Duration) -> Result<(Vec<Value>, Live), StoreError> {
        let (values, live) = self.link.ask(pipeline.ignore_errors(), patience).await?;
        // A server that has become a replica (or is one that is still loading) is not the one to speak to.
        if values
            .iter()
            .any(|value| matches!(value, Value::ServerError(error) if matches!(error.code(), "READONLY" | "LOADING" | "MASTERDOWN")))
        {
            self.link.give_up(&live);
        }
        Ok((values, live))
    }
}

#[async_trait]
impl Store for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn read(&self, key: &CacheKey, tags: &[Tag]) -> Result<Reading, StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("GET").arg(key.as_str());
        ask_generations(&mut pipeline, tags);
        let (values, live) = self.ask(&mut pipeline, READ_TIMEOUT).await?;
        let mut values = values.into_iter();
        Ok(Reading { entry: read_entry(values.next())?, generations: read_generations(values.next(), tags, &live)? })
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Option<Generation>>, StoreError> {
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        ask_generations(&mut pipeline, tags);
        let (mut values, live) = self.ask(&mut pipeline, READ_TIMEOUT).await?;
        read_generations(values.pop(), tags, &live)
    }

    async fn contend(&self, key: &CacheKey, tags: &[Tag], lease: &Lease) -> Result<(bool, Reading), StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("SET").arg(&lease.name).arg(lease.token).arg("NX").arg("PX").arg(millis(lease.lasts));
        pipeline.cmd("GET").arg(key.as_str());
        ask_generations(&mut pipeline, tags);
        let (values, live) = self.ask(&mut pipeline, READ_TIMEOUT).await?;
        let mut values = values.into_iter();
        let won = match values.next() {
            Some(Value::ServerError(error)) => return Err(refused(&error)),
            answer => matches!(answer, Some(Value::Okay)),
        };
        Ok((won, Reading { entry: read_entry(values.next())?, generations: read_generations(values.next(), tags, &live)? }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("EVAL").arg(COMPARE_AND_DELETE).arg(1).arg(&lease.name).arg(lease.token);
        let (values, _) = self.ask(&mut pipeline, READ_TIMEOUT).await?;
        first_error(&values).map_or(Ok(()), |error| Err(refused(error)))
    }

    async fn mint(&self, tags: &[Tag]) -> Result<Vec<Generation>, StoreError> {
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        for tag in tags {
            pipeline.cmd("SET").arg(tag.key()).arg(Generation::mint().to_string()).arg("NX").arg("PX").arg(millis(TAG_LIFE));
        }
        ask_generations(&mut pipeline, tags);
        let (mut values, live) = self.ask(&mut pipeline, WRITE_TIMEOUT).await?;
        let current = read_generations(values.pop(), tags, &live)?;
        if let Some(generations) = current.into_iter().collect::<Option<Vec<_>>>() {
            return Ok(generations);
        }
        if let Some(error) = first_error(&values) {
            return Err(refused(error));
        }
        // Something that is no generation lies under a tag's key. Without it the next reader can mint one.
        let mut removal = redis::pipe();
        removal.cmd("DEL").arg(tags.iter().map(Tag::key).collect::<Vec<_>>());
        self.ask(&mut removal, WRITE_TIMEOUT).await?;
        Err(StoreError::Refused("a tag's key held something else; removed".to_owned()))
    }

    async fn write(&self, key: &CacheKey, entry: Bytes, tags: &[Tag], keep: Duration) -> Result<(), StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("SET").arg(key.as_str()).arg(&entry[..]).arg("PX").arg(millis(keep));
        for tag in tags {
            pipeline.cmd("PEXPIRE").arg(tag.key()).arg(millis(TAG_LIFE));
        }
        let (values, _) = self.ask(&mut pipeline, WRITE_TIMEOUT).await?;
        first_error(&values[..values.len().min(1)]).map_or(Ok(()), |error| Err(refused(error)))
    }

    async fn invalidate(&self, tags: &[Tag], message: &str) -> Result<(), StoreError> {
        if tags.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for tag in tags {
            pipeline.cmd("SET").arg(tag.key()).arg(Generation::mint().to_string()).arg("PX").arg(millis(TAG_LIFE));
        }
        pipeline.cmd("PUBLISH").arg(keys::INVALIDATIONS_CHANNEL).arg(message);
        let (values, _) = self.ask(&mut pipeline, WRITE_TIMEOUT).await?;
        let Some(error) = first_error(&values[..values.len().min(tags.len())]) else { return Ok(()) };
        if error.code() != "OOM" {
            return Err(refused(error));
        }
        // A full server still removes, and a tag without a generation matches no entry either.
        let mut removal = redis::pipe();
        removal.cmd("DEL").arg(tags.iter().map(Tag::key).collect::<Vec<_>>());
        removal.cmd("PUBLISH").arg(keys::INVALIDATIONS_CHANNEL).arg(message);
        let (values, _) = self.ask(&mut removal, WRITE_TIMEOUT).await?;
        first_error(&values[..values.len().min(1)]).map_or(Ok(()), |error| Err(refused(error)))
    }

    async fn add_counts(&self, counts: &Counts) -> Result<Counts, StoreError> {
        let mut pipeline = redis::pipe();
        for counter in Counter::ALL.into_iter().filter(|counter| counts.get(*counter) > 0) {
            pipeline.cmd("HINCRBY").arg(keys::STATS).arg(counter.name()).arg(counts.get(counter));
        }
        pipeline.cmd("HGETALL").arg(keys::STATS);
        let (mut values, _) = self.ask(&mut pipeline, WRITE_TIMEOUT).await?;
        let sums: std::collections::HashMap<String, u64> = match values.pop() {
            Some(Value::ServerError(error)) => return Err(refused(&error)),
            Some(value) => redis::from_redis_value(value).map_err(|error| StoreError::Refused(error.to_string()))?,
            None => Default::default(),
        };
        if let Some(error) = first_error(&values) {
            return Err(refused(error));
        }
        let mut sum = Counts::default();
        for counter in Counter::ALL {
            sum.set(counter, sums.get(counter.name()).copied().unwrap_or(0));
        }
        Ok(sum)
    }

    async fn usage(&self) -> Result<Usage, StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("INFO").arg("memory").cmd("DBSIZE");
        let (values, _) = self.ask(&mut pipeline, READ_TIMEOUT).await?;
        let mut values = values.into_iter();
        let memory: String = values.next().and_then(|value| redis::from_redis_value(value).ok()).unwrap_or_default();
        let all_keys: u64 = values.next().and_then(|value| redis::from_redis_value(value).ok()).unwrap_or(0);
        let memory_bytes = info_field(&memory, "used_memory").and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
        Ok(Usage { entries: self.count_entries(all_keys).await?, memory_bytes })
    }
}

impl RedisStore {
    /// Walks over the keys in small steps that never hold the server up. Where there are too many, an estimate: the share of ours
    /// among the keys seen, times all keys.
    async fn count_entries(&self, all_keys: u64) -> Result<u64, StoreError> {
        let (started, mut cursor, mut ours, mut steps) = (Instant::now(), 0_u64, 0_u64, 0_u64);
        const STEP: u64 = 1_000;
        loop {
            let mut pipeline = redis::pipe();
            pipeline.cmd("SCAN").arg(cursor).arg("MATCH").arg(keys::ENTRIES_PATTERN).arg("COUNT").arg(STEP);
            let (values, _) = self.ask(&mut pipeline, READ_TIMEOUT).await?;
            let Some(value) = values.into_iter().next() else { return Ok(ours) };
            let (next, names): (u64, Vec<Vec<u8>>) =
                redis::from_redis_value(value).map_err(|error| StoreError::Refused(error.to_string()))?;
            ours += names.iter().filter(|name| keys::is_entry(name)).count() as u64;
            steps += 1;
            if next == 0 {
                return Ok(ours);
            }
            if steps * STEP >= COUNT_KEYS || started.elapsed() >= COUNT_FOR {
                let seen = (steps * STEP).min(all_keys).max(1);
                return Ok(u64::try_from(u128::from(ours) * u128::from(all_keys) / u128::from(seen)).unwrap_or(ours));
            }
            cursor = next;
        }
    }
}

/// Adds one MGET; without tags nothing, and [`read_generations`] expects nothing.
fn ask_generations(pipeline: &mut Pipeline, tags: &[Tag]) {
    if !tags.is_empty() {
        pipeline.cmd("MGET").arg(tags.iter().map(Tag::key).collect::<Vec<_>>());
    }
}

fn read_entry(answer: Option<Value>) -> Result<Option<Bytes>, StoreError> {
    match answer {
        Some(Value::BulkString(bytes)) => Ok(Some(Bytes::from(bytes))),
        // Something else lies under the key: for the reader it is no entry, and writing one replaces it.
        Some(Value::ServerError(error)) if error.code() == "WRONGTYPE" => Ok(Some(Bytes::new())),
        Some(Value::ServerError(error)) => Err(refused(&error)),
        _ => Ok(None),
    }
}

fn read_generations(answer: Option<Value>, tags: &[Tag], live: &Live) -> Result<Vec<Option<Generation>>, StoreError> {
    match answer {
        None if tags.is_empty() => Ok(Vec::new()),
        Some(Value::Array(values)) if values.len() == tags.len() => Ok(values
            .iter()
            .map(|value| match value {
                Value::BulkString(text) => Generation::parse(text).map(|generation| generation.seen_through(live.server)),
                _ => None,
            })
            .collect()),
        Some(Value::ServerError(error)) => Err(refused(&error)),
        _ => Err(StoreError::Refused("unexpected answer to MGET".to_owned())),
    }
}

fn first_error(values: &[Value]) -> Option<&ServerError> {
    values.iter().find_map(|value| match value {
        Value::ServerError(error) => Some(error),
        _ => None,
    })
}

fn refused(error: &ServerError) -> StoreError {
    StoreError::Refused(match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
