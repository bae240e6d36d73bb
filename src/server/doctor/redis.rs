use std::time::{Duration, Instant};

use jiff::Timestamp;
use redis::{FromRedisValue, Value};
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use vendorscope_redis::{Address, Routed, Router, Tls, info_field};

use super::{Check, Level, compare_clocks};
use crate::server::{
    cache_keys,
    config::{Config, redact},
    identity::sessions::{Sessions, Store, differ, said_of},
    open_cache,
    rate_limit::{Limiter, Purpose},
};

/// How long one answer is waited for.
const WITHIN: Duration = Duration::from_secs(1);
/// Every cached read is a round trip: one that takes longer than this shows.
const SLOW: Duration = Duration::from_millis(5);
const ROUND_TRIPS: u32 = 10;
/// The oldest server that has every command in use here.
const OLDEST: (u32, u32) = (6, 2);

/// What is to be said of the cache's Redis and of that of sessions and limits.
pub async fn examine(config: &Config, installation: Option<&str>) -> Vec<Check> {
    let Some(url) = config.cache.redis() else {
        return vec![Check::ok("redis", "none: cache, sessions and limits are in the memory of the one instance")];
    };
    let mut checks = server(CACHE, url, &config.redis_tls).await;
    // Without an installation's name its keys are not known.
    let Some(installation) = installation else { return checks };
    if checks.iter().all(|check| check.level != Level::Fail) {
        checks.push(cache_rights(config, url, installation).await);
    }
    let Some(url) = config.sessions.redis() else { return checks };
    let apart = config.sessions.redis() != config.cache.redis();
    let reached = if apart { server(SESSIONS, url, &config.redis_tls).await } else { Vec::new() };
    let is_reached =
        !checks.iter().chain(&reached).any(|check| check.name.ends_with("redis") && check.level == Level::Fail);
    checks.extend(reached);
    if is_reached {
        checks.extend(sessions(config, installation).await);
    }
    checks
}

/// What the checks of one server are called.
struct Names {
    reach: &'static str,
    memory: &'static str,
    clock: &'static str,
    variable: &'static str,
    /// What is in it can be loaded again.
    may_forget: bool,
}

const CACHE: Names = Names {
    reach: "cache redis",
    memory: "cache memory",
    clock: "cache clock",
    variable: "REDIS_URL",
    may_forget: true,
};
const SESSIONS: Names = Names {
    reach: "sessions redis",
    memory: "sessions memory",
    clock: "sessions clock",
    variable: "SESSION_REDIS_URL",
    may_forget: false,
};

/// Reach, version, latency, memory and clock.
async fn server(names: Names, url: &str, tls: &Tls) -> Vec<Check> {
    let away = |why: String| {
        vec![Check::fail(
            names.reach,
            format!("Redis at {} cannot be used: {why}", redact(url)),
            format!("start it, or correct {} (docs/redis.md)", names.variable),
        )]
    };
    let router = match Router::connect_by(url, tls).await {
        Ok(router) => router,
        Err(error) => return away(error.to_string()),
    };
    // The quickest of them is what the way costs; the others waited for a processor as well.
    let mut latency = WITHIN;
    for _ in 0..ROUND_TRIPS {
        let began = Instant::now();
        if let Err(error) = ask::<Value>(&router, &["PING"]).await {
            return away(error);
        }
        latency = latency.min(began.elapsed());
    }
    let mut checks = vec![reached(names.reach, &version(&router).await, &redact(url), latency)];
    checks.extend(memory(&names, &router).await);
    checks.extend(clock(&names, &router).await);
    checks
}

/// What there is to say of a server that answers.
fn reached(name: &'static str, version: &str, place: &str, latency: Duration) -> Check {
    let found = format!("{version} at {place}, a round trip takes {:.1} ms", latency.as_secs_f64() * 1000.0);
    if is_old(version) {
        Check::fail(name, found, "Redis 6.2 or newer is needed")
    } else if latency > SLOW {
        Check::warn(name, found, "put it nearer: every cached read waits for a round trip")
    } else {
        Check::ok(name, found)
    }
}

