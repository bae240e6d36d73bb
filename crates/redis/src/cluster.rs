//! Redis Cluster: which member has which key.
//!
//! Each member has a [`Link`] of its own, so that a generation is always seen through the very server that gave it.
//! While slots move between members, keys of the moving slot are answered by `ASK` or `TRYAGAIN`; those calls fail,
//! which for a reader means the source.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::future::join_all;
use redis::{ConnectionInfo, Value};
use tokio::{sync::Notify, time::timeout};

use crate::{
    address::at,
    error::{RedactedUrl, RequestError},
    link::{Link, Target},
};

const SLOTS: u16 = 16_384;
/// Between looks at the map of slots while nothing seems wrong.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Between looks while something does.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);
const LOOK_TIMEOUT: Duration = Duration::from_millis(500);

pub struct Cluster {
    map: Arc<RwLock<Map>>,
    doubt: Arc<Notify>,
    task: tokio::task::AbortHandle,
}

/// First and last slot, and the address of the master that has them.
type Range = (u16, u16, (String, u16));

/// The members by address, and ranges of slots with the address of their master.
#[derive(Default)]
struct Map {
    links: HashMap<(String, u16), Arc<Link>>,
    ranges: Vec<Range>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cluster {
    /// Looks for the members, and goes on looking. Needs a Tokio runtime. `Err` only where trying again cannot help.
    pub async fn start(seeds: Vec<ConnectionInfo>, url: RedactedUrl) -> Result<Self, String> {
        let (map, doubt) = (Arc::new(RwLock::new(Map::default())), Arc::new(Notify::new()));
        let seeds: Vec<(ConnectionInfo, Arc<Link>)> = seeds
            .into_iter()
            .map(|seed| (seed.clone(), Arc::new(Link::start(Target::Member(seed), url.clone()))))
            .collect();
        for refused in join_all(seeds.iter().map(|(_, link)| link.first_attempt())).await {
            refused?;
        }
        // Once before anything is asked; if nobody answers yet, the task goes on trying.
        look(&map, &seeds, &url).await;
        let task = tokio::spawn(keep_looking(map.clone(), doubt.clone(), seeds, url)).abort_handle();
        let cluster = Self { map, doubt, task };
        for refused in join_all(cluster.links().iter().map(|link| link.first_attempt())).await {
            refused?;
        }
        Ok(cluster)
    }

    /// The connection to the master that has the key's slot.
    pub fn link(&self, key: &str) -> Result<Arc<Link>, RequestError> {
        let (slot, map) = (slot(key), self.map.read().unwrap_or_else(PoisonError::into_inner));
        let owner = map
            .ranges
            .iter()
            .find(|(first, last, _)| (*first..=*last).contains(&slot))
            .and_then(|(_, _, owner)| map.links.get(owner));
        owner.cloned().ok_or_else(|| {
            self.doubt.notify_one();
            RequestError::Unreachable("no member of the cluster is known to have the key".to_owned())
        })
    }

    /// Every master.
    pub fn links(&self) -> Vec<Arc<Link>> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).links.values().cloned().collect()
    }

    /// A member could not do what it was asked: perhaps another one can by now.
    pub fn doubt(&self) {
        self.doubt.notify_one();
    }
}

