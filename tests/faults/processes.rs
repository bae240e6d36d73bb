use futures::{StreamExt, stream};
use sqlx::{Connection, Executor, PgConnection};

use vendorscope_cache::stats::{Counter, Counts};

use super::*;
use crate::harness::{Program, sockets};

/// Callers of each process.
const CALLERS: usize = 1_000;

/// A lock that every load of a snapshot waits for.
struct HeldUp(PgConnection);

impl HeldUp {
    async fn hold(database: &TestDatabase) -> Self {
        let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
        for statement in ["BEGIN", "LOCK TABLE sales_days IN ACCESS EXCLUSIVE MODE"] {
            connection.execute(statement).await.expect("a lock");
        }
        Self(connection)
    }

    /// Returns once this many loads wait for it.
    async fn until_waiting(&mut self, loads: i64) {
        let question = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'sales_days'::regclass";
        let began = Instant::now();
        while sqlx::query_scalar::<_, i64>(question).fetch_one(&mut self.0).await.expect("a count") < loads {
            assert!(began.elapsed() < Duration::from_secs(60), "nobody loads");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn let_go(mut self) {
        self.0.execute("COMMIT").await.expect("the lock is given back");
    }
}

/// A database with Northwind, processes that serve it, and a browser that is logged in to all of them.
async fn serve(processes: usize, redis: &RedisServer) -> (TestDatabase, Vec<Program>, Client) {
    let database = TestDatabase::postgres().await;
    let preparing = TestApp::builder().database(&database).redis(redis).northwind().spawn().await;
    let client = preparing.log_in_as_vendor(VENDORS[0]).await;
    let programs: Vec<_> = (0..processes).map(|_| Program::serve(&database, &redis.url())).collect();
    (database, programs, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_of_each_of_three_processes_cost_one_load() {
    let redis = RedisServer::start();
    let (database, programs, client) = serve(3, &redis).await;
    let watcher = TestApp::builder().database(&database).redis(&redis).spawn().await;

    let mut held_up = HeldUp::hold(&database).await;
    let clients: Vec<_> = programs.iter().map(|program| client.at_address(program.address)).collect();
    let asking = stream::iter(0..CALLERS * clients.len())
        .map(|caller| {
            let client = clients[caller % clients.len()].clone();
            async move {
                let response = client.get(SNAPSHOT).await;
                (response.status().as_u16(), response.bytes().await.expect("a whole body"))
            }
        })
        .buffer_unordered(sockets().min(CALLERS * 3))
        .collect::<Vec<_>>();
    let letting_go = async {
        held_up.until_waiting(1).await;
        held_up.let_go().await;
    };
    let (answers, ()) = tokio::join!(asking, letting_go);
    assert_eq!(answers.len(), CALLERS * 3);
    let counts = counted(&watcher, answers.len() as u64).await;
    let said = || {
        let logs = programs.iter().map(Program::log).collect::<String>();
        logs.lines().filter(|line| !line.contains("cache miss")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(counts.get(Counter::Loads), 1, "{counts:?}\n{}", said());
    let other = answers.iter().find(|answer| **answer != answers[0] || answer.0 != 200);
    assert_eq!(other, None, "every caller gets the same whole body: {counts:?}");
}

/// What all instances counted, once it is this many lookups.
async fn counted(watcher: &TestApp, lookups: u64) -> Counts {
    let began = Instant::now();
    loop {
        let counts = watcher.state().cache.counts().await;
        let so_far = counts.get(Counter::Hits) + counts.misses() + counts.get(Counter::Bypasses);
        if so_far >= lookups {
            assert_eq!(so_far, lookups, "every lookup is counted once");
            return counts;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "counts of lookups are missing: {counts:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_the_winner_is_killed_the_others_answer_within_the_cap() {
    let redis = RedisServer::start();
    let (database, mut programs, client) = serve(2, &redis).await;
    let mut held_up = HeldUp::hold(&database).await;
    let (winner, loser) = (client.at_address(programs[0].address), client.at_address(programs[1].address));
    let winning = tokio::spawn(async move { winner.request(reqwest::Method::GET, SNAPSHOT).send().await.map(|_| ()) });
    held_up.until_waiting(1).await;
    let began = Instant::now();
    let waiting = tokio::spawn(async move { loser.get(SNAPSHOT).await });
    programs[0].kill();
    assert!(winning.await.expect("no panic").is_err(), "the winner is gone");
    held_up.let_go().await;
    let response = waiting.await.expect("no panic");
    assert_eq!(response.status(), 200);
    // The lease of the dead lasts ten seconds; nobody waits that long for it.
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}
