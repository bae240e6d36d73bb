use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use redis::{FromRedisValue, Script, Value};
use vendorscope_redis::{ConnectError, RequestError, Routed, Router};

use super::gcra::{Decision, Rate};

/// How long a request waits to be told whether it is let in, before this instance decides by itself. As long as
/// the cache waits: where they share a connection, the first that gives up closes it to all.
const TIMEOUT: Duration = Duration::from_millis(500);

/// `Rate::admit` for as many as the last argument says, in one step that no other instance's comes into, by the server's
/// clock: moves `due` by as many intervals as are let in, and answers what it was and what the time is. Everything is a
/// whole number of microseconds below 2^53, which Lua's numbers hold exactly; `%.0f` because `tostring` would round
/// them.
const ADMIT: &str = "\
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = now + tolerance
local due = tonumber(redis.call('GET', KEYS[1])) or now
if due < now then due = now end
if due > full then due = full end
local admitted = math.min(tonumber(ARGV[3]), math.floor((full - due) / interval))
if admitted > 0 then
local next = due + admitted * interval
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
end
return {due, now}";

/// `Rate::give_back`, for as many as the last argument says.
const GIVE_BACK: &str = "\
local due = tonumber(redis.call('GET', KEYS[1]))
if due then
redis.call('SET', KEYS[1], string.format('%.0f', due - tonumber(ARGV[1]) * tonumber(ARGV[2])), 'KEEPTTL')
end
return 1";

/// A script, and the digest that a server which has run it knows it by.
struct LimitScript {
    text: &'static str,
    digest: LazyLock<Script>,
}

static ADMITS: LimitScript = LimitScript { text: ADMIT, digest: LazyLock::new(|| Script::new(ADMIT)) };
static GIVES_BACK: LimitScript = LimitScript { text: GIVE_BACK, digest: LazyLock::new(|| Script::new(GIVE_BACK)) };

/// What all instances know together of who asked how often.
pub struct RedisLimits {
    router: Arc<Router>,
}

impl RedisLimits {
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Ok(Self::new(Arc::new(Router::connect(url).await?)))
    }

    pub fn new(router: Arc<Router>) -> Self {
        Self { router }
    }

    /// The decisions on so many at once, and the server's clock by which they were made, in microseconds since 1970.
    pub async fn admit(&self, key: &str, rate: Rate, many: u64) -> Result<(Vec<Decision>, u64), RequestError> {
        let ((due, now), before): ((u64, u64), u64) =
            self.run(&ADMITS, key, &[rate.interval, rate.tolerance()], many).await?;
        Ok(((before..before + many).map(|before| rate.admit_after(before, due, now)).collect(), now))
    }

    pub async fn give_back(&self, key: &str, rate: Rate) -> Result<(), RequestError> {
        self.run::<u64>(&GIVES_BACK, key, &[rate.interval], 1).await.map(|_answer| ())
    }

    /// What the script says for so many, and how many of those whom it was run for came before. By the script's
    /// digest, which is a fifth as long to send; by its text where the server does not know it yet, or does not let this
    /// user call scripts by their digests.
    async fn run<T: FromRedisValue>(
        &self,
        script: &LimitScript,
        key: &str,
        arguments: &[u64],
        many: u64,
    ) -> Result<(T, u64), RequestError> {
        let command = |name: &str, called: &str| {
            // Room as well for how many ask, which is added where they are gathered.
            let mut command = redis::Cmd::with_capacity(5 + arguments.len(), 96 + called.len() + key.len());
            command.arg(name).arg(called).arg(1).arg(key).arg(arguments);
            command
        };
        match self.ask(key, command("EVALSHA", script.digest.get_hash()), many).await {
            Err(RequestError::Refused(why)) if why.contains("NOSCRIPT") || why.contains("NOPERM") => {
                self.ask(key, command("EVAL", script.text), many).await
            }
            answer => answer,
        }
    }

    async fn ask<T: FromRedisValue>(
        &self,
        key: &str,
        command: redis::Cmd,
        many: u64,
    ) -> Result<(T, u64), RequestError> {
        let (value, before) = self.router.ask_counted(Routed { key: key.to_owned(), command }, many, TIMEOUT).await?;
        match value {
            Value::ServerError(error) => Err(RequestError::Refused(format!("{}: {error}", error.code()))),
            value => match T::from_redis_value(value) {
                Ok(value) => Ok((value, before)),
                Err(error) => Err(RequestError::Refused(error.to_string())),
            },
        }
    }
}