async fn keep_looking(
    map: Arc<RwLock<Map>>,
    doubt: Arc<Notify>,
    seeds: Vec<(ConnectionInfo, Arc<Link>)>,
    url: RedactedUrl,
) {
    loop {
        // Either way it is time to look.
        let _ = timeout(LOOK_EVERY, doubt.notified()).await;
        look(&map, &seeds, &url).await;
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}

/// Asks one member after another until one knows the cluster whole, and connects to the masters that are new.
async fn look(map: &RwLock<Map>, seeds: &[(ConnectionInfo, Arc<Link>)], url: &RedactedUrl) {
    let Some((like, _)) = seeds.first() else { return };
    let known: Vec<_> = {
        let map = map.read().unwrap_or_else(PoisonError::into_inner);
        map.links.iter().map(|((host, _), link)| (host.clone(), link.clone())).collect()
    };
    let seeds = seeds.iter().map(|(seed, link)| (host_of(seed), link.clone()));
    for (host, member) in known.into_iter().chain(seeds) {
        let mut pipeline = redis::pipe();
        pipeline.cmd("CLUSTER").arg("SLOTS").ignore_errors();
        let Ok((values, _)) = member.ask(&pipeline, LOOK_TIMEOUT).await else { continue };
        let Some(ranges) = values.into_iter().next().and_then(|value| read_slots(value, &host)) else { continue };
        let mut map = map.write().unwrap_or_else(PoisonError::into_inner);
        let mut links = HashMap::new();
        for (_, _, owner) in &ranges {
            let link = map
                .links
                .get(owner)
                .cloned()
                .unwrap_or_else(|| Arc::new(Link::start(Target::Member(at(like, &owner.0, owner.1)), url.clone())));
            links.entry(owner.clone()).or_insert(link);
        }
        *map = Map { links, ranges };
        return;
    }
}

/// Ranges and their masters, as one member sees them. It may not know its own name: then it is the one that was asked.
fn read_slots(value: Value, asked: &str) -> Option<Vec<Range>> {
    let Value::Array(ranges) = value else { return None };
    let ranges = ranges.into_iter().map(|range| read_range(range, asked)).collect::<Option<Vec<_>>>()?;
    (!ranges.is_empty()).then_some(ranges)
}

fn read_range(range: Value, asked: &str) -> Option<Range> {
    let Value::Array(parts) = range else { return None };
    let mut parts = parts.into_iter();
    let (first, last) = (redis::from_redis_value(parts.next()?).ok()?, redis::from_redis_value(parts.next()?).ok()?);
    let Value::Array(master) = parts.next()? else { return None };
    let mut master = master.into_iter();
    let host: Option<String> = redis::from_redis_value(master.next()?).ok()?;
    let port = redis::from_redis_value(master.next()?).ok()?;
    Some((first, last, (host.filter(|host| !host.is_empty() && host != "?").unwrap_or_else(|| asked.to_owned()), port)))
}

fn host_of(server: &ConnectionInfo) -> String {
    match server.addr() {
        redis::ConnectionAddr::Tcp(host, _) | redis::ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => String::new(),
    }
}

/// CRC-16 (XMODEM) of the key, or of what stands between its first `{` and the next `}` if that is not nothing.
/// Source: Redis Cluster specification, "Key distribution model".
pub fn slot(key: &str) -> u16 {
    let tagged = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty());
    let crc = tagged.unwrap_or(key).bytes().fold(0_u16, |crc, byte| {
        (0..8)
            .fold(crc ^ (u16::from(byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot("123456789"), 0x31C3 % SLOTS);
        // As `CLUSTER KEYSLOT` answers.
        assert_eq!(slot("foo"), 12_182);
        assert_eq!(slot("{user1000}.following"), slot("user1000"));
        assert_eq!(slot("foo{}{bar}"), slot_of_all("foo{}{bar}"));
        assert_eq!(slot("foo{{bar}}zap"), slot("{bar"));
        assert_eq!(slot("analytics:{42}:snapshot:x"), slot("tag:vendor:{42}"));
    }

    /// A key whose first braces hold nothing is hashed whole: written here as the same key within braces that no other
    /// key has.
    fn slot_of_all(key: &str) -> u16 {
        key.bytes().fold(0_u16, |crc, byte| {
            (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| (crc << 1) ^ (0x1021 * (crc >> 15)))
        }) % SLOTS
    }

    #[test]
    fn a_member_without_a_name_is_the_one_that_was_asked() {
        let node = |host: Value| Value::Array(vec![host, Value::Int(7001), Value::BulkString(b"id".to_vec())]);
        let range = |host| Value::Array(vec![Value::Array(vec![Value::Int(0), Value::Int(16_383), node(host)])]);
        assert_eq!(read_slots(range(Value::Nil), "asked"), Some(vec![(0, 16_383, ("asked".to_owned(), 7001))]));
        assert_eq!(
            read_slots(range(Value::BulkString(b"10.0.0.1".to_vec())), "asked"),
            Some(vec![(0, 16_383, ("10.0.0.1".to_owned(), 7001))])
        );
        assert_eq!(read_slots(Value::Array(Vec::new()), "asked"), None);
    }
}
