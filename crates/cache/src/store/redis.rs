//! Entries and generations in Redis.
//!
//! **What a server may have forgotten.** A server that was restarted from a snapshot, or a replica that was promoted,
//! may not know of invalidations that were acknowledged, and then holds old entries and the old generations that match
//! them. Nothing that a server held before such an event may be trusted after it. So every generation is seen through
//! the server process that gave it: stored numbers are combined with that process's run id, which is another one after
//! every restart and failover. Entries from before match nothing any more; nobody has to notice anything.
//!
//! **Commands that take effect late.** A call that was given up may still be carried out. Each attempt of an
//! invalidation therefore brings numbers of its own, each of which is sent once.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join_all;
use redis::{Cmd, Value};

use vendorscope_redis::{Answer, ConnectError, LinkStatus, Routed, Router, info_field, subscription};

use super::{Heard, Listing, Reading, ServerFacts, Store, StoreError, Usage};
use crate::{
    generations::Generation,
    key::{Key, Namespace, Span, Tag},
    lease::Lease,
    stats::Counts,
};

/// What a server answers, read.
mod answers;
/// What is in the servers, for people.
mod survey;

use answers::{all_done, parse, read_counts, read_entry, read_generations, refused};

const READ_TIMEOUT: Duration = Duration::from_millis(500);
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// A tag that no entry was written under for this long is forgotten.
const TAG_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Tags of one request.
const TAGS_AT_ONCE: usize = 256;
/// Room for a name in a command, in bytes: what is longer makes room for itself.
const NAME_BYTES: usize = 64;
/// Removes a lease only if it is still the caller's own.
const COMPARE_AND_DELETE: &str =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

pub struct RedisStore {
    router: Arc<Router>,
    names: Namespace,
    /// Whose answers are taken; everybody's where nothing was said.
    bound: RwLock<Option<Vec<u64>>>,
    /// What the server last refused because this user may not do it.
    refusal: RwLock<Option<String>>,
}

impl RedisStore {
    /// Fails if the address cannot be used or the server refuses us; a server that is merely not there yet is waited
    /// for in the background. Accepts `redis://`, `redis+sentinel://` and `redis+cluster://`, and each with `rediss`.
    pub async fn connect(url: &str, names: Namespace) -> Result<Self, ConnectError> {
        Ok(Self::over(Arc::new(Router::connect(url).await?), names).await)
    }

    /// Over connections that others use too.
    pub async fn over(router: Arc<Router>, names: Namespace) -> Self {
        let store = Self { router, names, bound: RwLock::default(), refusal: RwLock::default() };
        store.find_out_rights().await;
        store
    }

    /// Removes generations: a tag without one matches no entry either.
    async fn remove(&self, tags: &[Tag]) -> Result<(), StoreError> {
        let removals = tags.iter().map(|tag| self.on_tag(tag, "DEL", |command| command)).collect();
        all_done(&self.ask(removals, WRITE_TIMEOUT).await?)
    }

