//! Random clients and random faults, over HTTP, as long as one likes: `scripts/trial` for ten minutes, a short one with
//! the other tests. The seed is printed; the network and the machine decide the rest.

use std::sync::Mutex;

use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::{Method, Url};

use super::*;
use crate::harness::proxy::{Fault, Proxy};

/// Two instances of one installation, each with its own way to Redis and to the database, and another Redis to go to.
struct World {
    stores: [RedisServer; 2],
    to_redis: [Proxy; 2],
    to_database: [Proxy; 2],
    clients: [Client; 2],
    admins: [Client; 2],
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
    faults: AtomicU64,
    violations: Mutex<Vec<String>>,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A product that only its writer changes: its price counts up.
#[derive(Default)]
struct Price {
    sent: AtomicU64,
    acknowledged: AtomicU64,
}

fn from_environment<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_clients_never_read_what_is_older_than_an_acknowledged_write() {
    let (seconds, seed) =
        (from_environment("TRIAL_SECONDS", 20_u64), from_environment("TRIAL_SEED", u64::from(rand::random::<u32>())));
    println!("trial: TRIAL_SEED={seed} TRIAL_SECONDS={seconds}");
    let (sessions, database) = (RedisServer::start(), TestDatabase::postgres().await);
    let stores = [RedisServer::start(), RedisServer::start()];
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
        apps.push(app.config(|config| config.database.url = through).spawn_as_configured().await);
        to_redis.push(redis);
        to_database.push(postgres);
    }
    let (vendor, admin) = (apps[0].log_in_as_vendor(VENDORS[0]).await, apps[0].log_in_as_admin().await);
    let world = World {
        stores,
        to_redis: to_redis.try_into().ok().expect("two"),
        to_database: to_database.try_into().ok().expect("two"),
        clients: [vendor.at(&apps[0]), vendor.at(&apps[1])],
        admins: [admin.at(&apps[0]), admin.at(&apps[1])],
    };
    let (tally, prices) = (Tally::default(), [Price::default(), Price::default()]);
    let until = Instant::now() + Duration::from_secs(seconds);
    let dice = |who: u64| StdRng::seed_from_u64(seed ^ who.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for (place, price) in prices.iter().enumerate() {
        send(&world, place, price, 0, Duration::from_secs(20), &tally, &mut Vec::new()).await;
    }
    let writers = prices
        .iter()
        .enumerate()
        .map(|(place, price)| write(&world, place, price, &tally, until, dice(1 + place as u64)));
    let readers = (0..4).map(|reader| read(&world, &prices, &tally, until, dice(10 + reader)));
    tokio::join!(
        futures::future::join_all(writers),
        futures::future::join_all(readers),
        harm(&world, &tally, until, dice(100)),
    );
    let counted =
        [&tally.reads, &tally.hits, &tally.stale, &tally.refused, &tally.writes, &tally.repeated, &tally.faults];
    let [reads, hits, stale, refused, writes, repeated, faults] =
        counted.map(|counter| counter.load(Ordering::Relaxed));
    let violations = std::mem::take(&mut *tally.violations.lock().expect("nobody panics here"));
    println!(
        "trial: seed {seed}, {seconds} s: {reads} reads ({hits} hits, {stale} said to be stale, {refused} refused), {writes} writes \
         ({repeated} repeated elsewhere), {faults} faults, {} violations",
        violations.len()
    );
    assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
    assert!(reads > 20 && hits > 0 && writes > 5, "too little happened to show anything");
    until_nothing_is_pending(&database).await;
}

/// A write that was given up on, and may yet be carried out.
type Underway = tokio::task::JoinHandle<()>;

/// One write at one instance; whether it was acknowledged in time. Given up on, it goes on, as it does where a client
/// goes away: `underway` then has it.
async fn send(
    world: &World,
    product: usize,
    price: &Price,
    instance: usize,
    within: Duration,
    tally: &Tally,
    underway: &mut Vec<Underway>,
) -> bool {
    let number = price.sent.load(Ordering::SeqCst);
    let sent = json!({ "products": [{
        "productId": format!("trial-{product}"), "vendorId": VENDORS[0], "name": format!("Trial {product}"), "category": "Tests",
        "unitPrice": number, "stock": 1,
    }] });
    let request = world.admins[instance].request(Method::POST, "/api/ingest/products").json(&sent);
    let (answered, answer) = tokio::sync::oneshot::channel();
    let asking = tokio::spawn(async move {
        let acknowledged =
            request.timeout(Duration::from_secs(60)).send().await.is_ok_and(|answer| answer.status() == 200);
        let _ = answered.send(acknowledged);
    });
    let acknowledged = match tokio::time::timeout(within, answer).await {
        Ok(answer) => answer.unwrap_or(false),
        Err(_) => {
            underway.push(asking);
            false
        }
    };
    if acknowledged {
        price.acknowledged.fetch_max(number, Ordering::SeqCst);
        count(&tally.writes);
    }
    acknowledged
}

/// Counts up. What is not answered in time is sent again elsewhere, where it often changes nothing. The next number
/// waits until none of the present one is underway: a late write of an older number would be one that was asked for.
async fn write(world: &World, product: usize, price: &Price, tally: &Tally, until: Instant, mut dice: StdRng) {
    while Instant::now() < until {
        price.sent.fetch_add(1, Ordering::SeqCst);
        let (mut instance, mut underway) = (dice.random_range(0..2), Vec::new());
        loop {
            let within = Duration::from_millis(dice.random_range(50..2_000));
            if send(world, product, price, instance, within, tally, &mut underway).await {
                break;
            }
            count(&tally.repeated);
            instance = 1 - instance;
            if Instant::now() > until + Duration::from_secs(30) {
                return;
            }
        }
        futures::future::join_all(underway).await;
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..400))).await;
    }
}

