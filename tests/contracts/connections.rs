//! A connection goes back to its pool clean or not at all, wherever what holds it is dropped and whatever fails: nobody
//! finds a transaction of somebody else's on it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use serde_json::json;
use sqlx::Row;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use vendorscope::server::db::{Db, DbError, outbox, sql};

use crate::harness::{Lasting, Market, TestApp, TestDatabase, databases};

/// Polls a future so many times at most and drops it then. `None` where it was not done.
async fn poll_and_drop<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// One connection of each kind, so that the next caller gets the one that was dropped.
async fn narrow(database: &TestDatabase) -> Db {
    let db = Db::connect(database.url(), 1).await.expect("the database opens");
    db.migrate().await.expect("the migrations run");
    db
}

async fn read(db: &Db) -> Result<i64, DbError> {
    let mut tx = db.read().await?;
    tx.rows(sql("SELECT id FROM vendors")).await?;
    let row = tx.row(sql("SELECT COUNT(*) AS kept FROM audit_log")).await?.expect("a row");
    tx.commit().await?;
    Ok(row.get("kept"))
}

async fn write(db: &Db, note: &str) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    let insert =
        sql("INSERT INTO audit_log (at_us, actor, action, detail) VALUES (1, 'test', $1, '')").bind(note.to_owned());
    tx.execute(insert).await?;
    tx.rows(sql("SELECT id FROM audit_log")).await?;
    tx.commit().await
}

async fn abandon(db: &Db) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    tx.execute(sql("INSERT INTO audit_log (at_us, actor, action, detail) VALUES (1, 'test', 'abandoned', '')")).await?;
    drop(tx);
    Ok(())
}

async fn fail(db: &Db) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    tx.execute(sql("INSERT INTO audit_log (at_us, actor, action, detail) VALUES (1, 'test', 'abandoned', '')")).await?;
    tx.execute(sql("INSERT INTO nowhere VALUES (1)")).await.expect_err("no such table");
    assert!(matches!(tx.rows(sql("SELECT 1")).await, Err(DbError::Failed)), "nothing more is done in it");
    assert!(matches!(tx.commit().await, Err(DbError::Failed)), "and nothing of it is kept");
    Ok(())
}

/// Every kind of use, dropped after each number of polls until it is done. After each, what follows is as if it had not
/// been there.
#[tokio::test(flavor = "multi_thread")]
async fn a_future_dropped_at_any_of_its_awaits_leaves_no_transaction_behind() {
    for database in databases().await {
        let db = &narrow(&database).await;
        let mut kept = read(db).await.expect("a number");
        for kind in ["read", "write", "abandon", "fail", "look", "remove", "migrate", "ready"] {
            let mut dropped = 0;
            for polls in 0.. {
                let used = async {
                    match kind {
                        "read" => read(db).await.map(|_| ()),
                        "write" => write(db, "dropped").await,
                        "abandon" => abandon(db).await,
                        "fail" => fail(db).await,
                        "look" => outbox::look(db, 1).await.map(|_| ()),
                        "remove" => outbox::acknowledge(db, &[1], 0, "").await.map(|_| ()),
                        "migrate" => db.migrate().await,
                        _ => db.ready().await.map_err(DbError::Corrupt),
                    }
                };
                let done = poll_and_drop(used, polls).await;
                let context = format!("{kind} dropped after {polls} polls on {}", database.url());
                // The writer is not within a transaction of another kind, and what it writes is kept at once: a reader
                // sees it, and not the state from before.
                write(db, "after").await.unwrap_or_else(|error| panic!("{context}: {error}"));
                let now = read(db).await.unwrap_or_else(|error| panic!("{context}: {error}"));
                // What was dropped within its COMMIT may have been kept.
                assert!((kept + 1..=kept + 2).contains(&now), "{context}: {now} after {kept}");
                assert!(now == kept + 1 || kind == "write", "{context}: {now} after {kept}");
                kept = now;
                match done {
                    None => dropped += 1,
                    Some(Ok(())) => break,
                    Some(Err(error)) => panic!("{context}: {error}"),
                }
            }
            assert!(dropped > 0, "{kind} was dropped on its way");
        }
        let mut tx = db.read().await.expect("a transaction");
        let abandoned = tx.rows(sql("SELECT id FROM audit_log WHERE action = 'abandoned'")).await.expect("rows");
        assert_eq!(abandoned.len(), 0, "what was dropped or failed is not there");
    }
}

