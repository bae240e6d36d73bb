use std::collections::BTreeMap;

use futures::future::{join_all, select_all};
use redis::{Cmd, Value};
use vendorscope_redis::{Answer, RequestError, Routed, Router};

use super::*;

const WITHIN: Duration = Duration::from_secs(10);
const CALLERS: usize = 400;

async fn ask(router: &Router, command: &mut Cmd) -> Result<Value, RequestError> {
    let question = Routed { key: String::new(), command: command.clone() };
    router.ask_together(question, WITHIN).await.map(|Answer { value, .. }| value)
}

fn get(number: usize) -> Cmd {
    redis::cmd("GET").arg(format!("of:{}", number % 8)).to_owned()
}

/// How often the server has carried out a command of this name.
async fn calls(server: &RedisServer, name: &str) -> usize {
    let said: String =
        redis::cmd("INFO").arg("commandstats").query_async(&mut server.connection().await).await.expect("an answer");
    let calls = said.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls="))?.split(',').next());
    calls.map_or(0, |calls| calls.parse().expect("a number"))
}

async fn with_values() -> (RedisServer, Router) {
    let server = RedisServer::start();
    for number in 0..8 {
        let mut set = redis::cmd("SET");
        let () =
            set.arg(format!("of:{number}")).arg(number).query_async(&mut server.connection().await).await.expect("set");
    }
    let router = Router::connect(&server.url()).await.expect("a server");
    (server, router)
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_their_own_answer_and_the_same_read_is_carried_out_for_many() {
    let (server, router) = with_values().await;
    let asked = join_all((0..CALLERS).map(|number| {
        let router = &router;
        async move {
            match number % 4 {
                0 => ask(router, redis::cmd("INCR").arg("count")).await,
                1 => ask(router, redis::cmd("LPUSH").arg("of:0").arg("no list")).await,
                _ => ask(router, &mut get(number)).await,
            }
        }
    }));
    let mut counted = Vec::new();
    for (number, answer) in asked.await.into_iter().enumerate() {
        match (number % 4, answer.expect("an answer")) {
            (0, Value::Int(count)) => counted.push(count),
            (1, Value::ServerError(error)) => assert_eq!(error.code(), "WRONGTYPE"),
            (2 | 3, Value::BulkString(text)) => assert_eq!(text, (number % 8).to_string().as_bytes()),
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
    counted.sort_unstable();
    let each: Vec<i64> = (1..=CALLERS as i64 / 4).collect();
    assert_eq!(counted, each, "what changes something is carried out once for each who asked for it");
    let reads = calls(&server, "get").await;
    assert!((1..CALLERS / 2).contains(&reads), "{reads} reads for {} callers", CALLERS / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_takes_nobodys_answer_along() {
    let (_server, router) = with_values().await;
    for round in 0..100 {
        // The first answer ends the other questions of this group, wherever they are by then.
        let given_up = select_all((0..8).map(|number| {
            let router = &router;
            Box::pin(async move { ask(router, &mut get(number)).await })
        }));
        let (one, other) = tokio::join!(given_up, async { ask(&router, &mut get(round)).await });
        assert!(one.0.is_ok());
        assert_eq!(other.expect("an answer"), Value::BulkString((round % 8).to_string().into_bytes()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_told_that_there_is_no_server_and_are_answered_when_it_is_back() {
    let (mut server, router) = with_values().await;
    server.kill();
    for answer in join_all((0..CALLERS).map(|number| {
        let router = &router;
        async move { ask(router, &mut get(number)).await }
    }))
    .await
    {
        assert!(matches!(answer, Err(RequestError::Unreachable(_))), "{answer:?}");
    }
    server.restart();
    while ask(&router, &mut get(1)).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_counts_who_asks_is_carried_out_once_for_many_and_counts_each_of_them() {
    let (server, router) = with_values().await;
    // Two counters; each caller asks for one, two or three.
    let of = |number: usize| (number % 2, 1 + number as u64 % 3);
    let asked = join_all((0..CALLERS).map(|number| {
        let (router, (key, many)) = (&router, of(number));
        async move {
            let name = format!("asked:{key}");
            let command = redis::cmd("INCRBY").arg(&name).to_owned();
            let asked = router.ask_counted(Routed { key: name, command }, many, WITHIN).await;
            let (value, before) = asked.expect("an answer");
            let Value::Int(count) = value else { panic!("{number}: {value:?}") };
            (key, count as u64, before, many)
        }
    }));
    // How far each counter was, and for whom.
    let mut groups: BTreeMap<(usize, u64), Vec<(u64, u64)>> = BTreeMap::new();
    for (key, count, before, many) in asked.await {
        groups.entry((key, count)).or_default().push((before, many));
    }
    let mut counted = [0, 0];
    for ((key, count), mut asked) in groups {
        asked.sort_unstable();
        let mut sum = 0;
        for (before, many) in asked {
            assert_eq!(before, sum, "one after the other");
            sum += many;
        }
        counted[key] += sum;
        assert_eq!(count, counted[key], "each of those who asked at once is counted");
    }
    let expected = |key| (0..CALLERS).map(of).filter(|of| of.0 == key).map(|of| of.1).sum::<u64>();
    assert_eq!(counted, [0, 1].map(expected));
    let carried_out = calls(&server, "incrby").await;
    assert!((2..CALLERS / 2).contains(&carried_out), "{carried_out} commands for {CALLERS} callers");
}

/// An import of many vendors: more than one request to the server carries.
#[tokio::test]
async fn many_tags_are_all_renewed_and_told_in_one_message() {
    let server = RedisServer::start();
    let (cache, source) = (over_redis(&server, &Clock::default()).await, Source::default());
    let tags: Vec<Tag> = (0..1_000).map(|vendor| vendor_tag(&vendor.to_string())).collect();
    let read = async |tag: &Tag| {
        let load = {
            let source = source.clone();
            move || async move { Ok::<_, String>(source.load()) }
        };
        number(
            cache.get_or_load(&snapshot_key(tag.name(), "x"), std::slice::from_ref(tag), load).await.expect("a value"),
        )
        .value
    };
    for tag in &tags {
        assert_eq!(read(tag).await, 0);
    }
    source.set(1);
    let mut heard = cache.subscribe();
    cache.invalidate(&tags, &cause()).await.expect("recorded");
    for tag in &tags {
        assert_eq!(read(tag).await, 1, "{tag:?}");
    }
    let Ok(Event::Invalidated(told)) = heard.try_recv() else { panic!("it was told") };
    assert_eq!((told.tags.len(), heard.try_recv().is_err()), (1_000, true));
}
