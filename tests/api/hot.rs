use std::time::Duration;

use vendorscope::{domain::accounts::Role, server::config::Limit};

use super::VENDOR;
use crate::harness::{RedisServer, TestApp, TestDatabase};

const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-12-31";

/// What is left of the reads' limit, as the answer says it.
fn remaining(response: &reqwest::Response) -> u64 {
    let text = response.headers()["ratelimit"].to_str().expect("ASCII");
    text.split("r=").nth(1).and_then(|rest| rest.split(';').next()?.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_anywhere_has_ended_where_it_is_remembered() {
    let (redis, database) = (RedisServer::start(), TestDatabase::sqlite());
    let one = TestApp::builder().northwind().database(&database).redis(&redis).spawn().await;
    let other = TestApp::builder().database(&database).redis(&redis).spawn().await;
    for round in 0..3 {
        let email = format!("round{round}@example.com");
        let (client, colleague) =
            (one.log_in(&email, Role::Vendor, Some(VENDOR)).await, one.log_in_as_vendor(VENDOR).await);
        for _ in 0..3 {
            assert_eq!(client.get(SNAPSHOT).await.status(), 200);
            assert_eq!(colleague.get(SNAPSHOT).await.status(), 200);
        }
        let user =
            other.state().accounts.disable(&email, vendorscope::server::identity::accounts::Actor::COMMAND_LINE).await;
        other.state().sessions.end_all(&user.expect("disabled"), None).await.expect("ended");
        assert_eq!(client.get(SNAPSHOT).await.status(), 401, "with the very next request");
        assert_eq!(colleague.get(SNAPSHOT).await.status(), 200, "and nobody else's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_a_remembered_session_counts_once_and_no_more_than_the_burst_is_let_in() {
    const BURST: u64 = 9;
    let (redis, database) = (RedisServer::start(), TestDatabase::sqlite());
    let limit = Limit::new(BURST as u32, Duration::from_secs(3600));
    let one = TestApp::builder()
        .northwind()
        .database(&database)
        .redis(&redis)
        .config(|config| config.limits.reads = limit)
        .spawn()
        .await;
    let other =
        TestApp::builder().database(&database).redis(&redis).config(|config| config.limits.reads = limit).spawn().await;
    let client = one.log_in_as_vendor(VENDOR).await;
    let elsewhere = client.at(&other);
    for count in 1..=BURST {
        let response = if count % 3 == 0 { &elsewhere } else { &client }.get(SNAPSHOT).await;
        assert_eq!((response.status().as_u16(), remaining(&response)), (200, BURST - count));
    }
    for client in [&client, &elsewhere, &client] {
        assert_eq!(client.get(SNAPSHOT).await.status(), 429);
    }
}