/// As when clients hang up by the hundred while others write and read: each reads at least what it knows to be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn beside_futures_that_are_dropped_all_the_time_writes_succeed_and_reads_are_never_old() {
    for database in databases().await {
        let db = Db::connect(database.url(), 4).await.expect("the database opens");
        db.migrate().await.expect("the migrations run");
        let hang_up = |seed: usize| {
            let db = db.clone();
            tokio::spawn(async move {
                for step in 0..600 {
                    let polls = (seed + step * 7) % 13;
                    poll_and_drop(read(&db), polls).await;
                    poll_and_drop(abandon(&db), polls).await;
                }
            })
        };
        let rude: Vec<_> = (0..2).map(hang_up).collect();
        for step in 0..200 {
            let before = read(&db).await.unwrap_or_else(|error| panic!("read {step} on {}: {error}", database.url()));
            write(&db, "kept").await.unwrap_or_else(|error| panic!("write {step} on {}: {error}", database.url()));
            let after = read(&db).await.unwrap_or_else(|error| panic!("read {step} on {}: {error}", database.url()));
            assert_eq!(after, before + 1, "step {step} on {}", database.url());
            db.ready().await.unwrap_or_else(|error| panic!("ready at step {step} on {}: {error}", database.url()));
        }
        for task in rude {
            task.await.expect("it ends");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_may_grow_no_more_takes_writes_again_once_it_may() {
    let database = TestDatabase::sqlite();
    let db = narrow(&database).await;
    let pragma = async |text: &'static str| {
        let mut tx = db.write().await.expect("a transaction");
        let row = tx.row(sql(text)).await.expect("a pragma").expect("a row");
        tx.commit().await.expect("committed");
        row.get::<i64, _>(0)
    };
    pragma("PRAGMA max_page_count = 1").await;
    let long = "x".repeat(100_000);
    for _ in 0..3 {
        let error = write(&db, &long).await.expect_err("there is no room");
        assert!(matches!(error, DbError::Unavailable(_)), "{error}");
        assert_eq!(read(&db).await.expect("a number"), 0);
    }
    pragma("PRAGMA max_page_count = 1000000").await;
    write(&db, &long).await.expect("there is room");
    assert_eq!(read(&db).await.expect("a number"), 1);
}

/// Writes between which the others have hung up often enough.
fn is_enough(written: &AtomicU64) -> bool {
    written.load(Ordering::Relaxed) > 100
}

/// As strangers do it, for half a minute on each database: with a key that nobody issued, gone before it is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_that_hang_up_disturb_nobody_who_writes_or_reads() {
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).unlimited();
        let app = app.config(|config| config.limits.probes = None).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let address = app.address;
        let (lasting, written) = (Arc::new(Lasting::from_now(Duration::from_secs(30))), Arc::new(AtomicU64::new(0)));
        let hang_up = |path: &'static str| {
            let (lasting, written) = (lasting.clone(), written.clone());
            tokio::spawn(async move {
                // So many a second that the system has ports for all of them.
                let mut turns = tokio::time::interval(Duration::from_millis(10));
                while lasting.goes_on(|| is_enough(&written)) {
                    turns.tick().await;
                    let mut stream = TcpStream::connect(address).await.expect("a connection");
                    let key = "vsk_0000000000000000000000000000000000000000000000000000000000000000";
                    let request =
                        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\r\n");
                    stream.write_all(request.as_bytes()).await.expect("it is sent");
                    tokio::task::yield_now().await;
                    drop(stream);
                }
            })
        };
        let rude = [hang_up("/api/auth/me"), hang_up("/readyz"), hang_up("/api/vendor/orders")];
        for stock in 0_u64.. {
            written.store(stock, Ordering::Relaxed);
            if !lasting.goes_on(|| is_enough(&written)) {
                assert!(is_enough(&written), "{stock} writes on {}", database.url());
                break;
            }
            let context = format!("{stock} on {}", database.url());
            let written = client
                .patch("/api/vendor/products/bulk", &json!({ "productIds": ["e1"], "changes": { "stock": stock } }))
                .await;
            assert_eq!(written.status(), 200, "{context}");
            let list = client.get_json("/api/vendor/products?sort=stock").await;
            let shown = list["products"]
                .as_array()
                .expect("a list")
                .iter()
                .find(|product| product["productId"] == "e1")
                .expect("it");
            assert_eq!(shown["stock"], stock, "{context}");
            assert_eq!(client.get("/readyz").await.status(), 200, "{context}");
        }
        for task in rude {
            task.await.expect("it ends");
        }
    }
}
