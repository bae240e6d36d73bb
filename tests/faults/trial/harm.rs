use super::*;

/// One fault after the other; everything whole again at the end.
pub async fn do_harm(world: &World, tally: &Tally, goes_on: &impl Fn() -> bool, mut dice: StdRng) {
    while goes_on() {
        let (instance, lasts) = (dice.random_range(0..2), Duration::from_millis(dice.random_range(50..2_500)));
        let store = &world.stores[dice.random_range(0..2)];
        let (to_redis, to_database) = (&world.to_redis[instance], &world.to_database[instance]);
        let fault = match dice.random_range(0..10) {
            0 => {
                for_a_while(to_redis, Fault::BlackHole, lasts).await;
                "Redis in a black hole"
            }
            1 => {
                for_a_while(to_redis, Fault::Reset, lasts / 4).await;
                "connections to Redis reset"
            }
            2 => {
                for_a_while(to_redis, Fault::Slow(Duration::from_millis(200)), lasts).await;
                "Redis 200 ms late"
            }
            3 => {
                for_a_while(to_database, Fault::BlackHole, lasts).await;
                "database in a black hole"
            }
            4 => {
                for_a_while(to_database, Fault::Reset, lasts / 4).await;
                "connections to the database reset"
            }
            5 => {
                store.freeze();
                tokio::time::sleep(lasts).await;
                store.thaw();
                "Redis frozen"
            }
            6 => {
                say(store, &["FLUSHALL"]).await;
                "Redis flushed"
            }
            7 => {
                say(store, &["REPLICAOF", "127.0.0.1", "1"]).await;
                tokio::time::sleep(lasts).await;
                say(store, &["REPLICAOF", "NO", "ONE"]).await;
                "Redis demoted for a while"
            }
            8 => {
                // One instance follows at once, the other some time later.
                let port = store.port();
                for place in [instance, 1 - instance] {
                    lead(world, place, port).await;
                    tokio::time::sleep(lasts / 2).await;
                }
                "another Redis"
            }
            _ => fail_over(world, &mut dice).await,
        };
        tally.count_kind(format!("fault: {fault}"));
        tokio::time::sleep(Duration::from_millis(dice.random_range(100..1_500))).await;
    }
}

/// A replica has caught up with the master of both instances, and takes its place; the old master is frozen meanwhile,
/// or lives on beside it, until each instance has followed.
async fn fail_over(world: &World, dice: &mut StdRng) -> &'static str {
    let (from, first) = (dice.random_range(0..2), dice.random_range(0..2));
    let (old, new) = (&world.stores[from], &world.stores[1 - from]);
    for place in 0..2 {
        lead(world, place, old.port()).await;
    }
    say(new, &["REPLICAOF", "127.0.0.1", &old.port().to_string()]).await;
    let began = Instant::now();
    while !replication(new).await.contains("master_link_status:up") {
        if began.elapsed() > Duration::from_secs(5) {
            say(new, &["REPLICAOF", "NO", "ONE"]).await;
            return "a failover that came to nothing";
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(dice.random_range(0..2_000))).await;
    let is_frozen = dice.random_range(0..2) == 0;
    if is_frozen {
        old.freeze();
    }
    say(new, &["REPLICAOF", "NO", "ONE"]).await;
    for place in [first, 1 - first] {
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..1_500))).await;
        lead(world, place, new.port()).await;
    }
    if is_frozen {
        old.thaw();
    }
    // It joins the new one, or goes on alone, full of what was true once.
    if dice.random_range(0..2) == 0 {
        say(old, &["REPLICAOF", "127.0.0.1", &new.port().to_string()]).await;
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..1_500))).await;
        say(old, &["REPLICAOF", "NO", "ONE"]).await;
    }
    if is_frozen { "failover, the old master frozen" } else { "failover, the old master alive" }
}

/// From now on the instance's address leads to this server.
async fn lead(world: &World, instance: usize, port: u16) {
    world.to_redis[instance].lead_to(port);
    for_a_while(&world.to_redis[instance], Fault::Reset, Duration::from_millis(20)).await;
}

async fn say(store: &RedisServer, words: &[&str]) {
    let mut command = redis::cmd(words[0]);
    let said = command.arg(&words[1..]).query_async::<redis::Value>(&mut store.connection().await).await;
    said.unwrap_or_else(|error| panic!("{words:?}: {error}"));
}

async fn replication(store: &RedisServer) -> String {
    let mut question = redis::cmd("INFO");
    question.arg("replication").query_async(&mut store.connection().await).await.expect("an answer")
}

async fn for_a_while(proxy: &Proxy, fault: Fault, lasts: Duration) {
    proxy.set(fault);
    tokio::time::sleep(lasts).await;
    proxy.set(Fault::None);
}
