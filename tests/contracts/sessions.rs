//! What every session store promises, whatever happens at the same time.

use std::{collections::HashMap, sync::Arc};

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};
use vendorscope::{
    domain::accounts::Role,
    server::{
        identity::accounts::Actor,
        identity::sessions::{MAX_SESSIONS, Store},
    },
};
use vendorscope_redis::Tls;

use crate::harness::{Client, PASSWORD, RedisCluster, RedisSentinel, RedisServer, TestApp};

const USER: i64 = 7;
const OTHER_USER: i64 = 8;

async fn stores(redis: &RedisServer) -> Vec<Arc<Store>> {
    vec![
        Arc::new(Store::memory()),
        Arc::new(Store::redis(&redis.url(), &Tls::default(), "test").await.expect("a connection")),
    ]
}

fn record() -> Record {
    let expiry_date = OffsetDateTime::now_utc() + Duration::HOUR;
    Record { id: Id::default(), data: HashMap::from([("number".to_owned(), json!(0))]), expiry_date }
}

async fn begin(store: &Store, user: i64) -> Record {
    let mut record = record();
    let until = record.expiry_date;
    store.begin(user, &mut record, until).await.expect("written");
    record
}

async fn is_there(store: &Store, record: &Record) -> bool {
    store.load(&record.id).await.expect("an answer").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_has_ended_is_not_brought_back_by_saving_it() {
    let redis = RedisServer::start();
    for store in stores(&redis).await {
        let mut ended = begin(&store, USER).await;
        assert!(store.replace(&ended).await.expect("an answer"), "{} while it lives", store.name());
        store.end(USER, &ended.id).await.expect("ended");
        ended.data.insert("number".to_owned(), json!(1));
        assert!(!store.replace(&ended).await.expect("an answer"), "{}: and whoever saves is told", store.name());
        store.save(&ended).await.expect("an answer");
        assert!(!is_there(&store, &ended).await, "{}", store.name());
        assert!(store.of_user(USER).await.expect("a list").is_empty(), "{}", store.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logging_out_while_others_save_leaves_nothing_behind() {
    let redis = RedisServer::start();
    for store in stores(&redis).await {
        for round in 0..50 {
            let record = begin(&store, USER).await;
            let saves = (0..8).map(|number| {
                let (store, mut record) = (store.clone(), record.clone());
                tokio::spawn(async move {
                    record.data.insert("number".to_owned(), json!(number));
                    for _ in 0..5 {
                        store.save(&record).await.expect("an answer");
                    }
                })
            });
            let saves: Vec<_> = saves.collect();
            store.end(USER, &record.id).await.expect("ended");
            assert!(!is_there(&store, &record).await, "{} round {round}: right after the logout", store.name());
            join_all(saves).await;
            assert!(!is_there(&store, &record).await, "{} round {round}: after the last save", store.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_was_replaced_by_another_stays_gone_and_the_other_stays() {
    let redis = RedisServer::start();
    for store in stores(&redis).await {
        for round in 0..50 {
            let old = begin(&store, USER).await;
            let saving = {
                let (store, old) = (store.clone(), old.clone());
                tokio::spawn(async move {
                    for _ in 0..10 {
                        store.save(&old).await.expect("an answer");
                    }
                })
            };
            let new = begin(&store, USER).await;
            store.end_all(USER, Some(&new.id)).await.expect("ended");
            saving.await.expect("saved");
            assert_eq!(
                (is_there(&store, &old).await, is_there(&store, &new).await),
                (false, true),
                "{} round {round}",
                store.name()
            );
            store.end(USER, &new.id).await.expect("ended");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ending_all_sessions_of_a_user_ends_those_that_were_there_and_nobody_elses() {
    let redis = RedisServer::start();
    for store in stores(&redis).await {
        let other = begin(&store, OTHER_USER).await;
        let before = join_all((0..20).map(|_| begin(&store, USER))).await;
        // Others begin at the same time; each of them either has ended or is listed.
        let (ended, during) = tokio::join!(store.end_all(USER, None), join_all((0..20).map(|_| begin(&store, USER))));
        ended.expect("ended");
        for record in &before {
            assert!(!is_there(&store, record).await, "{}", store.name());
        }
        let listed: Vec<Id> = store.of_user(USER).await.expect("a list").iter().map(|record| record.id).collect();
        for record in &during {
            assert_eq!(is_there(&store, record).await, listed.contains(&record.id), "{}", store.name());
        }
        store.end_all(USER, None).await.expect("ended");
        assert!(store.of_user(USER).await.expect("a list").is_empty(), "{}", store.name());
        assert!(is_there(&store, &other).await, "{}", store.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_taken_is_not_taken_over() {
    let redis = RedisServer::start();
    for store in stores(&redis).await {
        let first = begin(&store, USER).await;
        let mut second = Record { id: first.id, ..record() };
        let until = second.expiry_date;
        store.begin(OTHER_USER, &mut second, until).await.expect("written");
        assert_ne!(second.id, first.id, "{}", store.name());
        assert!(is_there(&store, &first).await, "{}", store.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_live_behind_sentinels_and_in_clusters_too() {
    let (sentinel, cluster) = (RedisSentinel::start().await, RedisCluster::start().await);
    for url in [sentinel.url(), cluster.url()] {
        let store = Store::redis(&url, &Tls::default(), "test").await.unwrap_or_else(|error| panic!("{url}: {error}"));
        let records = join_all((0..10).map(|_| begin(&store, USER))).await;
        assert_eq!(store.of_user(USER).await.expect("a list").len(), 10, "{url}");
        store.end_all(USER, Some(&records[0].id)).await.expect("ended");
        assert_eq!((is_there(&store, &records[0]).await, is_there(&store, &records[1]).await), (true, false), "{url}");
        assert_eq!(store.eviction().await.expect("an answer"), None, "{url}");
    }
    // The whole way, with the limits in the same place.
    let app = TestApp::builder().sessions_at(cluster.url()).spawn().await;
    let client = app.log_in_as_admin().await;
    assert_eq!(client.get("/api/auth/me").await.status(), 200);
    assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204);
    assert_eq!(client.get("/api/auth/me").await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_limit_ends_what_is_not_used_and_use_moves_it_no_further_than_24_hours() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).northwind().spawn().await;
    // That of admins, by default.
    let client = app.log_in_as_admin().await;
    let mut connection = redis.connection().await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("sess:*").query_async(&mut connection).await.expect("keys");
    let second = connection.clone();
    let ttl = || {
        let (mut connection, key) = (second.clone(), keys[0].clone());
        async move { redis::cmd("TTL").arg(key).query_async::<i64>(&mut connection).await.expect("an answer") }
    };
    assert!((3_500..=3_600).contains(&ttl().await), "an hour from the login");
    let vendor = app.log_in("vendor@example.com", vendorscope::domain::accounts::Role::Vendor, Some("7")).await;
    let all: Vec<String> = redis::cmd("KEYS").arg("sess:*").query_async(&mut connection).await.expect("keys");
    let other = all.iter().find(|key| **key != keys[0]).expect("the vendor's");
    let of_vendor: i64 = redis::cmd("TTL").arg(other).query_async(&mut connection).await.expect("an answer");
    assert!((86_300..=86_400).contains(&of_vendor), "a vendor's lasts a day, used or not: {of_vendor}");
    assert_eq!(vendor.get("/api/auth/me").await.status(), 200);
    // Half an hour goes by.
    let half_over = OffsetDateTime::now_utc().unix_timestamp() + 1_800;
    let stored: String = redis::cmd("GET").arg(&keys[0]).query_async(&mut connection).await.expect("a value");
    let mut stored: serde_json::Value = serde_json::from_str(&stored).expect("JSON");
    stored["expires"] = json!(half_over);
    let write = async |stored: &serde_json::Value, at: i64| {
        let mut connection = connection.clone();
        redis::cmd("SET")
            .arg(&keys[0])
            .arg(stored.to_string())
            .arg("EXAT")
            .arg(at)
            .query_async::<()>(&mut connection)
            .await
            .expect("written");
    };
    write(&stored, half_over).await;
    assert_eq!(client.get("/api/auth/me").await.status(), 200);
    assert!((3_500..=3_600).contains(&ttl().await), "an hour from this use");
    // The 24 hours are over in ten minutes.
    stored["data"]["login"]["until"] = json!(OffsetDateTime::now_utc().unix_timestamp() + 600);
    stored["expires"] = json!(OffsetDateTime::now_utc().unix_timestamp() + 300);
    write(&stored, OffsetDateTime::now_utc().unix_timestamp() + 300).await;
    assert_eq!(client.get("/api/auth/me").await.status(), 200);
    assert!((500..=600).contains(&ttl().await), "and no longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_asked_for_is_no_use_of_a_session() {
    let redis = RedisServer::start();
    let idle = |config: &mut vendorscope::server::config::Config| {
        config.sessions.idle_limits.others = Some(std::time::Duration::from_secs(3_600));
    };
    let app = TestApp::builder().redis(&redis).config(idle).northwind().spawn().await;
    let connection = redis.connection().await;
    let sessions = async || {
        let mut connection = connection.clone();
        redis::cmd("KEYS").arg("sess:*").query_async::<Vec<String>>(&mut connection).await.expect("keys")
    };
    let admin = app.log_in_as_admin().await;
    let of_admin = sessions().await.remove(0);
    let vendor = app.log_in_as_vendor("7").await;
    let of_vendor = sessions().await.into_iter().find(|key| *key != of_admin).expect("the vendor's");
    let ttl = async |key: &str| {
        let mut connection = connection.clone();
        redis::cmd("TTL").arg(key).query_async::<i64>(&mut connection).await.expect("an answer")
    };
    // Half an hour goes by.
    for key in [&of_admin, &of_vendor] {
        let mut connection = connection.clone();
        let stored: String = redis::cmd("GET").arg(key).query_async(&mut connection).await.expect("a value");
        let mut stored: serde_json::Value = serde_json::from_str(&stored).expect("JSON");
        let at = OffsetDateTime::now_utc().unix_timestamp() + 1_800;
        stored["expires"] = json!(at);
        let mut write = redis::cmd("SET");
        write.arg(key).arg(stored.to_string()).arg("EXAT").arg(at);
        write.query_async::<()>(&mut connection).await.expect("written");
    }
    let by_itself = async |client: &Client, path: &str| {
        let request = client.request(Method::GET, path).header("x-unattended", "1").header("accept", "text/html");
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text").contains("Log out"))
    };

    assert_eq!(by_itself(&admin, "/admin/cache").await, (200, true), "the page is shown");
    assert!((1..=1_800).contains(&ttl(&of_admin).await), "and ends when it would have without that");
    assert_eq!(by_itself(&vendor, "/").await, (200, true));
    let stream = vendor.get("/api/vendor/events").await;
    assert_eq!(stream.status(), 200);
    assert!((1..=1_800).contains(&ttl(&of_vendor).await), "a stream, and a page brought up to date");

    for (client, path, key) in [(&admin, "/admin/cache", &of_admin), (&vendor, "/", &of_vendor)] {
        assert_eq!(client.get(path).await.status(), 200);
        assert!((3_500..=3_600).contains(&ttl(key).await), "{path}: an hour from the use of it");
    }

    // The hour is over.
    let mut ending = connection.clone();
    redis::cmd("DEL").arg(&of_admin).query_async::<()>(&mut ending).await.expect("gone");
    assert_eq!(by_itself(&admin, "/admin/cache").await, (303, false), "it leads to the login");
    assert_eq!(admin.get("/api/auth/me").await.status(), 401, "and brings nothing back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_that_runs_beside_the_end_of_all_sessions_leaves_none_that_should_have_ended() {
    let redis = RedisServer::start();
    let generous = |config: &mut vendorscope::server::config::Config| config.limits.login_account = None;
    let apps = [
        TestApp::builder().config(generous).spawn().await,
        TestApp::builder().redis(&redis).config(generous).spawn().await,
    ];
    for app in apps {
        for round in 0..4 {
            let email = format!("user-{round}@example.com");
            let mine = app.log_in(&email, Role::Admin, None).await;
            let login = json!({ "email": email, "password": PASSWORD });
            let clients: Vec<_> = (0..6).map(|_| app.client()).collect();
            let logins = join_all(clients.iter().map(|client| client.post("/api/auth/login", &login)));
            let new = format!("another horse with battery {round}");
            if round % 2 == 0 {
                let body = json!({ "current": PASSWORD, "password": new });
                let (_, changed) = tokio::join!(logins, mine.put("/api/account/password", &body));
                assert_eq!(changed.status(), 204);
            } else {
                let disabling = async {
                    let user = app.state().accounts.disable(&email, Actor::COMMAND_LINE).await.expect("disabled");
                    app.state().sessions.end_all(&user, None).await.expect("ended");
                };
                tokio::join!(logins, disabling);
            }
            for client in &clients {
                assert_eq!(client.get("/api/auth/me").await.status(), 401, "round {round}: logged in with what was");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_the_newest_fifty_sessions_and_nobody_loses_theirs_to_others() {
    let redis = RedisServer::start();
    for store in stores(&redis).await {
        let other = begin(&store, OTHER_USER).await;
        let mut records = Vec::new();
        for _ in 0..MAX_SESSIONS + 5 {
            records.push(begin(&store, USER).await);
        }
        for (number, record) in records.iter().enumerate() {
            assert_eq!(is_there(&store, record).await, number >= 5, "{} session {number}", store.name());
        }
        assert_eq!(store.of_user(USER).await.expect("a list").len(), MAX_SESSIONS, "{}", store.name());
        assert!(is_there(&store, &other).await, "{}", store.name());
    }
}
