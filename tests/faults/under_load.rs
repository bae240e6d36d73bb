use super::*;
use crate::harness::Lasting;

const LASTS: Duration = Duration::from_secs(30);
/// Reads, hits and writes, of each more than this, or too little has happened to show anything.
const ENOUGH: u64 = 20;

/// A writer and three readers for each of two vendors, who go from instance to instance, until time is up and enough
/// has happened. `meanwhile`
/// happens to the rest of the world.
async fn writers_and_readers(instances: &[TestApp; 2], database: &TestDatabase, meanwhile: impl Future<Output = ()>) {
    let (lasting, [reads, hits, writes]) = (Lasting::from_now(LASTS), [const { AtomicU64::new(0) }; 3]);
    let counted = || [&reads, &hits, &writes].map(|count| count.load(Ordering::Relaxed));
    let goes_on = || lasting.goes_on(|| counted().iter().all(|count| *count > ENOUGH));
    let mut busy = Vec::new();
    for vendor in VENDORS {
        let client = instances[0].log_in_as_vendor(vendor).await;
        let clients = instances.each_ref().map(|instance| client.at(instance));
        let counter = Counter::create(&client).await;
        let (writer, written, goes_on) = ((counter.clone(), clients.clone()), &writes, &goes_on);
        busy.push(Box::pin(async move {
            let (counter, clients) = writer;
            for turn in 0_usize.. {
                if !goes_on() {
                    return;
                }
                counter.write(&clients[turn % clients.len()]).await;
                written.fetch_add(1, Ordering::Relaxed);
                // Lets readers find something in the cache now and then.
                tokio::time::sleep(Duration::from_millis(20 * (turn as u64 % 4))).await;
            }
        }) as futures::future::BoxFuture<'_, ()>);
        for reader in 0..3_usize {
            let (counter, clients, reads, hits) = (counter.clone(), clients.clone(), &reads, &hits);
            busy.push(Box::pin(async move {
                for turn in reader.. {
                    if !goes_on() {
                        return;
                    }
                    let outcome = counter.read(&clients[turn % clients.len()]).await;
                    reads.fetch_add(1, Ordering::Relaxed);
                    hits.fetch_add(u64::from(outcome == "HIT"), Ordering::Relaxed);
                }
            }));
        }
    }
    tokio::join!(futures::future::join_all(busy), meanwhile);
    let counted = counted();
    println!("{} reads, {} of them hits, {} writes", counted[0], counted[1], counted[2]);
    assert!(counted.iter().all(|count| *count > ENOUGH), "too little happened to show anything: {counted:?}");
    until_nothing_is_pending(database).await;
}

async fn two_instances(redis: &RedisServer, sessions: &RedisServer) -> ([TestApp; 2], TestDatabase) {
    let database = TestDatabase::postgres().await;
    let one = || TestApp::builder().unlimited().database(&database).cache_at(&redis.url()).sessions_in(sessions);
    (([one().northwind().spawn().await, one().spawn().await]), database.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_read_is_at_least_as_new_as_the_last_acknowledged_write() {
    let redis = RedisServer::start();
    let (instances, database) = two_instances(&redis, &redis).await;
    writers_and_readers(&instances, &database, async {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn and_while_redis_is_killed_and_restarted() {
    // Sessions that are away are answered with 503, which is another promise.
    let (mut redis, sessions) = (RedisServer::start(), RedisServer::start());
    let (instances, database) = two_instances(&redis, &sessions).await;
    let meanwhile = async {
        tokio::time::sleep(LASTS / 3).await;
        redis.kill();
        tokio::time::sleep(LASTS / 3).await;
        tokio::task::spawn_blocking(move || {
            redis.restart();
            redis
        })
        .await
    };
    let mut restarted = None;
    writers_and_readers(&instances, &database, async { restarted = meanwhile.await.ok() }).await;
}
