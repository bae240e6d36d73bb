//! How often one may ask: counted in Redis for all instances together; while that does not answer, each instance lets
//! in its share.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sha2::{Digest, Sha256};
use vendorscope_redis::{ConnectError, Router};

use super::config::{Config, Limit, LimitConfig};
use crate::domain::accounts::comparable_email;

/// The arithmetic.
pub mod gcra;
/// In this process.
mod memory;
/// In Redis.
pub mod redis;

use gcra::{Decision, Rate};
use memory::MemoryLimits;
use redis::RedisLimits;

/// What is asked for, each with a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Logging in to one account, from browsers that nobody has logged in to it with.
    LoginAccount,
    /// Logging in from one address.
    LoginAddress,
    /// Logging in to one account from one browser that somebody has logged in to it with.
    LoginDevice,
    /// Logging in to one account from all such browsers together.
    LoginDevices,
    /// Proving the password of the account that one is logged in to.
    OwnPassword,
    /// Sending one-time codes of one user.
    Codes,
    /// Wrong one-time codes of one user, until it is told that there are many.
    WrongCodes,
    /// Telling a user of them.
    CodeAlarms,
    /// Having a link for a lost password sent to one account.
    Links,
    /// Sending keys that are none, from one address.
    UnknownKeys,
    /// Changing the time zone of one vendor.
    ZoneChanges,
    Pages,
    /// Asking whether this instance is ready.
    Probes,
    Reads,
    Writes,
}

impl Purpose {
    /// Its name in keys and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoginAccount => "login-account",
            Self::LoginAddress => "login-address",
            Self::LoginDevice => "login-device",
            Self::LoginDevices => "login-devices",
            Self::OwnPassword => "own-password",
            Self::Codes => "codes",
            Self::WrongCodes => "wrong-codes",
            Self::CodeAlarms => "code-alarms",
            Self::Links => "links",
            Self::UnknownKeys => "unknown-keys",
            Self::ZoneChanges => "zone-changes",
            Self::Pages => "pages",
            Self::Probes => "probes",
            Self::Reads => "reads",
            Self::Writes => "writes",
        }
    }

    fn limit(self, config: &LimitConfig) -> Option<Limit> {
        match self {
            Self::LoginAccount | Self::LoginDevice | Self::OwnPassword => config.login_account,
            Self::LoginDevices => config.login_account.map(|limit| limit.times(KNOWN_BROWSERS)),
            Self::Codes => config.codes,
            Self::WrongCodes => Limit::new(WRONG_CODES, DAY),
            Self::CodeAlarms => Limit::new(1, DAY),
            Self::LoginAddress => config.login_address,
            Self::Links => Limit::new(LINKS, Duration::from_secs(3600)),
            Self::UnknownKeys => Limit::new(UNKNOWN_KEYS, Duration::from_secs(60)),
            Self::ZoneChanges => config.zone_changes,
            Self::Pages => config.pages,
            Self::Probes => config.probes,
            Self::Reads => config.reads,
            Self::Writes => config.writes,
        }
    }
}

/// What all known browsers of an account may do together, in that of one.
const KNOWN_BROWSERS: NonZeroU32 = NonZeroU32::new(5).expect("not zero");

/// Wrong one-time codes of one user, which only who knows the password can send, that nobody need be told of; and as
/// many again spread over a day.
const WRONG_CODES: u32 = 20;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Keys that are none, from one address in a minute: each costs the database a look.
const UNKNOWN_KEYS: u32 = 100;

/// Links for a lost password that are sent to one account in an hour, whoever asks for them.
const LINKS: u32 = 3;

/// What became of one request to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    pub purpose: Purpose,
    pub limit: Limit,
    pub decision: Decision,
}

/// Every limit of this installation.
pub struct Limiter {
    config: LimitConfig,
    installation: String,
    redis: Option<RedisLimits>,
    memory: MemoryLimits,
    /// So that a change is logged, and not every request in between.
    redis_answers: AtomicBool,
}

impl Limiter {
    /// Beside the sessions: what is counted must not be evicted either.
    pub async fn open(config: &Config, installation: &str) -> Result<Self, ConnectError> {
        let router = match config.sessions.redis() {
            Some(url) => Some(Arc::new(Router::connect_by(url, &config.redis_tls).await?)),
            None => None,
        };
        Ok(Self::over(config, installation, router))
    }

