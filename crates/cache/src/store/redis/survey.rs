//! What is in the servers, and how they fare: for people. Nothing that is right or wrong rests on it.

use std::time::Duration;

use tokio::time::Instant;

use redis::Value;
use vendorscope_redis::{Link, Routed, info_field};

use super::{READ_TIMEOUT, RedisStore, parse, routed};
use crate::{
    key::Key,
    store::{Listing, ServerFacts, StoreError},
};

/// Looking through keys stops after this many or this long, and the rest is estimated.
const COUNT_KEYS: u64 = 100_000;
const COUNT_FOR: Duration = Duration::from_millis(500);
const COUNT_STEP: u64 = 1_000;
/// Of so many pings the quickest counts.
const PINGS: usize = 5;

impl RedisStore {
    /// Walks over the keys in small steps that never hold the server up, and tells `found` the name of each entry.
    /// Returns how many there are. Where there are too many keys, an estimate (`true`): the share of ours among the
    /// keys seen, times all keys.
    pub(super) async fn walk(
        &self,
        link: &Link,
        all_keys: u64,
        mut found: impl FnMut(&[u8]),
    ) -> Result<(u64, bool), StoreError> {
        let (started, mut cursor, mut ours, mut steps) = (Instant::now(), 0_u64, 0_u64, 0_u64);
        loop {
            let mut pipeline = redis::pipe();
            pipeline
                .cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(self.names.entries_pattern())
                .arg("COUNT")
                .arg(COUNT_STEP)
                .ignore_errors();
            let (values, _) = self.router.ask_one(link, &pipeline, READ_TIMEOUT).await?;
            self.note_refusals(values.iter());
            let (next, names): (u64, Vec<Vec<u8>>) = parse(values.into_iter().next())?;
            for name in names.iter().filter(|name| self.names.is_entry(name)) {
                ours += 1;
                found(name);
            }
            steps += 1;
            if next == 0 {
                return Ok((ours, false));
            }
            if steps * COUNT_STEP >= COUNT_KEYS || started.elapsed() >= COUNT_FOR {
                let seen = (steps * COUNT_STEP).min(all_keys).max(1);
                let estimate = u128::from(ours) * u128::from(all_keys) / u128::from(seen);
                return Ok((u64::try_from(estimate).unwrap_or(ours), true));
            }
            cursor = next;
        }
    }

    pub(super) async fn list_entries(&self) -> Result<Listing, StoreError> {
        let mut listing = Listing::default();
        for link in self.router.links() {
            let mut question = redis::pipe();
            question.cmd("DBSIZE").ignore_errors();
            let (values, _) = self.router.ask_one(&link, &question, READ_TIMEOUT).await?;
            let all_keys = parse::<u64>(values.into_iter().next())?;
            let names = &mut listing.names;
            let found = |name: &[u8]| names.extend(self.names.without_suffix(name));
            let (entries, is_estimate) = self.walk(&link, all_keys, found).await?;
            listing.entries += entries;
            listing.is_estimate |= is_estimate;
        }
        Ok(listing)
    }

    /// Whoever may not ask for `MEMORY USAGE` is told nothing: the cache does not need it.
    pub(super) async fn sizes_of(&self, keys: &[Key]) -> Result<Vec<Option<u64>>, StoreError> {
        let ask = |key: &Key| -> Routed {
            let name = self.names.entry(key);
            routed(name.clone(), redis::cmd("MEMORY").arg("USAGE").arg(name))
        };
        let answers = self.router.ask(keys.iter().map(ask).collect(), READ_TIMEOUT).await?;
        let size = |value: &Value| if let Value::Int(bytes) = value { u64::try_from(*bytes).ok() } else { None };
        Ok(answers.iter().map(|answer| size(&answer.value)).collect())
    }

    pub(super) async fn ask_servers(&self) -> Result<Vec<ServerFacts>, StoreError> {
        let mut servers = Vec::new();
        for link in self.router.links() {
            let mut quickest = READ_TIMEOUT;
            for _ in 0..PINGS {
                let (began, mut ping) = (Instant::now(), redis::pipe());
                ping.cmd("PING").ignore_errors();
                self.router.ask_one(&link, &ping, READ_TIMEOUT).await?;
                // What the way costs; the others waited for a processor as well.
                quickest = quickest.min(began.elapsed());
            }
            let mut question = redis::pipe();
            question.cmd("INFO").ignore_errors();
            let (values, _) = self.router.ask_one(&link, &question, READ_TIMEOUT).await?;
            servers.push(read_facts(&parse::<String>(values.into_iter().next())?, quickest));
        }
        Ok(servers)
    }
}

fn read_facts(info: &str, ping: Duration) -> ServerFacts {
    let text = |name| info_field(info, name).unwrap_or_default().to_owned();
    let number = |name| info_field(info, name).and_then(|value| value.parse().ok()).unwrap_or(0);
    ServerFacts {
        version: text("redis_version"),
        run_id: text("run_id"),
        role: text("role"),
        policy: text("maxmemory_policy"),
        used_memory: number("used_memory"),
        max_memory: number("maxmemory"),
        evicted_keys: number("evicted_keys"),
        expired_keys: number("expired_keys"),
        connections: number("connected_clients"),
        max_connections: number("maxclients"),
        refused_connections: number("rejected_connections"),
        commands: number("total_commands_processed"),
        up: Duration::from_secs(number("uptime_in_seconds")),
        ping,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_leaves_out_is_nothing() {
        let facts =
            read_facts("# Memory\r\nused_memory:12\r\nmaxmemory_policy:allkeys-lru\r\n", Duration::from_micros(7));
        assert_eq!((facts.used_memory, facts.max_memory, facts.policy.as_str()), (12, 0, "allkeys-lru"));
        assert_eq!((facts.evicted_keys, facts.ping), (0, Duration::from_micros(7)));
    }
}
