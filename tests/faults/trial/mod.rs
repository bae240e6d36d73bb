//! Random clients and random faults, over HTTP, as long as one likes: `scripts/trial` for ten minutes, a minute with
//! the other tests, and on where a busy machine has let too little happen by then. The seed is printed; the network and
//! the machine decide the rest.

use std::{collections::BTreeMap, sync::Mutex};

use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::Url;

use super::*;
use crate::harness::{
    Lasting,
    proxy::{Fault, Proxy},
};

/// What goes wrong.
mod harm;
/// What clients write and read: numbers that count up.
mod numbers;

use numbers::{Number, What};

/// Two instances of one installation, each with its own way to Redis and to the database, and another Redis to go to.
struct World {
    database: TestDatabase,
    stores: [RedisServer; 2],
    to_redis: [Proxy; 2],
    to_database: [Proxy; 2],
    /// By instance: a vendor who sells, one who moves from zone to zone, an admin.
    sellers: [Client; 2],
    movers: [Client; 2],
    admins: [Client; 2],
    /// The seller's own, whose threshold counts up.
    product: Value,
    /// What was there before anything was counted: the seller's orders, and the whole marketplace's.
    orders: u64,
    market_orders: u64,
}

#[derive(Default)]
struct Tally {
    reads: AtomicU64,
    hits: AtomicU64,
    /// Said of themselves that they are old.
    stale: AtomicU64,
    /// Not answered with 200, while the database could not be reached.
    refused: AtomicU64,
    writes: AtomicU64,
    repeated: AtomicU64,
    /// By kind: what was read, written, and went wrong.
    kinds: Mutex<BTreeMap<String, u64>>,
    violations: Mutex<Vec<String>>,
}

impl Tally {
    /// Whether enough has happened to show anything.
    fn is_enough(&self, seconds: u64) -> bool {
        let [reads, hits, writes] =
            [&self.reads, &self.hits, &self.writes].map(|counter| counter.load(Ordering::Relaxed));
        reads > seconds && hits > 0 && writes > seconds / 4
    }