async fn ask<T: FromRedisValue>(router: &Router, words: &[&str]) -> Result<T, String> {
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(*word);
    }
    let answers = router.ask(vec![Routed { key: String::new(), command }], WITHIN).await.map_err(|e| e.to_string())?;
    match answers.into_iter().next().map(|answer| answer.value) {
        Some(Value::ServerError(error)) => Err(error.to_string()),
        Some(value) => T::from_redis_value(value).map_err(|error| error.to_string()),
        None => Err("no answer".to_owned()),
    }
}

async fn version(router: &Router) -> String {
    let info = ask::<String>(router, &["INFO", "server"]).await.unwrap_or_default();
    info_field(&info, "redis_version").map_or_else(|| "Redis".to_owned(), |version| format!("Redis {version}"))
}

fn is_old(version: &str) -> bool {
    let mut numbers = version.trim_start_matches("Redis ").split('.').map_while(|number| number.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) < OLDEST)
}

async fn memory(names: &Names, router: &Router) -> Option<Check> {
    let info = ask::<String>(router, &["INFO", "memory"]).await.ok()?;
    let number = |name: &str| info_field(&info, name).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let (used, most) = (number("used_memory"), number("maxmemory"));
    let policy = info_field(&info, "maxmemory_policy").unwrap_or("not said");
    let megabytes = |bytes: u64| format!("{:.0} MB", bytes as f64 / 1e6);
    if most == 0 {
        let found = format!("{} in use, and no limit", megabytes(used));
        return Some(if names.may_forget {
            Check::warn(
                names.memory,
                found,
                "set maxmemory and maxmemory-policy volatile-lru (deploy/redis/cache.conf)",
            )
        } else {
            Check::ok(names.memory, found)
        });
    }
    let found = format!("{} of {} in use, policy {policy}", megabytes(used), megabytes(most));
    Some(match (names.may_forget, policy == "noeviction") {
        (true, true) => Check::warn(
            names.memory,
            format!("{found}: when it is full, nothing new is cached"),
            "maxmemory-policy volatile-lru (deploy/redis/cache.conf)",
        ),
        (false, false) => Check::warn(
            names.memory,
            format!("{found}: when it is full, people are logged out"),
            "maxmemory-policy noeviction (deploy/redis/sessions.conf)",
        ),
        _ => Check::ok(names.memory, found),
    })
}

async fn clock(names: &Names, router: &Router) -> Option<Check> {
    let before = Timestamp::now().as_microsecond();
    let (seconds, micros) = ask::<(i64, i64)>(router, &["TIME"]).await.ok()?;
    let theirs = seconds * 1_000_000 + micros;
    Some(compare_clocks(names.clock, before, theirs, Timestamp::now().as_microsecond()))
}

const RIGHTS: &str = "docs/redis.md#rights has the least that this user needs";

/// The cache tries all that it does when it is opened; the subscription is another connection's.
async fn cache_rights(config: &Config, url: &str, installation: &str) -> Check {
    let name = "cache rights";
    let cache = match open_cache(config, installation).await {
        Ok(cache) => cache,
        Err(error) => return Check::told(name, Level::Fail, error.to_string()),
    };
    if let Some(refused) = cache.refusal() {
        return Check::fail(name, format!("Redis refuses what the cache needs: {refused}"), RIGHTS);
    }
    let channel = format!("cache:invalidations{}", cache_keys::namespace().of_installation(installation).suffix());
    match subscribe(url, &config.redis_tls, &channel).await {
        Err(refused) => Check::fail(
            name,
            format!(
                "this user may not hear {channel} ({refused}): open dashboards do not follow what changes elsewhere"
            ),
            RIGHTS,
        ),
        Ok(()) => Check::ok(name, "all that the cache does is allowed"),
    }
}

