use redis::Value;

use super::*;
use crate::harness::{
    proxy::{Fault, Proxy},
    redis::{RedisCluster, RedisSentinel},
};

/// No answer of a test ever takes this long, unless somebody waits for something that does not come. Generous: machines
/// are busy.
const BOUNDED: Duration = Duration::from_secs(20);

/// Two instances on one database: one reaches Redis through a proxy, the other directly.
struct Pair {
    database: TestDatabase,
    proxy: Proxy,
    redis: RedisServer,
    near: Client,
    far: Client,
    counter: Counter,
    _sessions: RedisServer,
    _instances: [TestApp; 2],
}

impl Pair {
    async fn start(options: &[&str]) -> Self {
        let (redis, sessions, database) =
            (RedisServer::start_with(options), RedisServer::start(), TestDatabase::postgres().await);
        let proxy = Proxy::before(redis.port()).await;
        let behind = TestApp::builder()
            .unlimited()
            .database(&database)
            .cache_at(&proxy.redis_url())
            .sessions_in(&sessions)
            .northwind()
            .spawn()
            .await;
        let direct = TestApp::builder()
            .unlimited()
            .database(&database)
            .cache_at(&redis.url())
            .sessions_in(&sessions)
            .spawn()
            .await;
        let near = direct.log_in_as_vendor(VENDORS[0]).await;
        let far = near.at(&behind);
        let counter = Counter::create(&near).await;
        Self { database, proxy, redis, near, far, counter, _sessions: sessions, _instances: [behind, direct] }
    }

    /// Right before, right throughout, right and from the cache again after.
    async fn goes_through(mut self, name: &str, harm: impl AsyncFnOnce(&mut Self), mend: impl AsyncFnOnce(&mut Self)) {
        for client in [&self.near, &self.far] {
            self.counter.until_hit(client).await;
        }
        harm(&mut self).await;
        for round in 0..6 {
            let (writer, reader) = if round % 2 == 0 { (&self.far, &self.near) } else { (&self.near, &self.far) };
            let began = Instant::now();
            self.counter.write(writer).await;
            self.counter.read(reader).await;
            self.counter.read(writer).await;
            assert!(began.elapsed() < BOUNDED, "{name}: a write and two reads took {:?}", began.elapsed());
        }
        mend(&mut self).await;
        let began = Instant::now();
        for client in [&self.near, &self.far] {
            self.counter.until_hit(client).await;
        }
        println!("{name}: both instances serve from the cache {:?} after Redis was back", began.elapsed());
        self.counter.write(&self.far).await;
        self.counter.read(&self.near).await;
        until_nothing_is_pending(&self.database).await;
    }

    async fn command(&self, words: &[&str]) {
        let mut command = redis::cmd(words[0]);
        let asked = command.arg(&words[1..]).query_async::<Value>(&mut self.redis.connection().await).await;
        asked.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_are_reset() {
    let pair = Pair::start(&[]).await;
    let (harm, mend) =
        (async |pair: &mut Pair| pair.proxy.set(Fault::Reset), async |pair: &mut Pair| pair.proxy.set(Fault::None));
    pair.goes_through("reset", harm, mend).await;
}

/// The instance behind the hole writes without reaching Redis, and the other one goes on reaching it: what the outbox
/// is for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_instance_looks_into_a_black_hole() {
    let pair = Pair::start(&[]).await;
    let (harm, mend) =
        (async |pair: &mut Pair| pair.proxy.set(Fault::BlackHole), async |pair: &mut Pair| pair.proxy.set(Fault::None));
    pair.goes_through("black hole", harm, mend).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_200_ms_late() {
    let pair = Pair::start(&[]).await;
    let slow = Fault::Slow(Duration::from_millis(200));
    pair.goes_through("200 ms late", async |pair| pair.proxy.set(slow), async |pair| pair.proxy.set(Fault::None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_server_is_killed_and_comes_back_empty() {
    let pair = Pair::start(&[]).await;
    pair.goes_through("refused", async |pair| pair.redis.kill(), async |pair| pair.redis.restart()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_server_has_no_memory_left() {
    let pair = Pair::start(&[]).await;
    let full = async |pair: &mut Pair| pair.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    pair.goes_through("OOM", full, async |pair| pair.command(&["CONFIG", "SET", "maxmemory", "0"]).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_server_becomes_a_replica_and_master_again() {
    let (pair, master) = (Pair::start(&[]).await, RedisServer::start());
    let port = master.port().to_string();
    let demote = async |pair: &mut Pair| pair.command(&["REPLICAOF", "127.0.0.1", &port]).await;
    pair.goes_through("READONLY", demote, async |pair| pair.command(&["REPLICAOF", "NO", "ONE"]).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_is_flushed_again_and_again() {
    let pair = Pair::start(&[]).await;
    let flush = async |pair: &mut Pair| pair.command(&["FLUSHALL"]).await;
    pair.goes_through("FLUSHALL", flush, flush).await;
}

/// A server that was saved, went down, and takes its time to read its snapshot: full of old entries with the old
/// generations.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_server_loads_an_old_snapshot() {
    let pair = Pair::start(&["--loading-process-events-interval-bytes", "1024", "--key-load-delay", "0"]).await;
    let harm = async |pair: &mut Pair| {
        let mut many = redis::pipe();
        for key in 0..2_000 {
            many.set(format!("filler:{key}"), "x".repeat(100)).ignore();
        }
        let () = many.query_async(&mut pair.redis.connection().await).await.expect("filled");
        pair.command(&["SAVE"]).await;
        pair.redis.kill();
        // 2,000 keys, 1 ms each.
        pair.redis.start_loading(&["--key-load-delay", "1000"]);
    };
    pair.goes_through("LOADING", harm, async |pair| pair.redis.until_ready().await).await;
}

/// Reads and writes go on for this many rounds after a master was killed; electing another takes a second or two.
const ROUNDS: usize = 150;

async fn survives_a_failover(cache_url: &str, fail_over: impl FnOnce()) {
    let (sessions, database) = (RedisServer::start(), TestDatabase::postgres().await);
    let instance = || TestApp::builder().unlimited().database(&database).cache_at(cache_url).sessions_in(&sessions);
    let instances = [instance().northwind().spawn().await, instance().spawn().await];
    let client = instances[0].log_in_as_vendor(VENDORS[0]).await;
    let clients = instances.each_ref().map(|instance| client.at(instance));
    let counter = Counter::create(&client).await;
    for client in &clients {
        counter.until_hit(client).await;
    }
    fail_over();
    for round in 0..ROUNDS {
        if round % 10 == 0 {
            counter.write(&clients[(round / 10) % 2]).await;
        }
        counter.read(&clients[round % 2]).await;
    }
    for client in &clients {
        counter.until_hit(client).await;
    }
    until_nothing_is_pending(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_loses_a_master() {
    let mut cluster = RedisCluster::start().await;
    let url = cluster.url();
    // Whichever it is: with 16,384 slots on three masters, tags and entries are on all of them.
    survives_a_failover(&url, || cluster.members[0].kill()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sentinel_promotes_the_replica() {
    let mut servers = RedisSentinel::start().await;
    let url = servers.url();
    survives_a_failover(&url, || servers.master.kill()).await;
}
