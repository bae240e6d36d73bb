use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use vendorscope_cache::{Cache, Key, store::ServerFacts};

use crate::{
    server::cache_keys,
    server_functions::cache_health::{Level, NamespaceUsage, Namespaces, RedisHealth},
};

/// What was asked is asked anew after this.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(5);
const LISTED_FRESH_FOR: SignedDuration = SignedDuration::from_secs(30);
/// Evictions are told of so long.
const EVICTIONS_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Entries of each namespace whose size is asked for.
const SAMPLED: usize = 20;
/// A page does not wait longer for what the store says of itself.
const WAIT: Duration = Duration::from_millis(800);

/// What the store said of itself when it was last asked. Kept while it does not answer.
#[derive(Default)]
pub struct Samples {
    known: Mutex<Known>,
    /// Held while asking.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    servers: Vec<ServerFacts>,
    asked_at: Option<Timestamp>,
    /// By the server's run id: when, and how many it had evicted by then.
    evicted: BTreeMap<String, VecDeque<(Timestamp, u64)>>,
    namespaces: Option<Namespaces>,
}

impl Samples {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the servers, unless that was just done.
    pub async fn take(&self, cache: &Cache) {
        let _asking = self.asking.lock().await;
        let now = Timestamp::now();
        if self.known().asked_at.is_some_and(|at| now.duration_since(at) < FRESH_FOR) {
            return;
        }
        match cache.servers().await {
            Ok(servers) => {
                let mut known = self.known();
                for server in &servers {
                    let seen = known.evicted.entry(server.run_id.clone()).or_default();
                    seen.push_back((now, server.evicted_keys));
                    while seen.len() > 2 && now.duration_since(seen[1].0) > EVICTIONS_FOR {
                        seen.pop_front();
                    }
                }
                known.evicted.retain(|run_id, _| servers.iter().any(|server| server.run_id == *run_id));
                known.servers = servers;
                known.asked_at = Some(now);
            }
            Err(error) => tracing::debug!(%error, "the store says nothing of itself"),
        }
    }

    /// What the servers said last.
    pub async fn redis(&self, cache: &Cache) -> Vec<RedisHealth> {
        let _ = tokio::time::timeout(WAIT, self.take(cache)).await;
        let known = self.known();
        let Some(asked_at) = known.asked_at else { return Vec::new() };
        known.servers.iter().map(|server| shown(server, &known.evicted, asked_at)).collect()
    }

    /// How many entries there are of each kind, and about what they take.
    pub async fn namespaces(&self, cache: &Cache) -> Option<Namespaces> {
        let now = Timestamp::now();
        let fresh = |known: &Known| {
            known.namespaces.clone().filter(|found| now.duration_since(found.looked_at) < LISTED_FRESH_FOR)
        };
        if let Some(found) = fresh(&self.known()) {
            return Some(found);
        }
        if let Ok(Some(found)) = tokio::time::timeout(WAIT, look_through(cache)).await {
            self.known().namespaces = Some(found);
        }
        self.known().namespaces.clone()
    }
}

async fn look_through(cache: &Cache) -> Option<Namespaces> {
    let listing = cache.list_entries().await.ok()?;
    let mut by_family: BTreeMap<&str, Vec<&str>> =
        cache_keys::FAMILIES.iter().map(|family| (*family, Vec::new())).collect();
    for name in &listing.names {
        let family = cache_keys::FAMILIES
            .into_iter()
            .find(|family| name.strip_prefix(family).is_some_and(|rest| rest.starts_with(':')));
        by_family.entry(family.unwrap_or("other")).or_default().push(name);
    }
    let seen = listing.names.len().max(1) as u64;
    let mut list = Vec::new();
    for (name, names) in by_family {
        // Evenly spread over what was seen.
        let step = names.len().div_ceil(SAMPLED).max(1);
        let keys: Vec<Key> = names.iter().step_by(step).map(|name| Key::new(*name)).collect();
        let sizes: Vec<u64> = cache.sizes(&keys).await.ok()?.into_iter().flatten().collect();
        let keys = names.len() as u64 * listing.entries / seen;
        let sampled = sizes.len() as u64;
        let memory = (sampled > 0).then(|| sizes.iter().sum::<u64>() * keys / sampled);
        list.push(NamespaceUsage { name: name.to_owned(), keys, memory, sampled });
    }
    Some(Namespaces { list, is_estimate: listing.is_estimate, looked_at: Timestamp::now() })
}