    /// One MGET for each slot that the tags are in: without a cluster, one.
    fn ask_generations(&self, tags: &[Tag]) -> (Vec<Routed>, Vec<Vec<usize>>) {
        let mut groups: Vec<(u16, Routed, Vec<usize>)> = Vec::new();
        for (place, tag) in tags.iter().enumerate() {
            let key = self.names.tag(tag);
            let slot = self.router.slot(&key);
            match groups.iter_mut().find(|(other, ..)| *other == slot) {
                Some((_, asked, places)) => {
                    asked.command.arg(key);
                    places.push(place);
                }
                None => {
                    let mut command = Cmd::with_capacity(1 + tags.len(), (1 + tags.len()) * NAME_BYTES);
                    command.arg("MGET").arg(&key);
                    groups.push((slot, Routed { key, command }, vec![place]));
                }
            }
        }
        groups.into_iter().map(|(_, asked, places)| (asked, places)).unzip()
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

    async fn server(&self) -> Result<String, StoreError> {
        let mut servers = self.router.confirm_servers(READ_TIMEOUT).await?;
        servers.sort_unstable();
        Ok(servers.into_iter().map(server_name).collect::<Vec<_>>().join(","))
    }

    fn bind(&self, server: &str) {
        let servers = server.split(',').filter_map(|name| u64::from_str_radix(name, 16).ok()).collect();
        *self.bound.write().unwrap_or_else(PoisonError::into_inner) = Some(servers);
    }

    fn reconnect(&self) {
        self.router.reconnect();
    }

    fn refusal(&self) -> Option<String> {
        self.refusal.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Reading, StoreError> {
        let (mut commands, places) = self.ask_generations(tags);
        commands.insert(0, self.get_entry(key));
        let mut answers = self.ask(commands, READ_TIMEOUT).await?.into_iter();
        Ok(Reading { entry: read_entry(answers.next())?, generations: read_generations(answers, &places, tags.len())? })
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Option<Generation>>, StoreError> {
        let (commands, places) = self.ask_generations(tags);
        let asked = commands.into_iter().map(|command| self.router.ask_together(command, READ_TIMEOUT));
        let answers = self.believed(try_join_all(asked).await?)?;
        read_generations(answers.into_iter(), &places, tags.len())
    }

    async fn try_acquire(&self, key: &Key, tags: &[Tag], lease: &Lease) -> Result<(bool, Reading), StoreError> {
        let (mut commands, places) = self.ask_generations(tags);
        let name = self.names.lease(&lease.name);
        let take = routed(
            name.clone(),
            redis::cmd("SET").arg(&name).arg(lease.token).arg("NX").arg("PX").arg(millis(lease.lasts)),
        );
        let get = self.get_entry(key);
        commands.splice(0..0, [take, get]);
        let mut answers = self.ask(commands, READ_TIMEOUT).await?.into_iter();
        let won = match answers.next().map(|answer| answer.value) {
            Some(Value::ServerError(error)) => return Err(refused(&error)),
            answer => matches!(answer, Some(Value::Okay)),
        };
        Ok((
            won,
            Reading {
                entry: read_entry(answers.next())?,
                generations: read_generations(answers, &places, tags.len())?,
            },
        ))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let name = self.names.lease(&lease.name);
        let give_back =
            routed(name.clone(), redis::cmd("EVAL").arg(COMPARE_AND_DELETE).arg(1).arg(&name).arg(lease.token));
        all_done(&self.ask(vec![give_back], READ_TIMEOUT).await?)
    }

    async fn mint(&self, tags: &[Tag]) -> Result<Vec<Generation>, StoreError> {
        let (reads, places) = self.ask_generations(tags);
        let mut commands: Vec<Routed> = tags.iter().map(|tag| self.set_generation(tag, &["NX"])).collect();
        commands.extend(reads);
        let mut answers = self.ask(commands, WRITE_TIMEOUT).await?;
        let current = read_generations(answers.split_off(tags.len()).into_iter(), &places, tags.len())?;
        if let Some(generations) = current.into_iter().collect::<Option<Vec<_>>>() {
            return Ok(generations);
        }
        all_done(&answers)?;
        // Something that is no generation lies under a tag's key. Without it the next reader can mint one.
        self.remove(tags).await?;
        Err(StoreError::Refused("a tag's key held something else; removed".to_owned()))
    }

    async fn write(&self, key: &Key, entry: Bytes, tags: &[Tag], keep: Duration) -> Result<(), StoreError> {
        let name = self.names.entry(key);
        let mut commands =
            vec![routed(name.clone(), redis::cmd("SET").arg(name).arg(&entry[..]).arg("PX").arg(millis(keep)))];
        commands.extend(tags.iter().map(|tag| self.on_tag(tag, "PEXPIRE", |command| command.arg(millis(TAG_LIFE)))));
        all_done(&self.ask(commands, WRITE_TIMEOUT).await?[..1])
    }

    async fn invalidate(&self, tags: &[Tag], message: &str) -> Result<(), StoreError> {
        let Some(first) = tags.first() else { return Ok(()) };
        for tags in tags.chunks(TAGS_AT_ONCE) {
            let commands: Vec<Routed> = tags.iter().map(|tag| self.set_generation(tag, &[])).collect();
            let renewed = self.ask(commands, WRITE_TIMEOUT).await?;
            // A full server still removes.
            let full = renewed
                .iter()
                .any(|answer| matches!(&answer.value, Value::ServerError(error) if error.code() == "OOM"));
            if full { self.remove(tags).await? } else { all_done(&renewed)? }
        }
        // Only now: who hears of it and asks again must not find the old generation on a server that was slower. A
        // message that is not sent is one that is lost.
        let publish = routed(self.names.tag(first), redis::cmd("PUBLISH").arg(self.names.channel()).arg(message));
        let _ = self.ask(vec![publish], WRITE_TIMEOUT).await;
        Ok(())
    }

    async fn add_counts(&self, counts: &Counts, at_micros: u64) -> Result<Counts, StoreError> {
        let mut commands = Vec::new();
        let mut add = |key: &str| {
            let adding =
                counts.named().map(|(name, count)| redis::cmd("HINCRBY").arg(key).arg(name).arg(count).to_owned());
            commands.extend(adding.map(|command| Routed { key: key.to_owned(), command }));
        };
        let stats = self.names.stats();
        add(&stats);
        let spans = Span::ALL.map(|span| (self.names.stats_of(span, span.number(at_micros)), span.kept()));
        spans.iter().for_each(|(key, _)| add(key));
        if !counts.is_zero() {
            commands.extend(
                spans.iter().map(|(key, kept)| routed(key.clone(), redis::cmd("PEXPIRE").arg(key).arg(millis(*kept)))),
            );
        }
        commands.push(routed(stats.clone(), redis::cmd("HGETALL").arg(stats)));
        let mut answers = self.ask(commands, WRITE_TIMEOUT).await?;
        let sum = read_counts(answers.pop())?;
        all_done(&answers)?;
        Ok(sum)
    }

    async fn history(&self, span: Span, spans: usize, at_micros: u64) -> Result<Vec<Counts>, StoreError> {
        let last = span.number(at_micros);
        let keys = (0..spans as u64).rev().map(|ago| self.names.stats_of(span, last.saturating_sub(ago)));
        let questions = keys.map(|key| routed(key.clone(), redis::cmd("HGETALL").arg(&key))).collect();
        self.ask(questions, READ_TIMEOUT).await?.into_iter().map(|answer| read_counts(Some(answer))).collect()
    }

    async fn usage(&self) -> Result<Usage, StoreError> {
        let mut usage = Usage::default();
        for link in self.router.links() {
            let mut pipeline = redis::pipe();
            pipeline.cmd("INFO").arg("memory").cmd("DBSIZE").ignore_errors();
            let (values, _) = self.router.ask_one(&link, &pipeline, READ_TIMEOUT).await?;
            let mut values = values.into_iter();
            // Some services do not say what they take: what is not known counts as nothing.
            let (memory, size) = (parse::<String>(values.next()).unwrap_or_default(), values.next());
            self.note_refusals(size.iter());
            let all_keys = parse::<u64>(size)?;
            usage.memory_bytes += info_field(&memory, "used_memory").and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
            usage.entries += self.walk(&link, all_keys, |_| ()).await?.0;
        }
        Ok(usage)
    }

    async fn reset_counts(&self) -> Result<(), StoreError> {
        let stats = self.names.stats();
        all_done(&self.ask(vec![routed(stats.clone(), redis::cmd("DEL").arg(stats))], WRITE_TIMEOUT).await?)
    }

    fn connections(&self) -> Vec<LinkStatus> {
        self.router.links().iter().map(|link| link.status()).collect()
    }

    async fn servers(&self) -> Result<Vec<ServerFacts>, StoreError> {
        self.ask_servers().await
    }

    async fn list(&self) -> Result<Listing, StoreError> {
        self.list_entries().await
    }

    async fn sizes(&self, keys: &[Key]) -> Result<Vec<Option<u64>>, StoreError> {
        self.sizes_of(keys).await
    }

    async fn listen(&self, tell: &(dyn for<'m> Fn(Heard<'m>) + Send + Sync)) {
        subscription::listen(self.router.address(), &self.names.channel(), tell).await;
    }
}

impl RedisStore {
    async fn ask(&self, commands: Vec<Routed>, within: Duration) -> Result<Vec<Answer>, StoreError> {
        self.believed(self.router.ask(commands, within).await?)
    }

    /// These answers, if they are of the servers that count.
    fn believed(&self, answers: Vec<Answer>) -> Result<Vec<Answer>, StoreError> {
        self.note_refusals(answers.iter().map(|answer| &answer.value));
        let bound = self.bound.read().unwrap_or_else(PoisonError::into_inner);
        let counts = |answer: &Answer| bound.as_ref().is_none_or(|bound| bound.contains(&answer.server));
        if answers.iter().all(counts) {
            Ok(answers)
        } else {
            Err(StoreError::Unreachable("another server answers by now than the one that counts".to_owned()))
        }
    }

    /// Tries everything once that this store will ever ask for, on names that nobody uses, so that what this user may
    /// not do is known from the start. What the server does not answer is found out later.
    async fn find_out_rights(&self) {
        let (tag, key) = (Tag::new("rights"), Key::new(format!("{}:rights", self.names.first_family())));
        let lease = Lease::to_load(&key, &Vec::new(), Duration::from_millis(100));
        let (_, _) = (
            self.mint(std::slice::from_ref(&tag)).await,
            self.try_acquire(&key, std::slice::from_ref(&tag), &lease).await,
        );
        let _ =
            self.write(&key, Bytes::from_static(b"rights"), std::slice::from_ref(&tag), Duration::from_millis(1)).await;
        let _ = self.invalidate(std::slice::from_ref(&tag), "").await;
        let _ = (self.release(&lease).await, self.remove(&[tag]).await, self.usage().await);
        let _ = self.add_counts(&Counts::default(), 0).await;
        let name = self.names.entry(&key);
        let _ = self.ask(vec![routed(name.clone(), redis::cmd("DEL").arg(name))], WRITE_TIMEOUT).await;
    }

    /// A user's right may be missing for one command or one family of names: said once, and kept for whoever asks.
    fn note_refusals<'v>(&self, mut answers: impl Iterator<Item = &'v Value>) {
        let refused = answers.find_map(|answer| match answer {
            Value::ServerError(error) if error.code() == "NOPERM" => Some(refused(error).to_string()),
            _ => None,
        });
        if let Some(refused) = refused {
            let mut known = self.refusal.write().unwrap_or_else(PoisonError::into_inner);
            if known.as_ref() != Some(&refused) {
                tracing::error!(
                    refused,
                    "redis does not let this user do what the cache needs: see the least rights in docs/redis.md"
                );
                *known = Some(refused);
            }
        }
    }

    fn get_entry(&self, key: &Key) -> Routed {
        let name = self.names.entry(key);
        routed(name.clone(), redis::cmd("GET").arg(name))
    }

    fn on_tag(&self, tag: &Tag, command: &str, complete: impl FnOnce(&mut Cmd) -> &mut Cmd) -> Routed {
        let name = self.names.tag(tag);
        routed(name.clone(), complete(redis::cmd(command).arg(&name)))
    }

    /// Each call brings a number that was never sent before.
    fn set_generation(&self, tag: &Tag, condition: &[&str]) -> Routed {
        self.on_tag(tag, "SET", |set| {
            set.arg(Generation::mint().to_string()).arg("PX").arg(millis(TAG_LIFE)).arg(condition)
        })
    }
}

fn server_name(server: u64) -> String {
    format!("{server:016x}")
}

fn routed(key: String, command: &mut Cmd) -> Routed {
    Routed { key, command: std::mem::take(command) }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