async fn read(world: &World, prices: &[Price; 2], tally: &Tally, until: Instant, mut dice: StdRng) {
    while Instant::now() < until {
        let (product, instance) = (dice.random_range(0..2), dice.random_range(0..2));
        let at_least = prices[product].acknowledged.load(Ordering::SeqCst);
        let path = format!("/api/vendor/products?search=Trial%20{product}");
        let Ok(answer) =
            world.clients[instance].request(Method::GET, &path).timeout(Duration::from_secs(20)).send().await
        else {
            count(&tally.refused);
            continue;
        };
        let outcome =
            answer.headers().get("x-cache").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        if answer.status() != 200 {
            count(&tally.refused);
            continue;
        }
        let Ok(body) = answer.json::<Value>().await else {
            count(&tally.refused);
            continue;
        };
        count(&tally.reads);
        match outcome.as_str() {
            "STALE" => {
                count(&tally.stale);
                continue;
            }
            "HIT" => count(&tally.hits),
            _ => {}
        }
        let shown = body["products"][0]["unitPrice"].as_u64().unwrap_or(0);
        if shown < at_least {
            let violation =
                format!("instance {instance} showed {shown} ({outcome}) after {at_least} had been acknowledged");
            tally.violations.lock().expect("nobody panics here").push(violation);
        }
    }
}

/// One fault after the other; everything whole again at the end.
async fn harm(world: &World, tally: &Tally, until: Instant, mut dice: StdRng) {
    while Instant::now() < until {
        let (instance, lasts) = (dice.random_range(0..2), Duration::from_millis(dice.random_range(50..2_500)));
        let store = &world.stores[dice.random_range(0..2)];
        count(&tally.faults);
        match dice.random_range(0..8) {
            0 => for_a_while(&world.to_redis[instance], Fault::BlackHole, lasts).await,
            1 => for_a_while(&world.to_redis[instance], Fault::Reset, lasts / 4).await,
            2 => for_a_while(&world.to_redis[instance], Fault::Slow(Duration::from_millis(200)), lasts).await,
            3 => for_a_while(&world.to_database[instance], Fault::BlackHole, lasts).await,
            4 => {
                store.freeze();
                tokio::time::sleep(lasts).await;
                store.thaw();
            }
            5 => {
                let command = redis::cmd("FLUSHALL");
                let _ = command.query_async::<redis::Value>(&mut store.connection().await).await;
            }
            6 => {
                let mut redis = store.connection().await;
                let _ = redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).query_async::<redis::Value>(&mut redis).await;
                tokio::time::sleep(lasts).await;
                let _ = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query_async::<redis::Value>(&mut redis).await;
            }
            // Another store: one instance follows at once, the other some time later, or never.
            _ => {
                let port = store.port();
                for place in [instance, 1 - instance] {
                    world.to_redis[place].lead_to(port);
                    for_a_while(&world.to_redis[place], Fault::Reset, Duration::from_millis(20)).await;
                    tokio::time::sleep(lasts / 2).await;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(100..1_500))).await;
    }
}

async fn for_a_while(proxy: &Proxy, fault: Fault, lasts: Duration) {
    proxy.set(fault);
    tokio::time::sleep(lasts).await;
    proxy.set(Fault::None);
}