fn shown(
    server: &ServerFacts,
    evicted: &BTreeMap<String, VecDeque<(Timestamp, u64)>>,
    asked_at: Timestamp,
) -> RedisHealth {
    let before =
        evicted.get(&server.run_id).and_then(|seen| seen.front()).map_or(server.evicted_keys, |(_, then)| *then);
    let evicted_last_hour = server.evicted_keys.saturating_sub(before);
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let (full, evicts) = (share(server.used_memory, server.max_memory), server.policy != "noeviction");
    let latency_ms = (server.ping.as_secs_f64() * 1e6).round() / 1e3;
    let up = server.up.as_secs().max(1);
    RedisHealth {
        version: server.version.clone(),
        role: server.role.clone(),
        up_since: asked_at - SignedDuration::try_from(server.up).unwrap_or(SignedDuration::ZERO),
        asked_at,
        used_memory: server.used_memory,
        max_memory: server.max_memory,
        memory_level: match full {
            full if !evicts && full >= 0.97 => Level::Bad,
            full if !evicts && full >= 0.85 => Level::Warning,
            // One that evicts is full when it works as meant.
            _ => Level::Ok,
        },
        policy: server.policy.clone(),
        policy_level: match (server.policy.as_str(), server.max_memory) {
            (_, 0) => Level::Notice,
            ("noeviction", _) => Level::Notice,
            _ => Level::Ok,
        },
        evicted_keys: server.evicted_keys,
        evicted_last_hour,
        eviction_level: if evicted_last_hour > 0 { Level::Warning } else { Level::Ok },
        expired_keys: server.expired_keys,
        connections: server.connections,
        max_connections: server.max_connections,
        refused_connections: server.refused_connections,
        connection_level: match share(server.connections, server.max_connections) {
            scarce if scarce >= 0.9 => Level::Warning,
            _ => Level::Ok,
        },
        commands_per_day: u64::try_from(u128::from(server.commands) * 86_400 / u128::from(up)).unwrap_or(u64::MAX),
        latency_ms,
        latency_level: match latency_ms {
            slow if slow >= 10.0 => Level::Warning,
            slow if slow >= 3.0 => Level::Notice,
            _ => Level::Ok,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(change: impl FnOnce(&mut ServerFacts)) -> RedisHealth {
        let mut server = ServerFacts {
            run_id: "a".to_owned(),
            policy: "noeviction".to_owned(),
            used_memory: 10,
            max_memory: 1_000,
            connections: 5,
            max_connections: 1_000,
            commands: 7_000,
            up: Duration::from_secs(3_600),
            ping: Duration::from_micros(120),
            ..ServerFacts::default()
        };
        change(&mut server);
        shown(&server, &BTreeMap::new(), Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2))
    }

    #[test]
    fn each_figure_of_a_server_has_its_level_from_where_it_is_said_to() {
        for (used, policy, level) in [
            (849, "noeviction", Level::Ok),
            (850, "noeviction", Level::Warning),
            (969, "noeviction", Level::Warning),
            (970, "noeviction", Level::Bad),
            // What evicts is full when it works as meant.
            (1_000, "volatile-lru", Level::Ok),
        ] {
            let found = server(|server| (server.used_memory, server.policy) = (used, policy.to_owned()));
            assert_eq!(found.memory_level, level, "{used} under {policy}");
        }
        let unlimited = server(|server| (server.used_memory, server.max_memory) = (u64::MAX / 2, 0));
        assert_eq!((unlimited.memory_level, unlimited.policy_level), (Level::Ok, Level::Notice));
        let of_policy = |policy: &str| server(|server| policy.clone_into(&mut server.policy)).policy_level;
        assert_eq!((of_policy("noeviction"), of_policy("volatile-lru")), (Level::Notice, Level::Ok));
        for (open, level) in [(899, Level::Ok), (900, Level::Warning)] {
            assert_eq!(server(|server| server.connections = open).connection_level, level, "{open} connections");
        }
        for (micros, level) in
            [(2_999, Level::Ok), (3_000, Level::Notice), (9_999, Level::Notice), (10_000, Level::Warning)]
        {
            let found = server(|server| server.ping = Duration::from_micros(micros));
            assert_eq!((found.latency_level, found.latency_ms), (level, micros as f64 / 1_000.0));
        }
        let found = server(|_| ());
        assert_eq!((found.commands_per_day, found.latency_ms), (168_000, 0.12), "seven thousand in an hour");
        assert_eq!(found.up_since, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1));
    }

    #[test]
    fn evictions_are_those_since_the_server_was_first_looked_at_within_the_hour() {
        let facts = ServerFacts { run_id: "a".to_owned(), evicted_keys: 30, ..ServerFacts::default() };
        let looks = |run_id: &str, evicted: &[u64]| {
            let seen = evicted.iter().map(|evicted| (Timestamp::UNIX_EPOCH, *evicted)).collect();
            BTreeMap::from([(run_id.to_owned(), seen)])
        };
        for (known, within_the_hour, level) in [
            (BTreeMap::new(), 0, Level::Ok),
            (looks("a", &[30, 30]), 0, Level::Ok),
            (looks("a", &[29, 30]), 1, Level::Warning),
            (looks("a", &[10, 25, 30]), 20, Level::Warning),
            // Another server's: this one has been started since.
            (looks("b", &[1, 1]), 0, Level::Ok),
        ] {
            let found = shown(&facts, &known, Timestamp::UNIX_EPOCH);
            assert_eq!(
                (found.evicted_keys, found.evicted_last_hour, found.eviction_level),
                (30, within_the_hour, level)
            );
        }
    }
}