    /// Over connections that others use too; in this process without any.
    pub fn over(config: &Config, installation: &str, router: Option<Arc<Router>>) -> Self {
        Self {
            config: config.limits.clone(),
            installation: installation.to_owned(),
            redis: router.map(RedisLimits::new),
            memory: MemoryLimits::default(),
            redis_answers: AtomicBool::new(true),
        }
    }

    /// Counts one request of `who`. `None` where there is no limit.
    pub async fn admit(&self, purpose: Purpose, who: &str) -> Option<Admission> {
        self.admit_many(purpose, who, 1).await.pop()
    }

    /// Counts so many requests of `who` that came together: an admission for each. None where there is no limit.
    pub async fn admit_many(&self, purpose: Purpose, who: &str, many: u64) -> Vec<Admission> {
        let Some(limit) = purpose.limit(&self.config) else { return Vec::new() };
        let (key, rate) = (self.key(purpose, who), Rate::of(limit));
        let here = |rate| (0..many).map(|_| self.memory.admit(&key, rate)).collect();
        let decisions: Vec<Decision> = match &self.redis {
            None => here(rate),
            Some(redis) => match redis.admit(&key, rate, many).await {
                Ok((decisions, _)) => {
                    self.note_whether_redis_answers(true, "");
                    decisions
                }
                Err(error) => {
                    self.note_whether_redis_answers(false, &error.to_string());
                    here(self.share(rate))
                }
            },
        };
        decisions.into_iter().map(|decision| Admission { purpose, limit, decision }).collect()
    }

    /// Undoes an `admit` that is not to count.
    pub async fn give_back(&self, purpose: Purpose, who: &str) {
        let Some(limit) = purpose.limit(&self.config) else { return };
        let (key, rate) = (self.key(purpose, who), Rate::of(limit));
        let Some(redis) = &self.redis else { return self.memory.give_back(&key, rate) };
        // Where the one was counted is where the other finds something to take back.
        self.memory.give_back(&key, self.share(rate));
        if let Err(error) = redis.give_back(&key, rate).await {
            self.note_whether_redis_answers(false, &error.to_string());
        }
    }

    /// Whether Redis did what it was last asked: counts for all instances together.
    pub fn is_shared(&self) -> bool {
        self.redis.is_some() && self.redis_answers.load(Ordering::Relaxed)
    }

    /// Counts one request of `who` in this process alone: of what must cost nobody else anything.
    pub fn admit_here(&self, purpose: Purpose, who: &str) -> Option<Admission> {
        let limit = purpose.limit(&self.config)?;
        let decision = self.memory.admit(&self.key(purpose, who), Rate::of(limit));
        Some(Admission { purpose, limit, decision })
    }

    /// What `admit_here` would decide, without counting anything.
    pub fn look_here(&self, purpose: Purpose, who: &str) -> Option<Admission> {
        let limit = purpose.limit(&self.config)?;
        let decision = self.memory.look(&self.key(purpose, who), Rate::of(limit));
        Some(Admission { purpose, limit, decision })
    }

    fn key(&self, purpose: Purpose, who: &str) -> String {
        // Not `format!`, which was a tenth of the instructions of a hot request.
        ["limit:", purpose.name(), ":", who, "@", &self.installation].concat()
    }

    fn share(&self, rate: Rate) -> Rate {
        rate.share(self.config.instances.get().into())
    }

    fn note_whether_redis_answers(&self, answers: bool, error: &str) {
        if self.redis_answers.swap(answers, Ordering::Relaxed) == answers {
            return;
        }
        if answers {
            tracing::info!("limits are counted for all instances again");
        } else {
            tracing::warn!(
                error,
                instances = self.config.instances,
                "limits: Redis does not answer, so this instance lets in its share"
            );
        }
    }
}

/// An account by the address that somebody typed, known to us or not: of any length, so its digest.
pub fn account_key(email: &str) -> String {
    hex::encode(&Sha256::digest(comparable_email(email))[..16])
}

/// A network address; of an IPv6 address the first 64 bits, because whoever has one has all of these.
pub fn address_key(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => format!("{}/64", Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        Some(IpAddr::V4(address)) => address.to_string(),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |text: &str| address_key(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2::"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_eq!(of("::ffff:203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn an_account_is_one_however_it_is_typed() {
        assert_eq!(account_key(" Jane@Example.COM "), account_key("jane@example.com"));
        assert_ne!(account_key("jane@example.com"), account_key("jane@example.org"));
    }
}