/// One server alone is asked: with sentinels or a cluster it is not known which one will be.
async fn subscribe(url: &str, tls: &Tls, channel: &str) -> Result<(), String> {
    let Address::Server(server) = Address::parse(url)?.reached_by(tls)? else { return Ok(()) };
    let subscribing = async {
        let mut subscription = redis::Client::open(server)?.get_async_pubsub().await?;
        subscription.subscribe(channel).await
    };
    match tokio::time::timeout(WITHIN, subscribing).await {
        Ok(done) => done.map_err(|error: redis::RedisError| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", WITHIN.as_secs())),
    }
}

/// Rights, what may be thrown away, and the secret of running instances.
async fn sessions(config: &Config, installation: &str) -> Vec<Check> {
    let sessions = match Sessions::open(config, installation).await {
        Ok(sessions) => sessions,
        Err(error) => return vec![Check::told("sessions", Level::Fail, error.to_string())],
    };
    let store = sessions.store();
    let mut checks = vec![match use_store(store).await {
        Ok(()) => Check::ok("sessions", "a session was begun and ended"),
        Err(error) => Check::fail("sessions", format!("a session cannot be begun and ended: {error}"), RIGHTS),
    }];
    if config.sessions.redis() == config.cache.redis()
        && let Ok(Some(policy)) = store.eviction().await
    {
        checks.push(Check::warn(
            "sessions",
            format!("they share the cache's Redis, whose policy {policy} may throw them away when its memory is full"),
            "give sessions one of their own with noeviction (SESSION_REDIS_URL)",
        ));
    }
    checks.push(match Limiter::open(config, installation).await {
        Ok(limits) => match limits.admit(Purpose::Reads, "doctor").await {
            None => Check::ok("limits", "LIMIT_READS is off"),
            Some(_) if limits.is_shared() => Check::ok("limits", "counted for all instances together"),
            Some(_) => Check::fail("limits", "Redis refuses to count: each instance lets in its share", RIGHTS),
        },
        Err(error) => Check::fail("limits", error.to_string(), RIGHTS),
    });
    let ours = said_of(&config.sessions);
    checks.push(match store.known_secrets().await {
        Err(error) => Check::told("same secret", Level::Warn, format!("not known: {error}")),
        Ok(known) if known.is_empty() => Check::ok("same secret", "no instance is running to compare with"),
        Ok(known) if !known.iter().any(|theirs| differ(&ours, theirs)) => {
            Check::ok("same secret", format!("{ours}, as the running instances have"))
        }
        // This command has made one up for itself, as those instances have.
        Ok(known) if config.sessions.secret_is_temporary => Check::warn(
            "same secret",
            format!("running instances have {}; there is none to compare with here", known.join(" and ")),
            "run it with the SESSION_SECRET of the instances, where they have one",
        ),
        Ok(known) => Check::fail(
            "same secret",
            format!("this SESSION_SECRET has the fingerprint {ours}, running instances have {}", known.join(" and ")),
            "give all instances, and this command, the same",
        ),
    });
    checks
}

/// As a login and a logout of nobody: no user has the number 0.
async fn use_store(store: &Store) -> Result<(), tower_sessions::session_store::Error> {
    let until = OffsetDateTime::now_utc() + time::Duration::MINUTE;
    let mut record = Record { id: Id::default(), data: Default::default(), expiry_date: until };
    store.begin(0, &mut record, until).await?;
    store.replace(&record).await?;
    store.of_user(0).await?;
    store.end(0, &record.id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_well_that_is_new_enough_and_near_enough() {
        let level = |version, latency| reached("redis", version, "redis://h", latency).level;
        let more = SLOW + Duration::from_nanos(1);
        assert_eq!((level("Redis 7.0.1", SLOW), level("Redis 7.0.1", more)), (Level::Ok, Level::Warn));
        assert_eq!((level("Redis 6.0.16", SLOW), level("Redis 6.0.16", more)), (Level::Fail, Level::Fail));
        let found = reached("redis", "Redis 7.0.1", "redis://h", Duration::from_micros(12_340)).found;
        assert_eq!(found, "Redis 7.0.1 at redis://h, a round trip takes 12.3 ms");
    }

    #[test]
    fn old_servers_are_told_by_their_number() {
        for (version, old) in [
            ("Redis 6.0.16", true),
            ("Redis 5", false),
            ("Redis 6.2.0", false),
            ("Redis 10.1", false),
            ("Redis", false),
        ] {
            assert_eq!(is_old(version), old, "{version}");
        }
    }
}