    fn count_kind(&self, kind: impl Into<String>) {
        *self.kinds.lock().expect("nobody panics here").entry(kind.into()).or_default() += 1;
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn from_environment<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_clients_never_read_what_is_older_than_an_acknowledged_write() {
    let (seconds, seed) =
        (from_environment("TRIAL_SECONDS", 60_u64), from_environment("TRIAL_SEED", u64::from(rand::random::<u32>())));
    println!("trial: TRIAL_SEED={seed} TRIAL_SECONDS={seconds}");
    let (_sessions, _apps, mut world) = build().await;
    let (tally, numbers) = (Tally::default(), What::ALL.map(|what| (what, Number::default())));
    for (what, number) in &numbers {
        assert!(what.write(&world, number.next(), 0).await, "{what:?}: the first write fails");
        number.acknowledge();
    }
    // The first of each is there: what is counted from here on, is counted from one.
    (world.orders, world.market_orders) = numbers::orders_so_far(&world).await;
    let lasting = Lasting::from_now(Duration::from_secs(seconds));
    let goes_on = || lasting.goes_on(|| tally.is_enough(seconds));
    let dice = |who: u64| StdRng::seed_from_u64(seed ^ who.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let writers = numbers.iter().enumerate().map(|(place, (what, number))| {
        write(&world, *what, number, &tally, &lasting, &goes_on, dice(1 + place as u64))
    });
    let readers = (0..5).map(|reader| read(&world, &numbers, &tally, &goes_on, dice(20 + reader)));
    tokio::join!(
        futures::future::join_all(writers),
        futures::future::join_all(readers),
        harm::do_harm(&world, &tally, &goes_on, dice(100)),
    );
    let counted = [&tally.reads, &tally.hits, &tally.stale, &tally.refused, &tally.writes, &tally.repeated];
    let [reads, hits, stale, refused, writes, repeated] = counted.map(|counter| counter.load(Ordering::Relaxed));
    let violations = std::mem::take(&mut *tally.violations.lock().expect("nobody panics here"));
    println!(
        "trial: seed {seed}, {seconds} s: {reads} reads ({hits} hits, {stale} said to be stale, {refused} refused), \
         {writes} writes ({repeated} repeated elsewhere), {} violations",
        violations.len()
    );
    for (kind, times) in tally.kinds.lock().expect("nobody panics here").iter() {
        println!("trial: {times:6} {kind}");
    }
    assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
    assert!(tally.is_enough(seconds), "too little happened to show anything");
    until_nothing_is_pending(&world.database).await;
}

async fn build() -> (RedisServer, Vec<TestApp>, World) {
    let (sessions, database) = (RedisServer::start(), TestDatabase::postgres().await);
    // A replica is not kept waiting for others that might want the same copy.
    let stores = [(); 2].map(|()| RedisServer::start_with(&["--repl-diskless-sync-delay", "0"]));
    let address = Url::parse(database.url()).expect("an address");
    let (port, mut apps, mut to_redis, mut to_database) =
        (address.port().unwrap_or(5432), Vec::new(), Vec::new(), Vec::new());
    for place in 0..2 {
        let (redis, postgres) = (Proxy::before(stores[0].port()).await, Proxy::before(port).await);
        let through = database.url().replacen(&format!(":{port}"), &format!(":{}", postgres.port()), 1);
        assert_ne!(through, database.url());
        let app =
            TestApp::builder().unlimited().database(&database).cache_at(&redis.redis_url()).sessions_in(&sessions);
        let app = if place == 0 { app.northwind() } else { app };
        apps.push(app.config(|config| config.database.url = through.into()).spawn_as_configured().await);
        to_redis.push(redis);
        to_database.push(postgres);
    }
    let [seller, mover] = [apps[0].log_in_as_vendor(VENDORS[0]).await, apps[0].log_in_as_vendor(VENDORS[1]).await];
    let admin = apps[0].log_in_as_admin().await;
    let at_both = |client: &Client| [client.at(&apps[0]), client.at(&apps[1])];
    let world = World {
        database,
        stores,
        to_redis: to_redis.try_into().ok().expect("two"),
        to_database: to_database.try_into().ok().expect("two"),
        product: Counter::create(&seller).await.product,
        sellers: at_both(&seller),
        movers: at_both(&mover),
        admins: at_both(&admin),
        orders: 0,
        market_orders: 0,
    };
    (sessions, apps, world)
}

/// Counts up. What is not answered in time is sent again elsewhere, where it often changes nothing. The next number
/// waits until none of the present one is underway: a late write of an older number would be one that was asked for.
async fn write(
    world: &World,
    what: What,
    number: &Number,
    tally: &Tally,
    lasting: &Lasting,
    goes_on: &impl Fn() -> bool,
    mut dice: StdRng,
) {
    while goes_on() {
        let sent = number.next();
        let (mut instance, mut underway) = (dice.random_range(0..2), Vec::new());
        loop {
            let within = what.patience().unwrap_or_else(|| Duration::from_millis(dice.random_range(50..2_000)));
            let mut writing = tokio::spawn(what.write(world, sent, instance));
            match tokio::time::timeout(within, &mut writing).await {
                Ok(Ok(true)) => break,
                // Refused: not done, or not known to be.
                Ok(_) => {}
                // Given up on, it goes on, as it does where a client goes away.
                Err(_) => underway.push(writing),
            }
            count(&tally.repeated);
            instance = 1 - instance;
            if !goes_on() && lasting.over_for() > Duration::from_secs(30) {
                return;
            }
        }
        number.acknowledge();
        count(&tally.writes);
        tally.count_kind(format!("written: {what:?}"));
        futures::future::join_all(underway).await;
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..800))).await;
    }
}

async fn read(
    world: &World,
    numbers: &[(What, Number); What::ALL.len()],
    tally: &Tally,
    goes_on: &impl Fn() -> bool,
    mut dice: StdRng,
) {
    while goes_on() {
        let ((what, number), instance) = (&numbers[dice.random_range(0..numbers.len())], dice.random_range(0..2));
        let at_least = number.acknowledged();
        let Some(shown) = what.read(world, instance, dice.random_range(0..3)).await else {
            count(&tally.refused);
            continue;
        };
        count(&tally.reads);
        tally.count_kind(format!("read: {what:?} in {}", shown.place));
        match shown.outcome.as_str() {
            "STALE" => {
                count(&tally.stale);
                continue;
            }
            "HIT" => count(&tally.hits),
            _ => {}
        }
        let sent = number.sent();
        if shown.number.is_none_or(|shown| what.latest(shown, sent) < at_least) {
            let violation = format!(
                "instance {instance}: {what:?} in {} showed {:?} ({}) after {at_least} had been acknowledged",
                shown.place, shown.number, shown.outcome
            );
            tally.violations.lock().expect("nobody panics here").push(violation);
        }
    }
}
